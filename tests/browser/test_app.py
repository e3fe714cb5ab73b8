import base64
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest
import segno
import torch

from ddpm_demo.core.sampling import to_uint8
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.networks.recommended import RECOMMENDED_GUIDANCE, RECOMMENDED_SAMPLER
from ddpm_demo.store.files import GUIDE
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.film.film_settings import recommended_settings
from ddpm_demo.ui.film.films import Films
from ddpm_demo.ui.parts.bridge import STATIC, chart_value, static_url
from ddpm_demo.ui.parts.digits import class_indices, draw_noise
from ddpm_demo.ui.tab_table import tab_ids
from tests.ui.film_messages import film_messages

X_T = '#noise-view canvas[data-name="x_t"]'
FACTS = "#noise-view .ddpm-facts"
FILM = "#generate-film canvas"
CURSOR = "document.querySelector('#schedule-chart .js-plotly-plot').layout.shapes.at(-1).x0"
# What Chrome 105, Firefox 121 or Safari 16.4 lacks, as MDN's compatibility data has it, of all that a page may well use
TOO_NEW = {
    "window": "Float16Array Temporal cookieStore navigation scheduler requestIdleCallback cancelIdleCallback "
    "showSaveFilePicker showOpenFilePicker URLPattern ViewTransition ScrollTimeline ToggleEvent CloseWatcher",
    "Array": "fromAsync",
    "Array.prototype": "toReversed toSorted toSpliced with",
    "ArrayBuffer.prototype": "resize transfer transferToFixedLength",
    "Object.getPrototypeOf(Uint8Array).prototype": "toReversed toSorted with",
    "Uint8Array": "fromBase64 fromHex",
    "Uint8Array.prototype": "toBase64 toHex setFromBase64",
    "[].values().__proto__.__proto__": "drop every filter find flatMap forEach map reduce some take toArray",
    "Map": "groupBy",
    "Map.prototype": "getOrInsert getOrInsertComputed",
    "Object": "groupBy",
    "Promise": "try withResolvers",
    "RegExp": "escape",
    "Set.prototype": "difference intersection isDisjointFrom isSubsetOf isSupersetOf symmetricDifference union",
    "String.prototype": "isWellFormed toWellFormed",
    "Intl": "DurationFormat Segmenter",
    "Element.prototype": "checkVisibility getHTML setHTMLUnsafe moveBefore computedStyleMap currentCSSZoom",
    "HTMLElement.prototype": "popover showPopover hidePopover togglePopover",
    "HTMLDialogElement.prototype": "closedBy requestClose",
    "Document.prototype": "startViewTransition caretPositionFromPoint moveBefore",
    "PointerEvent.prototype": "getCoalescedEvents getPredictedEvents",
    "URL": "canParse parse",
    "URLSearchParams.prototype": "size",
    "AbortSignal": "any timeout",
    "Blob.prototype": "bytes",
    "Response.prototype": "bytes",
    "ReadableStream.prototype": "values",
    "CanvasRenderingContext2D.prototype": "filter letterSpacing wordSpacing fontKerning reset isContextLost",
    "Navigator.prototype": "share canShare wakeLock connection deviceMemory userAgentData scheduling clipboard",
    "CSS": "registerProperty highlights px",
}


def expected_pixels(schedule, label, which, seed, t):
    digits, _ = load_mnist(train=False)
    x0 = to_x0(digits[class_indices(label)[which]])
    return to_uint8(schedule.add_noise(x0, t, draw_noise(seed))).flatten().int()


def frames(visit, count):
    visit.page.wait_for_function(f"document.querySelector('{FILM}').dataset.received == '{count}'")


def choose(visit, label, value):
    """Type a number into a Gradio field."""
    field = visit.page.get_by_role("spinbutton", name=label)
    field.fill(str(value))
    field.press("Tab")


def set_up_generate(visit, steps, count):
    visit.tab("Generate")
    visit.page.wait_for_selector(FILM)
    visit.settings()
    visit.set("spinbutton", "number input for Steps", steps)
    visit.set("spinbutton", "number input for Digits", count)


