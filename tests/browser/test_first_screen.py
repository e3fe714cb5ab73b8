"""What a student meets first: on every tab the thing to see and the control that moves it, without scrolling."""

import re

import pytest

SIZES = {"phone": (390, 844), "laptop": (1280, 800)}
FILM = "#generate-film canvas"
STAGES = {
    "Noise": [
        "#noise-view input[type=range]",
        *(f"#noise-view canvas[data-name={name}]" for name in ("x_t", "x0_hat", "eps_hat")),
    ],
    "Schedule": ["#schedule-chart .ddpm-curve", "#schedule-chart input[type=range]"],
    "Network": ["#network-view [aria-pressed=true]", "#network-view .ddpm-channels"],
    "Receptive field": [
        "#receptive-chart .ddpm-curve",
        "#receptive-map canvas",
        "#receptive-map input[type=range]",
    ],
    "Generate": ["#generate-count", "#generate-dice", "#generate-start", FILM, "#generate-film progress"],
    "Train": [
        "#train-start",
        "#train-unit label",
        "#train-classes label",
        "#train-view .ddpm-curve",
        "#train-view canvas[data-name=ema]",
    ],
}
INSIDE = """selector => {
    const box = document.querySelector(selector).getBoundingClientRect();
    return {left: box.left, top: box.top, right: innerWidth - box.right, bottom: innerHeight - box.bottom,
            width: box.width, height: box.height};
}"""


def assert_in_view(page, selector):
    box = page.evaluate(INSIDE, selector)
    assert min(box["left"], box["top"], box["right"], box["bottom"]) >= -0.5, (selector, box)
    assert min(box["width"], box["height"]) > 5, (selector, box)


@pytest.fixture(params=SIZES)
def student(request, visit, phone):
    """A page of either size."""
    width, height = SIZES[request.param]
    student = phone if request.param == "phone" else visit
    student.page.set_viewport_size({"width": width, "height": height})
    return student


def test_every_tab_is_one_tap_away_and_shows_what_it_is_about(student):
    page = student.open().page
    for tab, parts in STAGES.items():
        student.tab(tab)
        for part in parts:
            page.wait_for_selector(part)
        if tab == "Network":
            student.wait_for_text('#network-view p[data-name="stage"]', "channels")
        assert page.evaluate("scrollY") == 0, tab
        for part in parts:
            assert_in_view(page, part)
        lead = page.locator(".ddpm-lead p:visible").inner_text()
        assert len(re.findall(r"[.!?](?:\\s|$)", lead)) == 1, lead
        for name in STAGES:
            assert page.get_by_role("tab", name=name).is_visible(), (tab, name)


def test_every_choice_of_the_train_tab_can_be_seen(student):
    """Also on a phone, where the hints of its fields are left out, and before any run, when noise is all there is."""
    page = student.open().page
    student.tab("Train")
    for name in ("minutes", "epochs"):
        assert page.get_by_role("radio", name=name).is_visible()
    for digit in range(10):
        assert page.locator("#train-classes").get_by_role("checkbox", name=str(digit)).is_visible()
    page.wait_for_selector('#train-view canvas[data-name=ema][aria-label^="what every drawing begins with"]')
    assert len(set(student.pixels("#train-view canvas[data-name=ema]"))) > 200


def test_the_curve_and_the_map_of_the_receptive_field_move_together(student):
    page = student.open().page
    student.tab("Receptive field")
    student.wait_for_text("#receptive-map", "After layer 4 of 10: 289 of 784")
    page.wait_for_selector("#receptive-chart [data-cursor='3']")
    student.set_slider("#receptive-map", 9)
    page.wait_for_selector("#receptive-chart [data-cursor='9']")
    curve = page.locator("#receptive-chart .ddpm-curve").bounding_box()
    page.mouse.click(curve["x"] + 50, curve["y"] + 30)  # on the first layer
    student.wait_for_text("#receptive-map", "After layer 1 of 10: 49 of 784")


