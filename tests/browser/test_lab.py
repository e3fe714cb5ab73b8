"""The lab in one file, opened from a disk: no server, no network, and what it shows is what Python computes."""

import datetime
import json
import re

import numpy as np
import pytest
import torch

from ddpm_demo.core.receptive import path_counts
from ddpm_demo.core.sampling import sample, start_noise, to_uint8
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.drawings.drawing import digit_from_ink
from ddpm_demo.machine.device import best_placement
from ddpm_demo.networks.loaded_networks import load_guided
from ddpm_demo.store import checkpoint
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.film.film_settings import recommended_settings
from ddpm_demo.ui.lab.page import lab_page
from ddpm_demo.ui.tabs.receptive import PATTERNS

TABS = ("noise", "schedule", "receptive-field", "generate")
FILM = '#generate-film .ddpm-film-row canvas[data-name="x_t"]'


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    path = tmp_path_factory.mktemp("lab") / "lab.html"
    path.write_bytes(lab_page("lite", datetime.date(2026, 3, 1)))
    return path


@pytest.fixture
def opened(visit_to, lab):
    """Return a function that opens the lab from its file, the network cut."""

    def begin(**options):
        visit = visit_to(lab.as_uri(), **options)
        visit.page.context.set_offline(True)
        visit.page.goto(lab.as_uri())
        visit.page.wait_for_selector('#noise-view canvas[data-name="x_t"]')
        return visit

    return begin


def open_tab(page, name):
    page.click(f"#tab-{name}-button")
    page.wait_for_selector(f"#tab-{name} canvas")


def generate(page, **choices):
    """Set the form, press Generate, and wait until the film is whole."""
    open_tab(page, "generate")
    if page.get_attribute("#generate-settings", "open") is None:
        page.click("#generate-settings summary")
    page.get_by_label("Digits").fill("2")
    for label, value in choices.items():
        field = page.locator("#generate-settings").get_by_label(label, exact=True)
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)
    page.click("#generate-start")
    page.wait_for_selector(f'{FILM}[data-done="1"]')
    page.wait_for_selector("#generate-start:not([disabled])")


def download(page, label, folder):
    with page.expect_download() as download:
        page.get_by_role("button", name=label).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@pytest.mark.parametrize(
    ("choices", "changes"),
    [
        ({"steps": "10", "seed": "7"}, {"steps": 10, "seed": 7}),
        (
            {"sampler": "DDIM", "η, DDIM's noise": "0.5", "steps": "10", "seed": "3", "guidance weight": "1"},
            {"sampler": "ddim", "variance": "beta", "eta": 0.5, "steps": 10, "seed": 3, "guide": None},
        ),
        (
            {"sampler": "Heun (asks twice a step)", "steps": "5", "clipping": "none", "guidance weight": "1"},
            {"sampler": "heun", "variance": "beta", "steps": 5, "clip": "none", "guide": None},
        ),
    ],
)
def test_its_digits_are_those_of_python(opened, choices, changes, tmp_path):
    visit = opened()
    generate(visit.page, **choices)
    assert "made on your device" in visit.page.text_content("#generate-film .ddpm-facts")
    settings = recommended_settings("lite", **changes)
    loaded = checkpoint.load(find_checkpoint("lite"))
    schedule = Schedule.from_config(loaded.schedule)
    model = load_guided(loaded.model, schedule, settings.guidance, best_placement())
    generator = torch.Generator().manual_seed(settings.seed)
    steps = list(sample(model, schedule, settings.config, start_noise(2, 1, 28, generator), generator=generator))
    with np.load(download(visit.page, "npz of the numbers", tmp_path)) as file:
        apart = np.abs(file["images"].astype(int) - to_uint8(steps[-1].x_s[:, 0]).numpy())
        assert file["t"].tolist() == [step.t for step in steps]
        np.testing.assert_array_equal(file["x_t"][0], steps[0].x_t[:, 0])
        kept = json.loads(str(file["settings"]))
    assert apart.max() <= 1
    assert (apart > 0).mean() < 5e-3  # of so few pixels
    assert {name: kept[name] for name in changes} == changes
    visit.page.get_by_role("button", name="Python program").click()
    program = visit.page.text_content("#generate-film pre")
    assert f"config = {settings.config}" in program
    assert f"manual_seed({settings.seed})" in program
    assert not re.search(r"@\w+@", program)
    compile(program, "program", "exec")


def test_the_inspectors_sum_is_the_next_frame(opened):
    visit = opened()
    page = visit.page
    generate(page, sampler="DPM-Solver++(2M)", steps="5")
    page.locator(FILM).click(position={"x": 30, "y": 30})
    for frame in (0, 2, 4):
        visit.set_slider("#generate-film", frame)
        page.wait_for_selector(f"#generate-film .ddpm-inspector[data-ready='{frame}']")
        page.locator("#generate-film .ddpm-inspector canvas").first.hover()
        page.wait_for_selector("#generate-film .ddpm-inspector-sum[data-total]")
        shown = page.eval_on_selector("#generate-film .ddpm-inspector-sum", "element => ({...element.dataset})")
        assert float(shown["total"]) == pytest.approx(float(shown["actual"]), abs=2e-5)
        assert shown["level"] == shown["film"]


