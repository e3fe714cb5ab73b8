"""The truths that a lesson can ask for, each computed by the code that the lesson is about; files name them.

A truth is computed when it is asked for, from the schedule, the network and the sampler as they are then. Which
arguments a function takes, which answers it can give and which values its sentences may use stand in `TRUTHS`.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError, ModelConfig, SamplerConfig, ScheduleConfig, from_dict
from ddpm_demo.core.receptive import receptive_field
from ddpm_demo.core.sampling import sample, start_noise
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.machine.scheduler import NETWORK, InTurn
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.training.held_out import held_out_loss
from ddpm_demo.ui.lessons.truths_of_wishes import (
    asked_best,
    asked_within,
    completed_compared,
    left_out_drawing,
    newest_drawings,
    sets_compared,
)
from ddpm_demo.ui.lessons.workplace import OFFERED_FIRST, Truth, Workplace
from ddpm_demo.ui.networks import Loaded
from ddpm_demo.ui.tabs.noise import class_indices, draw_noise
from ddpm_demo.ui.tabs.receptive import IMAGE, parse_dilations
from ddpm_demo.ui.tabs.schedule import FIRST_CUSTOM, named_configs

SAME_DIGIT = 0.8  # two pictures whose pixels correlate this much look like one digit


@dataclass(frozen=True)
class TruthFunction:
    """A function that lessons can name.

    `answers` are the choices it decides between: empty for a number, an order or a curve, whose kind `gives` tells.
    `values` may stand in the lesson's sentences, `pictures` in its captions. `network` is true if it takes longer, so
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


def schedule_of(name: object) -> Schedule:
    """Return one of the page's schedules by name, or one described by a table; raise ConfigError if it is neither."""
    if isinstance(name, Mapping):
        return Schedule.from_config(from_dict(ScheduleConfig, name))
    configs = named_configs(FIRST_CUSTOM)
    if not isinstance(name, str) or name not in configs:
        raise ConfigError(f"a schedule must be one of {', '.join(configs)}, or a table of its own, got {name!r}")
    return Schedule.from_config(configs[name])


def crossing_of(schedule: Schedule, share: float) -> int:
    """Return the first t at which less than `share` of the variance is signal; raise ConfigError if there is none."""
    below = (schedule.alpha_bar < share).nonzero().flatten()
    if not len(below):
        raise ConfigError(f"this schedule never falls below {share:g}")
    return int(below[0])


def crossing(_: Workplace, *, schedule: object, share: float) -> Truth:
    """Find the t from which on the noise is stronger: alpha_bar below `share`."""
    t = crossing_of(schedule_of(schedule), share)
    return Truth(float(t), {"t": t})


def crossing_compared(_: Workplace, *, schedule: object, other: object, share: float, within: int) -> Truth:
    """Say whether another schedule crosses `share` earlier or later than the first, or within so many timesteps."""
    t, there = (crossing_of(schedule_of(name), share) for name in (schedule, other))
    right = "same" if abs(there - t) <= within else "earlier" if there < t else "later"
    return Truth(right, {"t": t, "other": there})


def walk_compared(_: Workplace, *, schedule: object, t: int, jump_from: int, digits: int, within: float) -> Truth:
    """Compare the noise after many small steps with that after one jump, on real digits.

    The walk adds each step's own noise, x <- sqrt(1 - beta) x + sqrt(beta) z (Ho et al. 2020, equation 2), up to
    `jump_from`; from there on to `t`, or from the start if it is -1, equation 4 takes it in one jump.
    """
    table = schedule_of(schedule)
    stop = t if jump_from < 0 else jump_from
    if not 0 <= stop <= t < len(table):
        raise ConfigError(f"t and jump_from must lie from 0 to {len(table) - 1}, got {t} and {jump_from}")
    x0 = to_x0(load_mnist(train=False)[0][:digits])
    generator = torch.Generator().manual_seed(0)
    x = x0
    for beta in table.beta[: stop + 1].tolist():
        x = (1 - beta) ** 0.5 * x + beta**0.5 * torch.randn(x.shape, generator=generator)
    if stop < t:
        rest = table.alpha_bar_at(t) / table.alpha_bar_at(stop)
        x = rest**0.5 * x + (1 - rest) ** 0.5 * torch.randn(x.shape, generator=generator)
    jump = table.add_noise(x0, t, torch.randn(x0.shape, generator=generator))
    walked, jumped = (float((y - table.alpha_bar_at(t) ** 0.5 * x0).std()) for y in (x, jump))
    ratio = walked / jumped
    right = "same" if abs(ratio - 1) <= within else "noisier" if ratio > 1 else "cleaner"
    values = {"walked": walked, "jumped": jumped, "steps": stop + 1, "signal": table.alpha_bar_at(t) ** 0.5}
    return Truth(right, values, {"walked": x[:1], "jumped": jump[:1]})


