"""A student who takes the lessons: right and wrong, wide and narrow, by mouse and by keyboard, and comes back.

The network is a small one with random weights, in this process, so that every truth takes a moment only; what is right
is computed here a second time, by the functions that tests/ui/test_lessons.py holds against other ways to compute it.
"""

import csv
import io
import json
import re

import pytest

from ddpm_demo.core.config import ModelConfig
from ddpm_demo.core.model import seeded_denoiser
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.store import checkpoint
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.ui.app import build_app
from ddpm_demo.ui.lessons.classroom import DONT_KNOW
from ddpm_demo.ui.lessons.entry import shipped_lessons
from ddpm_demo.ui.lessons.places import CONTROLS
from ddpm_demo.ui.lessons.truths import compute_truth
from ddpm_demo.ui.lessons.workplace import Workplace
from ddpm_demo.ui.server import launch

# Gradio's own, when it counts its visitors with a new pandas
pytestmark = pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting'")
LESSONS = shipped_lessons()
# the Noise tab's own fields: class, number in it, seed
FIELDS = """() => JSON.stringify([
    document.querySelector('[role=tabpanel] input[type=radio]:checked')?.value,
    ...["Which one", "Noise seed"].map((name) => [...document.querySelectorAll('[role=tabpanel] label')]
        .find((label) => label.textContent.includes(name))?.querySelector('input')?.value)])
    === JSON.stringify(["{}", "{}", "{}"])"""
IN_VIEW = """selector => {
    const box = document.querySelector(selector).getBoundingClientRect();
    return box.height > 100 && box.top > -20 && box.top < innerHeight / 2;
}"""
RECORDS = "JSON.parse(localStorage.getItem('ddpm-lessons'))"


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    path = tmp_path_factory.mktemp("lessons") / "quick.safetensors"
    model = seeded_denoiser(ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16), seed=0)
    checkpoint.save(path, checkpoint.Checkpoint(model, ScheduleConfig(), Provenance()))
    return {"quick": path, **shipped_checkpoints()}


@pytest.fixture(scope="module")
def app(checkpoints):
    demo = build_app(str(checkpoints["quick"]), training=False)
    yield launch(demo)
    demo.close(verbose=False)


@pytest.fixture
def address(app):
    return app


KNOWN = {}  # what was computed for a student before: the same network, the same answer


def truth_of(checkpoints, asked):
    key = (asked.truth, repr(asked.arguments))
    if key not in KNOWN:
        KNOWN[key] = compute_truth(Workplace(checkpoints), asked.truth, asked.arguments).right
    return KNOWN[key]


def far_end(asked, right):
    """The end of a scale that is farther from the truth, and what is said of a guess there."""
    return (asked.low, "too_low") if right - asked.low > asked.high - right else (asked.high, "too_high")


def guess(visit, lesson, right, *, well):
    """Make the guess of a lesson: the truth itself, or something else."""
    page, asked = visit.page, lesson.predict
    if asked.kind == "mark":
        visit.set_slider(".ddpm-lesson-guess", right if well else far_end(asked, right)[0])
    elif asked.kind == "choice":
        key = right if well else next(choice.key for choice in asked.choices if choice.key != right)
        page.locator(f'.ddpm-lesson-guess [data-key="{key}"] input').check()
    elif asked.kind == "rank":
        wanted = right if well else right[::-1]
        for place, key in enumerate(wanted):
            item = page.locator(f'.ddpm-lesson-rank [data-key="{key}"]')
            while (
                page.locator(".ddpm-lesson-rank li").evaluate_all("a => a.map(e => e.dataset.key)").index(key) > place
            ):
                item.locator('[data-by="-1"]').click()
    else:
        order = [sorted(right).index(value) for value in right]
        heights = [10 * (place if well else 9 - place) for place in order]
        for column, height in enumerate(heights):
            page.locator(".ddpm-lesson-curve input").nth(column).evaluate(
                "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})); }", height
            )


