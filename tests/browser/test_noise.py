"""The Noise and Schedule tabs in depth, as a student uses them."""

import json
import random
import re

import pytest
import torch
from PIL import Image, ImageDraw

from ddpm_demo.bench.page import CANVAS_DRAG
from ddpm_demo.core.sampling import to_uint8
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.parts.bridge import STATIC, static_url
from ddpm_demo.ui.parts.digits import class_indices, draw_noise, gallery_digit, noise_of
from ddpm_demo.words.sentence import in_english

X_T = '#noise-view canvas[data-name="x_t"]'
FACTS = "#noise-view .ddpm-facts"
NETWORK = '#noise-details [data-name="network"]'
PLOT = "#schedule-chart .js-plotly-plot"


def test_two_hundred_pictures_equal_pythons(visit):
    """Random digit, seed, t and schedule: the page's pixels are Python's within one grey level."""
    visit.open()
    chance, shared = random.Random(0), json.dumps(static_url(STATIC / "state.js"))
    schedules = {name: Schedule.from_config(ScheduleConfig(kind=name)) for name in ("linear", "cosine")}
    schedules["custom"] = Schedule.from_config(ScheduleConfig(beta_T=0.01))
    digits, _ = load_mnist(train=False)
    wanted, changes, expected = [], [], []
    for _ in range(200):
        label, which, seed = chance.randrange(10), chance.randrange(800), chance.randrange(2**31)
        t, name = chance.randrange(1000), chance.choice(list(schedules))
        wanted.append((label, which, seed, t, name))
        changes.append({"digit": gallery_digit(label, which), "noise": noise_of(seed), "t": t, "schedule": name})
        x0 = to_x0(digits[class_indices(label)[which]])
        expected.append(to_uint8(schedules[name].add_noise(x0, t, draw_noise(seed))).flatten().int())
    shown = visit.page.evaluate(
        f"""async ([changes, selector]) => {{
            const shared = await import({shared}), canvas = document.querySelector(selector);
            return changes.map((change) => {{
                shared.update(shared.readValue(change));
                const {{ data }} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                return Array.from({{length: data.length / 4}}, (_, i) => data[4 * i]);
            }});
        }}""",
        [changes, X_T],
    )
    assert len(shown) == 200
    for what, pixels, right in zip(wanted, shown, expected, strict=True):
        assert int((torch.tensor(pixels) - right).abs().max()) <= 1, what


def test_a_drag_lays_out_nothing_but_its_own_words(visit):
    """On a slow processor a layout of the whole page, at every picture, is a fifth of the time there is for one."""
    visit.open()
    visit.page.wait_for_load_state("networkidle")
    devtools, events = visit.page.context.browser.new_browser_cdp_session(), []
    devtools.on("Tracing.dataCollected", lambda told: events.extend(told["value"]))
    devtools.on("Tracing.tracingComplete", lambda _: events.append({"name": "end"}))
    devtools.send("Tracing.start", {"traceConfig": {"includedCategories": ["devtools.timeline"]}})
    visit.page.evaluate(CANVAS_DRAG, 30)
    devtools.send("Tracing.end")
    while not events or events[-1]["name"] != "end":
        visit.page.wait_for_timeout(50)
    layouts = [event["args"] for event in events if event["name"] == "Layout" and "endData" in event.get("args", {})]
    roots = [{root["nodeName"].split()[0] for root in layout["endData"]["layoutRoots"]} for layout in layouts]
    assert sum(each == {"INPUT", "SPAN", "B", "P"} for each in roots) >= 25  # the words for who cannot see come at rest


def test_a_pixel_shows_its_sum(visit, linear):
    visit.open()
    box = visit.page.locator(X_T).bounding_box()
    visit.page.mouse.move(box["x"] + box["width"] * 14.5 / 28, box["y"] + box["height"] * 10.5 / 28)
    text = visit.page.text_content("#noise-view .ddpm-sum").replace("−", "-")
    assert text.startswith("row 10, column 14: ")
    digits, _ = load_mnist(train=False)
    x0 = float(to_x0(digits[class_indices(7)[0]])[0, 0, 10, 14])
    eps = float(draw_noise(0)[0, 0, 10, 14])
    a = linear.alpha_bar_at(300)
    total = a**0.5 * x0 + (1 - a) ** 0.5 * eps
    assert text.endswith(f"xₜ = {a**0.5:.4f} · ({x0:.3f}) + {(1 - a) ** 0.5:.4f} · ({eps:.3f}) = {total:.3f}")
    visit.page.locator(X_T).focus()
    visit.page.keyboard.press("ArrowDown")
    visit.wait_for_text("#noise-view .ddpm-sum", "row 11, column 14")


