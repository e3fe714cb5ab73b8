"""Where files lie, and how they are written: whole or not at all."""

import os
import tempfile
from pathlib import Path

import platformdirs

from ddpm_demo.core.config import DemoError

CACHE_VARIABLE = "DDPM_DEMO_CACHE"


def assets_dir() -> Path:
    """Return the folder of MNIST's files and the shipped checkpoints: in the wheel, or beside the package."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "assets"
    return inside if inside.is_dir() else package.parent / "assets"


def cache_dir() -> Path:
    """Return the one folder the program writes to unasked; the variable DDPM_DEMO_CACHE moves it."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("ddpm_demo", appauthor=False))


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a kill or a full disk at any moment leaves the old one or the new one, never a half.

    Temporary file in the same folder, fsync, rename. Raises OSError as `open` does.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # mkstemp makes it private, but a checkpoint is there to be shared
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_file(path: Path, content: bytes) -> None:
    """Write a file that the user named, as `write_atomically` does; raise DemoError, in one sentence, if that fails."""
    try:
        write_atomically(path, content)
    except OSError as error:
        raise DemoError(f"cannot write {path}: {error.strerror}") from None


def check_folders(*paths: Path | None) -> None:
    """Raise DemoError for a file (None: not asked for) whose folder is not there, before any work is done for it."""
    for path in paths:
        if path is not None and not path.parent.is_dir():
            raise DemoError(f"cannot write {path}: there is no directory {path.parent}")
