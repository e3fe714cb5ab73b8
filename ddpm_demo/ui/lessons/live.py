"""A class that guesses together: whoever joins by its code sends guesses without a name, and the host counts them.

Off until the host opens it, kept in memory only, and gone with the server. An answer is some hundred bytes, one for
each member and question, of which the last counts; no connection stays open.
"""

import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from ddpm_demo.core.config import DemoError
from ddpm_demo.ui.lessons.classroom import DONT_KNOW, Classroom
from ddpm_demo.ui.lessons.judging import read_answer
from ddpm_demo.ui.lessons.lesson import Question
from ddpm_demo.ui.lessons.tally import tally
from ddpm_demo.ui.parts.readers import one_of
from ddpm_demo.words.sentence import say

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words; nothing that is taken for a digit
CODE_LETTERS = 6  # 64 million codes
MOST_MEMBERS = 1000
TRIES, TRY_SECONDS = 10, 60.0  # wrong codes that an address may give in so long
MOST_ADDRESSES = 1000
NO_CLASS = say("there is no class with this code: ask for it again")
CLASS_ENDED = say("this class has ended")
TOO_MANY_TRIES = say("too many wrong codes: wait a minute and try again")
NO_QUESTION = say("there is no such question")


@dataclass(frozen=True)
class ClassQuestion:
    """A question that a class can be counted for: where it stands in the lessons, what is asked, and its kind."""

    title: str
    part: str  # predict, question, or the test: before, after or later
    asked: Question


class CodeTries:
    """How often an address has given a wrong code lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def must_be_few(self, address: str) -> None:
        """Raise DemoError while an address has given too many wrong codes."""
        times = self._wrong.get(address, deque())
        while times and times[0] <= self._clock() - TRY_SECONDS:
            times.popleft()
        if len(times) >= TRIES:
            raise DemoError(TOO_MANY_TRIES)

    def count(self, address: str) -> None:
        """Count one more wrong code."""
        self._wrong.setdefault(address, deque()).append(self._clock())
        self._wrong.move_to_end(address)
        while len(self._wrong) > MOST_ADDRESSES:
            self._wrong.popitem(last=False)


class LiveClass:
    """The one class of a server, open or not. Its methods are called in the server's event loop, one at a time."""

    def __init__(
        self, classroom: Classroom, dont_know: str = DONT_KNOW, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the lessons' questions; `dont_know` is what the page calls an answer of the test that is none."""
        self.classroom, self._dont_know = classroom, dont_know
        self.questions = class_questions(classroom)
        self.code = ""  # empty while no class is open
        self._tries = CodeTries(clock)
        self._members: set[str] = set()
        self._answers: dict[str, dict[str, Any]] = {}  # by question, then by member

    def open(self) -> None:
        """Open a class, empty and with a new code."""
        self.close()
        self.code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LETTERS))

    def close(self) -> None:
        """End the class, and forget what it has guessed."""
        self.code, self._members, self._answers = "", set(), {}

    def join(self, code: object, address: str) -> str:
        """Return the token of a new member; raise DemoError where there is no such class, or too many were tried."""
        self._tries.must_be_few(address)
        given = code.strip().upper() if isinstance(code, str) else ""
        if not self.code or not secrets.compare_digest(given.encode("utf-8", "replace"), self.code.encode()):
            self._tries.count(address)
            raise DemoError(NO_CLASS)
        if len(self._members) >= MOST_MEMBERS:
            raise DemoError("this class is full: {count} have joined", count=MOST_MEMBERS)
        member = secrets.token_urlsafe(12)
        self._members.add(member)
        return member

    def take(self, member: object, name: object, value: object) -> None:
        """Take a member's answer to a question, instead of an earlier one; raise DemoError if it cannot be one."""
        if not isinstance(member, str) or member not in self._members:
            raise DemoError(CLASS_ENDED)
        name = one_of(name, self.questions, NO_QUESTION)
        found = self.questions[name]
        if found.part in ("predict", "question") or value != DONT_KNOW:
            value = read_answer(found.asked, value)
        self._answers.setdefault(name, {})[member] = value

    def standing(self) -> dict[str, Any]:
        """Return what the host sees of the class: its code, how many have joined, and how many answers there are."""
        return {
            "code": self.code,
            "members": len(self._members),
            "answers": {name: len(values) for name, values in self._answers.items()},
        }

    def rows(self, name: object, truth: Any = None) -> list[dict[str, Any]]:
        """Return the histogram of a question, with the truth laid over if there is one."""
        name = one_of(name, self.questions, NO_QUESTION)
        found = self.questions[name]
        also = [] if found.part in ("predict", "question") else [(DONT_KNOW, self._dont_know)]
        return [asdict(row) for row in tally(found.asked, list(self._answers.get(name, {}).values()), truth, also)]

    def truth(self, name: object) -> dict[str, Any]:
        """Return what is right, `right`, or how far the computation is, `done`. May take a moment: not in the loop."""
        found = self.questions[one_of(name, self.questions, NO_QUESTION)]
        truth = self.classroom.truth_for(found.asked)
        return {"done": truth} if isinstance(truth, float) else {"right": truth.right}


def class_questions(classroom: Classroom) -> dict[str, ClassQuestion]:
    """Return every question that a class can be counted for, by the name that the page gives it."""
    found: dict[str, ClassQuestion] = {}
    for lesson in classroom.lessons.values():
        found[f"predict {lesson.name}"] = ClassQuestion(lesson.title, "predict", lesson.predict)
        found[f"question {lesson.name}"] = ClassQuestion(lesson.title, "question", lesson.question)
    for when, test in classroom.tests.items():
        found |= {f"{when} {k}": ClassQuestion(str(k + 1), when, asked) for k, asked in enumerate(test)}
    return found


def public_questions(live: LiveClass) -> list[dict[str, Any]]:
    """Return the questions as the host's page lists them."""
    return [
        {"name": name, "title": each.title, "part": each.part, "ask": each.asked.ask}
        for name, each in live.questions.items()
    ]
