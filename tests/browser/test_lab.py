"""The lab in one file, opened from a disk: no server, no network, and what it shows is what Python computes."""

import csv
import datetime
import json
import re

import numpy as np
import pytest
import torch

from ddpm_demo.core.receptive import path_counts
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample, start_noise, to_uint8
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.drawings.drawing import digit_from_ink
from ddpm_demo.machine.device import answering_placement
from ddpm_demo.networks.loaded_networks import load_guided
from ddpm_demo.store import checkpoint
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.film.film_settings import recommended_settings
from ddpm_demo.ui.lab.lessons import MISSING_CONTROLS, solved_lesson
from ddpm_demo.ui.lab.page import lab_page
from ddpm_demo.ui.lessons.classroom import DONT_KNOW
from ddpm_demo.ui.lessons.entry import shipped_lessons
from ddpm_demo.ui.lessons.places import CONTROLS
from ddpm_demo.ui.lessons.workplace import Workplace
from ddpm_demo.ui.tabs.receptive import PATTERNS
from ddpm_demo.ui.words.language import in_language, language
from ddpm_demo.words.sentence import Sentence

TABS = ("noise", "schedule", "receptive-field", "generate")
FILM = '#generate-film .ddpm-film-row canvas[data-name="x_t"]'


@pytest.fixture(scope="session")
def lessons():
    """Some whose answers take a moment only: a mark, an order, a curve, and one whose tab the lab has not."""
    workplace = Workplace({"lite": find_checkpoint("lite"), "tiny": find_checkpoint("tiny")}, own_drawings=False)
    chosen = ("1-vanish", "3-keeps", "5-step", "10-learnt")
    return [solved_lesson(lesson, workplace) for lesson in shipped_lessons() if lesson.name in chosen]


@pytest.fixture(scope="session")
def lab(tmp_path_factory, lessons):
    path = tmp_path_factory.mktemp("lab") / "lab.html"
    path.write_bytes(lab_page("lite", datetime.date(2026, 3, 1), lessons))
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
    model = load_guided(loaded.model, schedule, settings.guidance, answering_placement())
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
    with download(visit.page, "CSV of the grey levels", tmp_path).open(newline="") as file:
        header, *rows = csv.reader(file)
    assert (header[:3], len(header), len(rows)) == (["t", "digit", "pixel0"], 786, 2 * (len(steps) + 1))
    clean = np.array([row[2:] for row in rows if row[0] == "-1"], int).reshape(-1, 28, 28)
    assert np.abs(clean - to_uint8(steps[-1].x_s[:, 0]).numpy()).max() <= 1
    assert [row[:2] for row in rows[:3]] == [[str(steps[0].t), "1"], [str(steps[0].t), "2"], [str(steps[1].t), "1"]]
    visit.page.get_by_role("button", name="Python program").click()
    program = visit.page.text_content("#generate-film pre")
    assert f"config = {settings.config}" in program
    assert f"manual_seed({settings.seed})" in program
    assert not re.search(r"@\w+@", program)
    compile(program, "program", "exec")


def test_a_race_of_its_rules_ends_as_pythons(opened):
    visit = opened()
    page = visit.page
    open_tab(page, "generate")
    rules = {"DDIM, 10 steps": "ddim", "DPM-Solver++(2M), 10 steps": "dpmpp"}
    assert [page.get_by_label(name).is_checked() for name in rules] == [True, True]
    page.get_by_label("DDIM, 10 steps").uncheck()
    assert page.locator("#race-start").is_disabled()
    page.get_by_label("DDIM, 10 steps").check()
    visit.set_slider("#tab-generate .ddpm-slider:has-text('Number in each lane')", 2)
    page.click("#race-start")
    page.wait_for_selector('#race-film [data-done="1"]')
    visit.wait_for_text("#race-film", "made on your device")
    loaded = checkpoint.load(find_checkpoint("lite"))
    schedule = Schedule.from_config(loaded.schedule)
    for k, kind in enumerate(rules.values()):
        config = SamplerConfig(kind, steps=10, clip="x0")
        generator = torch.Generator().manual_seed(0)
        *_, last = sample(loaded.model, schedule, config, start_noise(2, 1, 28, generator), generator=generator)
        grid = np.array(visit.pixels(f"#race-film .ddpm-lane >> nth={k} >> canvas"), int).reshape(28, 58)
        apart = np.abs(np.stack([grid[:, :28], grid[:, 30:]]) - to_uint8(last.x_s[:, 0]).numpy())
        assert apart.max() <= 1
        assert (apart > 0).mean() < 5e-3
    assert "10 network calls" in page.text_content("#race-film .ddpm-lane >> nth=1")


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
    assert "on one machine bit for bit" in page.text_content("#generate-settings")
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