def test_dragging_t_drowns_the_digit_without_the_server(visit, linear):
    visit.open()
    visit.page.wait_for_load_state("networkidle")
    visit.wait_for_text('#noise-details [data-name="network"]', "Of the noise it misses")
    before = len(visit.requests)
    pictures = []
    for t in (0, 1, 150, 500, 999):
        visit.set_slider("#noise-view", t)
        shown = torch.tensor(visit.pixels(X_T))
        assert int((shown - expected_pixels(linear, 7, 0, 0, t)).abs().max()) <= 1
        pictures.append(shown)
    assert len({tuple(p.tolist()) for p in pictures}) == 5
    # when the slider has come to rest the network is asked; nothing else is
    assert all("component_server" in url for url in visit.requests[before:])
    coefficients = [visit.page.text_content(f"#noise-view b[data-name={name}]") for name in ("signal", "noise")]
    assert [float(c) for c in coefficients] == pytest.approx([0.0064, 1.0000], abs=1e-4)


def test_a_real_mouse_drag_moves_the_picture(visit):
    visit.open()
    box = visit.page.locator("#noise-view input[type=range]").bounding_box()
    y = box["y"] + box["height"] / 2
    start = visit.pixels(X_T)
    visit.page.mouse.move(box["x"] + box["width"] * 0.3, y)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + box["width"] * 0.8, y, steps=10)
    visit.page.mouse.up()
    assert visit.pixels(X_T) != start
    assert "t = 8" in visit.page.text_content("#noise-view output")


def test_arrow_keys_move_t(visit):
    visit.open()
    slider = visit.page.locator("#noise-view input[type=range]")
    slider.focus()
    visit.page.keyboard.press("ArrowRight")
    assert visit.page.text_content("#noise-view output") == "t = 301"


def test_another_digit_and_another_noise(visit, linear):
    visit.open()
    start = visit.pixels(X_T)
    visit.page.get_by_role("radio", name="3").check()
    visit.wait_for_text(FACTS, "a 3")
    choose(visit, "Noise seed", 42)
    visit.wait_for_text(FACTS, "seed 42")
    shown = torch.tensor(visit.pixels(X_T))
    assert shown.tolist() != start
    assert int((shown - expected_pixels(linear, 3, 0, 42, 300)).abs().max()) <= 1


def test_play_and_pause(visit):
    visit.open()
    visit.page.locator("#noise-view").get_by_role("button", name="Play").click()
    visit.page.wait_for_function("document.querySelector('#noise-view input[type=range]').value > 320")
    visit.page.locator("#noise-view").get_by_role("button", name="Pause").click()
    value = visit.page.text_content("#noise-view output")
    visit.page.wait_for_timeout(200)
    assert visit.page.text_content("#noise-view output") == value


def test_the_schedules_cursor_follows_the_shared_t(visit):
    visit.open()
    visit.set_slider("#noise-view", 258)
    visit.tab("Schedule")
    visit.wait_for_text("#schedule-chart .ddpm-pictures", "linear:\nᾱ = 0.500")
    visit.page.wait_for_selector("#schedule-chart [data-cursor='258']")
    visit.page.click("#schedule-chart .ddpm-flow > summary")
    visit.wait_for_text("#schedule-chart p[data-name=flow]", "s = 0.500")  # as much picture as noise
    visit.wait_for_text("#schedule-chart .ddpm-flow-pictures", "0.50 x₀ + 0.50 ε")
    assert not any("plotly" in url for url in visit.requests)  # megabytes that nobody has asked for yet
    visit.page.get_by_text("Everything a schedule is").click()
    visit.page.wait_for_selector("#schedule-chart .js-plotly-plot .scatterlayer")
    visit.set_slider("#schedule-chart", 700)
    visit.page.wait_for_function(f"{CURSOR} === 700")
    visit.tab("Noise")
    visit.wait_for_text("#noise-view output", "t = 700")  # told as soon as the browser sees that the tab is open


def test_the_receptive_field_changes_with_the_dilations(visit):
    visit.open()
    visit.tab("Receptive field")
    visit.page.wait_for_selector("#receptive-chart [data-widths] .ddpm-curve")
    heights = "document.querySelector('#receptive-chart [data-widths]').dataset.widths.split(',').map(Number)"
    assert visit.page.evaluate(heights) == [7, 9, 11, 17, 23, 41, 59, 113, 167, 169]
    visit.pick("#receptive-pattern", "no dilation")
    visit.page.wait_for_function(f"{heights}.at(-1) === 25")
    visit.page.wait_for_load_state("networkidle")


