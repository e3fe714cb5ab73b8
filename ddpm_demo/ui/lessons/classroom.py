"""What the page's lessons ask the server: a lesson's screen, the truth of a prediction, the key of a question."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ddpm_demo.ui.lessons.judging import checked, idea_behind_prediction, read_prediction, verdict, words_of_reveal
from ddpm_demo.ui.lessons.lesson import WHEN, Lesson, Question, public_question, questions_of_test
from ddpm_demo.ui.lessons.truths import TRUTHS, compute_truth
from ddpm_demo.ui.lessons.workplace import OFFERED_FIRST, Truth, Workplace
from ddpm_demo.ui.parts.bridge import server_function
from ddpm_demo.ui.parts.digits import gallery_digit, noise_of
from ddpm_demo.ui.parts.frames import packed
from ddpm_demo.ui.parts.readers import named_values, number, one_of, whole
from ddpm_demo.words.sentence import say

PATIENCE = 0.3  # seconds that an answer is waited for before the page is told how far it is
KEPT_TRUTHS = 64
DONT_KNOW = "?"  # the answer of a test that is none


@dataclass
class Computation:
    """A truth that is being computed, or was, and how far it is."""

    future: "Future[Truth]" = field(default_factory=Future)
    done: float = 0.0


class Classroom:
    """The lessons, the test, and the truths already computed for somebody; its methods answer the page."""

    def __init__(self, lessons: Sequence[Lesson], checkpoints: Mapping[str, Path]) -> None:
        self.lessons, self.checkpoints = {lesson.name: lesson for lesson in lessons}, checkpoints
        self.tests = {when: questions_of_test(lessons, when) for when in WHEN}
        self._computed: OrderedDict[str, Computation] = OrderedDict()
        self._guard = threading.Lock()
        self._threads = ThreadPoolExecutor(2, "truths")  # each waits for turns at the one network anyway

    def functions(self) -> list[Callable[[Any], dict[str, Any]]]:
        """Return what the page may call, by name, as plain functions: Gradio marks them."""
        return [
            _named("lesson_screen", self.screen),
            _named("prepare_truth", self.prepare),
            _named("reveal_truth", self.reveal),
            _named("check_answer", self.check),
            _named("check_test", self.check_test),
        ]

    def screen(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Return the digit and the noise that a lesson begins with, as the Noise tab takes them."""
        screen, view = self._lesson(question).screen, {}
        if "digit" in screen:
            label, which = (int(part) for part in str(screen["digit"]).split("-"))
            view["digit"] = gallery_digit(label, which)
        if "seed" in screen:
            view["noise"] = noise_of(screen["seed"])
        return {**view, **{name: screen[name] for name in ("t", "schedule") if name in screen}}

    def prepare(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Start computing what a lesson will reveal, or with `question` the key of its question."""
        lesson = self._lesson(question)
        return {"done": self._compute(lesson.question if question.get("question") is True else lesson.predict).done}

    def reveal(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Answer with the truth and what is said about the prediction; with `done`, a share, until it is computed."""
        lesson = self._lesson(question)
        prediction = read_prediction(lesson, question.get("prediction"))
        computation = self._compute(lesson.predict)
        truth = self._wait(computation)
        if truth is None:
            return {"done": computation.done}
        return revealed(lesson, truth, prediction, _kept(lesson, question.get("kept")))

    def check(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Answer whether an answer to a lesson's question is right, and why; the key is computed now."""
        return self._check(self._lesson(question).question, question.get("answer"))

    def check_test(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The same for an item of a test, by its number from 0; not to know is no right answer, and no wrong idea."""
        test = self.tests[
            one_of(question.get("when"), self.tests, say("the test is taken before the lessons, after them, or later"))
        ]
        item = whole(say("the number of the question"), question.get("item"), 0, len(test) - 1)
        return self._check(test[item], question.get("answer"), DONT_KNOW)

    def truth_for(self, asked: Question) -> Truth | float:
        """Return what is true; until it is computed how far that is, from 0 to 1."""
        computation = self._compute(asked)
        truth = self._wait(computation)
        return computation.done if truth is None else truth

    def public_test(self) -> dict[str, list[dict[str, Any]]]:
        """Return the questions of all tests without their keys."""
        return {when: [public_question(item) for item in test] for when, test in self.tests.items()}

    def _check(self, asked: Question, answer: object, *no_answer: str) -> dict[str, Any]:
        """Check an answer; whoever gives none, by a word of `no_answer`, is told what is right."""
        answer = one_of(
            answer, [*(choice.key for choice in asked.choices), *no_answer], say("choose one of the answers")
        )
        computation = self._compute(asked)
        truth = self._wait(computation)
        if truth is None:
            return {"done": computation.done}
        return checked(asked, truth, None if answer in no_answer else answer)

    def _lesson(self, question: Mapping[str, Any]) -> Lesson:
        return self.lessons[one_of(question.get("lesson"), self.lessons, say("there is no such lesson"))]

    def _compute(self, asked: Question) -> Computation:
        """Return the computation of a truth: a new one, or, if it takes a network, that of whoever asked before."""
        if not TRUTHS[asked.truth].network:  # it takes no time, so it is done now, anew for everybody
            done = Computation(done=1.0)
            done.future.set_result(compute_truth(Workplace(self.checkpoints), asked.truth, asked.arguments))
            return done
        of = str(TRUTHS[asked.truth].of())
        key = json.dumps([asked.truth, asked.arguments, of, self._stamp(asked)], sort_keys=True)
        with self._guard:
            known = self._computed.get(key)
            failed = known is not None and known.future.done() and known.future.exception() is not None
            if known is not None and not failed:
                self._computed.move_to_end(key)
                return known
            computation = Computation()

            def report(done: float) -> None:
                computation.done = done

            workplace = Workplace(self.checkpoints, report)
            computation.future = self._threads.submit(compute_truth, workplace, asked.truth, asked.arguments)
            self._computed[key] = computation
            while len(self._computed) > KEPT_TRUTHS:
                self._computed.popitem(last=False)
            return computation

    def _stamp(self, asked: Question) -> list[Any]:
        """Return what tells a network from an earlier one of the same name: its file, and when that was written."""
        path = Workplace(self.checkpoints).path(str(asked.arguments.get("checkpoint", OFFERED_FIRST)))
        try:
            return [str(path), path.stat().st_mtime_ns]
        except OSError:
            return [str(path), 0]

    def _wait(self, computation: Computation) -> Truth | None:
        try:
            return computation.future.result(PATIENCE)
        except NotYet:
            return None


def offered(lesson: Lesson) -> dict[str, Any]:
    """Return what the page needs of a lesson before anything is revealed, with the pictures beside its question."""
    public, asked = lesson.public(), lesson.question
    if asked.shown:
        truth = compute_truth(Workplace({}), asked.truth, asked.arguments)
        public["question"]["pictures"] = _pictures(truth, asked.shown)
    return public


def _pictures(truth: Truth, captions: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"caption": caption, "n": len(truth.pictures[name]), "levels": packed([truth.pictures[name]], 8)}
        for name, caption in captions.items()
        if name in truth.pictures
    ]


def revealed(lesson: Lesson, truth: Truth, prediction: Any, kept: Mapping[str, float]) -> dict[str, Any]:
    """Return what the page shows of a truth to whoever has predicted this, and noted `kept` on the way."""
    words, why = words_of_reveal(lesson, truth, prediction, kept)
    return {
        "right": truth.right,
        "verdict": verdict(lesson, truth, prediction),
        "words": words,
        "idea": idea_behind_prediction(lesson, truth, prediction, kept),
        "why": why,
        "bars": [
            {"caption": caption, "share": max(0.0, min(1.0, truth.values[name]))}
            for name, caption in lesson.bars.items()
        ],
        "pictures": _pictures(truth, lesson.captions),
    }


def _kept(lesson: Lesson, value: object) -> dict[str, float]:
    """Return what the tasks of a lesson have noted, 0 for what a student has skipped."""
    found = value if isinstance(value, Mapping) else {}
    names = [task.keep for task in lesson.tasks if task.keep]
    kept = {name: found.get(name, 0) for name in names}
    return {name: number(name, each) for name, each in kept.items()}


def _named(name: str, method: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Return a method as a plain function of that name, which answers an error with one sentence."""

    @server_function
    def answer(question: Any = None) -> dict[str, Any]:
        return method(named_values(question, say("the name of a lesson")))

    answer.__name__ = name
    return answer
