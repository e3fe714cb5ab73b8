"""The truths of the lessons on the walk: what a guess looks like on the way, and how much of it a step takes."""

import math
from collections.abc import Mapping
from typing import Any

import torch

from ddpm_demo.core.config import ConfigError, check_whole, from_dict
from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.core.sampling import sample, start_noise
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.scheduler import NETWORK, InTurn
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.ui.lessons.truths_of_diffusion import correlation, from_strangers
from ddpm_demo.ui.lessons.workplace import Truth, Workplace
from ddpm_demo.ui.parts.readers import SIDE

FAINT = 0.3  # a guess that is like nothing by more than this is noise


def guess_share(schedule: Schedule, steps: int, near: int) -> tuple[float, int, int]:
    """Return how much of x0_hat a step of DDIM near a timestep takes, with its t and s.

    Written with x_t and x0_hat alone, x_s = a x_t + b x0_hat: b is the share. eps_hat is
    (x_t - sqrt(alpha_bar_t) x0_hat) / sqrt(1 - alpha_bar_t), equation 4 of Ho et al. 2020.
    """
    check_whole("t", near, low=0, high=len(schedule) - 1)
    config = SamplerConfig(kind="ddim", steps=steps)
    timesteps = [*schedule.timesteps(steps), -1]
    index = min(range(steps), key=lambda k: abs(timesteps[k] - near))
    t, s = timesteps[index], timesteps[index + 1]
    (numbers,) = SAMPLERS[config.kind].coefficients(schedule, config, t, s, None)
    alpha_bar = schedule.alpha_bar_at(t)
    return numbers.x0_hat - numbers.eps_hat * math.sqrt(alpha_bar / (1 - alpha_bar)), t, s


def guess_taken(_: Workplace, *, steps: int, t: int) -> Truth:
    """Return what percentage of the next picture one step of DDIM near t takes from the guess."""
    share, at, to = guess_share(Schedule.from_config(ScheduleConfig()), steps, t)
    return Truth(100 * share, {"percent": 100 * share, "t": at, "s": to, "steps": steps})


def guess_taken_compared(_: Workplace, *, first: Mapping[str, Any], second: Mapping[str, Any], within: float) -> Truth:
    """Say whether the second step takes less or more of its guess than the first; each is `steps` and `t`."""
    schedule = Schedule.from_config(ScheduleConfig())
    one, other = (guess_share(schedule, int(each["steps"]), int(each["t"]))[0] for each in (first, second))
    ratio = other / one
    right = "same" if abs(ratio - 1) <= within else "more" if ratio > 1 else "less"
    return Truth(right, {"first": 100 * one, "second": 100 * other, "times": max(ratio, 1 / ratio)})


def guess_like(workplace: Workplace, *, checkpoint: str, t: int, steps: int, count: int, seed: int) -> Truth:
    """Say what the network's guess x0_hat near t is like, on the way from noise to digits by DDIM.

    `mean`: the average of all training digits. `digit`: the digit that comes out in the end. `noise`: neither.
    """
    loaded = workplace.load(checkpoint)
    config = from_dict(SamplerConfig, {"kind": "ddim", "clip": "x0", "steps": steps})
    generator = torch.Generator().manual_seed(seed)
    x_T = start_noise(count, loaded.channels, SIDE, generator).to(loaded.placement.device)
    at, guess, end = len(loaded.schedule), x_T, x_T
    for step in sample(InTurn(loaded.model, NETWORK.film_turn), loaded.schedule, config, x_T, generator=generator):
        if abs(step.t - t) < abs(at - t):
            at, guess = step.t, step.x0_hat
        end = step.x_s
        workplace.report((step.index + 1) / steps)
    if at == len(loaded.schedule):
        raise ConfigError(f"t must be from 0 to {len(loaded.schedule) - 1}, got {t}")
    guess, end = guess.float().cpu(), end.float().cpu()
    mean = to_x0(load_mnist(train=True)[0]).mean(0, keepdim=True).expand_as(guess)
    like = {"mean": correlation(guess, mean), "digit": correlation(guess, end)}
    right = max(like, key=lambda name: like[name]) if max(like.values()) > FAINT else "noise"
    apart = correlation(end, end.roll(1, 0))  # of digits that have nothing to do with each other
    alike = {f"{name}_alike": from_strangers(value, apart) for name, value in like.items()}
    values = {**alike, **like, "apart": apart, "t": at, "steps": steps}
    return Truth(right, values, {"guess": guess, "end": end})