def test_a_click_on_a_pixel_shows_paths_and_influence(visit):
    visit.open()
    visit.tab("Receptive field")
    words = '#receptive-map p[data-name="paths"]'
    visit.wait_for_text("#receptive-look", "dilation 27: 12.8 % of the taps; 676 of 784 pixels see only themselves")
    visit.wait_for_text(words, "After layer 4 of 10: 289 of 784 input pixels")  # 17 pixels wide: what grows can be seen
    visit.set_slider("#receptive-map", 9)
    visit.wait_for_text(words, "After layer 10 of 10: 784 of 784 input pixels")
    canvas = visit.page.locator('#receptive-map canvas[data-name="paths"]')
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    visit.page.mouse.click(box["x"] + box["width"] * 0.5 / 28, box["y"] + box["height"] * 2.5 / 28)
    visit.wait_for_text("#receptive-map", "row 2, column 0")
    visit.set_slider("#receptive-map", 0)
    visit.wait_for_text(words, "After layer 1 of 10: 24 of 784 input pixels")
    canvas.focus()
    visit.page.keyboard.press("ArrowRight")
    visit.wait_for_text("#receptive-map", "row 2, column 1")
    influence = '#receptive-look p[data-name="influence"]'
    visit.wait_for_text(influence, "can carry it there")
    visit.page.get_by_label("freeze GroupNorm").check()
    visit.wait_for_text(influence, "that must be nothing")
    assert visit.page.text_content(influence).count(" 0 % of the gradient") == 4


def test_a_chart_out_of_sight_is_not_drawn(visit):
    """Plotly stops a page for half a second, for several on an old laptop: not the first clicks on the map."""
    visit.open()
    visit.tab("Receptive field")
    visit.wait_for_text('#receptive-look p[data-name="influence"]', "can carry it there")
    visit.page.wait_for_load_state("networkidle")
    assert not any("plotly" in url for url in visit.requests)
    chart = visit.page.locator("#receptive-look .ddpm-chart")
    height = chart.bounding_box()["height"]
    chart.scroll_into_view_if_needed()
    visit.page.wait_for_selector("#receptive-look .js-plotly-plot .scatterlayer")
    assert chart.bounding_box()["height"] == height  # what stands below it has not moved


def test_a_chart_that_is_being_read_in_can_be_moved(visit):
    """While Plotly is on its way there is nothing to move yet; the first drawing shows where things are by then."""
    visit.open()
    value = chart_value({"data": [{"x": [0, 1], "y": [1, 2]}], "layout": {}}, label="a line")
    moved = visit.page.evaluate(
        f"""async (value) => {{
            const {{ makeChart }} = await import({json.dumps(static_url(STATIC / "chart.js"))});
            const chart = makeChart(), frame = () => new Promise(requestAnimationFrame);
            await chart.draw(value);
            document.body.append(chart.element);
            chart.element.scrollIntoView();
            while (!chart.element.layout) {{ await frame(); await chart.move([{{ x: [0, 1], y: [5, 6] }}]); }}
            return chart.element.data.at(-1).y;
        }}""",
        value,
    )
    assert moved == [5, 6]


def test_own_dilations_on_the_page(visit):
    visit.open()
    visit.tab("Receptive field")
    field = visit.page.get_by_label("Your own")
    field.fill("4 4")
    field.press("Enter")
    visit.wait_for_text('#receptive-map p[data-name="paths"]', "After layer 4 of 4")
    visit.wait_for_text("#receptive-table", "block 1")
    field.fill("four")
    field.press("Enter")
    visit.page.wait_for_selector("text=give 1 to 12 dilations")
    visit.page.wait_for_load_state("networkidle")


