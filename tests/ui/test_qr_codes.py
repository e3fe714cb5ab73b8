"""QR codes of the terminal and of the page, read by others' readers, each as a camera would see it."""

import base64
import os
import re

import gradio as gr
import numpy as np
import pytest

from ddpm_demo.ui.room import invite_function, qr_code

ADDRESSES = [
    "http://10.0.0.7:7860/",
    "http://192.168.178.120:7861/?t=500&film=0~2~50~0~16~4711~lite",
    "http://[2001:db8::5]:7860/",
]
COLOURS = {16: 0, 231: 255}  # of the 256, by xterm's table: those that no theme changes


def bring(name):
    """A reader; where it is not installed the test is skipped, and fails in CI."""
    return __import__(name) if os.environ.get("CI") else pytest.importorskip(name)


@pytest.fixture(params=["zxing", "OpenCV", "OpenCV, Aruco"])
def read(request):
    """A reader of grey levels uint8 (H, W); none of OpenCV's two takes a code that is white on black."""
    if request.param == "zxing":
        zxing = bring("zxingcpp")
        return lambda levels: "".join(found.text for found in zxing.read_barcodes(levels))
    cv2 = bring("cv2")
    detector = cv2.QRCodeDetector() if request.param == "OpenCV" else cv2.QRCodeDetectorAruco()
    return lambda levels: detector.detectAndDecode(levels)[0]


def on_screen(text, ground, ink):
    """What a terminal with that ground and ink shows, grey levels uint8 (H, W), a module eight pixels wide.

    A letter is two modules high. The letters' halves are filled as the terminal's own font does.
    """
    rows = []
    for line in text.splitlines():
        front, back, cells = ink, ground, []
        for codes, letter in re.findall(r"\x1b\[([\d;]*)m|(.)", line):
            if codes:
                numbers = [int(number) for number in codes.split(";")]
                while numbers:
                    kind = numbers.pop(0)
                    if kind == 0:
                        front, back = ink, ground
                    elif kind in (38, 48):
                        assert numbers.pop(0) == 5
                        level = COLOURS[numbers.pop(0)]
                        front, back = (level, back) if kind == 38 else (front, level)
            else:
                top, bottom = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}[letter]
                cells.append((front if top else back, front if bottom else back))
        rows += [list(row) for row in zip(*cells, strict=True)]
    width = max(map(len, rows))
    page = np.full((len(rows) + 8, width + 8), ground, np.uint8)
    for y, row in enumerate(rows):
        page[4 + y, 4 : 4 + len(row)] = row
    return page.repeat(8, axis=0).repeat(8, axis=1)


@pytest.mark.parametrize(("ground", "ink"), [(0, 255), (255, 0), (40, 200), (120, 255)])
@pytest.mark.parametrize("address", ADDRESSES)
def test_the_terminals_code_is_read_on_any_ground(address, ground, ink, read, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("WT_SESSION", "1")
    assert read(on_screen(qr_code(address, "utf-8"), ground, ink)) == address


def test_the_margin_is_part_of_the_code(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("WT_SESSION", "1")
    screen = on_screen(qr_code(ADDRESSES[0], "utf-8"), 0, 255)[::8, ::8]
    inside = screen[4:-4, 4:-4]
    assert (inside[:4] == 255).all()
    assert (inside[:, :4] == 255).all()
    assert (inside[:, -4:] == 255).all()
    assert (inside[-4:] == 255).all()
    assert (inside[4, 4:11] == 0).all()  # the first corner's square


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_pages_code_is_read(address, read):
    answer = invite_function(gr.Blocks())({"address": address})
    levels = np.frombuffer(base64.b64decode(answer["levels"]), np.uint8).reshape(answer["size"], answer["size"])
    assert read(np.ascontiguousarray(levels.repeat(6, axis=0).repeat(6, axis=1))) == address


@pytest.mark.skipif(os.name != "posix", reason="Windows has its own rule")
def test_a_terminal_that_shows_no_colours_gets_no_code(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert qr_code(ADDRESSES[0], "utf-8") == ""