def most_left(_: Workplace, *, schedules: Sequence[str], t: int) -> Truth:
    """Order schedules by what they leave of the picture at t, the most first."""
    left = {name: schedule_of(name).alpha_bar_at(t) for name in schedules}
    return Truth(sorted(left, key=lambda name: -left[name]), {**left, "t": t})


def most_left_of(place: Workplace, *, schedules: Sequence[str], t: int) -> Truth:
    """Name the schedule that leaves most of the picture at t."""
    truth = most_left(place, schedules=schedules, t=t)
    assert isinstance(truth.right, list)
    return Truth(str(truth.right[0]), truth.values)


def answer_at(place: Workplace, *, checkpoint: str, t: int, digit: str, seed: int) -> Truth:
    """Say what the network's answer at t resembles most: the noisy picture, the clean digit, or flat grey."""
    loaded = place.load(checkpoint)
    label, which = (int(part) for part in digit.split("-"))
    x0 = to_x0(load_mnist(train=False)[0][class_indices(label)[which]])
    eps = draw_noise(seed)
    x_t = loaded.schedule.add_noise(x0, t, eps)
    eps_hat = _ask(loaded, x_t, t)
    like = {"picture": correlation(eps_hat, x_t), "digit": correlation(eps_hat, x0), "noise": correlation(eps_hat, eps)}
    strength = float(eps_hat.std())
    right = "grey" if strength < 0.3 else max(("picture", "digit"), key=lambda name: abs(like[name]))
    values = {**like, "strength": strength, "error": float((eps_hat - eps).square().mean()), "t": t}
    return Truth(right, values, {"x_t": x_t, "eps_hat": eps_hat})


def harder_at(place: Workplace, *, checkpoint: str, t: int, other: int, digits: int, within: float) -> Truth:
    """Say at which of two timesteps the network's guess of the noise is worse, by its mean squared error."""
    loaded = place.load(checkpoint)
    x0 = to_x0(load_mnist(train=False)[0][:digits])
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
    errors = []
    for k, when in enumerate((t, other)):
        eps_hat = _ask(loaded, loaded.schedule.add_noise(x0, when, eps), when)
        errors.append(float((eps_hat - eps).square().mean()))
        place.report((k + 1) / 2)
    ratio = errors[0] / errors[1]
    right = "same" if abs(ratio - 1) <= within else "first" if ratio > 1 else "second"
    return Truth(right, {"first": errors[0], "second": errors[1], "times": max(ratio, 1 / ratio)})


def _widths(dilations: Sequence[int]) -> list[int]:
    checked = parse_dilations(" ".join(map(str, dilations)))
    return receptive_field(*ModelConfig(dilations=checked).kernels_and_dilations)


def field_width(_: Workplace, *, dilations: Sequence[int]) -> Truth:
    """Return how many pixels wide the square is that one output pixel can see, after all layers."""
    widths = _widths(dilations)
    covered = [k for k, width in enumerate(widths) if width >= IMAGE]
    return Truth(float(widths[-1]), {"width": widths[-1], "image": IMAGE, "layer": covered[0] + 1 if covered else 0})


def field_compared(_: Workplace, *, dilations: Sequence[int]) -> Truth:
    """Say whether what one output pixel can see is narrower or wider than the picture."""
    width = _widths(dilations)[-1]
    right = "same" if width == IMAGE else "narrower" if width < IMAGE else "wider"
    return Truth(right, {"width": width, "image": IMAGE})


def drawn_twice(
    place: Workplace,
    *,
    checkpoint: str,
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    other_noise: bool,
    count: int,
    seed: int,
) -> Truth:
    """Draw digits twice from one x_T, by two samplers, and say whether they come out the same.

    With `other_noise` the second drawing gets other noise on the way, though not another x_T. `same`: the pictures
    agree. `other`: they do not. `always`: even another x_T would give the same picture.
    """
    loaded = place.load(checkpoint)
    configs = [from_dict(SamplerConfig, {"clip": "x0", "variance": "posterior", **each}) for each in (first, second)]
    calls, made, drawn, seconds = sum(config.steps for config in configs), 0, [], []
    for k, config in enumerate(configs):
        generator = torch.Generator().manual_seed(seed)
        x_T = start_noise(count, loaded.model.config.image_channels, IMAGE, generator)
        if k and other_noise:
            generator = torch.Generator().manual_seed(seed + 1)
        begun = time.perf_counter()
        start = x_T.to(loaded.placement.device)
        x, model = start, InTurn(loaded.model, NETWORK.film_turn)
        for step in sample(model, loaded.schedule, config, start, generator=generator):
            x, made = step.x_s, made + 1
            place.report(made / calls)
        drawn.append(x.float().cpu())
        seconds.append(time.perf_counter() - begun)
    agree, apart = correlation(*drawn), correlation(drawn[0], drawn[0].roll(1, 0))
    right = "always" if apart > SAME_DIGIT else "same" if agree > SAME_DIGIT else "other"
    values = {
        "agree": agree,
        "apart": apart,
        "first_seconds": seconds[0],
        "second_seconds": seconds[1],
        "times": seconds[0] / seconds[1],
        "first_calls": configs[0].steps,
        "second_calls": configs[1].steps,
    }
    return Truth(right, values, {"first": drawn[0], "second": drawn[1]})


