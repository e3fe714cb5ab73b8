"""The lessons in the lab: what its page says of a guess is what the app says, for every lesson and many guesses."""

import random

import pytest
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.ui.lab import lessons as lab_lessons
from ddpm_demo.ui.lab.lessons import LAB_TABS, MISSING_CONTROLS, StudentsNumber, lessons_value, solved_lesson
from ddpm_demo.ui.lessons import truths_of_wishes
from ddpm_demo.ui.lessons.classroom import DONT_KNOW, revealed
from ddpm_demo.ui.lessons.entry import shipped_lessons
from ddpm_demo.ui.lessons.judging import checked, rank_correlation
from ddpm_demo.ui.lessons.lesson import WHEN
from ddpm_demo.ui.lessons.lesson_file import read_lesson
from ddpm_demo.ui.lessons.truths import TRUTHS, answers_of, compute_truth, values_of
from ddpm_demo.ui.lessons.workplace import Truth, Workplace

LESSONS = shipped_lessons()
ALL_REVEALED = """
    import { revealedHere } from "./static/lab/judge.js";
    reply = given.lessons.map(({ kind, answers, guesses, kept }) =>
        guesses.map((guess) => revealedHere(kind, answers, guess, kept)));
"""


def truth_by_chance(workplace, name, arguments):
    """A truth such as this one may have, the same whenever it is asked for."""
    draw, function = random.Random(f"{name} {arguments}"), TRUTHS[name]
    answers = list(answers_of(name, arguments))
    right = {
        "choice": lambda: draw.choice(answers),
        "mark": lambda: draw.uniform(0, 100),
        "rank": lambda: draw.sample(answers, len(answers)),
        "curve": lambda: [draw.choice((0.1, draw.random())) for _ in range(10)],
    }[function.gives]()
    values = {value: draw.uniform(0, 1000) for value in values_of(name, arguments)}
    return Truth(right, values, {picture: torch.full((1, 1, 28, 28), -0.5) for picture in function.pictures})


@pytest.fixture
def by_chance(monkeypatch):
    monkeypatch.setattr(lab_lessons, "compute_truth", truth_by_chance)


def guesses_for(asked, draw):
    keys = [choice.key for choice in asked.choices]
    if asked.kind == "choice":
        return keys
    if asked.kind == "rank":
        return [draw.sample(keys, len(keys)) for _ in range(20)] + [keys]
    if asked.kind == "curve":
        return [[float(draw.randrange(0, 101, 5)) for _ in range(10)] for _ in range(50)] + [[50.0] * 10]
    return [float(draw.randint(int(asked.low), int(asked.high))) for _ in range(50)]


def test_what_is_said_of_a_guess_is_what_the_app_says(by_chance, node):
    value = lessons_value([solved_lesson(lesson, Workplace({})) for lesson in LESSONS], "1 March 2026", "lite")
    draw, given, expected = random.Random(0), [], []
    for lesson in LESSONS:
        asked, answers = lesson.predict, value["answers"][lesson.name]
        kept = {task.keep: float(draw.randrange(1000)) for task in lesson.tasks if task.keep}
        truth = truth_by_chance(None, asked.truth, asked.arguments)
        guesses = guesses_for(asked, draw)
        if asked.kind == "rank":
            guesses.append(truth.right)
        given.append({"kind": asked.kind, "answers": answers, "guesses": guesses, "kept": kept})
        expected.append([{**revealed(lesson, truth, guess, kept), "note": answers["note"]} for guess in guesses])
    said = node(ALL_REVEALED, lessons=given)
    assert said == expected
    verdicts = {each["verdict"] for lesson in said for each in lesson}
    assert verdicts == {"right", "wrong", "close", "far", "too_low", "too_high"}


