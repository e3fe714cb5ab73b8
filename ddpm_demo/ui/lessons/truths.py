"""The truths that a lesson can ask for, each computed by the code that the lesson is about; files name them.

A truth is computed when it is asked for, from the schedule, the network and the sampler as they are then. Which
arguments a function takes, which answers it can give and which values its sentences may use is in `TRUTHS`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ddpm_demo.core.config import ConfigError, ModelConfig
from ddpm_demo.ui.lessons.truths_of_diffusion import (
    answer_at,
    crossing,
    crossing_compared,
    drawn_twice,
    error_largest,
    error_left,
    error_smallest,
    field_compared,
    field_width,
    harder_at,
    most_left,
    most_left_of,
    walk_compared,
)
from ddpm_demo.ui.lessons.truths_of_flow import flow_drawn, straighter
from ddpm_demo.ui.lessons.truths_of_perfection import PERFECT, draws, look_compared, look_width, memory_compared
from ddpm_demo.ui.lessons.truths_of_walks import guess_like, guess_taken, guess_taken_compared
from ddpm_demo.ui.lessons.truths_of_wishes import (
    asked_best,
    asked_within,
    completed_compared,
    left_out_drawing,
    newest_drawings,
    sets_compared,
)
from ddpm_demo.ui.lessons.workplace import OFFERED_FIRST, Truth, Workplace


@dataclass(frozen=True)
class TruthFunction:
    """A function that lessons can name.

    `answers` are the choices it decides between: empty for a number, an order or a curve, whose kind `gives` tells.
    `values` may be used in the lesson's sentences, `pictures` in its captions. `network` is true if it takes longer, so
    that it is computed once for everybody, while the page waits.
    """

    compute: Callable[..., Truth]
    gives: str  # choice, mark, rank or curve
    arguments: Mapping[str, Any]  # name -> default; `...` for none
    answers: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    network: bool = False
    of: Callable[[], object] = lambda: None  # what else it depends on, beside its arguments and the network


COMPARED = ("earlier", "same", "later")
SCHEDULE_ARGUMENTS = {"schedule": "linear", "share": 0.5}
NETWORK_ARGUMENTS = {"checkpoint": OFFERED_FIRST}
FORMULA = list(ModelConfig().dilations)
LOOK_ARGUMENTS = {**NETWORK_ARGUMENTS, "t": ..., "digits": 8, "drawings": 2000}
LOOK_VALUES = ("width", "share", "whole", "t")
DRAWN_VALUES = (
    *("alike", "agree", "apart", "first_seconds", "second_seconds", "times", "first_calls", "second_calls"),
    *("first_contrast", "second_contrast"),
)
TRUTHS: Mapping[str, TruthFunction] = {
    "crossing": TruthFunction(crossing, "mark", SCHEDULE_ARGUMENTS, values=("t",)),
    "crossing_compared": TruthFunction(
        crossing_compared,
        "choice",
        {**SCHEDULE_ARGUMENTS, "other": ..., "within": 5},
        answers=COMPARED,
        values=("t", "other"),
        pictures=("here", "there"),
    ),
    "walk_compared": TruthFunction(
        walk_compared,
        "choice",
        {"schedule": "linear", "t": ..., "jump_from": -1, "digits": 16, "within": 0.03},
        answers=("noisier", "same", "cleaner"),
        values=("walked", "jumped", "steps", "signal"),
        pictures=("walked", "jumped"),
    ),
    "most_left": TruthFunction(most_left, "rank", {"schedules": ..., "t": ...}, values=("t",)),
    "most_left_of": TruthFunction(most_left_of, "choice", {"schedules": ..., "t": ...}, values=("t",)),
    "answer_at": TruthFunction(
        answer_at,
        "choice",
        {**NETWORK_ARGUMENTS, "t": ..., "digit": "7-0", "seed": 0},
        answers=("picture", "digit", "grey"),
        values=("picture", "digit", "noise", "strength", "error", "t"),
        pictures=("x_t", "eps_hat"),
        network=True,
    ),
    "harder_at": TruthFunction(
        harder_at,
        "choice",
        {**NETWORK_ARGUMENTS, "t": ..., "other": ..., "digits": 8, "within": 0.2},
        answers=("first", "same", "second"),
        values=("first", "second", "times"),
        network=True,
    ),
    "field_width": TruthFunction(field_width, "mark", {"dilations": FORMULA}, values=("width", "image", "layer")),
    "field_compared": TruthFunction(
        field_compared,
        "choice",
        {"dilations": ...},
        answers=("narrower", "same", "wider"),
        values=("width", "image"),
    ),
    "drawn_twice": TruthFunction(
        drawn_twice,
        "choice",
        {**NETWORK_ARGUMENTS, "first": ..., "second": ..., "other_noise": False, "count": 4, "seed": 0},
        answers=("same", "other", "always"),
        values=DRAWN_VALUES,
        pictures=("first", "second"),
        network=True,
    ),
    "guess_taken": TruthFunction(guess_taken, "mark", {"steps": 50, "t": ...}, values=("percent", "t", "s", "steps")),
    "guess_taken_compared": TruthFunction(
        guess_taken_compared,
        "choice",
        {"first": ..., "second": ..., "within": 0.2},
        answers=("less", "same", "more"),
        values=("first", "second", "times"),
    ),
    "guess_like": TruthFunction(
        guess_like,
        "choice",
        {**NETWORK_ARGUMENTS, "t": ..., "steps": 50, "count": 4, "seed": 0},
        answers=("mean", "digit", "noise"),
        values=("mean_alike", "digit_alike", "mean", "digit", "apart", "t", "steps"),
        pictures=("guess", "end"),
        network=True,
    ),
    "error_left": TruthFunction(
        error_left,
        "curve",
        {**NETWORK_ARGUMENTS, "digits": 24},
        values=("clean", "middle", "noisy", "times"),
        network=True,
    ),
    **{
        name: TruthFunction(
            compute,
            "choice",
            {**NETWORK_ARGUMENTS, "digits": 24},
            answers=("clean", "middle", "noisy"),
            values=("clean", "middle", "noisy", "times"),
            network=True,
        )
        for name, compute in (("error_largest", error_largest), ("error_smallest", error_smallest))
    },
    "asked_best": TruthFunction(
        asked_best,
        "choice",
        {**NETWORK_ARGUMENTS, "digit": ..., "count": 16, "seed": 0},
        answers=("early", "middle", "late"),
        values=("early", "middle", "late", "anyway", "high", "low"),
        pictures=("early", "middle", "late"),
        network=True,
    ),
    "asked_within": TruthFunction(
        asked_within,
        "choice",
        {**NETWORK_ARGUMENTS, "digit": ..., "first_t": ..., "last_t": ..., "count": 16, "seed": 0},
        answers=("most", "some", "none"),
        values=("asked", "anyway"),
        pictures=("asked", "anyway"),
        network=True,
    ),
    "completed_compared": TruthFunction(
        completed_compared,
        "choice",
        {**NETWORK_ARGUMENTS, "first": ..., "second": ..., "digits": 16, "seed": 0, "within": 0.1},
        answers=("first", "same", "second"),
        values=("first", "second", "calls_first", "calls_second", "kept"),
        pictures=("given", "first", "second"),
        network=True,
    ),
    "left_out_drawing": TruthFunction(
        left_out_drawing,
        "choice",
        {"sign": 7, "drawings": 20},
        answers=("close", "between", "far"),
        values=("drawings", "left_out", "fresh", "other"),
        pictures=("drawing", "nearest", "variation"),
        network=True,
        of=newest_drawings,
    ),
    "draws": TruthFunction(
        draws,
        "choice",
        {"checkpoint": PERFECT, "count": 4, "steps": 20, "seed": 0},
        answers=("copies", "new", "mean"),
        values=("distance", "unseen", "copies", "count"),
        pictures=("drawn", "nearest"),
        network=True,
    ),
    "memory_compared": TruthFunction(
        memory_compared,
        "choice",
        {**NETWORK_ARGUMENTS, "t": ..., "digits": 16, "taught": False, "within": 0.2},
        answers=("better", "same", "worse"),
        values=("perfect", "network", "times", "t"),
        network=True,
    ),
    "look_width": TruthFunction(look_width, "mark", LOOK_ARGUMENTS, values=LOOK_VALUES, network=True),
    "look_compared": TruthFunction(
        look_compared,
        "choice",
        {**LOOK_ARGUMENTS, "other": ...},
        answers=("narrower", "same", "wider"),
        values=(*LOOK_VALUES, "other", "other_share"),
        network=True,
    ),
    "flow_drawn": TruthFunction(
        flow_drawn,
        "choice",
        {**NETWORK_ARGUMENTS, "sampler": {"kind": "ddim", "steps": 20}, "count": 4, "seed": 0},
        answers=("same", "like", "other"),
        values=("most", "agree", "steps", "count"),
        pictures=("sampler", "flow"),
        network=True,
    ),
    "straighter": TruthFunction(
        straighter,
        "choice",
        {**NETWORK_ARGUMENTS, "steps": 20, "count": 4, "seed": 0, "within": 0.2},
        answers=("schedule", "same", "flow"),
        values=("schedule", "flow", "times", "turn"),
        network=True,
    ),
    "sets_compared": TruthFunction(
        sets_compared,
        "choice",
        {"sign": 7, "few": ..., "many": ..., "within": 0.05},
        answers=("few", "same", "many"),
        values=("few", "many", "few_drawings", "many_drawings"),
        network=True,
    ),
}


def answers_of(name: str, arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Return every answer that a truth can have with these arguments; nothing for a number or a curve."""
    function = TRUTHS[name]
    schedules = arguments.get("schedules")
    if isinstance(schedules, Sequence) and not isinstance(schedules, str):
        return tuple(str(each) for each in schedules)
    return function.answers


def values_of(name: str, arguments: Mapping[str, Any]) -> Iterable[str]:
    """Return the names of the values that the sentences around a truth may use."""
    return (*TRUTHS[name].values, *(answers_of(name, arguments) if "schedules" in arguments else ()))


def compute_truth(workplace: Workplace, name: str, arguments: Mapping[str, Any]) -> Truth:
    """Compute a truth now; raise ConfigError, one sentence, if its arguments make no sense."""
    function = TRUTHS[name]
    filled = {key: arguments.get(key, default) for key, default in function.arguments.items()}
    try:
        return function.compute(workplace, **filled)
    except (TypeError, ValueError, IndexError, AttributeError, RuntimeError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{name} cannot be computed with {dict(arguments)}: {error}") from None
