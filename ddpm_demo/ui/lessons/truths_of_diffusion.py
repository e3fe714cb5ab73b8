"""The truths of the first lessons: schedules, what the network answers and sees, how it draws, where it errs."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError, ModelConfig, from_dict
from ddpm_demo.core.receptive import receptive_field
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample, start_noise
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.explaining.spread import gaussian_end
from ddpm_demo.machine.scheduler import NETWORK, InTurn
from ddpm_demo.networks.loaded_networks import LoadedNetwork
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.training.held_out import held_out_loss
from ddpm_demo.ui.lessons.workplace import Truth, Workplace
from ddpm_demo.ui.parts.digits import class_indices, draw_noise
from ddpm_demo.ui.parts.readers import parse_dilations
from ddpm_demo.ui.parts.schedules import FIRST_CUSTOM, named_configs
from ddpm_demo.ui.tabs.receptive import IMAGE

SAME_DIGIT = 0.8  # two pictures whose pixels correlate this much look like one digit


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
        raise ConfigError("this schedule never falls below {share:g}", share=share)
    return int(below[0])


def crossing(_: Workplace, *, schedule: object, share: float) -> Truth:
    """Find the first t at which the noise is stronger: alpha_bar below `share`."""
    t = crossing_of(schedule_of(schedule), share)
    return Truth(float(t), {"t": t})


def crossing_compared(_: Workplace, *, schedule: object, other: object, share: float, within: int) -> Truth:
    """Say whether another schedule crosses `share` earlier or later than the first, or within so many timesteps.

    The pictures are one seven in one noise, by both schedules, at the t where the first one crosses.
    """
    one, another = schedule_of(schedule), schedule_of(other)
    t, there = (crossing_of(each, share) for each in (one, another))
    right = "same" if abs(there - t) <= within else "earlier" if there < t else "later"
    x0, eps = to_x0(load_mnist(train=False)[0][class_indices(7)[0]]), draw_noise(0)
    pictures = {name: each.add_noise(x0, t, eps) for name, each in (("here", one), ("there", another)) if t < len(each)}
    return Truth(right, {"t": t, "other": there}, pictures)


def walk_compared(_: Workplace, *, schedule: object, t: int, jump_from: int, digits: int, within: float) -> Truth:
    """Compare the noise after many small steps with that after one jump, on real digits.

    The walk adds each step's own noise, x <- sqrt(1 - beta) x + sqrt(beta) z (Ho et al. 2020, equation 2), up to
    `jump_from`; from there on to `t`, or from the start if it is -1, equation 4 takes it in one jump.
    """
    table = schedule_of(schedule)
    stop = t if jump_from < 0 else jump_from
    if not 0 <= stop <= t < len(table):
        raise ConfigError(f"t and jump_from must be from 0 to {len(table) - 1}, got {t} and {jump_from}")
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


def most_left_of(workplace: Workplace, *, schedules: Sequence[str], t: int) -> Truth:
    """Name the schedule that leaves most of the picture at t."""
    truth = most_left(workplace, schedules=schedules, t=t)
    assert isinstance(truth.right, list)
    return Truth(str(truth.right[0]), truth.values)


def answer_at(workplace: Workplace, *, checkpoint: str, t: int, digit: str, seed: int) -> Truth:
    """Say what the network's answer at t resembles most: the noisy picture, the clean digit, or flat grey."""
    loaded = workplace.load(checkpoint)
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


def harder_at(workplace: Workplace, *, checkpoint: str, t: int, other: int, digits: int, within: float) -> Truth:
    """Say at which of two timesteps the network's guess of the noise is worse, by its mean squared error."""
    loaded = workplace.load(checkpoint)
    x0 = to_x0(load_mnist(train=False)[0][:digits])
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
    errors = []
    for k, when in enumerate((t, other)):
        eps_hat = _ask(loaded, loaded.schedule.add_noise(x0, when, eps), when)
        errors.append(float((eps_hat - eps).square().mean()))
        workplace.report((k + 1) / 2)
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


