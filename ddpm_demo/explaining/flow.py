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

from ddpm_demo.core.sampling import Step
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


@dataclass(frozen=True)
class FilmFlow:
    """A walk of N digits in flow matching's clothes, by the F steps that are known of it; the finished digits last.

    `times` (F + 1,): s. `turn` (F,): by how many degrees the velocity points past the digit that comes out, the median
    of the digits; 0 all the way is a straight path. `detour` and `flow_detour` (N,): as `detour`, in the schedule's
    scale and in the flow's. `off_euler`: the most that a pixel of a step differs from one step of Euler's. All float64.
    """

    times: Tensor
    turn: Tensor
    detour: Tensor
    flow_detour: Tensor
    off_euler: float


def film_flow(schedule: Schedule, steps: Sequence[Step]) -> FilmFlow:
    """Look at a walk as flow matching would; the noise that belongs to a clipped x0_hat is the one that counts."""
    points = [flow_point(schedule, each.t) for each in steps] + [flow_point(schedule, steps[-1].s)]
    pictures = [each.x_t.double() for each in steps] + [steps[-1].x_s.double()]
    straight = [x / point.scale for x, point in zip(pictures, points, strict=True)]
    turn, off = [], 0.0
    for each, x, here in zip(steps, straight, points, strict=False):
        x0_hat = each.x0_hat.double()
        eps = schedule.predict_eps(each.x_t.double(), each.t, x0_hat)
        off = max(off, float((euler_step(schedule, each.x_t.double(), each.t, each.s, eps) - each.x_s).abs().max()))
        to_the_end = (x - straight[-1]) / (here.time - points[-1].time)
        turn.append(float(angle(eps - x0_hat, to_the_end).quantile(0.5)))
    times = torch.tensor([point.time for point in points], dtype=torch.float64)
    return FilmFlow(times, torch.tensor(turn, dtype=torch.float64), detour(pictures), detour(straight), off)


def angle(one: Tensor, other: Tensor) -> Tensor:
    """Return the angle between pictures (B, C, H, W), each with its own, in degrees, float64 (B,)."""
    one, other = one.double().flatten(1), other.double().flatten(1)
    # by the sine, too: of a small angle the cosine alone keeps half of the digits
    one, other = (each / each.norm(dim=1, keepdim=True) for each in (one, other))
    return torch.rad2deg(2 * torch.atan2((one - other).norm(dim=1), (one + other).norm(dim=1)))
