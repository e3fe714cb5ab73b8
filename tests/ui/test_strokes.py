"""Drawing on the page with mouse, finger and pen, a hand beside them, in browsers that hide what a canvas shows."""

import io
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

SIZE, PEN = 280, 22
TYPES = {1: "mouse", 2: "touch", 3: "touch", 4: "pen"}
SEVEN = [(60, 50), (130, 48), (220, 55), (160, 140), (120, 240)]


def stroke(pointer, points, more=None, at=0):
    """The events of one stroke of a pointer: `at` is its first one's time in milliseconds, ten lie between two."""
    kinds = ["pointerdown", *["pointermove"] * (len(points) - 1), "pointerup"]
    return [
        {"type": kind, "id": pointer, "x": x, "y": y, "time": at + 10 * k, **(more or {})}
        for k, (kind, (x, y)) in enumerate(zip(kinds, [*points, points[-1]], strict=True))
    ]


def event(kind, pointer, x, y, time, **more):
    return {"type": kind, "id": pointer, "x": x, "y": y, "time": time, **more}


DRAW = """
    const play = (element, events) => events.forEach(({ type, id, x, y, time, ...more }) =>
        pointer(element, type, x, y, { pointerId: id, pointerType: given.types[id], timeStamp: time, ...more }));
"""
INK = (
    'import { FakeContext } from "./fake_page.js";'
    + DRAW
    + """
    FakeContext.hides = given.hides;
    const { makeInk } = await import("./static/tabs/ink.js");
    reply = [];
    for (const events of given.cases) {
        let drawn = 0;
        const ink = makeInk({ help: "help", onDrawn: () => { drawn += 1; }, tell: () => {} });
        play(ink.canvas, events);
        for (const key of given.keys) {
            const event = new Event("keydown", { cancelable: true });
            event.key = key;
            ink.canvas.dispatchEvent(event);
        }
        reply.push({ file: await ink.file(), inked: ink.inked(), drawn });
    }
    """
)


@pytest.fixture
def ink(page):
    """Return a function that draws events on pads, a list each; it returns what is sent, and what else is known."""

    def draw(*cases, hides=False, keys=()):
        answers = []
        for reply in page(INK, cases=cases, types=TYPES, hides=hides, keys=list(keys)):
            with Image.open(io.BytesIO(b64decode(reply["file"]))) as image:
                assert (image.size, image.mode) == ((SIZE, SIZE), "L")
                answers.append((np.asarray(image), reply))
        return answers if len(answers) > 1 else answers[0]

    return draw


def expected(*lines):
    """Grey levels of lines with round ends: how far a pixel's middle lies inside them, over one pixel at the edge."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    covered = np.zeros((SIZE, SIZE))
    for points in lines:
        for a, b in zip(points, [*points[1:], points[-1]], strict=True):
            way = np.subtract(b, a)
            share = np.clip(((x - a[0]) * way[0] + (y - a[1]) * way[1]) / max(1e-9, way @ way), 0, 1)
            away = np.hypot(x - a[0] - share * way[0], y - a[1] - share * way[1])
            covered = np.maximum(covered, np.clip(PEN / 2 + 0.5 - away, 0, 1))
    return np.round(255 * covered)


@pytest.mark.parametrize("pointer", [1, 2, 4])
def test_a_line_is_as_wide_as_the_pen_and_is_sent_as_it_was_drawn(ink, pointer):
    picture, reply = ink(stroke(pointer, SEVEN))
    assert np.abs(picture - expected(SEVEN)).max() <= 1
    assert (reply["inked"], reply["drawn"]) == (True, 1)


def test_a_tap_is_a_dot(ink):
    picture, reply = ink(stroke(2, [(100, 80)]))
    assert np.abs(picture - expected([(100, 80)])).max() <= 1
    assert reply["drawn"] == 1


def test_keys_draw_what_the_pointer_would(ink):
    picture, _ = ink([], keys=[" ", *["ArrowDown"] * 5, " "])
    assert np.abs(picture - expected([(140, 70), (140, 120)])).max() <= 1


def test_a_browser_that_hides_its_canvases_sends_the_same_picture(ink):
    np.testing.assert_array_equal(ink(stroke(1, SEVEN), hides=True)[0], ink(stroke(1, SEVEN))[0])


def mixed(*strokes):
    return sorted((each for one in strokes for each in one), key=lambda each: each["time"])


REST = event("pointerdown", 3, 250, 250, 0)
HANDS = {
    "a palm that rests": [REST, event("pointerup", 3, 252, 251, 900)],
    "a palm that stays": [REST],
    "a palm that comes later": [event("pointerdown", 3, 250, 250, 115), event("pointerup", 3, 250, 250, 900)],
    "a palm that the system takes back": [REST, event("pointercancel", 3, 250, 250, 900)],
    "a wide palm that moves": stroke(3, [(250, 250), (200, 260), (150, 270)], {"width": 110, "height": 60}, 104),
    "a palm that grows wide": [
        REST,
        event("pointermove", 3, 230, 240, 105),
        event("pointermove", 3, 200, 230, 122, width=90),
        event("pointermove", 3, 150, 230, 131, width=30),
        event("pointerup", 3, 150, 230, 900),
    ],
}


@pytest.mark.parametrize("pointer", [2, 4])
def test_a_hand_that_rests_beside_the_finger_or_the_pen_draws_nothing(ink, pointer):
    (alone, _), *answers = ink(
        stroke(pointer, SEVEN), *(mixed(stroke(pointer, SEVEN, at=100), hand) for hand in HANDS.values())
    )
    for name, (picture, reply) in zip(HANDS, answers, strict=True):
        np.testing.assert_array_equal(picture, alone, err_msg=name)
        assert reply["drawn"] == 1, name


def test_the_pen_goes_before_the_finger(ink):
    """A touch that the pen finds is taken back, and one that comes while it is there, or just was, is the hand's."""
    line = [(250, 250), (200, 230), (150, 260), (100, 200), (50, 250)]
    touches = [stroke(2, line, at=40)[:-1], *(stroke(2, line, at=at) for at in (141, 600, 1300))]  # the first stays
    (alone, _), *answers = ink(stroke(4, SEVEN), *(mixed(stroke(4, SEVEN, at=100), touch) for touch in touches))
    for picture, _ in answers:
        np.testing.assert_array_equal(picture, alone)