def error_left(place: Workplace, *, checkpoint: str, digits: int) -> Truth:
    """Measure a network's error in each tenth of t, from clean to noisy, on digits that it never saw."""
    loaded = place.load(checkpoint)
    measured = None
    for measured in held_out_loss(
        InTurn(loaded.model, NETWORK.film_turn),
        loaded.schedule,
        load_mnist(train=False)[0][:digits],
        batch=max(1, digits // 2),
        device=loaded.placement.device,
    ):
        place.report(measured.done / measured.total)
    assert measured is not None
    curve = list(measured.by_tenth)
    if any(value != value for value in curve):
        raise ConfigError(f"{digits} digits are too few to measure the error in every tenth")
    values = {"clean": curve[0], "middle": curve[4], "noisy": curve[-1], "times": curve[0] / max(curve[-1], 1e-9)}
    return Truth(curve, values)


def error_largest(place: Workplace, *, checkpoint: str, digits: int) -> Truth:
    """Say in which part of t a network's error is largest: the clean three tenths, the middle, or the noisy three."""
    return _part_of_error(error_left(place, checkpoint=checkpoint, digits=digits), max)


def error_smallest(place: Workplace, *, checkpoint: str, digits: int) -> Truth:
    """The same of the part where the error is smallest."""
    return _part_of_error(error_left(place, checkpoint=checkpoint, digits=digits), min)


def _part_of_error(measured: Truth, extreme: Callable[[Iterable[float]], float]) -> Truth:
    curve = [float(value) for value in measured.right] if isinstance(measured.right, list) else []
    parts = {"clean": extreme(curve[:3]), "middle": extreme(curve[3:7]), "noisy": extreme(curve[7:])}
    wanted = extreme(parts.values())
    return Truth(next(name for name, value in parts.items() if value == wanted), measured.values)


def correlation(first: Tensor, second: Tensor) -> float:
    """Return how alike two batches of pictures are, -1 to 1: Pearson's correlation of pixels, mean over pictures."""
    a, b = (y.flatten(1).double() for y in (first, second))
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    return float(((a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1)).clamp(min=1e-12)).mean())


@torch.no_grad()
def _ask(loaded: Loaded, x_t: Tensor, t: int) -> Tensor:
    device = loaded.placement.device
    eps_hat = InTurn(loaded.model)(x_t.to(device), torch.full((len(x_t),), t).to(device))
    return eps_hat.float().cpu()


COMPARED = ("earlier", "same", "later")
SCHEDULE_ARGUMENTS = {"schedule": "linear", "share": 0.5}
NETWORK_ARGUMENTS = {"checkpoint": OFFERED_FIRST}
FORMULA = list(ModelConfig().dilations)
DRAWN_VALUES = ("agree", "apart", "first_seconds", "second_seconds", "times", "first_calls", "second_calls")
TRUTHS: Mapping[str, TruthFunction] = {
    "crossing": TruthFunction(crossing, "mark", SCHEDULE_ARGUMENTS, values=("t",)),
    "crossing_compared": TruthFunction(
        crossing_compared,
        "choice",
        {**SCHEDULE_ARGUMENTS, "other": ..., "within": 5},
        answers=COMPARED,
        values=("t", "other"),
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


def compute_truth(place: Workplace, name: str, arguments: Mapping[str, Any]) -> Truth:
    """Compute a truth now; raise ConfigError, one sentence, if its arguments make no sense."""
    function = TRUTHS[name]
    filled = {key: arguments.get(key, default) for key, default in function.arguments.items()}
    try:
        return function.compute(place, **filled)
    except (TypeError, ValueError, IndexError, AttributeError, RuntimeError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{name} cannot be computed with {dict(arguments)}: {error}") from None
