"""`ddpm-demo bench ideal`: a step of the perfect denoisers beside one of `lite`, and the memory that they take."""

import math
import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from ddpm_demo.bench.sampling import network, network_only
from ddpm_demo.bench.timing import rows_or_fault, time_a_step
from ddpm_demo.core.sampling import EpsModel
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.device import Placement, best_placement
from ddpm_demo.machine.freed_memory import keep_freed_memory
from ddpm_demo.machine.placement import place
from ddpm_demo.networks.ideal import IdealDenoiser, PatchDenoiser
from ddpm_demo.store.mnist import load_mnist

DIGITS_AT_ONCE = 16  # digits, as many as a film has at first
IDEAL_SECONDS, IDEAL_ROUNDS = 1.0, 3  # the ways take turns, and the best round of each counts
WAYS = {"the ideal, 60,000 digits": (60_000, 0), "patches of 9 x 9, 10,000 digits": (10_000, 9)}


def bench_ideal(*, seconds: float = IDEAL_SECONDS) -> Iterator[dict[str, Any]]:
    """Yield one row per denoiser: milliseconds a step of 16 digits, of `lite` and of the way; and its memory.

    `megabytes` is by how much a process of its own grew at most, with the training digits and all that it computed.
    """
    placement = best_placement()
    lite = place(network("lite").eval(), placement)
    for name, (count, width) in WAYS.items():
        yield from rows_or_fault({"way": name}, ideal_rows, lite, count, width, placement, seconds=seconds)


def ideal_rows(
    lite: EpsModel, count: int, width: int, placement: Placement, *, seconds: float
) -> Iterator[dict[str, Any]]:
    """Yield the figures of one way; `width` 0 is the whole picture."""
    steps = (
        network_only(lite, DIGITS_AT_ONCE, placement),
        network_only(perfect(count, width), DIGITS_AT_ONCE, placement),
    )
    best = [math.inf, math.inf]
    for _ in range(IDEAL_ROUNDS):
        best = [min(before, time_a_step(step, seconds)) for before, step in zip(best, steps, strict=True)]
    with multiprocessing.get_context("spawn").Pool(1) as apart:
        megabytes = apart.apply(grown_megabytes, (count, width))
    yield {
        "device": str(placement.device),
        "lite_ms": 1000 * best[0],
        "step_ms": 1000 * best[1],
        "times_lite": best[1] / best[0],
        "megabytes": megabytes,
    }


def perfect(count: int, width: int) -> EpsModel:
    """Return the perfect denoiser of the first `count` training digits, by patches unless `width` is 0."""
    digits, schedule = load_mnist(train=True)[0][:count], Schedule.from_config(ScheduleConfig())
    return PatchDenoiser(digits, schedule, width) if width else IdealDenoiser(digits, schedule)


def grown_megabytes(count: int, width: int) -> float | None:
    """Return by how much this process grows at most for a few steps, in MB; None where the system does not tell."""
    keep_freed_memory()
    torch.zeros(1000, 1000) @ torch.zeros(1000, 1000)  # the libraries' own memory is not counted
    before = most_megabytes()
    step = network_only(perfect(count, width), DIGITS_AT_ONCE, best_placement())
    for _ in range(3):
        step()
    after = most_megabytes()
    return None if before is None or after is None else after - before


def most_megabytes() -> float | None:
    """Return the most memory that this process has had, in MB; None where the system does not tell."""
    status = Path("/proc/self/status")  # not the resource module: its figures include the parent's
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:")), None)
