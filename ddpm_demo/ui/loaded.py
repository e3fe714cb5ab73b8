"""Checkpoints ready to use: loaded once for all visitors, their network in place."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ddpm_demo import checkpoint
from ddpm_demo.device import Placement, best_placement, place
from ddpm_demo.model import Denoiser
from ddpm_demo.schedule import Schedule


@dataclass(frozen=True)
class Loaded:
    """A network in its place, its schedule, and its held-out loss per tenth of the timesteps if it was measured.

    `known_as` is what `checkpoint.find` finds it by; empty for a network that is in no file.
    """

    model: Denoiser
    schedule: Schedule
    placement: Placement
    held_out: tuple[float, ...] | None
    held_out_digits: int = 0
    known_as: str = ""


def load_placed(path: Path) -> Loaded:
    """Load a checkpoint, again when its file has changed: a run in training writes it anew every half-minute.

    Raises CheckpointError if it is none.
    """
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        stamp = 0
    return _load(path, stamp)


@lru_cache(maxsize=4)
def _load(path: Path, stamp: int) -> Loaded:
    loaded, placement = checkpoint.load(path), best_placement()
    measured = loaded.provenance.get("held_out")
    held_out = tuple(measured["by_tenth"]) if measured else None
    digits = int(measured.get("digits", 10_000)) if measured else 0
    return Loaded(
        place(loaded.model, placement),
        Schedule.from_config(loaded.schedule),
        placement,
        held_out,
        digits,
        checkpoint.known_as(path),
    )