def from_strangers(agree: float, apart: float) -> float:
    """Return where a correlation lies between that of strangers, 0, and that of the same picture, 1; never below 0."""
    return max(0.0, (agree - apart) / (1 - apart)) if apart < 1 else 1.0


def drawn_twice(
    workplace: Workplace,
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
    agree. `other`: they do not. `always`: even another x_T would give the same picture. What the steps alone do to
    contrast is told, too, from exact answers.
    """
    loaded = workplace.load(checkpoint)
    configs = [from_dict(SamplerConfig, {"clip": "x0", "variance": "posterior", **each}) for each in (first, second)]
    calls, made, drawn, seconds = sum(config.steps for config in configs), 0, [], []
    for k, config in enumerate(configs):
        generator = torch.Generator().manual_seed(seed)
        x_T = start_noise(count, loaded.channels, IMAGE, generator)
        if k and other_noise:
            generator = torch.Generator().manual_seed(seed + 1)
        begun = time.perf_counter()
        start = x_T.to(loaded.placement.device)
        x, model = start, InTurn(loaded.model, NETWORK.film_turn)
        for step in sample(model, loaded.schedule, config, start, generator=generator):
            x, made = step.x_s, made + 1
            workplace.report(made / calls)
        drawn.append(x.float().cpu())
        seconds.append(time.perf_counter() - begun)
    agree, apart = correlation(*drawn), correlation(drawn[0], drawn[0].roll(1, 0))
    right = "always" if apart > SAME_DIGIT else "same" if agree > SAME_DIGIT else "other"
    values = {
        "agree": agree,
        "apart": apart,
        "alike": from_strangers(agree, apart),
        "first_seconds": seconds[0],
        "second_seconds": seconds[1],
        "times": seconds[0] / seconds[1],
        "first_calls": configs[0].steps,
        "second_calls": configs[1].steps,
        "first_contrast": gaussian_end(loaded.schedule, configs[0])[2],
        "second_contrast": gaussian_end(loaded.schedule, configs[1])[2],
    }
    return Truth(right, values, {"first": drawn[0], "second": drawn[1]})


def error_left(workplace: Workplace, *, checkpoint: str, digits: int) -> Truth:
    """Measure a network's error in each tenth of t, from clean to noisy, on digits that it never saw."""
    loaded = workplace.load(checkpoint)
    measured = None
    for measured in held_out_loss(
        InTurn(loaded.model, NETWORK.film_turn),
        loaded.schedule,
        load_mnist(train=False)[0][:digits],
        batch=max(1, digits // 2),
        device=loaded.placement.device,
    ):
        workplace.report(measured.done / measured.total)
    assert measured is not None
    curve = list(measured.by_tenth)
    if any(value != value for value in curve):
        raise ConfigError("{count} digits are too few to measure the error in every tenth", count=digits)
    values = {"clean": curve[0], "middle": curve[4], "noisy": curve[-1], "times": curve[0] / max(curve[-1], 1e-9)}
    return Truth(curve, values)


def error_largest(workplace: Workplace, *, checkpoint: str, digits: int) -> Truth:
    """Say in which part of t a network's error is largest: the clean three tenths, the middle, or the noisy three."""
    return _part_of_error(error_left(workplace, checkpoint=checkpoint, digits=digits), max)


def error_smallest(workplace: Workplace, *, checkpoint: str, digits: int) -> Truth:
    """The same for the part where the error is smallest."""
    return _part_of_error(error_left(workplace, checkpoint=checkpoint, digits=digits), min)


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
def _ask(loaded: LoadedNetwork, x_t: Tensor, t: int) -> Tensor:
    device = loaded.placement.device
    eps_hat = InTurn(loaded.model)(x_t.to(device), torch.full((len(x_t),), t).to(device))
    return eps_hat.float().cpu()