def test_generate_shows_every_frame_and_the_film_needs_no_server(visit):
    visit.open()
    set_up_generate(visit, steps=20, count=4)
    visit.page.locator("#generate-start").click()
    frames(visit, 21)
    visit.page.wait_for_selector("#generate-start:not([disabled])")
    visit.set_slider("#generate-film", 20)  # wherever it came from
    shown = np.array(visit.pixels(FILM)).reshape(58, 58)
    digits = np.stack([shown[r : r + 28, c : c + 28] for r in (0, 30) for c in (0, 30)])
    lite, guide = (load_placed(find_checkpoint(name)) for name in ("lite", GUIDE))
    wanted = recommended_settings("lite", steps=20, n=4, seed=0)
    assert wanted.config == replace(RECOMMENDED_SAMPLER, steps=20)
    assert (wanted.guide, wanted.guide_weight) == (GUIDE, RECOMMENDED_GUIDANCE["lite"].weight)
    *_, last = film_messages(lite, wanted, Films(), guide=guide)
    expected = np.frombuffer(zlib.decompress(base64.b64decode(last["x_t"])), np.uint8).reshape(4, 28, 28)
    np.testing.assert_array_equal(digits, expected)

    # the path below asks for its cloud of digits when it first comes into view: let it, before counting
    visit.page.locator("#path").scroll_into_view_if_needed()
    visit.page.wait_for_selector("#path .ddpm-chart[data-frame='20']")
    visit.page.wait_for_load_state("networkidle")
    before = len(visit.requests)
    end = visit.pixels(FILM)
    visit.set_slider("#generate-film", 0)
    assert visit.pixels(FILM) != end
    assert "t = 999" in visit.page.text_content("#generate-film .ddpm-facts")
    visit.page.locator("#generate-film").get_by_role("button", name="one step forward").click()
    assert visit.page.get_attribute(FILM, "data-frame") == "1"
    visit.page.locator("#generate-film select").select_option("4")
    visit.page.locator("#generate-film").get_by_role("button", name="Play").click()
    visit.page.wait_for_function(f"document.querySelector('{FILM}').dataset.frame == '20'")
    assert visit.pixels(FILM) == end
    assert visit.requests[before:] == []


def test_stop_keeps_what_is_there_and_another_run_can_begin(visit):
    visit.open()
    set_up_generate(visit, steps=1000, count=8)
    visit.page.locator("#generate-start").click()
    visit.page.wait_for_function(f"Number(document.querySelector('{FILM}').dataset.received) >= 3")
    visit.page.locator("#generate-stop").click()
    visit.page.wait_for_selector("#generate-start:not([disabled])")
    visit.page.wait_for_load_state("networkidle")  # what was on its way has come
    received = visit.page.get_attribute(FILM, "data-received")
    assert 3 <= int(received) < 1000
    visit.page.wait_for_timeout(1500)
    assert visit.page.get_attribute(FILM, "data-received") == received

    choose(visit, "number input for Steps", 5)
    choose(visit, "number input for Digits", 1)
    visit.page.locator("#generate-start").click()
    frames(visit, 6)


def test_two_visitors_both_see_progress(visit, phone):
    for visitor in (visit, phone):
        visitor.open()
        set_up_generate(visitor, steps=1000, count=4)
    for visitor in (visit, phone):
        visitor.page.locator("#generate-start").click()
    for visitor in (visit, phone):
        visitor.page.wait_for_function(f"Number(document.querySelector('{FILM}').dataset.received) >= 5")
    for visitor in (visit, phone):
        assert int(visitor.page.get_attribute(FILM, "data-received")) < 1001
        visitor.page.locator("#generate-stop").click()


COUNT_FRAMES = """(() => {
    const native = window.requestAnimationFrame.bind(window);
    window.framesAsked = 0;
    window.requestAnimationFrame = (callback) => { window.framesAsked++; return native(callback); };
})()"""


def test_a_page_at_rest_asks_for_hardly_any_frames(visit):
    """Gradio's loading screen would go on asking for sixty a second, each of its clocks; slowed, for one."""
    visit.page.add_init_script(COUNT_FRAMES)
    visit.open()
    visit.page.wait_for_load_state("networkidle")
    visit.page.wait_for_timeout(2000)
    before = visit.page.evaluate("window.framesAsked")
    visit.page.wait_for_timeout(3000)
    assert visit.page.evaluate("window.framesAsked") - before < 90


def test_a_wrong_number_gets_a_sentence(visit):
    visit.open()
    choose(visit, "Which one", 5000)
    visit.page.wait_for_selector("text=must be a whole number from 0 to 1027")
    visit.page.wait_for_load_state("networkidle")


