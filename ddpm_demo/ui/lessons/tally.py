"""Counting what a class has guessed, and where the truth lies among it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ddpm_demo.ui.lessons.lesson import PredictionTask, Question
from ddpm_demo.words.sentence import say

BINS = 10  # of a mark's scale


@dataclass(frozen=True)
class TallyRow:
    """A bar of the histogram: its label, its length from 0 to 1, what is written at it, and whether it is the truth.

    Of a drawn curve `truth` is the true height instead, from 0 to 1.
    """

    label: str
    share: float
    reading: str
    truth: bool | float = False


def tally(
    asked: Question, values: Sequence[Any], truth: Any = None, also: Sequence[tuple[str, str]] = ()
) -> list[TallyRow]:
    """Count answers to a question, each as `judging.read_prediction` returns it, and lay a truth over it, if given.

    `also` are further answers, (key, words) each, such as not to know.
    """
    kind = asked.kind if isinstance(asked, PredictionTask) else "choice"
    if kind == "mark":
        assert isinstance(asked, PredictionTask)
        return _marks(asked, values, truth)
    if kind == "curve":
        return _curves(values, truth)
    # of an order the first place is counted
    keys = [value[0] for value in values] if kind == "rank" else list(values)
    right = truth[0] if kind == "rank" and truth is not None else truth
    choices = [(choice.key, choice.say) for choice in asked.choices] + list(also)
    counts = [keys.count(key) for key, _ in choices]
    return [
        TallyRow(words, count / max(1, len(keys)), str(count), truth is not None and key == right)
        for (key, words), count in zip(choices, counts, strict=True)
    ]


def _marks(asked: PredictionTask, values: Sequence[float], truth: float | None) -> list[TallyRow]:
    edges = [asked.low + (asked.high - asked.low) * k / BINS for k in range(BINS + 1)]

    def bin_of(value: float) -> int:
        return min(BINS - 1, max(0, math.floor(BINS * (value - asked.low) / (asked.high - asked.low))))

    counts = [0] * BINS
    for value in values:
        counts[bin_of(value)] += 1
    at = None if truth is None else bin_of(truth)

    def label(low: float, high: float) -> str:
        if asked.high - asked.low > 2 * BINS:
            return say("{low:.0f} to {high:.0f}", low=low, high=high)
        return say("{low:.3g} to {high:.3g}", low=low, high=high)

    return [
        TallyRow(label(edges[k], edges[k + 1]), counts[k] / max(1, len(values)), str(counts[k]), k == at)
        for k in range(BINS)
    ]


def _curves(values: Sequence[Sequence[float]], truth: Sequence[float] | None) -> list[TallyRow]:
    """Return the mean of the curves, each scaled to reach 1: only their shape was asked for."""
    columns = len(truth or (values[0] if values else [0.0] * BINS))
    scaled = [[each / (max(curve) or 1) for each in curve] for curve in values]
    means = [sum(curve[k] for curve in scaled) / max(1, len(scaled)) for k in range(columns)]
    heights = [each / (max(truth) or 1) for each in truth] if truth else [False] * columns
    return [TallyRow(f"{k + 1}", means[k], say("{share:.0%}", share=means[k]), heights[k]) for k in range(columns)]
