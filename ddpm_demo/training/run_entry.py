"""A training run as its folder describes it: what it is called, how far it got, what came of it, its size."""

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
from ddpm_demo.training.notes import time_words, without_folder
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.run_lock import is_locked
from ddpm_demo.training.saved_run import RunSettings, read_settings
from ddpm_demo.words.sentence import say, sentence_in, with_commas

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
            return self.spoilt or say("no checkpoint yet")
        if story.steps is None:
            return say("its checkpoint does not say how it was trained")
        if not story.steps:
            return say("nothing learned yet")
        width = self.model.hidden if self.model else story.channels
        parts = [
            story.preset,
            say("{width} channel|{width} channels", width=width) if width else None,
            _steps(story.steps, story.wall_seconds),
            _taught(story),
            _loss(story),
            None if story.seed is None else say("seed {seed}", seed=story.seed),
            story.saved,
        ]
        return with_commas([part for part in parts if part])


def _steps(steps: int, seconds: float | None) -> str:
    if seconds is None:
        return say("{steps:,} step|{steps:,} steps", steps=steps)
    return say("{steps:,} step in {time}|{steps:,} steps in {time}", steps=steps, time=time_words(seconds))


def _taught(story: Provenance) -> str | None:
    """Return what it learned from, None for all of MNIST."""
    classes = " ".join(map(str, story.classes))
    if not story.pictures:
        return say("only {classes}", classes=classes) if classes else None
    drawings = say("{count} hand-made drawing|{count} hand-made drawings", count=story.pictures)
    return with_commas([drawings, say("with {classes}", classes=classes)]) if classes else drawings


def _loss(story: Provenance) -> str | None:
    if story.held_out:
        return say("held-out loss {loss:.4f}", loss=story.held_out.loss)
    return None if story.final_loss is None else say("loss {loss:.4f}", loss=story.final_loss)


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
        fault = without_folder(sentence_in(error), folder)
    path = folder / "model.safetensors"
    try:
        network, _, provenance = _checkpoint_description(path, _stamp(path))
        model = model or network
    except DemoError as error:
        spoilt = without_folder(sentence_in(error), folder) if path.exists() else ""
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
        raise CheckpointError("{path} is not there", path=path)


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