def test_a_comma_is_a_point_or_refused_in_every_number_field(visit):
    """Browsers that know no comma drop it without a word: 0,5 minutes were five."""
    visit.open()
    fractions = set()
    for tab in ("Noise", "Schedule", "Network", "Generate", "Train"):
        visit.tab(tab)
        if tab in ("Generate", "Train"):
            visit.settings()
        fields = visit.page.locator("input[type=number]").filter(visible=True)
        fields.first.wait_for()
        for k in range(fields.count()):
            field = fields.nth(k)
            name = field.evaluate("field => field.labels[0]?.textContent.trim() || field.ariaLabel")
            said = "field => field.validationMessage"
            whole = field.evaluate("field => field.step !== 'any' && Number.isInteger(Number(field.step))")
            field.press("Control+A")
            if whole:
                least = field.get_attribute("min") or "10"
                field.press_sequentially(f"{least},5")
                assert (field.input_value(), "without a comma" in field.evaluate(said)) == (least, True), name
                field.press("Control+A")
                field.press_sequentially(least)
                assert (field.input_value(), "comma" in field.evaluate(said)) == (least, False), name
            else:
                fractions.add(name)
                field.press_sequentially("0,5")
                assert field.input_value() == "0.5", name
                field.press_sequentially(",7")
                assert (field.input_value(), "one comma" in field.evaluate(said)) == ("0.5", True), name
                field.press("Control+A")
                field.press_sequentially("0,125")  # no thousand begins with a nought
                assert (field.input_value(), "comma" in field.evaluate(said)) == ("0.125", False), name
                field.press("Control+A")
                field.press_sequentially("1,000")  # one, or a thousand
                assert (field.input_value(), "Write 1000, or 1.000" in field.evaluate(said)) == ("1.00", True), name
    for name in ("Length", "Learning rate", "EMA", "β₁", "β_T"):
        assert name in " ".join(fractions)
    visit.tab("Noise")  # a number beyond its field's limits is kept, and refused in our own words
    visit.set("spinbutton", "Noise seed", "-1")
    visit.page.wait_for_selector("text=the seed must be a whole number from 0 to 2147483647")


def test_others_in_the_room_are_shown_the_way_to_this_very_screen(visit, visit_to, address):
    room = "Open this screen on other devices"
    visit.open()
    visit.page.get_by_text(room).click()
    visit.wait_for_text("#room", "is open to this computer only")
    assert not visit.page.locator("#room canvas").is_visible()
    # a name of this computer that is not the one that only it knows itself by, as a school's would be
    other = visit_to(address.replace("127.0.0.1", "room.localhost"), viewport={"width": 390, "height": 844})
    other.open(theme="dark", query="t=500")
    other.page.get_by_text(room).click()
    other.page.locator("#room canvas").wait_for()
    assert "t=500" in other.page.text_content("#room [role=status]")
    other.set_slider("#noise-view", 700)  # what is shown follows the screen
    shown = "document.querySelector('#room [role=status]').textContent"
    other.page.wait_for_function(f"{shown}.includes('t=700') && {shown} === location.href")
    own = other.page.evaluate("location.href")
    assert "room.localhost" in own
    modules = 255 * (1 - np.array(list(segno.make(own, micro=False).matrix_iter(border=4))))
    assert other.pixels("#room canvas") == modules.flatten().tolist()
    box = other.page.locator("#room canvas").bounding_box()
    assert box["width"] == pytest.approx(box["height"])
    assert box["width"] >= 4 * len(modules)  # pixels a module: a phone held a step away reads it
    assert box["x"] + box["width"] <= 390


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_never_scrolls_sideways(phone, theme):
    phone.open(theme)
    for tab in tab_ids():
        phone.tab(tab)
        phone.page.wait_for_timeout(700)
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390, tab


def test_the_oldest_browsers_that_the_page_promises_have_all_that_it_uses(visit):
    """As far as JavaScript goes: what is newer is taken away before the page begins, from Gradio's own code, too."""
    visit.page.add_init_script(
        f"""for (const [owner, names] of Object.entries({json.dumps(TOO_NEW)})) {{
            const object = eval(owner);
            for (const name of names.split(" ")) {{
                delete object[name];
                if (name in object) throw new Error(`${{owner}} keeps ${{name}}`);
            }}
        }}
        delete ReadableStream.prototype[Symbol.asyncIterator];"""
    )
    visit.page.goto(f"{visit.address}?film=0~0~8~0~4~1~lite")  # opens Generate and presses it, by itself
    visit.page.wait_for_selector(FILM)
    frames(visit, 9)
    for tab in tab_ids():
        visit.tab(tab)
        visit.page.locator(f"#tab-{tab_ids()[tab]} .ddpm-mount > *").first.wait_for()
    visit.tab("Noise")
    before = visit.pixels(X_T)
    visit.set_slider("#noise-view", 800)
    assert visit.pixels(X_T) != before
    visit.page.wait_for_load_state("networkidle")


def test_a_browser_that_is_too_old_is_told_so(visit):
    visit.page.add_init_script("delete window.DecompressionStream")
    visit.page.goto(visit.address)
    words = visit.page.locator("#old-browser")
    words.wait_for()
    assert "no DecompressionStream" in words.inner_text()
    assert "Safari 16.4" in words.inner_text()
    visit.faults.clear()  # its pictures do fail
