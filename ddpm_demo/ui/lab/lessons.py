"""The lessons and the test in the lab: all that a server would be asked is computed when the lab is written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ddpm_demo.core.config import ConfigError
from ddpm_demo.ui.lessons.classroom import DONT_KNOW, offered, revealed
from ddpm_demo.ui.lessons.entry import FILES, class_plans, drawings_of, page_words, shipped_lessons
from ddpm_demo.ui.lessons.judging import checked
from ddpm_demo.ui.lessons.lesson import WHEN, Lesson, Question, public_question, questions_of_test
from ddpm_demo.ui.lessons.places import CONTROLS, WATCHES
from ddpm_demo.ui.lessons.toml_file import TomlFile
from ddpm_demo.ui.lessons.truths import TRUTHS, compute_truth
from ddpm_demo.ui.lessons.workplace import OFFERED_FIRST, Truth, Workplace
from ddpm_demo.ui.tab_table import tab_ids
from ddpm_demo.ui.words.language import ENGLISH, Language, in_language
from ddpm_demo.words.sentence import Sentence

LAB_TABS = ("Noise", "Schedule", "Receptive field", "Generate")
# parts of the page that the lab has not, and what only they can end; a browser test looks for all others
MISSING_CONTROLS = (
    *("network diagram", "perfect answer", "receptive patches", "train button", "training", "own drawings"),
    *("same start twice", "few or many steps", "beside a perfect network", "asked in parts", "completion"),
)
MISSING_WATCHES = ("stage", "training", "completion")


class StudentsNumber(float):
    """A number that is known only when a student has given it: it is written as a place, which the page fills."""

    def __new__(cls, value: float, name: str) -> "StudentsNumber":
        """Stand for the number `name`; `value` is what it counts as until then."""
        number = super().__new__(cls, value)
        number.name = name
        return number

    name: str

    def __format__(self, spec: str) -> str:
        """Return the place; raise ConfigError if the page could not write a number in that way."""
        places = re.fullmatch(r"\.(\d)f", spec)
        if not places:
            raise ConfigError(f"in a lab write {{{self.name}:.0f}}, or another number of decimals, not {spec!r}")
        return f"{{{self.name}:{places[1]}}}"


@dataclass(frozen=True)
class SolvedLesson:
    """A lesson and the answers to all that can be asked in it; `tests` by when the test is taken."""

    lesson: Lesson
    near: float
    outcomes: Mapping[str, Mapping[str, Any]]
    question: Mapping[str, Any]
    tests: Mapping[str, Mapping[str, Any]]


def solved_lesson(lesson: Lesson, workplace: Workplace) -> SolvedLesson:
    """Compute a lesson's truths; raise ConfigError or CheckpointError where that cannot be."""

    def answers(question: Question, *others: str) -> dict[str, Any]:
        truth = compute_truth(workplace, question.truth, question.arguments)
        keys = [choice.key for choice in question.choices]
        return {key: checked(question, truth, None if key in others else key) for key in (*keys, *others)}

    truth = compute_truth(workplace, lesson.predict.truth, lesson.predict.arguments)
    kept = {task.keep: StudentsNumber(0, task.keep) for task in lesson.tasks if task.keep}
    return SolvedLesson(
        lesson,
        lesson.predict.near,
        {name: revealed(lesson, truth, guess, kept) for name, guess in _possible(lesson, truth).items()},
        answers(lesson.question),
        {when: answers(item, DONT_KNOW) for when in WHEN for item in questions_of_test([lesson], when)},
    )


def lessons_value(
    solved: Sequence[SolvedLesson], date: str, checkpoint: str, language: Language = ENGLISH
) -> dict[str, Any]:
    """Return what the panel is given (`first_lessons_value` in ui/lessons/entry.py), and the answers that it needs."""
    lessons = [each.lesson for each in solved]
    words: Mapping[str, str] = TomlFile(FILES / "lab.toml").content

    def filled(name: str, **places: object) -> str:
        return str(in_language(Sentence(words[name], {"date": date, "checkpoint": checkpoint, **places}), language))

    idle = [str(k + 1) for k, lesson in enumerate(lessons) if not _can_be_tried(lesson)]
    intro = [
        filled("intro"),
        filled("computed"),
        *([filled("nothing_to_try", lessons=", ".join(idle))] if idle else []),
    ]
    return {
        "words": {
            **page_words(),
            "intro": " ".join(intro),
            "sheet_intro": filled("sheet_intro"),
            "no_answer": filled("no_answer"),
            "three_screens": "",
        },
        "drawings": drawings_of(lessons),
        "lessons": [_offered(lesson) for lesson in lessons],
        "test": {when: [public_question(item) for item in questions_of_test(lessons, when)] for when in WHEN},
        "plans": class_plans(shipped_lessons()),
        "dont_know": DONT_KNOW,
        "controls": CONTROLS,
        "watches": WATCHES,
        "answers": {
            each.lesson.name: {
                "near": each.near,
                "outcomes": _once(each.outcomes),
                "note": filled("computed" if _takes_a_checkpoint(each.lesson, checkpoint) else "computed_plainly"),
                "question": each.question,
            }
            for each in solved
        },
        "tests": {when: [each.tests[when] for each in solved if when in each.tests] for when in WHEN},
    }


def _possible(lesson: Lesson, truth: Truth) -> dict[str, Any]:
    """Return a prediction for everything that can be said of one, by the name that static/lab/judge.js has for it."""
    asked, right = lesson.predict, truth.right
    if asked.kind == "choice":
        return {choice.key: choice.key for choice in asked.choices}
    if isinstance(right, float):
        off = {"close": 0.0, "too_low": -asked.near - 1, "too_high": asked.near + 1}
        return {name: StudentsNumber(right + by, "prediction") for name, by in off.items()}
    assert isinstance(right, list)
    if asked.kind == "rank":
        return {"right": right, "wrong": right[::-1]}
    return {"close": right, "far": [-float(value) for value in right]}


def _once(outcomes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The same of all outcomes stands there once."""
    said = ("verdict", "words", "idea")
    same = next(iter(outcomes.values()))
    return {
        **{name: value for name, value in same.items() if name not in said},
        "said": {name: {each: outcome[each] for each in said} for name, outcome in outcomes.items()},
    }


def _can_be_tried(lesson: Lesson) -> bool:
    return lesson.tab in LAB_TABS and not any(
        task.control in MISSING_CONTROLS or task.watch in MISSING_WATCHES for task in lesson.tasks
    )


def _offered(lesson: Lesson) -> dict[str, Any]:
    """Return what the page may know of a lesson; one that cannot be tried here has no tasks."""
    here = lesson.tab in LAB_TABS
    return {
        **offered(lesson),
        "tab": tab_ids()[lesson.tab] if here else None,
        **({} if _can_be_tried(lesson) else {"tasks": []}),
    }


def _takes_a_checkpoint(lesson: Lesson, checkpoint: str) -> bool:
    defaults = TRUTHS[lesson.predict.truth].arguments
    named = {**defaults, **lesson.predict.arguments}.get("checkpoint")
    return named in (OFFERED_FIRST, checkpoint)
