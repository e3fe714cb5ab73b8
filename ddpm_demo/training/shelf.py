"""The shelf of training runs: the directories under `runs` in the cache, and a description of each.

A run's directory has a name that this program made up; the name that people see stands in a file inside. What comes
from a page is looked up here and never becomes a path.
"""

import datetime
import os
import re
import secrets
import shutil
from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ddpm_demo.core.config import ConfigError, DemoError, ModelConfig, ScheduleConfig
from ddpm_demo.machine.limits import max_runs_mb
from ddpm_demo.store import checkpoint
from ddpm_demo.store.files import cache_dir, write_atomically
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.store.tensors import CheckpointError
from ddpm_demo.training.history import FILE as HISTORY_FILE
from ddpm_demo.training.history import last_line
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.run_lock import RunLock, is_locked
from ddpm_demo.training.saved_run import RunSettings, read_settings

RUN_MB_PER_PARAMETER = 40e-6  # state, checkpoint, and a second copy of both while they are written
SNAPSHOTS_MB = 110.0  # at most
NAME_FILE = "name.txt"
NAME_LENGTH = 40
CACHED = 512  # files of a kind whose description is remembered
Stamp = tuple[int, int, int]  # of a file: when it was changed, its size, and which file it is
NOT_THERE: Stamp = (0, 0, 0)


@dataclass(frozen=True)
class Entry:
    """A run as the shelf knows it. `fault` says why it cannot be taken up again, if so.

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
            f"{story.pictures} drawings of one's own" if story.pictures else None,
            f"{'with' if story.pictures else 'only'} {' '.join(map(str, story.classes))}" if story.classes else None,
            f"held-out loss {held.loss:.4f}" if held else None if loss is None else f"loss {loss:.4f}",
            None if story.seed is None else f"seed {story.seed}",
            story.saved,
        ]
        return ", ".join(part for part in parts if part)


def runs_dir() -> Path:
    """Return the folder of all runs."""
    return cache_dir() / "runs"


def entries() -> list[Entry]:
    """Return every run on the shelf, the newest first; damaged ones too, so that they can be deleted."""
    try:
        folders = sorted(runs_dir().iterdir(), reverse=True)
    except OSError:
        return []
    return [_entry(folder) for folder in folders if folder.name[0] != "." and _is_run(folder)]


def entry(run_id: object) -> Entry:
    """Return the run of that id; raise ConfigError if the shelf has none."""
    folder = directory_of(run_id)
    if not _is_run(folder):
        raise ConfigError("there is no such run here; it may have been deleted")
    return _entry(folder)


def directory_of(run_id: object) -> Path:
    """Return the directory of a run's id without reading the run, which is quick; raise ConfigError if it is none."""
    try:
        for folder in runs_dir().iterdir():
            if folder.name == run_id and folder.name[0] != ".":
                return folder
    except OSError:
        pass
    raise ConfigError("there is no such run here; it may have been deleted")


def create(name: object, model: ModelConfig, parameters: int) -> Path:
    """Make the directory of a new run; raise DemoError when the name or the disk says no."""
    text = new_name(name if name else suggested_name(model))
    needed = parameters * RUN_MB_PER_PARAMETER + min(SNAPSHOTS_MB, parameters * 80e-6 + 6)
    used, limit = sum(known.megabytes for known in entries()), max_runs_mb()
    if used + needed > limit:
        raise DemoError(
            f"this run may need {needed:.0f} MB, and the runs here use {used:.0f} of {limit:.0f} MB: delete one first"
        )
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    directory = runs_dir() / f"{stamp}-{secrets.token_hex(3)}"
    try:
        directory.mkdir(parents=True)
        free = shutil.disk_usage(directory).free / 1e6
        if free < needed:
            directory.rmdir()
            raise DemoError(f"this run may need {needed:.0f} MB, and the disk has only {free:.0f} MB left")
        write_atomically(directory / NAME_FILE, text.encode())
    except OSError as error:
        raise DemoError(f"cannot write {directory}: {error.strerror}") from None
    return directory


def suggested_name(model: ModelConfig) -> str:
    """Return a name that no run has yet."""
    taken = {known.name for known in entries()} | set(shipped_checkpoints())
    number = 1
    while (name := f"my {model.hidden}-channel run {number}") in taken:
        number += 1
    return name


def new_name(name: object) -> str:
    """Return a name, tidied; raise ConfigError if it is no good or taken."""
    text = " ".join(name.split()) if isinstance(name, str) else ""
    if not re.fullmatch(r"[\w .,+()=-]+", text) or len(text) > NAME_LENGTH:
        raise ConfigError(f"a run's name has 1 to {NAME_LENGTH} letters, digits, spaces and . , + ( ) = - _")
    if text in shipped_checkpoints() or any(known.name == text for known in entries()):
        raise ConfigError(f"there is already a run or checkpoint called {text}")
    return text


def rename(run_id: object, name: object) -> None:
    """Give a run another name; raise ConfigError or DemoError."""
    known = entry(run_id)
    if known.name == name:
        return
    text = new_name(name)
    try:
        write_atomically(known.directory / NAME_FILE, text.encode())
    except OSError as error:
        raise DemoError(f"cannot write {known.directory}: {error.strerror}") from None


def delete(run_id: object) -> None:
    """Delete a run; raise LockedError while somebody trains it."""
    known = entry(run_id)
    with RunLock(known.directory):
        gone = known.directory.with_name(f".deleted-{known.id}")
        if os.name == "posix":  # elsewhere an open file cannot be moved
            _moved(known.directory, gone)
    if os.name != "posix":
        _moved(known.directory, gone)
    shutil.rmtree(gone, ignore_errors=True)


def export(run_id: object) -> tuple[str, bytes]:
    """Return the file name and the content of a run's checkpoint; raise DemoError if it has none."""
    known = entry(run_id)
    if known.checkpoint is None:
        raise DemoError("this run has no checkpoint yet")
    try:
        return re.sub(r"[^\w.-]+", "-", known.name).strip("-") + ".safetensors", known.checkpoint.read_bytes()
    except OSError as error:
        raise DemoError(f"cannot read {known.checkpoint}: {error.strerror}") from None


def offer(checkpoints: MutableMapping[str, Path], base: dict[str, Path]) -> dict[str, str]:
    """Bring a list of checkpoints up to date: those of `base` and then the runs; return a label for each name."""
    labels = {name: name for name in base}
    found = {}
    for known in entries():
        if known.checkpoint is not None and known.name not in base:
            found[known.name] = known.checkpoint
            labels[known.name] = f"{known.name} ({'being trained; ' if known.locked else ''}{known.words})"
    for name in list(checkpoints):  # a copy: other threads may add some
        if name not in base and name not in found:
            checkpoints.pop(name, None)
    checkpoints.update(found)
    return labels


def clear_deleted() -> None:
    """Finish what a kill in the middle of a deletion left."""
    for path in runs_dir().glob(".deleted-*"):
        shutil.rmtree(path, ignore_errors=True)


def time_words(seconds: float) -> str:
    """Return a length of time as people say it: `45 seconds`, `12 minutes`, `1.5 hours`."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _moved(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError as error:
        raise DemoError(f"cannot delete {source}: {error.strerror}") from None


def _is_run(folder: Path) -> bool:
    try:
        return (folder / "run.safetensors").exists() or (folder / NAME_FILE).exists()
    except OSError:  # a folder that may not be entered
        return False


def _entry(folder: Path) -> Entry:
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