def test_rank_correlation_is_pythons(node):
    draw = random.Random(1)
    rows = [[float(draw.randrange(4)) for _ in range(10)] for _ in range(60)] + [[1.0] * 10]
    said = node(
        'import { rankCorrelation } from "./static/lab/judge.js";'
        "reply = given.rows.map((row, k) => rankCorrelation(row, given.rows[(k + 1) % given.rows.length]));",
        rows=rows,
    )
    expected = [rank_correlation(row, rows[(k + 1) % len(rows)]) for k, row in enumerate(rows)]
    assert said == pytest.approx(expected, abs=1e-12)


def test_answers_are_graded_as_the_app_grades_them(by_chance):
    value = lessons_value([solved_lesson(lesson, Workplace({})) for lesson in LESSONS], "1 March 2026", "lite")
    for when in WHEN:
        assert len(value["tests"][when]) == len(value["test"][when]) == len(LESSONS)
    for number, lesson in enumerate(LESSONS):
        for question, answers in [
            (lesson.question, value["answers"][lesson.name]["question"]),
            *((lesson.tests[when], value["tests"][when][number]) for when in WHEN),
        ]:
            truth = truth_by_chance(None, question.truth, question.arguments)
            for choice in question.choices:
                assert answers[choice.key] == checked(question, truth, choice.key)
            assert sum(answers[choice.key]["correct"] for choice in question.choices) == 1
        no_idea = value["tests"]["before"][number][DONT_KNOW]
        assert not no_idea["correct"]
        assert value["tests"]["before"][number][no_idea["right"]]["words"] == no_idea["words"]


def test_what_needs_more_than_the_lab_is_told_once_and_not_asked_for(by_chance):
    value = lessons_value([solved_lesson(lesson, Workplace({})) for lesson in LESSONS], "1 March 2026", "lite")
    idle = [k + 1 for k, lesson in enumerate(value["lessons"]) if not lesson["tasks"]]
    assert f"({', '.join(map(str, idle))})" in value["words"]["intro"]
    assert "computed on 1 March 2026, with lite" in value["words"]["intro"]
    for lesson, offered in zip(LESSONS, value["lessons"], strict=True):
        if offered["tasks"]:
            assert lesson.tab in LAB_TABS
            assert not {task["control"] for task in offered["tasks"]} & set(MISSING_CONTROLS)
        assert (offered["tab"] is None) == (lesson.tab not in LAB_TABS)
        assert {"right", "near", "truth"}.isdisjoint(offered["predict"])


def test_a_number_that_a_student_gives_is_left_for_the_page():
    assert f"t = {StudentsNumber(3, 'eye'):.0f}" == "t = {eye:0}"
    assert StudentsNumber(3, "eye") > 2
    with pytest.raises(ConfigError, match=r"in a lab write \{eye:.0f\}"):
        format(StudentsNumber(3, "eye"), ".0%")


def test_a_lesson_of_ones_own_may_ask_for_what_is_not_there(tmp_path):
    text = (lab_lessons.FILES / "1-vanish.toml").read_text(encoding="utf-8")
    own = tmp_path / "own.toml"
    own.write_text(text.replace('control = "noise picture"', 'control = "network diagram"'), encoding="utf-8")
    solved = solved_lesson(read_lesson(own), Workplace({}))
    (offered,) = lessons_value([solved], "1 March 2026", "lite")["lessons"]
    assert offered["tasks"] == []
    right = compute_truth(Workplace({}), "crossing", {"schedule": "linear"}).right
    assert solved.outcomes["close"]["right"] == right


def test_nothing_in_it_is_made_of_the_writers_own_drawings(monkeypatch):
    def stopped(where):
        raise ConfigError(where)

    monkeypatch.setattr(truths_of_wishes, "newest_drawings", lambda: stopped("their own"))
    monkeypatch.setattr(truths_of_wishes, "first_of", lambda sign, count: stopped("MNIST's"))
    for own, looked_for in ((False, "MNIST's"), (True, "their own")):
        with pytest.raises(ConfigError, match=looked_for):
            compute_truth(Workplace({}, own_drawings=own), "left_out_drawing", {"sign": 7, "drawings": 5})
