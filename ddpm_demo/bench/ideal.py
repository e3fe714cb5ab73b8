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
from ddpm_demo.machine.device import Placement, answering_placement
from ddpm_demo.machine.freed_memory import keep_freed_memory
from ddpm_demo.machine.placement import place
from ddpm_demo.networks.ideal_checkpoints import ANYWHERE_DIGITS, PATCHED_DIGITS, load_ideal

DIGITS_AT_ONCE = 16  # digits, as many as a film has at first
IDEAL_SECONDS, IDEAL_ROUNDS = 1.0, 3  # the ways take turns, and the best round of each counts
WAYS = {  # and their names as checkpoints
    "the ideal, 60,000 digits": "ideal",
    f"patches of 9 x 9, {PATCHED_DIGITS:,} digits": "ideal:patch=9",
    f"patches of 3 x 3 from anywhere, {ANYWHERE_DIGITS} digits": "ideal:patch=3,anywhere",
    f"patches of 9 x 9 from anywhere, {ANYWHERE_DIGITS} digits": "ideal:patch=9,anywhere",
}


def bench_ideal(*, seconds: float = IDEAL_SECONDS) -> Iterator[dict[str, Any]]:
    """Yield one row per denoiser: milliseconds a step of 16 digits, of `lite` and of the way; and its memory.

    `megabytes` is by how much a process of its own grew at most, with the training digits and all that it computed.
    """
    placement = answering_placement()
    lite = place(network("lite").eval(), placement)
    for way, ideal in WAYS.items():
        yield from rows_or_fault({"way": way}, ideal_rows, lite, ideal, placement, seconds=seconds)


def ideal_rows(lite: EpsModel, ideal: str, placement: Placement, *, seconds: float) -> Iterator[dict[str, Any]]:
    """Yield the figures of one way, an ideal by its name."""
    steps = (
        network_only(lite, DIGITS_AT_ONCE, placement),
        network_only(perfect(ideal, placement), DIGITS_AT_ONCE, placement),
    )
    best = [math.inf, math.inf]
    for _ in range(IDEAL_ROUNDS):
        best = [min(before, time_a_step(step, seconds)) for before, step in zip(best, steps, strict=True)]
    with multiprocessing.get_context("spawn").Pool(1) as apart:
        megabytes = apart.apply(grown_megabytes, (ideal,))
    yield {
        "device": str(placement.device),
        "lite_ms": 1000 * best[0],
        "step_ms": 1000 * best[1],
        "times_lite": best[1] / best[0],
        "megabytes": megabytes,
    }


def perfect(ideal: str, placement: Placement) -> EpsModel:
    """Return the perfect denoiser of that name."""
    return load_ideal(ideal, Schedule.from_config(ScheduleConfig()), placement.device)


def grown_megabytes(ideal: str) -> float | None:
    """Return by how much this process grows at most for a few steps, in MB; None where the system does not tell."""
    keep_freed_memory()
    torch.zeros(1000, 1000) @ torch.zeros(1000, 1000)  # the libraries' own memory is not counted
    before = most_megabytes()
    placement = answering_placement()
    step = network_only(perfect(ideal, placement), DIGITS_AT_ONCE, placement)
    for _ in range(3):
        step()
    after = most_megabytes()
    return None if before is None or after is None else after - before


def most_megabytes() -> float | None:
    """Return the most memory that this process has had, in MB; None where the system does not tell."""
    status = Path("/proc/self/status")  # not the resource module: its figures include the parent's
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:")), None)