def test_a_device_that_refuses_memory_is_told_so(visit_to, lab, tmp_path):
    refused = tmp_path / "refused.html"
    page, worker = lab.read_text(encoding="utf-8").split('id="lab-worker">')
    making = "new WebAssembly.Instance(module)"
    assert worker.count(making) == 1
    no_memory = '(() => { throw new RangeError("Out of memory: cannot allocate Wasm memory"); })()'
    refused.write_text(f'{page}id="lab-worker">{worker.replace(making, no_memory)}', encoding="utf-8")
    visit = visit_to(refused.as_uri())
    visit.page.goto(refused.as_uri())
    open_tab(visit.page, "generate")
    visit.page.click("#generate-start")
    visit.page.locator("#generate-film", has_text="This browser could not make the film: Out of memory").wait_for()
    visit.page.wait_for_selector("#generate-start:not([disabled])")


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


def test_a_lesson_is_taken_without_a_server(opened, lessons):
    visit = opened()
    page, first = visit.page, lessons[0]
    page.click(".ddpm-lessons-entry")
    assert "computed on 1 March 2026, with lite" in page.text_content(".ddpm-lessons-list > p")
    page.locator(".ddpm-lessons-item").nth(0).click()
    page.wait_for_selector("#noise-view.ddpm-lesson-locked")
    page.locator("#noise-view .ddpm-facts", has_text="a 7").wait_for()
    visit.set_slider(".ddpm-lesson-guess", 600)
    page.click('[data-name="commit"]')
    page.wait_for_selector("#noise-view.ddpm-lesson-here:not(.ddpm-lesson-locked)")
    visit.set_slider("#noise-view", 450)
    visit.wait_for_text("#lessons", first.lesson.tasks[1].say)
    visit.set_slider("#noise-view", 321)
    page.click('[data-name="task-done"]')
    page.click('[data-name="reveal"]')
    page.wait_for_selector('[data-verdict="too_high"]')
    why = page.text_content("#lessons .ddpm-lesson")
    assert "You said 600. It happens sooner: the noise is stronger from t = 259 on." in why
    assert "Your eye lost the seven at t = 321." in why
    page.click('[data-name="to-question"]')
    wrong, right = (
        next(key for key, answer in first.question.items() if answer["correct"] is is_right)
        for is_right in (False, True)
    )
    for key, verdict in ((wrong, "wrong"), (right, "right")):
        page.locator(f'.ddpm-lesson-choices [data-key="{key}"] input').check()
        page.click('[data-name="check"]')
        visit.wait_for_text(f'.ddpm-lesson-said[data-verdict="{verdict}"]', first.question[key]["words"])
    page.click('[data-name="next"]')
    page.wait_for_selector("#tab-schedule:not([hidden]) #schedule-words.ddpm-lesson-locked")
    page.click('[data-name="back"]')
    page.locator(".ddpm-lessons-item").nth(3).click()  # on training, which the lab cannot
    page.click('[data-name="commit"]')
    page.wait_for_selector('.ddpm-lesson[data-phase="reveal"] [data-name="to-question"]')
    assert page.get_attribute("#tab-schedule", "hidden") is None
    page.click('[data-name="back"]')
    page.locator(".ddpm-lessons-entry", has_text="1/4").wait_for()
    page.reload()
    page.locator(".ddpm-lessons-entry", has_text="1/4").wait_for()


