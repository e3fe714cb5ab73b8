"""The values of the page's address, mangled on their way."""

from urllib.parse import quote

import numpy as np
import pytest
from starlette.datastructures import QueryParams

from ddpm_demo.ui.link import NAMES, read_link
from ddpm_demo.ui.parts.digits import own_digit
from ddpm_demo.ui.parts.query import query_values, read_repaired, repairs

PIXELS = own_digit(np.arange(784, dtype=np.uint16).reshape(28, 28).astype(np.uint8))["link"][1]
WHOLE = {
    "digit": "3-17",
    "pixels": PIXELS,
    "seed": "42",
    "t": "150",
    "schedule": "cosine",
    "custom": "0.001,0.05,200",
    "pixel": "3-20",
    "stage": "blocks.6",
    "dilations": "1-2-4",
}
BEFORE = ["", " ", "<", "(", "**", "\u200b", "3D"]
AFTER = ["", ".", ")", ",", "*", ">", ").", "_", "\u200b", "\n", " ", "*)\u200b.", "?utm_source=x", "&amp;x=1", "#top",
         '"> the digit</a>', "<br/>and then", ")](x", "](https://host/)", ') "title"', "|click here>", "%2", "．）",
         " https://host/"]  # fmt: skip


def parts(link):
    return (link.view, link.label, link.which, link.seed, link.custom, link.dilations, link.note)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("times", [0, 1, 2])
@pytest.mark.parametrize("query", ["{}={}", "utm_source=x&{}={}", "utm_source=x&amp;{}={}", "x=1?{}={}"])
def test_every_value_that_was_mangled_is_repaired(name, times, query):
    expected = read_link({name: WHOLE[name]})
    assert expected.note == ""
    for before in BEFORE:
        for after in AFTER:
            text = before + WHOLE[name] + after
            for _ in range(times):
                text = quote(text, safe="")
            link = read_link(QueryParams(query.format(name, quote(text, safe=""))))
            assert parts(link) == parts(expected), text


@pytest.mark.parametrize(
    "text", ["1–2–4", "1-2-4\\", "1\u200b-2-\u00ad4", "1=\n-2-4", "1-2\r\n  -4", "1-\n> 2-4", "１－２－４", "__1-2-4__"]
)
def test_a_value_that_was_laid_out_for_people_is_repaired(text):
    assert read_link({"dilations": text}).dilations == (1, 2, 4)


@pytest.mark.parametrize(
    "query", ["%E2%80%8B{}={}", "+{}+=+{}", "{}%20%3D%20{}", "a=1&%23/{}={}", "**{}**={}", "a=1,{}={}", "a=1|{}={}",
              "a=1&amp;amp;amp;{}={}", "a=(https://host/?{}={})", "{}%EF%BC%9D{}"]
)  # fmt: skip
def test_a_mangled_name_is_found(query):
    for name, value in WHOLE.items():
        assert parts(read_link(QueryParams(query.format(name, quote(value))))) == parts(read_link({name: value})), name
    assert read_link(QueryParams("at=5&data[t]=5&x-t=5&utm.t=5&x=pt=")) is None


def test_a_link_in_capitals_is_repaired_and_a_drawing_that_lost_them_is_refused():
    for name, value in WHOLE.items():
        if name != "pixels":
            assert parts(read_link({name: value.upper()})) == parts(read_link({name: value})), name
    for lost in (PIXELS.upper(), PIXELS.lower(), PIXELS.capitalize()):
        assert "its capitals or its small letters were lost" in read_link({"pixels": lost}).note
    ink = np.full((28, 28), 255, np.uint8)  # its link has no letter at all
    for pixels in (0 * ink, ink, np.triu(ink), np.eye(28, dtype=np.uint8) * 255):
        assert (read_link({"pixels": own_digit(pixels)["link"][1]}).view["digit"]) == own_digit(pixels)


def test_a_whole_link_in_another_ones_parameter_is_read():
    whole = "&".join(f"{name}={value}" for name, value in WHOLE.items())
    assert parts(read_link(QueryParams(f"url={quote('https://host/?' + whole, safe='')}"))) == parts(read_link(WHOLE))
    assert parts(read_link(QueryParams(quote(whole, safe="")))) == parts(read_link(WHOLE))


@pytest.mark.parametrize(
    ("name", "text"),
    [("t", "15O"), ("t", "−5"), ("seed", "-5."), ("seed", "4 2"), ("digit", "3-17 or 4-2"), ("pixels", PIXELS[:-9])],
)
def test_what_is_not_plain_is_said_with_what_is_shown_instead(name, text):
    link = read_link({name: text, "stage": "time."})
    assert f"{name}={text[:40]}" in link.note
    assert "what the page opens with" in link.note
    assert link.view == {"stage": "time"}


def test_a_name_of_its_own_counts_before_one_in_anothers_value():
    assert query_values(QueryParams("x=1?t=5&t=7&amp;t=8&seed=1"), NAMES) == {"t": "7", "seed": "1"}
    assert query_values({"utm": "nothing of ours", "at": "5"}, NAMES) == {}


def test_a_value_is_first_taken_as_it_came():
    """A run may be called what looks mangled: `run (2)` is not `run (2`."""
    assert next(repairs(" (a%20b). ")) == " (a%20b). "
    assert read_repaired("run (2)).", known) == "run (2)"
    with pytest.raises(ValueError, match="invalid literal"):
        read_repaired("x", int)


def known(name):
    if name not in ("run (2)", "run (2"):
        raise ValueError(name)
    return name
