"""Diffusion in flow matching's clothes: another time and another scale, and the same walk.

Flow matching (Lipman et al. 2023, "Flow matching for generative modeling"; Liu et al. 2023, "Flow straight and fast")
mixes picture and noise along a straight line, x = (1 - s) x_0 + s eps, with s from 0, the picture, to 1, the noise. A
schedule mixes them as x_t = sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) eps. Divided by the sum of its two coefficients
the second is the first, so a network that was trained for one answers for the other, too (Gao et al. 2024, "Diffusion
meets flow matching: two sides of the same coin").
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ddpm_demo.core.schedule import Schedule


@dataclass(frozen=True)
class FlowPoint:
    """Where a timestep is on the straight path: its `time` s, 0 clean to 1 noise, and what x_t is divided by."""

    time: float
    scale: float


def flow_point(schedule: Schedule, t: int) -> FlowPoint:
    """Return where a timestep of a schedule is on the straight path; t = -1 is the clean picture."""
    alpha_bar = schedule.alpha_bar_at(t)
    signal, noise = math.sqrt(alpha_bar), math.sqrt(1 - alpha_bar)
    return FlowPoint(noise / (signal + noise), signal + noise)


def flow_times(schedule: Schedule) -> Tensor:
    """Return the flow's time of every timestep, float64 (T,): increasing, between 0 and 1."""
    signal, noise = schedule.alpha_bar.sqrt(), (1 - schedule.alpha_bar).sqrt()
    return noise / (signal + noise)


def velocity(schedule: Schedule, x_t: Tensor, t: int, eps_hat: Tensor) -> Tensor:
    """Return dx/ds on the straight path as a network's answer implies it: eps_hat - x0_hat, (B, C, H, W)."""
    return eps_hat - schedule.predict_x0(x_t, t, eps_hat)


def euler_step(schedule: Schedule, x_t: Tensor, t: int, s: int, eps_hat: Tensor) -> Tensor:
    """Go from timestep t to s by one step of Euler's on the straight path: x_s (B, C, H, W), in the schedule's scale.

    That is DDIM's step without noise (Song et al. 2021, equation 12), to the last digits.
    """
    here, there = flow_point(schedule, t), flow_point(schedule, s)
    straight = x_t / here.scale + (there.time - here.time) * velocity(schedule, x_t, t, eps_hat)
    return straight * there.scale


def detour(points: Sequence[Tensor]) -> Tensor:
    """Return how much longer than a straight line the paths through points (B, C, H, W) are: float64 (B,), at least 1.

    The first and last point are each path's ends; a path that ends where it began has no straight line, and gives inf.
    """
    way = torch.stack([point.double().flatten(1) for point in points])  # (P, B, CHW)
    walked: Tensor = way.diff(dim=0).norm(dim=2).sum(dim=0)
    straight: Tensor = (way[-1] - way[0]).norm(dim=1)
    return walked / straight