def do_tasks(visit, lesson):
    """Do what a lesson asks for, on the real tab; a run of training is left out."""
    page = visit.page
    for number, task in enumerate(lesson.tasks, start=1):
        visit.wait_for_text("#lessons", task.say)
        middle = [value for value in (task.at_least, task.at_most) if value is not None]
        if not task.watch:
            page.locator('[data-name="task-done"]').click()
        elif task.watch == "t":
            visit.set_slider(
                "#schedule-chart" if lesson.tab == "Schedule" else "#noise-view", sum(middle) / len(middle)
            )
        elif task.watch == "layers":
            page.wait_for_function("document.querySelector('#receptive-map input[type=range]').max > 0")
            visit.set_slider("#receptive-map", task.at_most if task.at_most is not None else 9)
        elif task.watch == "pixel":
            page.locator('#receptive-map canvas[data-name="paths"]').focus()
            page.keyboard.press("ArrowRight")
        elif task.watch == "press":
            page.locator(CONTROLS[task.control]).click()
            page.wait_for_function(IN_VIEW, arg=CONTROLS[lesson.tasks[number].control])  # what the press has made
        elif task.watch == "completion":
            page.locator('#completion [data-name="go"]').click()
        elif task.watch == "training":
            page.locator('[data-name="skip"]').click()
            return
        if number == len(lesson.tasks):
            page.locator('[data-name="reveal"]').click()


def take(visit, checkpoints, number, *, well):
    """Take a whole lesson, from the list on."""
    page, lesson = visit.page, LESSONS[number - 1]
    right, key = truth_of(checkpoints, lesson.predict), truth_of(checkpoints, lesson.question)
    page.locator(".ddpm-lessons-item").nth(number - 1).click()
    page.wait_for_function(f"location.search.includes('lesson={number}')")
    for name in lesson.lock:
        if page.locator(CONTROLS[name]).count():
            page.wait_for_selector(f":is({CONTROLS[name]})[inert]", state="attached")
    guess(visit, lesson, right, well=well)
    page.locator('[data-name="commit"]').click()
    page.wait_for_function("!document.querySelector('[inert].ddpm-lesson-locked')")
    do_tasks(visit, lesson)
    said = page.locator(".ddpm-lesson-said[data-verdict]")
    said.wait_for()
    missed = far_end(lesson.predict, right)[1] if lesson.predict.kind == "mark" else "wrong"
    assert said.get_attribute("data-verdict") in (("right", "close") if well else (missed, "far"))
    assert said.text_content() in page.text_content('[data-name="lesson-spoken"]')  # announced in words
    page.locator('[data-name="to-question"]').click()
    chosen = [choice.key for choice in lesson.question.choices if choice.key != key][:1] if not well else []
    for answer in [*chosen, key]:
        page.locator(f'.ddpm-lesson-choices [data-key="{answer}"] input').check()
        page.locator('[data-name="check"]').click()
        verdict = "right" if answer == key else "wrong"
        page.wait_for_selector(f'.ddpm-lesson-said[data-verdict="{verdict}"]')
        assert len(page.text_content(".ddpm-lesson-said")) > 20  # never a mere "wrong"
    visit.wait_for_text("#lessons", "Lesson done.")
    record = page.evaluate(RECORDS)["lessons"][re.sub(r"^\d+-", "#", lesson.name)]
    assert (record["phase"], record["first"]) == ("done", well)
    page.locator('[data-name="back"]').click()


def open_lessons(visit):
    visit.page.locator(".ddpm-lessons-entry").click()
    visit.page.wait_for_selector(".ddpm-lessons-list")


# notes from where to where something slides in the lessons
KEEP_SLIDES = """() => {
    window.slides = [];
    const native = Element.prototype.animate;
    Element.prototype.animate = function (frames, ...rest) {
        if (this.classList.contains("ddpm-lesson-true")) window.slides.push(frames.map(({ left }) => left));
        return native.call(this, frames, ...rest);
    };
}"""


def test_a_student_takes_all_well(visit, checkpoints):
    visit.open()
    open_lessons(visit)
    for number in range(1, len(LESSONS) + 1):
        take(visit, checkpoints, number, well=True)
    assert visit.page.text_content(".ddpm-lessons-entry") == f"Lessons {len(LESSONS)}/{len(LESSONS)}"


