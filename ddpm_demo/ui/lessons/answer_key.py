"""The answer key of a lesson, for its teacher: what is right, computed, and the idea behind each wrong answer."""

from typing import Any

from ddpm_demo.ui.lessons.classroom import Classroom
from ddpm_demo.ui.lessons.judging import grade
from ddpm_demo.ui.lessons.lesson import Lesson, PredictionTask, Question
from ddpm_demo.ui.lessons.workplace import Truth
from ddpm_demo.words.sentence import Sentence, say, with_commas

WRONG_IN_WORDS = {  # what is said of a wrong mark, order or curve
    "close": say("close"),
    "too_low": say("too low"),
    "too_high": say("too high"),
    "far": say("far"),
    "right": say("right"),
    "wrong": say("wrong"),
}


def answer_key(classroom: Classroom, lesson: Lesson) -> dict[str, Any]:
    """Return `questions`, one for each that the lesson asks; until all are computed how far the next one is, `done`.

    Each has its `part` (predict, question, or the test: before, after or later), what is asked, what is `right`, in
    words, the sentence `why`, if there is one, and the `wrong` ones with the misconception behind each.
    """
    asked: dict[str, Question | None] = {"predict": lesson.predict, "question": lesson.question}
    asked |= lesson.tests
    found = []
    for part, question in asked.items():
        if question is None:
            continue
        truth = classroom.truth_for(question)
        if isinstance(truth, float):
            return {"done": truth}
        found.append({"part": part, "ask": question.ask, **_key(lesson, question, truth)})
    return {"questions": found}


def _key(lesson: Lesson, question: Question, truth: Truth) -> dict[str, Any]:
    if isinstance(question, PredictionTask):
        why = ""
        ideas = lesson.misconceptions.items()
        wrong = [{"say": WRONG_IN_WORDS[name], "idea": idea.misconception} for name, idea in ideas]
    else:
        _, why = grade(question, truth, truth.right)
        wrong = []
    wrong += [
        {"say": choice.say, "idea": choice.misconception}
        for choice in question.choices
        if choice.key != truth.right and choice.misconception
    ]
    return {"right": _in_words(question, truth), "why": why, "wrong": wrong}


def _in_words(question: Question, truth: Truth) -> str:
    """Return what is right as a student would say it."""
    words = {choice.key: choice.say for choice in question.choices}
    if isinstance(truth.right, str):
        return words[truth.right]
    if isinstance(truth.right, float):
        assert isinstance(question, PredictionTask)
        return Sentence(question.reading, {"value": round(truth.right)})
    if all(isinstance(each, str) for each in truth.right):
        return with_commas(words[str(each)] for each in truth.right)
    most = max(float(each) for each in truth.right) or 1  # of a curve only the shape was asked for
    return " ".join(f"{float(each) / most:.2f}" for each in truth.right)