def test_it_says_all_in_the_language_it_was_written_in(visit_to, lessons, tmp_path):
    path, there, first = tmp_path / "lab.html", language("de"), lessons[0].lesson
    path.write_bytes(lab_page("lite", datetime.date(2026, 3, 1), lessons[:1], there))
    visit = visit_to(path.as_uri())
    page = visit.page
    page.context.set_offline(True)
    page.goto(path.as_uri())
    assert page.get_attribute("html", "lang") == "de"
    assert page.text_content("h1") == page.title() == there.of("How diffusion draws a digit")
    titles = [there.of(title) for title in ("Noise", "Schedule", "Receptive field", "Generate")]
    assert page.locator(".lab-tabs button").all_text_contents() == titles
    assert page.locator("select.ddpm-language").count() == 0  # there is no other one in it
    page.click(".ddpm-lessons-entry")
    assert "1. März 2026" in page.text_content(".ddpm-lessons-list > p")
    page.locator(".ddpm-lessons-item").click()
    visit.set_slider(".ddpm-lesson-guess", 600)
    page.click('[data-name="commit"]')
    page.wait_for_selector("#noise-view.ddpm-lesson-here:not(.ddpm-lesson-locked)")
    visit.set_slider("#noise-view", 450)
    visit.wait_for_text("#lessons", there.of(first.tasks[1].say))
    visit.set_slider("#noise-view", 321)
    page.click('[data-name="task-done"]')
    page.click('[data-name="reveal"]')
    values = {"prediction": 600, "t": 259, "eye": 321}
    for sentence in (first.words["too_high"], first.explain):
        visit.wait_for_text("#lessons .ddpm-lesson", in_language(Sentence(sentence, values), there).split(" =")[0])
    assert "321" in page.text_content("#lessons .ddpm-lesson")
    page.click('[data-name="to-question"]')
    page.locator(".ddpm-lesson-choices input").first.check()
    assert page.text_content('[data-name="check"]') != "Check"
    open_tab(page, "generate")
    page.locator(".lab-form [role=group] input:checked").first.wait_for()
    assert page.locator(".lab-form [role=group] input:checked").count() == 2


def test_both_tests_are_checked_without_a_server(opened, lessons):
    page = opened().page
    page.click(".ddpm-lessons-entry")
    for when, right in (("before", 1), ("after", 3)):
        page.click(f'[data-name="test-{when}"]')
        for k, each in enumerate(lessons):
            keys = [key for key, answer in each.tests[when].items() if answer["correct"]] if k < right else [DONT_KNOW]
            page.locator(f'.ddpm-lesson-item[data-item="{k}"] [data-key="{keys[0]}"] input').check()
        page.click('[data-name="submit"]')
        page.locator('[role="status"]', has_text=re.compile("kept in this browser|of 4 right")).wait_for()
        if when == "before":
            page.click('[data-name="back"]')
    assert "After the lessons: 3 of 4 right." in page.text_content('.ddpm-lesson > [role="status"]')
    page.click('[data-name="back"]')
    assert "Before the lessons: 1 of 4 right." in page.locator('[data-name="score"]').all_text_contents()
    page.click('[data-name="sheet"]')
    assert page.get_attribute(".ddpm-lesson-sheet a >> nth=0", "href") == f"{page.url.split('?')[0]}?lesson=1"


def test_the_parts_that_lessons_name_are_there(opened):
    page = opened().page
    for name in TABS:
        open_tab(page, name)
    found = {name for name, selector in CONTROLS.items() if page.locator(selector).count()}
    assert found == set(CONTROLS) - set(MISSING_CONTROLS)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_a_phone(opened, theme):
    visit = opened(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme=theme)
    page = visit.page
    for name in TABS:
        open_tab(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") == 390, name
        assert visit.axe(theme) == []
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == theme
    page.evaluate("scrollTo(0, 0)")
    page.click(".ddpm-lessons-entry")
    page.locator(".ddpm-lessons-item").nth(0).click()
    page.wait_for_selector(".ddpm-lesson-guess")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert visit.axe(theme, "#lessons") == []


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