def test_a_film_stops_and_the_noise_is_shown_before(opened):
    page = opened().page
    open_tab(page, "generate")
    page.click("#generate-settings summary")
    field = page.locator("#generate-settings").get_by_label("seed", exact=True)
    field.fill("12")
    assert "Noise of seed 12 at t = 999" in page.text_content("#generate-film .ddpm-facts")
    field.fill("-1")
    assert field.get_attribute("aria-invalid") == ""
    field.fill("12")
    page.locator("#generate-settings").get_by_label("steps", exact=True).select_option("1000")
    page.click("#generate-start")
    page.wait_for_selector(f"{FILM}[data-received]")
    page.click("#generate-stop")
    page.wait_for_selector("#generate-start:not([disabled])")
    assert float(page.get_attribute(FILM, "data-done")) < 1


def test_the_network_answers_while_t_is_dragged(opened):
    visit = opened()
    page = visit.page
    page.locator(".ddpm-network").scroll_into_view_if_needed()
    page.locator('p[data-name="network"]', has_text="on your device").wait_for()
    for t in (100, 400, 700):
        before = int(page.get_attribute(".ddpm-network", "data-answers") or 0)
        visit.set_slider("#noise-view", t)
        while int(page.get_attribute(".ddpm-network", "data-answers") or 0) <= before:
            page.wait_for_timeout(20)
    page.locator('p[data-name="network"]', has_text="for t from 700 to 799").wait_for()
    assert visit.requests == [visit.address]


def test_digits_and_noise_are_chosen(opened):
    visit = opened()
    page = visit.page
    facts = page.locator("#noise-view .ddpm-facts")
    page.get_by_label("digit", exact=True).select_option("3")
    page.get_by_role("button", name="Another one").click()
    assert "a 3; noise of seed 0" in facts.text_content()
    page.get_by_label("noise seed").fill("5")
    page.locator("#noise-view .ddpm-facts", has_text="noise of seed 5").wait_for()
    eps = torch.randn(1, 28, 28, generator=torch.Generator().manual_seed(5))
    assert np.array_equal(visit.pixels('#noise-view canvas[data-name="eps"]'), to_uint8(eps).flatten())


def test_a_digit_of_ones_own_is_scaled_as_pythons(opened):
    visit = opened()
    page = visit.page
    page.locator("summary", has_text="A digit of your own").click()
    pad = page.locator(".ddpm-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 80, box["y"] + 60)
    page.mouse.down()
    for x, y in ((200, 70), (150, 150), (120, 245)):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=5)
    page.mouse.up()
    page.locator("#noise-view .ddpm-facts", has_text="a digit of your own").wait_for()
    ink = np.reshape(visit.pixels(".ddpm-pad"), (280, 280)) / 255
    shown = np.reshape(visit.pixels('#noise-view canvas[data-name="x0"]'), (28, 28))
    assert np.abs(shown - digit_from_ink(ink).astype(int)).max() <= 1


def test_the_paths_are_counted_as_pythons(opened):
    visit = opened()
    page = visit.page
    open_tab(page, "receptive-field")
    for pattern in (0, 2):
        page.get_by_label("dilations of the blocks").select_option(str(pattern))
        for layers, row, col in ((4, 14, 14), (10, 14, 14)):
            visit.set_slider("#receptive-map", layers - 1)
            counts = path_counts(list(PATTERNS.values())[pattern], 28, row, col, layers=layers)
            itself = float(counts[row, col])
            said = f"{itself:,.0f}" if itself < 1e12 else f"{itself:.3e}"
            words = f"After layer {layers} of 10: {int((counts > 0).sum())} of 784 input pixels reach it"
            page.locator('p[data-name="paths"]', has_text=words).wait_for()
            assert f"the pixel itself by {said}." in page.text_content('p[data-name="paths"]')


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_a_phone(opened, theme):
    visit = opened(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme=theme)
    page = visit.page
    for name in TABS:
        open_tab(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") == 390, name
        assert visit.axe(theme) == []
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == theme


def test_tabs_are_reached_by_arrows(opened):
    page = opened().page
    page.focus("#tab-noise-button")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#tab-schedule:not([hidden]) canvas")
    assert page.evaluate("document.activeElement.id") == "tab-schedule-button"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#tab-generate:not([hidden]) canvas")


def test_it_runs_in_a_frame_that_is_allowed_nothing_but_scripts(visit_to, lab, tmp_path):
    course = tmp_path / "course.html"
    policy = "default-src 'none'; style-src 'unsafe-inline'; frame-src file:"
    course.write_text(
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<iframe sandbox="allow-scripts" src="{lab.as_uri()}" style="width: 100%; height: 800px"></iframe>'
    )
    visit = visit_to(course.as_uri())
    visit.page.goto(course.as_uri())
    frame = visit.page.frame_locator("iframe")
    frame.locator("#tab-generate-button").click()
    frame.get_by_label("Digits").fill("1")
    frame.locator("#generate-start").click()
    frame.locator(f'{FILM}[data-done="1"]').wait_for()