def test_the_film_strip_can_be_clicked(visit):
    visit.open()
    visit.page.get_by_role("button", name="go to t = 888").click()
    assert visit.page.text_content("#noise-view output") == "t = 888"


def test_the_true_range_shows_values_beyond_one(visit):
    visit.open()
    visit.set_slider("#noise-view", 999)
    clipped = visit.pixels(X_T)
    visit.page.get_by_label("show the true range").check()
    assert sum(p in (0, 255) for p in visit.pixels(X_T)) < 0.1 * sum(p in (0, 255) for p in clipped)


def test_the_network_answers_after_the_drag_and_not_during(visit, linear):
    visit.open()
    visit.wait_for_text(NETWORK, "Of the noise it misses")
    during = visit.page.evaluate(
        """async () => {
            const asked = () =>
                performance.getEntriesByType("resource").filter(e => e.name.includes("component_server"));
            const before = asked().length;
            const input = document.querySelector('#noise-view input[type=range]');
            for (let t = 100; t <= 200; t += 4) {
                input.value = t;
                input.dispatchEvent(new Event('input', {bubbles: true}));
                await new Promise(requestAnimationFrame);
            }
            const words = document.querySelector('#noise-details [data-name="network"]');
            return [asked().length - before, words.textContent];
        }"""
    )
    assert during[0] == 0
    assert during[1].startswith("waiting for you to stop")
    visit.wait_for_text(NETWORK, "Of the noise it misses")

    digits, _ = load_mnist(train=False)
    lite = load_placed(find_checkpoint("lite"))
    eps = draw_noise(0)
    x_t = linear.add_noise(to_x0(digits[class_indices(7)[0]]), 200, eps)
    with torch.no_grad():
        mse = float((lite.model(x_t, torch.tensor([200])) - eps).square().mean())
    said = visit.page.text_content(NETWORK)
    missed = float(said.split("Of the noise it misses ")[1].split(" %")[0]) / 100
    assert missed == pytest.approx(mse, abs=0.0006)  # it is written with one decimal of a per cent
    assert f"it is {in_english(lite.held_out[2], 'share')} on average" in said
    assert "for t from 200 to 299" in said


def test_one_jump_and_the_chain_end_alike(visit):
    visit.open()
    visit.set_slider("#noise-view", 700)
    visit.page.get_by_text("One jump or many steps?").click()
    visit.wait_for_text('#noise-details p[data-name="chain"]', "after 701 steps")
    words = visit.page.text_content('#noise-details p[data-name="chain"]').replace("−", "-")
    means = [float(text) for text in re.findall(r"mean (-?[\d.]+),", words)]
    spreads = [float(text) for text in re.findall(r"standard deviation ([\d.]+\d)", words)]
    assert len(means) == len(spreads) == 2
    assert all(abs(value) < 0.15 for value in means)
    assert all(abs(value - 1) < 0.1 for value in spreads)


