"""The shelf of training runs: the directories under `runs` in the cache, and what can be done with them.

A run's directory has a name that this program made up; the name that people see is in a file inside. What comes
from a page is looked up here and never becomes a path.
"""

import datetime
import os
import re
import secrets
import shutil
from collections.abc import Callable, MutableMapping
from pathlib import Path

from ddpm_demo.core.config import ConfigError, DemoError, ModelConfig
from ddpm_demo.machine.limits import max_runs_mb
from ddpm_demo.networks.ideal_checkpoints import IDEAL_LABELS, ideal_of_run, is_ideal
from ddpm_demo.store.drawings_file import DRAWINGS_FILE
from ddpm_demo.store.files import RUNS_FOLDER, cache_dir, write_atomically
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.training.run_entry import NAME_FILE, NAME_LENGTH, Entry, is_run, read_entry
from ddpm_demo.training.run_lock import RunLock
from ddpm_demo.words.sentence import plain, say

RUN_MB_PER_PARAMETER = 40e-6  # state, checkpoint, and a second copy of both while they are written
SNAPSHOTS_MB = 110.0  # at most


def runs_dir() -> Path:
    """Return the folder of all runs."""
    return cache_dir() / RUNS_FOLDER


def entries() -> list[Entry]:
    """Return every run on the shelf, the newest first; damaged ones too, so that they can be deleted."""
    try:
        folders = sorted(runs_dir().iterdir(), reverse=True)
    except OSError:
        return []
    return [read_entry(folder) for folder in folders if folder.name[0] != "." and is_run(folder)]


def entry(run_id: object) -> Entry:
    """Return the run of that id; raise ConfigError if the shelf has none."""
    folder = directory_of(run_id)
    if not is_run(folder):
        raise ConfigError("there is no such run here; it may have been deleted")
    return read_entry(folder)


def directory_of(run_id: object) -> Path:
    """Return the directory of a run's id without reading the run: quick; raise ConfigError if there is none."""
    try:
        for folder in runs_dir().iterdir():
            if folder.name == run_id and folder.name[0] != ".":
                return folder
    except OSError:
        pass
    raise ConfigError("there is no such run here; it may have been deleted")


def create(name: object, model: ModelConfig, parameters: int, said: Callable[[str], str] = plain) -> Path:
    """Make the directory of a new run; raise DemoError when the name or the disk says no.

    Without a name it gets one as `said` says it: in the language of whoever begins it.
    """
    text = new_name(name if name else suggested_name(model, said))
    needed = parameters * RUN_MB_PER_PARAMETER + min(SNAPSHOTS_MB, parameters * 80e-6 + 6)
    used, limit = sum(known.megabytes for known in entries()), max_runs_mb()
    if used + needed > limit:
        raise DemoError(
            "this run may need {needed:.0f} MB, and the runs here use {used:.0f} of {limit:.0f} MB: delete one first",
            needed=needed,
            used=used,
            limit=limit,
        )
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    directory = runs_dir() / f"{stamp}-{secrets.token_hex(3)}"
    try:
        directory.mkdir(parents=True)
        free = shutil.disk_usage(directory).free / 1e6
        if free < needed:
            directory.rmdir()
            raise DemoError(
                "this run may need {needed:.0f} MB, and the disk has only {free:.0f} MB left", needed=needed, free=free
            )
        write_atomically(directory / NAME_FILE, text.encode())
    except OSError as error:
        raise DemoError("cannot write {path}: {why}", path=directory, why=error.strerror) from None
    return directory


def suggested_name(model: ModelConfig, said: Callable[[str], str] = plain) -> str:
    """Return a name that no run has yet, as `said` says it."""
    taken = {known.name for known in entries()} | set(shipped_checkpoints())
    number, channels = 1, str(model.hidden)
    while (name := said(say("my {channels}-channel run {number}", channels=channels, number=str(number)))) in taken:
        number += 1
    return name


def new_name(name: object) -> str:
    """Return a name, tidied; raise ConfigError if it is not allowed or is taken."""
    text = " ".join(name.split()) if isinstance(name, str) else ""
    if not re.fullmatch(r"[\w .,+()=-]+", text) or len(text) > NAME_LENGTH:
        raise ConfigError("a run's name is 1 to {most} letters, digits, spaces or . , + ( ) = - _", most=NAME_LENGTH)
    if text in shipped_checkpoints() or is_ideal(text) or any(known.name == text for known in entries()):
        raise ConfigError("there is already a run or checkpoint called {name}", name=text)
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
        raise DemoError("cannot write {path}: {why}", path=known.directory, why=error.strerror) from None


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
        raise DemoError("cannot read {path}: {why}", path=known.checkpoint, why=error.strerror) from None


def offer(checkpoints: MutableMapping[str, Path], base: dict[str, Path]) -> dict[str, str]:
    """Bring a list of checkpoints up to date: those of `base` and then the runs; return a label for each name.

    After a run on the user's own drawings stands the ideal of these drawings.
    """
    labels = {name: IDEAL_LABELS.get(name, name) for name in base}
    found = {}
    for known in entries():
        if known.checkpoint is not None and known.name not in base:
            found[known.name] = known.checkpoint
            labels[known.name] = _label(known)
            if (known.directory / DRAWINGS_FILE).exists():
                perfect = ideal_of_run(known.id)
                found[perfect] = Path(perfect)
                labels[perfect] = say("the perfect network of {name}: it knows its drawings by heart", name=known.name)
    for name in list(checkpoints):  # a copy: other threads may add some
        if name not in base and name not in found:
            checkpoints.pop(name, None)
    checkpoints.update(found)
    return labels


def _label(known: Entry) -> str:
    if known.locked:
        return say("{name} (being trained; {words})", name=known.name, words=known.words)
    return say("{name} ({words})", name=known.name, words=known.words)


def clear_deleted() -> None:
    """Finish what a kill in the middle of a deletion left."""
    for path in runs_dir().glob(".deleted-*"):
        shutil.rmtree(path, ignore_errors=True)


def _moved(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError as error:
        raise DemoError("cannot delete {path}: {why}", path=source, why=error.strerror) from None
