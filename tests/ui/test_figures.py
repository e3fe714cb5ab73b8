"""Figures on the page mean something: per cent that can be read, alike in Python and in the browser, no exponents."""

import re

import pytest

from ddpm_demo.words.sentence import in_english, say

WRITTEN = {
    0: "0 %",
    2.4e-9: "less than 0.001 %",
    4.0e-5: "0.004 %",
    0.0063: "0.63 %",
    0.0778: "7.8 %",
    0.394: "39.4 %",
    0.9999: "more than 99.9 %",
    1: "100 %",
    1.234: "123 %",
}


def test_a_share_is_written_as_people_read_it_and_alike_in_the_browser(node):
    assert {share: in_english(share, "share") for share in WRITTEN} == WRITTEN
    assert say("{like:share}, {like:.3f}", like=0.0063) == "0.63 %, 0.006"
    shares = [10 ** (-k / 3) * 0.987 for k in range(24)]
    reply = node(
        """
        import { figure, perCent } from "./static/figures.js";
        const figures = [0, 2.4e-9, 4.04e-5, 0.394, 123456].map((x) => figure(x));
        const { number } = await import("./static/dom.js");
        reply = { shares: given.shares.map(perCent), figures, signs: [-0.0004, -0.0006, 0.5].map((x) => number(x)) };
        """,
        shares=[*WRITTEN, *shares],
    )
    assert reply["shares"] == [in_english(share, "share") for share in (*WRITTEN, *shares)]
    assert reply["signs"] == ["0.000", "−0.001", "0.500"]
    assert reply["figures"] == ["0.00", "under 0.000001", "0.0000404", "0.394", "123456"]


@pytest.mark.parametrize("share", [10**-k for k in range(12)])
def test_no_share_has_an_exponent(share):
    assert re.fullmatch(r"(less than |more than )?\d+(\.\d+)? %", in_english(share, "share"))
