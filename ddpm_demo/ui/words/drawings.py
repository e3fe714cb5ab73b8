"""Small drawings beside words and sentences, computed: curves, bars, or the pixels of a small grid."""

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from ddpm_demo.core.schedule import Schedule, ScheduleConfig

CURVE_POINTS = 25  # of a small curve
TAPS = (-1, 0, 1)
TAKEN_STEPS = 10
Drawing = dict[str, Any]  # "lines": rows of heights from 0 to 1, or "dots": [row, column] each, on a grid of "size"


def _curves(low: float, high: float, *curves: Callable[[float], float]) -> Drawing:
    xs = [low + (high - low) * k / (CURVE_POINTS - 1) for k in range(CURVE_POINTS)]
    rows = [[curve(x) for x in xs] for curve in curves]
    least, most = min(min(row) for row in rows), max(max(row) for row in rows)
    return {"lines": [[round((y - least) / (most - least), 3) for y in row] for row in rows]}


def _bell(std: float) -> Callable[[float], float]:
    return lambda x: math.exp(-((x / std) ** 2) / 2) / std


def _of_schedule(kind: str, row: Callable[[Schedule], Any]) -> Callable[[float], float]:
    table = row(Schedule.from_config(ScheduleConfig(kind=kind)))
    return lambda t: float(table[int(t)])


def _dots(size: int, gap: int) -> Drawing:
    middle = size // 2
    return {"size": size, "dots": [[middle + gap * row, middle + gap * column] for row in TAPS for column in TAPS]}


def _field() -> Drawing:
    """The pixels behind one, of two layers with gaps of 1 and 3."""
    reach = sorted({near + 3 * far for near in TAPS for far in TAPS})
    return {"size": 11, "dots": [[5 + row, 5 + column] for row in reach for column in reach]}


def _taken() -> Drawing:
    """What each step of DDIM takes from its guess x0_hat, Song et al. 2021, equation 12 with eta = 0."""
    schedule = Schedule.from_config(ScheduleConfig())
    bars = []
    for t, s in pairwise([*schedule.timesteps(TAKEN_STEPS), -1]):
        here, there = schedule.alpha_bar_at(t), schedule.alpha_bar_at(s)
        bars.append(round(math.sqrt(there) - math.sqrt(here * (1 - there) / (1 - here)), 3))
    return {"bars": bars}


DRAWINGS: Mapping[str, Callable[[], Drawing]] = {
    "bell": lambda: _curves(-4, 4, _bell(1)),
    "two bells": lambda: _curves(-4, 4, _bell(0.6), _bell(1.4)),
    "bars": lambda: {"bars": [round(math.exp(-((k - 5) ** 2) / 6), 3) for k in range(11)]},
    "alpha bar": lambda: _curves(
        0, 999, *(_of_schedule(kind, lambda schedule: schedule.alpha_bar) for kind in ("linear", "cosine"))
    ),
    "beta": lambda: _curves(0, 999, _of_schedule("linear", lambda schedule: schedule.beta)),
    "snr": lambda: _curves(
        1, 999, _of_schedule("linear", lambda schedule: (schedule.alpha_bar / (1 - schedule.alpha_bar)).log())
    ),
    "silu": lambda: _curves(-4, 4, lambda x: x / (1 + math.exp(-x))),
    "waves": lambda: _curves(0, 2 * math.pi, math.sin, lambda x: math.sin(3 * x)),
    "taps": lambda: _dots(7, 1),
    "spread taps": lambda: _dots(7, 3),
    "field": _field,
    "taken": _taken,
}
