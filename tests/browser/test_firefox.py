"""The page's main acts in Firefox, on a desk's and on a phone's width; all else is tried in Chromium."""

import shutil

import pytest
import torch

from ddpm_demo.ui.tab_table import tab_ids
from tests.browser.conftest import there
from tests.browser.firefox import FirefoxPage, started_firefox
from tests.browser.test_app import FILM, X_T, expected_pixels
from tests.browser.test_train_page import VIEW


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    path = there(shutil.which("firefox-esr") or shutil.which("firefox"), "Firefox")
    with started_firefox(path, tmp_path_factory.mktemp("firefox")) as firefox:
        yield firefox


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desk", "phone"])
def page(firefox, address, request):
    page = FirefoxPage(firefox, address, *request.param)
    yield page
    page.close()
    assert page.faults == []


def the(selector):
    return f"document.querySelector({selector!r})"


def button(within, words):
    return f"[...document.querySelectorAll('{within} button')].find((each) => each.textContent.includes({words!r}))"


def pixels(page, selector):
    levels = page.evaluate(
        f"((c) => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data))({the(selector)})"
    )
    return levels[::4]


def open_tab(page, tab):
    page.click(the(f"#tab-{tab_ids()[tab]}-button"))
    page.wait(f"{the(f'#tab-{tab_ids()[tab]} .ddpm-mount > *')}.getClientRects().length")


def test_dragging_t_drowns_the_digit(page, linear):
    page.open()
    page.wait(the(X_T))
    x, y, width, height = page.box(the("#noise-view input[type=range]"))
    page.drag(*((x + width * share, y + height / 2) for share in (0.3, 0.5, 0.8)))
    t = int(page.evaluate(f"{the('#noise-view output')}.textContent").removeprefix("t = "))
    assert 700 < t < 900
    shown = torch.tensor(pixels(page, X_T))
    assert int((shown - expected_pixels(linear, 7, 0, 0, t)).abs().max()) <= 1


def test_generate_shows_a_film_to_its_end(page):
    """The desk's film, and a race after it, are made by Firefox itself, the phone's by the server."""
    page.open()
    page.wait(the(X_T))
    here = page.width == 1280
    page.evaluate(f"localStorage.setItem('ddpm-where', '{'device' if here else 'server'}')")
    open_tab(page, "Generate")
    page.wait(f"{the(FILM)}.getAttribute('aria-label')")
    noise = pixels(page, FILM)
    page.click(the("#generate-start"))
    page.wait(f"{the(FILM)}.dataset.done === '1' && !{the('#generate-start')}.disabled")
    assert page.evaluate(f"Number({the(FILM)}.dataset.received)") > 10
    page.wait(f"Number({the(FILM)}.dataset.frame) > 0")  # from memory it begins at its noise
    assert pixels(page, FILM) != noise
    assert ("made on your device" in page.evaluate(f"{the('#generate-film .ddpm-facts')}.textContent")) == here
    if here:
        page.click(the("#race-start"))
        page.wait(f"""{the('#race-film [data-done="1"]')}""")
        page.wait(f"{the('#race-film')}.textContent.includes('made on your device')")


def test_a_training_starts_and_stops(page):
    page.open()
    page.wait(the(X_T))
    open_tab(page, "Train")
    page.click(the("#train-start"))
    page.wait(f"{the(VIEW)}.dataset.phase === 'training' && Number({the(VIEW)}.dataset.lines) > 2")
    page.click(button(VIEW, "Stop and save"))
    page.wait(f"{the(VIEW)}.dataset.phase === ''")
    name = page.evaluate(f"{the('.ddpm-shelf li[data-name]')}.dataset.name")
    page.click(the(f'.ddpm-shelf [aria-label="delete {name}"]'))
    page.click(button(".ddpm-shelf", "Delete for good"))
    page.wait(f"""!{the(f'.ddpm-shelf li[data-name="{name}"]')}""")


def test_every_tab_opens_and_none_scrolls_sideways(page):
    page.open()
    page.wait(the(X_T))
    for tab in tab_ids():
        open_tab(page, tab)
        assert page.evaluate("document.documentElement.scrollWidth") <= page.width, tab