def test_a_student_on_a_phone_guesses_wrongly(phone, checkpoints):
    phone.open()
    phone.page.evaluate(KEEP_SLIDES)
    open_lessons(phone)
    for number in range(1, len(LESSONS) + 1):
        take(phone, checkpoints, number, well=False)
        slides = phone.page.evaluate("window.slides.splice(0)")
        if LESSONS[number - 1].predict.kind == "mark":  # the truth came from the wrong guess
            ((begin, end),) = slides
            assert begin != end
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.page.get_by_label("Name in the file").fill("=Ada")
    with phone.page.expect_download() as download:
        phone.page.locator('[data-name="csv"]').click()
    assert download.value.suggested_filename == "lessons--Ada.csv"
    head, *rows = csv.reader(io.StringIO(download.value.path().read_text(encoding="utf-8")))
    assert head == ["name", "lesson", "title", "part", "question", "answer", "what is right", "right"]
    for number, lesson in enumerate(LESSONS, start=1):
        guess, more = (row for row in rows if row[1] == str(number))
        assert guess[:5] == ["'=Ada", str(number), lesson.title, "guess", lesson.predict.ask]
        assert more[3:5] + more[6:] == ["one more question", lesson.question.ask, "", "no"]
    assert len(rows) == 2 * len(LESSONS)


def test_a_lesson_with_the_keyboard_alone(visit, checkpoints):
    visit.open()
    page = visit.page

    def reach(selector):
        for _ in range(200):
            if page.evaluate(f"document.activeElement.matches('{selector}')"):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not reach {selector}")

    reach(".ddpm-lessons-entry")
    page.keyboard.press("Enter")
    page.wait_for_selector(".ddpm-lessons-list")
    reach(".ddpm-lessons-item")
    page.keyboard.press("Enter")
    reach(".ddpm-lesson-guess input")
    page.keyboard.press("ArrowLeft")
    reach('[data-name="commit"]')
    page.keyboard.press("Enter")
    visit.wait_for_text("#lessons", "Step 1 of 2")
    page.locator("#noise-view input[type=range]").focus()  # its place in the tab's order is other tests' business
    page.keyboard.press("End")
    visit.wait_for_text("#lessons", "Step 2 of 2")
    for name in ("task-done", "reveal", "to-question"):
        page.wait_for_selector(f'[data-name="{name}"]')
        page.locator(".ddpm-lesson h3").focus()
        reach(f'[data-name="{name}"]')
        page.keyboard.press("Enter")
    page.wait_for_selector('[data-name="check"]')
    reach(".ddpm-lesson-choice input")
    for _ in range(3):
        if page.evaluate("document.activeElement.value") == truth_of(checkpoints, LESSONS[0].question):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    reach('[data-name="check"]')
    page.keyboard.press("Enter")
    visit.wait_for_text("#lessons", "Lesson done.")
    page.keyboard.press("Escape")
    page.wait_for_selector(".ddpm-lessons", state="hidden")
    assert page.evaluate("document.activeElement.className").endswith("ddpm-lessons-entry")


def test_a_link_to_a_lesson_that_was_mangled_on_its_way_opens_it(visit):
    visit.page.goto(f"{visit.address}?lesson=7%29.%E2%80%8B")
    visit.wait_for_text("#lessons h2", LESSONS[6].title)


def test_a_link_opens_a_lesson_and_leaving_loses_nothing(visit):
    page = visit.page
    page.goto(f"{visit.address}?lesson=7")
    visit.wait_for_text("#lessons h2", LESSONS[6].title)
    page.wait_for_selector("#receptive-map[inert]", state="attached")
    visit.set_slider(".ddpm-lesson-guess", 77)
    page.reload()
    visit.wait_for_text(".ddpm-lesson-guess output", "77 pixels wide")
    page.locator('[data-name="close"]').click()
    page.wait_for_function("!location.search.includes('lesson=')")
    assert page.locator("[inert].ddpm-lesson-locked").count() == 0  # left for free play, the page is open
    open_lessons(visit)
    page.locator(".ddpm-lessons-item").nth(6).click()
    page.locator('[data-name="commit"]').click()
    page.locator('[data-name="skip"]').click()
    page.wait_for_selector('[data-verdict="too_low"]')
    page.reload()
    page.wait_for_selector('[data-verdict="too_low"]')  # what was revealed is still there


