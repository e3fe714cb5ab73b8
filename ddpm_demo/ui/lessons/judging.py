"""What is said about a prediction or an answer, once the truth has been computed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ddpm_demo.core.config import ConfigError
from ddpm_demo.ui.lessons.lesson import Choice, Lesson, Misconception, PredictionTask, Question
from ddpm_demo.ui.lessons.workplace import Truth
from ddpm_demo.words.sentence import Sentence

TENTHS = 10


def read_prediction(lesson: Lesson, value: object) -> Any:
    """Return a prediction that came from the page; raise ConfigError if it is none for this lesson."""
    return read_answer(lesson.predict, value)


def read_answer(asked: Question, value: object) -> Any:
    """Return an answer that came from the page; raise ConfigError if it is none to this question."""
    keys = sorted(choice.key for choice in asked.choices)
    if not isinstance(asked, PredictionTask) or asked.kind == "choice":
        if isinstance(value, str) and value in keys:
            return value
    elif asked.kind == "rank":
        if isinstance(value, list) and len(value) == len(keys) and sorted(map(str, value)) == keys:
            return value
    elif asked.kind == "mark":
        if _is_number(value) and asked.low <= float(value) <= asked.high:  # type: ignore[arg-type]
            return float(value)  # type: ignore[arg-type]
    elif isinstance(value, list) and len(value) == TENTHS and all(map(_is_number, value)):
        return [float(each) for each in value]
    raise ConfigError("this is not a prediction for this lesson")


def verdict(lesson: Lesson, truth: Truth, prediction: Any) -> str:
    """Return the name of what is to be said: one of `lesson.SAID` of the kind."""
    asked = lesson.predict
    if asked.kind in ("choice", "rank"):
        return "right" if prediction == truth.right else "wrong"
    if asked.kind == "curve":
        assert isinstance(truth.right, list)
        curve = [float(value) for value in truth.right]
        return "close" if rank_correlation(prediction, curve) >= asked.near else "far"
    assert isinstance(truth.right, float)
    if abs(prediction - truth.right) <= asked.near:
        return "close"
    return "too_low" if prediction < truth.right else "too_high"


def words_of_reveal(lesson: Lesson, truth: Truth, prediction: Any, kept: Mapping[str, float]) -> tuple[str, str]:
    """Return the sentences of the reveal, and of the explanation, with their values filled in."""
    values: dict[str, Any] = {**truth.values, **kept}
    if lesson.predict.kind == "mark":
        values["prediction"] = prediction
    outcome = verdict(lesson, truth, prediction)
    if lesson.predict.kind == "choice" and outcome == "wrong":
        words = next(choice.wrong for choice in lesson.predict.choices if choice.key == prediction)
    else:
        words = lesson.words[outcome]
    return Sentence(words, values), Sentence(lesson.explain, values)


def grade(question: Question, truth: Truth, answer: object) -> tuple[bool, str]:
    """Return whether an answer is right, and the sentence about it; raise ConfigError if it is not a choice."""
    chosen = next((choice for choice in question.choices if choice.key == answer), None)
    if chosen is None:
        raise ConfigError("choose one of the answers")
    right = chosen.key == truth.right
    return right, Sentence(question.right if right else chosen.wrong, truth.values)


def idea_behind_prediction(lesson: Lesson, truth: Truth, prediction: Any, kept: Mapping[str, float]) -> dict[str, str]:
    """Return the misconception that a wrong prediction speaks of and its refutation, filled in; {} if none is named."""
    asked, outcome = lesson.predict, verdict(lesson, truth, prediction)
    idea: Choice | Misconception | None = lesson.misconceptions.get(outcome)
    if asked.kind == "choice" and outcome == "wrong":
        idea = next(choice for choice in asked.choices if choice.key == prediction)
    extra = {"prediction": prediction} if asked.kind == "mark" else {}
    return _idea(idea, {**truth.values, **kept, **extra})


def idea_behind_answer(question: Question, truth: Truth, answer: object) -> dict[str, str]:
    """The same for an answer to a question."""
    wrong = (choice for choice in question.choices if choice.key == answer != truth.right)
    return _idea(next(wrong, None), truth.values)


def _idea(idea: Choice | Misconception | None, values: Mapping[str, Any]) -> dict[str, str]:
    if idea is None or not idea.misconception:
        return {}
    return {"misconception": idea.misconception, "refutation": Sentence(idea.refutation, values)}


def checked(question: Question, truth: Truth, answer: object) -> dict[str, Any]:
    """Return what the page is told of an answer; None is none: it is not right, and what is right is said.

    Raises ConfigError if it is not a choice.
    """
    right, words = grade(question, truth, truth.right if answer is None else answer)
    idea = idea_behind_answer(question, truth, answer)
    return {"correct": right and answer is not None, "right": truth.right, "words": words, "idea": idea}


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Spearman's rank correlation of two rows of numbers, -1 to 1; 0 if one of them is flat."""
    a, b = _ranks(first), _ranks(second)
    mean = (len(a) - 1) / 2
    together = sum((x - mean) * (y - mean) for x, y in zip(a, b, strict=True))
    spread = math.sqrt(sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b))
    return together / spread if spread else 0.0


def _ranks(values: Sequence[float]) -> list[float]:
    # equal values share the mean of their places
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) - 1) / 2 for value in values
    ]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