def test_long_after_the_pen_a_finger_draws(ink):
    line = [(30, 250), (250, 250)]
    picture, reply = ink(stroke(4, SEVEN) + stroke(2, line, at=9000))
    assert np.abs(picture - expected(SEVEN, line)).max() <= 1
    assert reply["drawn"] == 2


def test_a_pen_that_hovers_keeps_the_hand_from_drawing(ink):
    near = event("pointermove", 4, 100, 100, 9000, buttons=0)
    hand = stroke(2, [(30, 250), (250, 250)], at=9100)
    (picture, _), (alone, _) = ink([*stroke(4, SEVEN), near, *hand], stroke(4, SEVEN))
    np.testing.assert_array_equal(picture, alone)


def test_a_pen_that_is_held_still_keeps_the_hand_from_drawing(ink):
    """A pen at rest sends no events: that it has not been lifted is enough."""
    *line, up = stroke(4, SEVEN)
    hand = stroke(2, [(30, 250), (140, 240), (250, 250)], at=9000)
    (picture, _), (alone, _) = ink([*line, *hand, {**up, "time": 9500}], [*line, up])
    np.testing.assert_array_equal(picture, alone)


def test_two_fingers_draw_two_lines(ink):
    left, right = [(60, 40), (62, 100), (60, 160), (64, 220)], [(200, 40), (204, 100), (200, 160), (202, 220)]
    picture, reply = ink(mixed(stroke(2, left), stroke(3, right, at=5)))
    assert np.abs(picture - expected(left, right)).max() <= 1
    assert reply["drawn"] == 2


@pytest.mark.parametrize("button", [1, 2, 5])
def test_other_buttons_draw_nothing(ink, button):
    picture, reply = ink(
        stroke(1, SEVEN, {"button": button, "buttons": 2}) + stroke(4, SEVEN, {"button": button}, 9000)
    )
    assert (picture.max(), reply["inked"], reply["drawn"]) == (0, False, 0)


def test_a_touch_that_the_browser_takes_is_not_drawn_and_a_pen_that_is_cut_off_is(ink):
    def cut(pointer):
        return [*stroke(pointer, SEVEN)[:-1], event("pointercancel", pointer, 0, 0, 900)]

    touched, reply = ink(cut(2))
    assert (touched.max(), reply["inked"], reply["drawn"]) == (0, False, 0)
    (penned, _), (alone, _) = ink(cut(4), stroke(4, SEVEN))
    np.testing.assert_array_equal(penned, alone)


def test_a_button_let_go_outside_ends_the_line(ink):
    lost = [*stroke(1, SEVEN)[:-1], event("pointermove", 1, 20, 20, 900, buttons=0), event("pointermove", 1, 9, 9, 910)]
    (picture, reply), (alone, _) = ink(lost, stroke(1, SEVEN))
    np.testing.assert_array_equal(picture, alone)
    assert reply["drawn"] == 1