def test_the_fields_of_the_noise_tab_follow_a_lesson(visit):
    """Who has another digit and noise on the screen finds the lesson's in the picture and in the fields."""
    visit.open(query="digit=3-5&seed=9")
    page = visit.page
    visit.wait_for_text("#noise-view", "a 3; noise of seed 9")
    page.wait_for_function(FIELDS.format("3", 5, 9))
    open_lessons(visit)
    page.locator(".ddpm-lessons-item").first.click()
    visit.wait_for_text("#noise-view", "a 7; noise of seed 0")
    page.wait_for_function(FIELDS.format("7", 0, 0))
    page.locator('[data-name="close"]').click()
    page.get_by_role("radio", name="2", exact=True).check()  # and they still lead
    visit.wait_for_text("#noise-view", "a 2; noise of seed 0")


KEPT = "JSON.parse(localStorage.getItem('ddpm-lessons'))"


def take_test(visit, when, right):
    """Answer a test: right where a key is given, by the item's number, "I don't know" elsewhere; hand it in."""
    page = visit.page
    open_lessons(visit)
    page.locator(f'[data-name="test-{when}"]').click()
    page.locator('[data-name="submit"]').click()
    visit.wait_for_text(".ddpm-lesson", f"{len(LESSONS)} questions have no answer yet.")
    for number in range(len(LESSONS)):
        item = page.locator(f'.ddpm-lesson-item[data-item="{number}"]')
        item.locator(f'[data-key="{right.get(number, DONT_KNOW)}"] input').check()
    page.locator('[data-name="submit"]').click()


def test_what_is_right_is_shown_after_the_second_test_and_no_gain_without_a_lesson(visit):
    page = visit.open().page
    take_test(visit, "before", {0: "later"})
    visit.wait_for_text(".ddpm-lesson", "What is right you will see after the second test")
    assert page.locator(".ddpm-lesson-right").count() == 0
    orders = page.evaluate(f"{KEPT}.test.before.order.map(({{ item }}) => item)")
    assert sorted(orders) == list(range(len(LESSONS)))
    assert not [request for request in visit.requests if "component_server" in request and "check_test" in request]
    page.locator('[data-name="back"]').click()
    assert page.locator('[data-name="score"]').count() == 0
    page.locator('[data-name="close"]').click()
    take_test(visit, "after", {0: "earlier", 1: "same", 2: "custom"})
    visit.wait_for_text(".ddpm-lesson", f"After the lessons: 3 of {len(LESSONS)} right.")
    page.locator('[data-name="back"]').click()
    for words in (
        f"Before the lessons: 1 of {len(LESSONS)} right.",
        f"gets about 5 of {len(LESSONS)}.",
        "you finished no lesson, so the difference says nothing about learning",
    ):
        visit.wait_for_text(".ddpm-lessons-list", words)
    assert "normalised gain" not in page.text_content(".ddpm-lessons-list")
    page.locator('[data-name="test-before"]').click()  # and now the first one, too, shows what was right
    page.wait_for_selector(".ddpm-lesson-right")
    page.evaluate(
        f"""() => {{
            const data = {KEPT};
            data.test.after.lessons = 1;
            localStorage.setItem("ddpm-lessons", JSON.stringify(data));
        }}"""
    )
    visit.open()
    open_lessons(visit)
    gain = 2 / (len(LESSONS) - 1)  # two more right, of all that were not
    words = f"you have learned {100 * gain:.0f} % (normalised gain {gain:.2f}, Hake 1998)"
    visit.wait_for_text(".ddpm-lessons-list", words)
    page.goto(page.locator('[data-name="later-offer"] input').input_value())  # the third test, by its link
    page.wait_for_selector(".ddpm-lesson-item")
    assert page.locator(".ddpm-lesson-item").count() == len(LESSONS)
    assert page.locator(".ddpm-lesson .ddpm-note").count() == 0  # the first two were taken here
    assert page.evaluate(f"{KEPT}.test.after.at") > 0
    page.locator('[data-name="close"]').click()
    assert "test=" not in page.url