def test_drawing_with_the_mouse_and_reloading(visit):
    visit.open()
    visit.page.get_by_text("A digit of your own").click()
    pad = visit.page.locator(".ddpm-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    visit.page.mouse.move(box["x"] + 80, box["y"] + 60)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 200, box["y"] + 60, steps=5)
    visit.page.mouse.move(box["x"] + 120, box["y"] + 220, steps=5)
    visit.page.mouse.up()
    visit.wait_for_text(FACTS, "a digit of your own")
    visit.page.wait_for_function("location.search.includes('pixels=')")
    before = visit.pixels(X_T)
    visit.page.reload()
    visit.page.wait_for_selector(X_T)
    visit.wait_for_text(FACTS, "a digit of your own")
    assert visit.pixels(X_T) == before


def test_drawing_with_the_keyboard(visit):
    visit.open()
    visit.page.get_by_text("A digit of your own").click()
    visit.page.locator(".ddpm-pad").focus()
    for key in ["Space", *["ArrowDown"] * 12, "Space"]:
        visit.page.keyboard.press(key)
    visit.wait_for_text(FACTS, "a digit of your own")


def test_uploading_a_picture_and_a_file_that_is_none(visit, tmp_path):
    sheet = Image.new("L", (400, 300), 240)
    ImageDraw.Draw(sheet).line([(150, 60), (250, 60), (180, 240)], fill=20, width=16)
    sheet.save(tmp_path / "seven.jpg")
    (tmp_path / "letter.png").write_text("Dear reader")
    visit.open()
    visit.page.get_by_text("A digit of your own").click()
    visit.page.set_input_files("#noise-details input[type=file]", tmp_path / "letter.png")
    visit.wait_for_text("#noise-details [role=status]", "cannot be read as a picture")
    visit.page.set_input_files("#noise-details input[type=file]", tmp_path / "seven.jpg")
    visit.wait_for_text(FACTS, "a digit of your own")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_photograph_is_shown_with_a_box_to_move_and_a_threshold_to_drag(visit_to, address, width, tmp_path):
    visit = visit_to(address, viewport={"width": width, "height": 900})
    sheet = Image.new("L", (400, 300), 230)
    for x in (40, 250):
        ImageDraw.Draw(sheet).line([(x, 60), (x + 100, 60), (x + 40, 220)], fill=20, width=16)
    sheet.save(tmp_path / "two.png")
    visit.open()
    page, box, status = visit.page, visit.page.locator("#noise-details .ddpm-sheet-box"), "#noise-details [role=status]"
    page.get_by_text("A digit of your own").click()
    page.set_input_files("#noise-details input[type=file]", tmp_path / "two.png")
    visit.wait_for_text(status, "more than one thing")
    assert "a digit of your own" not in page.text_content(FACTS)  # a question, not a success
    assert page.get_by_role("button", name="Use it anyway").is_visible()

    # the keys: the lower right corner away, the box to the first digit, and the corner as far as it needs
    box.focus()
    for key in [*["ArrowLeft"] * 50, *["ArrowUp"] * 50, *["Shift+ArrowDown"] * 50, *["Shift+ArrowRight"] * 8]:
        page.keyboard.press(key)
    visit.wait_for_text(FACTS, "a digit of your own")
    visit.wait_for_text(status, "Scaled into")
    assert page.get_by_role("button", name="Use it anyway").is_hidden()
    read = '#noise-details canvas[aria-label^="what was read"]'
    first = visit.pixels(read)
    assert max(first) == 255
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    # the mouse: into the corner without ink, where there is nothing to read
    box.scroll_into_view_if_needed()
    corner = page.locator("#noise-details .ddpm-sheet-corner").nth(1).bounding_box()
    frame = box.bounding_box()
    page.mouse.move(corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2)
    page.mouse.down()
    page.mouse.move(frame["x"] + 14, frame["y"] + 14, steps=4)
    page.mouse.up()
    visit.wait_for_text(status, "There is no ink in this box")
    assert max(visit.pixels(read)) == 0


def test_a_link_brings_the_screen_back(visit, linear):
    visit.open(query="digit=3-17&seed=42&t=150&schedule=cosine")
    visit.wait_for_text(FACTS, "a 3; noise of seed 42")
    assert visit.page.text_content("#noise-view output") == "t = 150"
    assert visit.page.get_by_role("spinbutton", name="Noise seed").input_value() == "42"
    assert visit.page.get_by_role("radio", name="3").is_checked()
    cosine = Schedule.from_config(ScheduleConfig(kind="cosine"))
    digits, _ = load_mnist(train=False)
    x_t = cosine.add_noise(to_x0(digits[class_indices(3)[17]]), 150, draw_noise(42))
    assert int((torch.tensor(visit.pixels(X_T)) - to_uint8(x_t).flatten().int()).abs().max()) <= 1
    visit.set_slider("#noise-view", 160)
    visit.page.wait_for_function("location.search.includes('t=160')")
    assert "digit=3-17" in visit.page.url
    assert "__theme=light" in visit.page.url


def test_nonsense_in_a_link_is_ignored_with_a_note(visit):
    visit.open(query="digit=12-0&t=abc&schedule=square&seed=5")
    visit.wait_for_text("#noise-view .ddpm-note", "ignored: digit=12-0 (")
    visit.wait_for_text(FACTS, "a 7; noise of seed 5")
    assert visit.page.text_content("#noise-view output") == "t = 300"


def test_back_brings_the_screen_back(visit):
    visit.open()
    visit.set_slider("#noise-view", 512)
    visit.page.wait_for_function("location.search.includes('t=512')")
    visit.page.goto("about:blank")
    visit.page.go_back()
    visit.wait_for_text("#noise-view output", "t = 512")


def open_schedule(visit):
    visit.open()
    visit.tab("Schedule")
    visit.page.get_by_text("Everything a schedule is").click()
    visit.page.wait_for_selector(f"{PLOT} .scatterlayer")


def test_a_custom_schedule_keeps_the_zoom(visit):
    open_schedule(visit)
    visit.page.evaluate(f"Plotly.relayout(document.querySelector('{PLOT}'), {{'xaxis.range': [100, 200]}})")
    field = visit.page.get_by_role("spinbutton", name="T", exact=True)
    field.fill("500")
    field.press("Enter")
    visit.wait_for_text("#schedule-words", "at t = 499")
    visit.page.wait_for_function(f"document.querySelector('{PLOT}').data[12].y.length === 500")
    assert visit.page.evaluate(f"document.querySelector('{PLOT}').layout.xaxis.range") == [100, 200]
    visit.set_slider("#schedule-chart", 700)
    visit.page.wait_for_function(
        "document.querySelector('#schedule-chart .ddpm-pictures').textContent.includes('ends at t = 499')"
    )
    visit.page.locator("#schedule-chart select").last.select_option("custom")
    assert visit.page.text_content("#schedule-chart output") == "t = 499"


def test_the_cursor_can_be_dragged(visit):
    open_schedule(visit)
    place = visit.page.evaluate(
        f"""() => {{
            const plot = document.querySelector('{PLOT}');
            plot.scrollIntoView();
            const box = plot.getBoundingClientRect(), axis = plot._fullLayout.xaxis;
            const at = t => box.left + axis._offset + axis.l2p(t);
            return {{from: at(300), to: at(600), y: box.top + 120}};
        }}"""
    )
    visit.page.mouse.move(place["from"], place["y"])
    visit.page.mouse.down()
    visit.page.mouse.move(place["to"], place["y"], steps=8)
    visit.page.mouse.up()
    slider = "document.querySelector('#schedule-chart input[type=range]')"
    visit.page.wait_for_function(f"Math.abs({slider}.value - 600) <= 3")


def test_people_who_want_less_motion_get_a_slower_film(browser, address, visit):
    visit.page.emulate_media(reduced_motion="reduce")
    visit.open()
    visit.set_slider("#noise-view", 0)
    visit.page.locator("#noise-view").get_by_role("button", name="Play").click()
    value = "Number(document.querySelector('#noise-view input[type=range]').value)"
    visit.page.wait_for_function(f"{value} > 0")
    by, seconds = visit.page.evaluate(
        f"""async () => {{
            const from = {value}, begun = performance.now();
            await new Promise((resolve) => setTimeout(resolve, 1000));
            return [{value} - from, (performance.now() - begun) / 1000];
        }}"""
    )
    assert by < 100 * seconds  # 50 a second; else 167


# rule and element: the cogwheel beside the word "Settings" in the footer says "Settings" again
GRADIOS_OWN = {("image-redundant-alt", 'img[alt="Settings"]')}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_but_gradios_own_fault(visit, theme):
    visit.open(theme)
    visit.page.get_by_text("One jump or many steps?").click()
    visit.page.get_by_text("A digit of your own").click()
    for tab in ["Noise", "Schedule", "Network", "Receptive field", "Generate", "Train"]:
        visit.tab(tab)
        visit.page.wait_for_timeout(800)
        violations = visit.axe(theme)
        found = {(v["id"], node["target"][0]): node["html"][:200] for v in violations for node in v["nodes"]}
        assert {fault: html for fault, html in found.items() if fault not in GRADIOS_OWN} == {}, tab