WIPE = """
    const { makeWiper } = await import("./static/film/wiper.js");
    reply = given.cases.map((events) => {
        let known = new Uint8Array(784).fill(1);
        const wiper = makeWiper({ known: () => known, onWipe: (next) => { known = next; } });
        play(wiper.canvas, events);
        return Array.from(known);
    });
"""
GUESS = """
    const { makeGuess } = await import("./static/lessons/guess.js");
    const words = new Proxy({}, { get: () => "" });
    reply = given.cases.map((events) => {
        const guess = makeGuess({ kind: "curve", height: "", left_end: "", right_end: "" }, words, undefined, () => {});
        play(guess.element.querySelector(".ddpm-lesson-curve"), events);
        return guess.value();
    });
"""


@pytest.mark.parametrize("part", [WIPE, GUESS], ids=["wiper", "guess"])
def test_the_brush_that_wipes_and_the_curve_of_a_guess_follow_the_pads_rules(page, part):
    by_finger, by_pen = (stroke(pointer, SEVEN) for pointer in (2, 4))
    with_hand = [mixed(stroke(pointer, SEVEN, at=100), hand) for pointer in (2, 4) for hand in HANDS.values()]
    other_button = stroke(1, SEVEN, {"button": 2, "buttons": 2})
    cases = [[], other_button, stroke(2, [(100, 80)]), by_finger, by_pen, *with_hand]
    nothing, right_click, tap, finger, pen, *hands = page(DRAW + part, cases=cases, types=TYPES)
    assert right_click == nothing
    assert tap != nothing
    assert finger == pen != nothing
    for name, drawn in zip(2 * list(HANDS), hands, strict=True):
        assert drawn == pen, name


def test_a_hand_that_is_taken_back_brings_no_earlier_wipe_back(page):
    """All is given again after a wipe beside a resting hand, which rests once more while a finger wipes."""
    there = [(60, 200), (100, 200), (140, 200)]
    first, second = mixed(stroke(2, SEVEN, at=100), HANDS["a palm that rests"]), [REST, *stroke(2, there, at=100)]
    again, alone = page(
        DRAW
        + """
        const { makeWiper } = await import("./static/film/wiper.js");
        reply = given.cases.map((visits) => {
            let known = null;
            const wiper = makeWiper({ known: () => known, onWipe: (next) => { known = next; } });
            for (const events of visits) {
                known = new Uint8Array(784).fill(1);
                play(wiper.canvas, events);
            }
            return Array.from(known);
        });
        """,
        cases=[[first, second], [stroke(2, there)]],
        types=TYPES,
    )
    assert again == alone


def test_a_pictures_png_is_what_was_painted_enlarged(page):
    values = np.linspace(-1, 1, 784)
    reply = page(
        """
        import { FakeContext } from "./fake_page.js";
        FakeContext.hides = true;
        const { encodeBytes } = await import("./static/bytes.js");
        const { paintFloats } = await import("./static/paint.js");
        const { pngButton } = await import("./static/png.js");
        const canvas = new FakeElement("canvas"), saved = [];
        URL.createObjectURL = (blob) => { saved.push(blob); return "blob:"; };
        const links = [];
        FakeElement.prototype.click = function () {
            if (this.tagName === "a") links.push(this);
            else this.dispatchEvent(new Event("click"));
        };
        const wait = setTimeout;
        globalThis.setTimeout = (run, time) => time < 1000 && wait(run, time); // an address is kept for ten seconds
        const button = pngButton(canvas, "digit", "the digit");
        button.click();
        paintFloats(canvas, given.values);
        button.click();
        await until(() => links.length === 1);
        reply = { file: encodeBytes(new Uint8Array(await saved[0].arrayBuffer())), name: links[0].attributes.download };
        """,
        values=values.tolist(),
    )
    assert reply["name"] == "digit.png"
    with Image.open(io.BytesIO(b64decode(reply["file"]))) as image:
        assert image.mode == "RGBA"
        pixels = np.asarray(image)
    grey = np.floor((values + 1) / 2 * 255 + 0.5).astype(int).reshape(28, 28)
    np.testing.assert_array_equal(pixels[..., 0], np.kron(grey, np.ones((10, 10), int)))
    assert (pixels[..., 3] == 255).all()


@pytest.mark.parametrize("hides", [False, True])
def test_a_canvas_that_answers_with_noise_is_found_out(page, hides):
    statements = """
        import { FakeContext } from "./fake_page.js";
        FakeContext.hides = given.hides;
        const { canvasIsReadable } = await import("./static/readable.js");
        reply = canvasIsReadable();
        """
    assert page(statements, hides=hides) is not hides
