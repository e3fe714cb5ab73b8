"""What a teacher gets: plans that add up, goals, the answer key for the host alone, and results as a table."""

import csv
import io
import time

import pytest

from ddpm_demo.core.config import ConfigError
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.ui.lessons import entry
from ddpm_demo.ui.lessons.answer_key import answer_key
from ddpm_demo.ui.lessons.class_routes import NOT_THE_TEACHER, class_routes
from ddpm_demo.ui.lessons.classroom import Classroom
from ddpm_demo.ui.lessons.live import LiveClass
from ddpm_demo.ui.lessons.truths import compute_truth
from ddpm_demo.ui.lessons.workplace import Workplace
from ddpm_demo.ui.parts.host import Host
from tests.ui.test_live_class import post


@pytest.fixture(scope="module")
def classroom():
    return Classroom(entry.shipped_lessons(), shipped_checkpoints())


def test_plans_take_the_time_that_they_say_and_each_lesson_has_a_goal(classroom):
    lessons = classroom.lessons
    for plan in entry.class_plans(lessons.values()):
        assert sum(part["minutes"] for part in plan["part"]) == int(plan["title"].split()[0])
        for part in plan["part"]:
            assert part["say"]
            assert part.get("lesson", "1-vanish") in lessons
    assert all(lesson.goal and lesson.goal[0].islower() and lesson.goal[-1].isalpha() for lesson in lessons.values())
    with pytest.raises(ConfigError, match="names no lesson"):
        entry.class_plans([])


def test_the_answer_key_is_the_truth_and_names_the_idea_behind_each_wrong_choice(classroom):
    """Of the lessons whose truths need no network."""
    lesson = classroom.lessons["3-keeps"]
    key = answer_key(classroom, lesson)["questions"]
    assert [each["part"] for each in key] == ["predict", "question", "before", "after", "later"]
    for each, question in zip(key, (lesson.predict, lesson.question, *lesson.tests.values()), strict=True):
        right = compute_truth(Workplace({}), question.truth, question.arguments).right
        say = {choice.key: choice.say for choice in question.choices}
        assert each["ask"] == question.ask
        assert each["right"] == (say[right] if isinstance(right, str) else ", ".join(say[name] for name in right))
        if each["part"] != "predict":
            assert each["why"]
            assert [wrong["say"] for wrong in each["wrong"]] == [
                choice.say for choice in question.choices if choice.key != right
            ]
        assert all(wrong["idea"] for wrong in each["wrong"])
    mark = answer_key(classroom, classroom.lessons["1-vanish"])["questions"][0]
    assert mark["right"].startswith("t = ")
    assert {wrong["say"] for wrong in mark["wrong"]} <= {"too low", "too high"}


def test_only_the_host_gets_the_answer_key(classroom):
    host = Host(alone=False)
    routes = class_routes(LiveClass(classroom), host)
    assert post(routes, "key", {"lesson": "3-keeps", "keys": ["x"]}) == {"error": NOT_THE_TEACHER}
    assert len(post(routes, "key", {"lesson": "3-keeps", "keys": [host.key]})["questions"]) == 5
    assert post(routes, "key", {"lesson": "none", "keys": [host.key]}) == {"error": "there is no such lesson"}
    begun = time.monotonic()
    while "done" in (key := post(routes, "key", {"lesson": "4-answer", "keys": [host.key]})):
        assert time.monotonic() - begun < 300
    assert key["questions"][0]["part"] == "predict"


def test_results_have_a_row_for_each_answer_and_no_formulas(node):
    choices = [{"key": "a", "say": 'A "thing", really'}, {"key": "b", "say": "=B"}]
    lessons = [{"name": "1-one", "title": "One", "predict": {"ask": "Where?", "choices": []}}]
    lessons[0]["question"] = {"ask": "What?", "choices": choices}
    tests = {"before": [{"ask": "First?", "choices": choices}], "after": [{"ask": "Again?", "choices": choices}]}
    tests["later"] = [{"ask": "Still?", "choices": choices}]
    record = {"phase": "done", "prediction": -3, "truth": {"right": 5, "verdict": "too_low"}, "answers": ["b", "a"]}
    kept = {"lessons": {"#one": {**record, "first": False}}, "test": {"before": {"answers": {"0": "?"}}}}
    kept["test"]["after"] = {"answers": {"0": "a"}, "results": [{"correct": True, "right": "a"}]}
    kept["test"]["later"] = {"answers": {"0": "b"}, "results": [{"correct": False, "right": "a"}]}
    text = node(
        """
        globalThis.localStorage = { getItem: () => JSON.stringify(given.kept), setItem: () => {} };
        const { recall } = await import("./static/lessons/memory.js");
        const { resultsTable } = await import("./static/lessons/results_table.js");
        recall();
        reply = resultsTable(given.lessons, given.tests, given.words, "@Ada");
        """,
        lessons=lessons,
        tests=tests,
        words=entry.page_words(),
        kept=kept,
    )
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    assert head == ["name", "lesson", "title", "part", "question", "answer", "what is right", "right"]
    assert rows == [
        ["'@Ada", "1", "One", "guess", "Where?", "-3", "5", "too low"],
        ["'@Ada", "1", "One", "one more question", "What?", "'=B", "", "no"],
        ["'@Ada", "1", "", "test before the lessons", "First?", "I don't know", "", ""],
        ["'@Ada", "1", "", "test after the lessons", "Again?", 'A "thing", really', 'A "thing", really', "yes"],
        ["'@Ada", "1", "", "third test, a week or two later", "Still?", "'=B", 'A "thing", really', "no"],
    ]
