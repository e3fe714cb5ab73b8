"""What one lesson consists of, and what of it the page may know before anything is revealed."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ddpm_demo.ui.tab_table import tab_ids


@dataclass(frozen=True)
class Misconception:
    """A wrong idea in a student's own words, and the sentences that refute it."""

    misconception: str
    refutation: str


@dataclass(frozen=True)
class Choice:
    """One answer that can be given; `wrong` says what is right instead; the others name the idea behind it."""

    key: str
    say: str
    wrong: str = ""
    misconception: str = ""
    refutation: str = ""


@dataclass(frozen=True)
class Question:
    """A question whose right answer is computed: the truth's name and arguments, and the choices there are.

    `shown` are captions to those of the truth's pictures that stand beside the question and do not give it away.
    """

    ask: str
    truth: str
    arguments: Mapping[str, Any]
    choices: tuple[Choice, ...] = ()
    right: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PredictionTask(Question):
    """What is predicted: a mark from `low` to `high`, a choice, a ranking, or a curve of ten values."""

    kind: str = "choice"
    low: float = 0
    high: float = 1
    start: float = 0
    near: float = 0  # a mark so close, or a curve whose order correlates at least so much, counts as close
    reading: str = ""
    left_end: str = ""
    right_end: str = ""
    height: str = ""


@dataclass(frozen=True)
class Task:
    """One thing to do on the real tab; without `watch` the student says when it is done."""

    say: str
    control: str = ""
    watch: str = ""
    at_least: float | None = None
    at_most: float | None = None
    value: str = ""
    keep: str = ""
    button: str = ""


@dataclass(frozen=True)
class Lesson:
    """One lesson. `words` are what the reveal can say, `captions` the pictures that it shows.

    `bars` are captions to values that lie from 0, two strangers, to 1, the same picture.

    `remember` is the one sentence to keep, `drawing` its small picture where the truth has none, and `leads` the
    sentence that leads to the next lesson. `misconceptions` are the ideas behind a mark, an order or a curve that is
    wrong, by the word of the reveal. `test` is its question in the test before the lessons, if it has one, `again` the
    parallel one after them, and `later` that of a week or two after.
    """

    name: str
    title: str
    minutes: int
    tab: str
    opening: str
    lock: tuple[str, ...]
    screen: Mapping[str, Any]
    predict: PredictionTask
    tasks: tuple[Task, ...]
    words: Mapping[str, str]
    captions: Mapping[str, str]
    bars: Mapping[str, str]
    explain: str
    question: Question = field(repr=False)
    remember: str = ""
    drawing: str = ""
    leads: str = ""
    misconceptions: Mapping[str, Misconception] = field(default_factory=dict, repr=False)
    test: Question | None = field(default=None, repr=False)
    again: Question | None = field(default=None, repr=False)
    later: Question | None = field(default=None, repr=False)
    goal: str = ""  # what students can do afterwards

    @property
    def tests(self) -> dict[str, Question | None]:
        """Its question in each test, by when that is taken: one of `WHEN`."""
        return dict(zip(WHEN, (self.test, self.again, self.later), strict=True))

    def public(self) -> dict[str, Any]:
        """Return what the page needs before anything is revealed."""
        asked = ("ask", "choices")
        return {
            **{name: getattr(self, name) for name in ("name", "title", "minutes", "opening", "lock", "screen", "goal")},
            **{name: getattr(self, name) for name in ("remember", "drawing", "leads")},
            "tab": tab_ids()[self.tab],
            "predict": {
                **{name: value for name, value in asdict(self.predict).items() if name not in HIDDEN},
                "choices": [{"key": choice.key, "say": choice.say} for choice in self.predict.choices],
            },
            "tasks": [asdict(task) for task in self.tasks],
            "question": {name: value for name, value in public_question(self.question).items() if name in asked},
        }


WHEN = ("before", "after", "later")  # when a test is taken: before the lessons, after them, a week or two later


def questions_of_test(lessons: Iterable[Lesson], when: str) -> list[Question]:
    """Return the test's questions, a lesson each, in order; each test asks for the same in other cases."""
    asked = [lesson.tests[when] for lesson in lessons]
    return [question for question in asked if question is not None]


HIDDEN = ("truth", "arguments", "right", "near", "shown")


def public_question(question: Question) -> dict[str, Any]:
    """Return a question without what would give its answer away."""
    return {
        "ask": question.ask,
        "choices": [{"key": choice.key, "say": choice.say} for choice in question.choices],
    }