def test_the_teachers_sheet_and_the_students_results_can_be_printed(visit):
    visit.open()
    page = visit.page
    open_lessons(visit)
    page.locator('[data-name="sheet"]').click()
    page.wait_for_selector(".ddpm-lesson-sheet a")
    links = page.locator(".ddpm-lesson-sheet a").evaluate_all("all => all.map(each => each.href)")
    assert links == [f"{visit.address.rstrip('/')}/?lesson={k}" for k in range(1, len(LESSONS) + 1)]
    page.emulate_media(media="print")
    assert page.locator(".ddpm-lesson-sheet h1").is_visible()
    assert not page.locator("#noise-view").is_visible()
    assert not page.get_by_role("button").filter(visible=True).count()  # nobody presses paper
    page.emulate_media(media="screen")
    page.keyboard.press("Escape")
    page.locator('[data-name="mine"]').click()
    assert all(lesson.title in page.text_content(".ddpm-lesson-sheet") for lesson in LESSONS)


def test_the_links_on_paper_are_those_that_the_room_can_open(visit):
    """A teacher's own address is 127.0.0.1, which leads nowhere from a student's phone."""

    def in_a_room(route):
        asked = (route.request.post_data_json or {}).get("data")
        if route.request.post_data_json.get("fn_name") != "invite":
            route.continue_()
            return
        route.fulfill(json={"address": asked["address"].replace(visit.address, "http://192.0.2.7:7860/")})

    visit.page.route("**/component_server/**", in_a_room)
    visit.open()
    open_lessons(visit)
    visit.page.locator('[data-name="sheet"]').click()
    visit.page.wait_for_selector(".ddpm-lesson-sheet a")
    links = visit.page.locator(".ddpm-lesson-sheet a").all_text_contents()
    assert links == [f"http://192.0.2.7:7860/?lesson={k}" for k in range(1, len(LESSONS) + 1)]


def test_without_storage_a_lesson_works_and_says_that_nothing_is_kept(visit):
    visit.page.add_init_script("Storage.prototype.setItem = () => { throw new Error('blocked'); }")
    visit.open()
    open_lessons(visit)
    visit.wait_for_text(".ddpm-lessons-list", "saves nothing here")
    visit.page.locator(".ddpm-lessons-item").first.click()
    visit.page.locator('[data-name="commit"]').click()
    visit.page.locator('[data-name="skip"]').click()
    visit.page.wait_for_selector(".ddpm-lesson-said[data-verdict]")


def test_every_part_of_the_page_that_a_lesson_may_name_is_there(visit):
    visit.open()
    for tab in ("Noise", "Schedule", "Network", "Receptive field", "Generate"):
        visit.tab(tab)
        visit.page.wait_for_timeout(300)
    for name, selector in CONTROLS.items():
        if name not in ("train button", "own drawings"):  # training is off here; test_train_page.py uses both
            if name == "training":
                visit.tab("Train")
            visit.page.wait_for_selector(selector, state="attached")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_lessons(visit, theme):
    visit.open(theme)
    page = visit.page

    def look():
        found = visit.axe(theme, "#lessons")
        faults = [(each["id"], node["html"][:200], node["any"][:1]) for each in found for node in each["nodes"]]
        assert faults == []

    open_lessons(visit)
    look()
    for number in (1, 3, 10):
        page.locator(".ddpm-lessons-item").nth(number - 1).click()
        if number == 10:
            visit.set_slider(".ddpm-lesson-curve", 80)
        look()
        page.locator('[data-name="commit"]').click()
        look()
        page.locator('[data-name="skip"]').click()
        page.wait_for_selector('[data-name="to-question"]')
        look()
        page.locator('[data-name="to-question"]').click()
        look()
        page.locator('[data-name="back"]').click()
    assert json.loads(page.evaluate("localStorage.getItem('ddpm-lessons')"))["lessons"]
