"""The first ten seconds of somebody who never saw the page: a row of digits, and three screens, one action each."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, open_context

STRIP = "#intro .ddpm-intro-strip"
DIALOG = ".ddpm-intro-dialog"


@pytest.fixture(params=[(1280, 800), (390, 844)], ids=["laptop", "phone"])
def newcomer(request, browser, address):
    width, height = request.param
    visit = Visit(
        open_context(browser, "automatic", new=True, viewport={"width": width, "height": height}).new_page(), address
    )
    yield visit
    visit.page.context.close()
    assert visit.faults == []


def digit_on(visit, name):
    return np.array(visit.pixels(f"{DIALOG} canvas[data-name={name}]"))


def test_a_newcomer_sees_digits_come_out_of_noise_and_goes_through_three_screens(newcomer):
    page = newcomer.open().page
    canvas = page.locator(f"{STRIP} canvas")
    canvas.wait_for()
    page.wait_for_selector(f"{STRIP} canvas[data-frame='20']")
    row = np.array(newcomer.pixels(f"{STRIP} canvas")).reshape(28, -1)
    assert (row < 40).mean() > 0.6  # six digits: mostly black, with ink on it
    assert (row > 200).mean() > 0.04
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    strip = page.locator(STRIP).bounding_box()
    for part in ("#noise-view input[type=range]", "#noise-view canvas[data-name=x_t]", "#tab-train-button"):
        box = page.locator(part).bounding_box()  # what a hurried student looks for is not covered
        beside = box["x"] + box["width"] <= strip["x"] or box["x"] >= strip["x"] + strip["width"]
        assert beside or box["y"] + box["height"] <= strip["y"] or box["y"] >= strip["y"] + strip["height"], part
    page.get_by_role("button", name="Start", exact=True).click()

    dialog, following = page.get_by_role("dialog"), page.locator(f"{DIALOG} [data-name=next]")
    expect(dialog).to_have_accessible_name("1 of 3: drown it")
    expect(following).to_be_disabled()
    clean = digit_on(newcomer, "drowned")
    newcomer.set_slider(DIALOG, 999)
    expect(following).to_be_enabled()
    assert np.abs(digit_on(newcomer, "drowned") - clean).mean() > 60
    assert newcomer.axe(context=DIALOG) == []
    following.click()

    expect(dialog).to_have_accessible_name("2 of 3: let it guess")
    expect(following).to_be_disabled()
    page.locator(f"{DIALOG} [data-name=ask]").click()
    expect(following).to_be_enabled()
    left, truth = digit_on(newcomer, "left"), digit_on(newcomer, "truth")
    assert np.corrcoef(left, truth)[0, 1] > 0.85  # of a digit of which 65 % was noise
    assert abs(np.corrcoef(digit_on(newcomer, "noisy"), truth)[0, 1]) < 0.6
    following.click()

    expect(dialog).to_have_accessible_name("3 of 3: undo it")
    page.locator(f"{DIALOG} [data-name=draw]").click()
    expect(following).to_be_enabled()
    first = digit_on(newcomer, "now")
    assert (first < 40).mean() > 0.5
    assert (first > 200).any()
    another = page.locator(f"{DIALOG} [data-name=draw]")
    expect(another).to_have_text("Another one")
    another.click()
    expect(another).to_be_disabled()
    expect(another).to_be_enabled()
    assert (digit_on(newcomer, "now") != first).any()
    following.click()
    expect(page.locator(DIALOG)).to_have_count(0)
    expect(page.locator("#generate-start")).to_be_visible()

    # whoever comes back is not told again, and can ask for it
    newcomer.open()
    page.wait_for_selector("#intro button", state="attached")
    page.wait_for_load_state("networkidle")
    assert page.locator(STRIP).count() == 0


def test_a_link_and_a_device_without_webassembly_get_the_page_alone(browser, address):
    for script, query in (("delete window.WebAssembly", ""), ("", "t=700")):
        page = open_context(browser, new=True, viewport={"width": 1280, "height": 800}).new_page()
        page.add_init_script(script)
        visit = Visit(page, address).open(query=query)
        page.wait_for_selector("#intro button")
        page.wait_for_load_state("networkidle")
        assert page.locator(STRIP).count() == 0
        if script:  # and the screens say what cannot be, in words
            page.get_by_role("button", name="Start", exact=True).click()
            visit.set_slider(DIALOG, 999)
            page.locator(f"{DIALOG} [data-name=next]").click()
            page.locator(f"{DIALOG} [data-name=ask]").click()
            page.get_by_text("Your device cannot run the network").wait_for()
        assert visit.faults == []
        page.context.close()


def test_the_close_button_leaves_the_page_as_it_was(browser, address):
    page = open_context(browser, "automatic", new=True, reduced_motion="reduce").new_page()
    visit = Visit(page, address).open()
    page.wait_for_selector(f"{STRIP} canvas[data-frame='20']")  # at once: nothing moves
    page.locator(STRIP).get_by_role("button", name="close the introduction").click()
    assert page.locator(STRIP).count() == 0
    assert page.evaluate("document.activeElement.textContent") == "Start"
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement.textContent") == "Start"
    assert visit.faults == []
    page.context.close()
