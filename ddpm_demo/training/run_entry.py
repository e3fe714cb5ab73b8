"""A training run as its folder describes it: what it is called, how far it got, what came of it, its size."""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ddpm_demo.core.config import DemoError, ModelConfig
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.store import checkpoint
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.store.tensors import CheckpointError
from ddpm_demo.training.history import FILE as HISTORY_FILE
from ddpm_demo.training.history import last_line
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.run_lock import is_locked
from ddpm_demo.training.saved_run import RunSettings, read_settings

NAME_FILE = "name.txt"
NAME_LENGTH = 40
CACHED = 512  # files of a kind whose description is remembered
Stamp = tuple[int, int, int]  # of a file: when it was changed, its size, and which file it is
NOT_THERE: Stamp = (0, 0, 0)


@dataclass(frozen=True)
class Entry:
    """A run as the shelf knows it. `fault` says why it cannot be resumed, if so.

    `provenance` is its checkpoint's own, None without one that can be used; `spoilt` says why, if there is one.
    """

    id: str
    name: str
    directory: Path
    model: ModelConfig | None
    config: TrainConfig | None
    step: int
    seconds: float
    finished: bool
    locked: bool
    megabytes: float
    fault: str
    provenance: Provenance | None
    spoilt: str = ""

    @property
    def checkpoint(self) -> Path | None:
        """The run's checkpoint, if it has a good one that has been trained at all."""
        return self.directory / "model.safetensors" if self.provenance and self.provenance.steps else None

    @property
    def words(self) -> str:
        """How these weights came to be, in a few words; from the checkpoint's own provenance."""
        story = self.provenance
        if story is None:
            return self.spoilt or "no checkpoint yet"
        if story.steps is None:
            return "its checkpoint does not say how it was trained"
        if not story.steps:
            return "nothing learned yet"
        held, loss, seconds = story.held_out, story.final_loss, story.wall_seconds
        width = self.model.hidden if self.model else story.channels
        parts = [
            story.preset,
            f"{width} channels" if width else None,
            f"{story.steps:,} steps" + ("" if seconds is None else f" in {time_words(seconds)}"),
            f"{story.pictures} hand-made drawings" if story.pictures else None,
            f"{'with' if story.pictures else 'only'} {' '.join(map(str, story.classes))}" if story.classes else None,
            f"held-out loss {held.loss:.4f}" if held else None if loss is None else f"loss {loss:.4f}",
            None if story.seed is None else f"seed {story.seed}",
            story.saved,
        ]
        return ", ".join(part for part in parts if part)


def time_words(seconds: float) -> str:
    """Return a length of time as people say it: `45 seconds`, `12 minutes`, `1.5 hours`."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def is_run(folder: Path) -> bool:
    """Return whether a folder is that of a run."""
    try:
        return (folder / "run.safetensors").exists() or (folder / NAME_FILE).exists()
    except OSError:  # a folder that may not be entered
        return False


def read_entry(folder: Path) -> Entry:
    """Return what is known of the run in a folder, damaged or not; its files are read only when they have changed."""
    model = config = provenance = None
    step, seconds, fault, spoilt = 0, 0.0, "", ""
    path = folder / "run.safetensors"
    try:
        settings = _run_settings(path, _stamp(path))
        model, config, step, seconds = settings.model, settings.train, settings.step, settings.seconds
    except DemoError as error:
        fault = str(error).replace(f"{folder}{os.sep}", "")
    path = folder / "model.safetensors"
    try:
        network, _, provenance = _checkpoint_description(path, _stamp(path))
        model = model or network
    except DemoError as error:
        spoilt = str(error).replace(f"{folder}{os.sep}", "") if path.exists() else ""
    return Entry(
        id=folder.name,
        name=_name(folder),
        directory=folder,
        model=model,
        config=config,
        step=step,
        seconds=seconds,
        finished=not fault and _has_ended(folder, _stamp(folder / HISTORY_FILE)),
        locked=is_locked(folder),
        megabytes=sum(_size(path) for path in folder.rglob("*")) / 1e6,
        fault=fault,
        provenance=provenance,
        spoilt=spoilt,
    )


@lru_cache(maxsize=CACHED)
def _run_settings(path: Path, stamp: Stamp) -> RunSettings:
    _must_be_there(path, stamp)
    return read_settings(path)


@lru_cache(maxsize=CACHED)
def _checkpoint_description(path: Path, stamp: Stamp) -> tuple[ModelConfig, ScheduleConfig, Provenance]:
    _must_be_there(path, stamp)
    return checkpoint.describe(path)


def _must_be_there(path: Path, stamp: Stamp) -> None:
    if stamp == NOT_THERE:
        raise CheckpointError(f"{path} is not there")


@lru_cache(maxsize=CACHED)
def _has_ended(folder: Path, stamp: Stamp) -> bool:
    line = last_line(folder)
    return line is not None and line["kind"] == "end"


def _stamp(path: Path) -> Stamp:
    """Return what changes whenever a file does: it is read again only then."""
    try:
        found = path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino
    except OSError:
        return NOT_THERE


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # a folder that may not be entered
        return 0


def _name(folder: Path) -> str:
    try:
        with (folder / NAME_FILE).open(encoding="utf-8") as file:
            text = "".join(c if c.isprintable() else " " for c in file.read(4 * NAME_LENGTH))  # whoever wrote it
    except (OSError, ValueError):
        return folder.name
    return " ".join(text.split())[:NAME_LENGTH] or folder.name