def test_generate_begins_with_the_noise_that_it_showed(student):
    page = student.open().page
    student.tab("Generate")
    page.wait_for_selector(FILM)
    described = f"document.querySelector('{FILM}').ariaLabel"
    page.wait_for_function(f"{described}.includes('the noise of seed 0, 16 pictures')")
    sixteen = student.pixels(FILM)
    student.set("spinbutton", "number input for Digits", 2)
    page.wait_for_function(f"{described}.includes('the noise of seed 0, 2 pictures')")
    page.locator("#generate-dice").click()
    page.wait_for_function(f"{described}.includes('2 pictures') && !{described}.includes('seed 0,')")
    shown = student.pixels(FILM)
    assert len({len(sixteen), len(shown)}) == 2
    page.locator("#generate-start").click()
    page.wait_for_function(f"Number(document.querySelector('{FILM}').dataset.received) >= 2")
    assert page.evaluate("scrollY") == 0
    for part in (FILM, "#generate-film progress", "#generate-film .ddpm-facts", "#generate-stop"):
        assert_in_view(page, part)
    page.locator("#generate-stop").click()
    page.wait_for_selector("#generate-start:not([disabled])")
    student.set_slider("#generate-film", 0)
    assert student.pixels(FILM) == shown


def test_the_first_tab_leads_on(student):
    page = student.open().page
    onward = page.get_by_role("button", name="and back again")
    assert not onward.is_visible()
    student.set_slider("#noise-view", 999)
    onward.click()
    page.wait_for_selector("#generate-start:visible")


def test_what_differs_from_the_recommended_settings_is_said(visit):
    page = visit.open().page
    visit.tab("Generate")
    visit.wait_for_text("#generate-differences", "All settings are the recommended ones.")
    visit.settings()
    visit.wait_for_text("#generate-contrast", "50 steps of this rule end at ×0.92 of the right contrast.")
    page.get_by_role("radio", name="DPM-Solver++(2M)").check()
    visit.wait_for_text("#generate-contrast", "50 steps of this rule end at ×1.02")
    visit.wait_for_text("#generate-differences", "Changed: sampler DPM-Solver++(2M).")
    visit.tab("Train")
    visit.wait_for_text("#train-differences", "All settings are the recommended ones.")
    visit.settings()
    visit.set("spinbutton", "Width", 32)
    visit.wait_for_text("#train-differences", "Changed: width 32.")


def test_the_index_of_a_long_page_leads_to_its_sections(student):
    page = student.open().page
    student.tab("Generate")
    page.get_by_role("button", name="From your own digit").click()
    page.wait_for_function("Math.abs(document.querySelector('#branches').getBoundingClientRect().top) < 2")


BOXES = """() => ["canvas[data-name=x_t]", "input[type=range]", ".ddpm-lead p"].map((selector) => {
    const {x, y, width} = document.querySelector(selector).getBoundingClientRect();
    return [x, y, width];
})"""


def test_the_first_screen_is_there_before_gradio_and_moves_into_its_page(student):
    """Gradio's code is held back; what is done meanwhile stays done, and nothing jumps by more than a line."""
    page, held = student.page, []
    page.route("**/assets/Blocks-*.js", lambda route: held.append(route))
    page.goto(student.address, wait_until="commit")
    page.wait_for_selector("#first-screen canvas[data-name=x_t]")
    slider = page.locator("#first-screen input[type=range]").first
    before = student.pixels("canvas[data-name=x_t]")
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('canvas[data-name=x_t]').ariaLabel.includes('t = 999')")
    assert student.pixels("canvas[data-name=x_t]") != before
    boxes, drowned = page.evaluate(BOXES), student.pixels("canvas[data-name=x_t]")
    page.locator("#first-screen button").filter(has_text="Schedule").click()
    slider.focus()
    page.wait_for_timeout(300)
    assert page.evaluate("location.search") == ""  # Python has not read the address yet
    for request in held:
        request.continue_()
    page.wait_for_selector("#first-screen", state="detached")
    page.wait_for_selector("#schedule-chart .ddpm-curve")  # the tab that was pressed meanwhile
    student.tab("Noise")
    page.wait_for_selector("#noise-view canvas[data-name=x_t]:visible")
    assert student.pixels("canvas[data-name=x_t]") == drowned
    page.wait_for_function("location.search.includes('t=999')")
    assert page.locator("canvas[data-name=x_t]").count() == 1
    for was, now in zip(boxes, page.evaluate(BOXES), strict=True):
        assert was == pytest.approx(now, abs=20)
    student.set_slider("#noise-view", 500)
    page.wait_for_function("location.search.includes('t=500')")


def test_a_link_waits_for_the_page_that_it_asks_for(visit):
    page, held = visit.page, []
    page.route("**/assets/Blocks-*.js", lambda route: held.append(route))
    page.goto(f"{visit.address}?t=700", wait_until="commit")
    page.wait_for_function("Boolean(customElements.get('gradio-app'))")
    page.wait_for_timeout(500)
    assert not page.locator("#first-screen").count()
    for request in held:
        request.continue_()
    visit.wait_for_text("#noise-view output", "t = 700")
