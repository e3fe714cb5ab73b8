"""Where files lie, and how they are written: whole or not at all."""

import contextlib
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from ddpm_demo.core.config import ConfigError, DemoError

GUIDE = "tiny"  # the shipped checkpoint that is there to guide
RUNS_FOLDER = "runs"  # in the cache, with a folder for each training run
CACHE_VARIABLE = "DDPM_DEMO_CACHE"
_WINDOWS = os.name == "nt"
REPLACE_SECONDS = 2.0  # on Windows, for whoever has the old file open to close it


def user_path(text: str | Path, name: str) -> Path:
    """Read a path that comes from outside, `name` saying from where; `~` is the home directory, as in a shell.

    A relative path stays one, so that messages show it as it was given. Raises ConfigError for a path that no file
    can have.
    """
    given = str(text)
    if not given.strip():
        raise ConfigError(f"{name} must be a path, but it is empty")
    if "\0" in given:
        raise ConfigError(f"{name} must be a path, which cannot contain a NUL character")
    try:
        path = Path(given).expanduser()
        path.exists()  # a name too long, or a directory that may not be entered, shows here
    except RuntimeError:
        raise ConfigError(f"{name} names the home directory of an unknown user: {given}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name} cannot be used: {getattr(error, 'strerror', None) or error}: {given}") from None
    return path


def assets_dir() -> Path:
    """Return the folder of MNIST's files and the shipped checkpoints: in the wheel, or beside the package."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "assets"
    return inside if inside.is_dir() else package.parent / "assets"


def cache_dir() -> Path:
    """Return the one folder the program writes to unasked; the environment variable DDPM_DEMO_CACHE moves it."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return user_path(chosen, f"the environment variable {CACHE_VARIABLE}").absolute()
    usual = platformdirs.user_cache_dir("ddpm_demo", appauthor=False)
    try:
        return Path(usual).expanduser().absolute()
    except RuntimeError:  # some containers run as a user who has no home
        raise ConfigError(f"this user has no home directory: set {CACHE_VARIABLE} to a folder for the cache") from None


def writable_cache_dir() -> Path:
    """Return `cache_dir()`, made if need be; raise DemoError unless files can be written there."""
    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):  # trying is the one way to know on every system
            pass
    except OSError as error:
        raise DemoError(
            "cannot write to the cache {folder} ({why}): set {variable} to a folder that can be written to",
            folder=folder,
            why=error.strerror,
            variable=CACHE_VARIABLE,
        ) from None
    return folder


def file_stamp(path: Path) -> tuple[int, int]:
    """Return when a file was last written, in nanoseconds, and its size: a cache of it goes by them; 0, 0 for none."""
    try:
        found = path.stat()
        return found.st_mtime_ns, found.st_size
    except OSError:
        return 0, 0


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a kill or a full disk at any moment leaves the old one or the new one, never a half.

    Temporary file in the same folder, fsync, rename. Raises OSError as `open` does.
    """
    # the name is cut: with the temporary file's own letters it may otherwise be longer than a name can be
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(OSError):  # some memory sticks and network drives have no such thing
            Path(temporary).chmod(0o644)  # mkstemp makes it private, but a checkpoint is there to be shared
        _replace(Path(temporary), path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_file(path: Path, content: bytes) -> None:
    """Write a file that the user named, as `write_atomically` does; raise DemoError, in one sentence, if that fails.

    A symbolic link stays one: its target is written.
    """
    try:
        write_atomically(path.resolve(), content)
    except OSError as error:
        raise DemoError(f"cannot write {path}: {error.strerror}") from None


def check_outputs(outputs: Mapping[str, tuple[Path | None, str]], *, inputs: Mapping[str, Path] | None = None) -> None:
    """Refuse output files that could not be written, before any work is done for them.

    `outputs` are, by option, the path (None: not asked for) and the ending that its name must have; `inputs` are the
    files that are read, by option. Raises ConfigError for a wrong ending or one file twice, and DemoError for a place
    that cannot be written.
    """
    taken = {option: _identity(path) for option, path in (inputs or {}).items()}
    for option, (path, ending) in outputs.items():
        if path is None:
            continue
        if path.suffix.lower() != ending:
            raise ConfigError(f"{option} must be a file name that ends in {ending}, got {path}")
        for other, identity in taken.items():
            if identity == _identity(path):
                raise ConfigError(
                    f"{other} and {option} are the same file, {path}: choose a different name for one of them"
                )
        taken[option] = _identity(path)
    for path, _ in outputs.values():
        if path is not None:
            _check_writable(path)


def check_folder(path: Path) -> None:
    """Refuse a folder that files could not be written to; raise DemoError. It need not be there yet."""
    if path.exists() and not path.is_dir():
        raise DemoError(f"cannot write the folder {path}: it is a file")
    _check_writable((path if path.exists() else path.parent) / ".ddpm-demo")


def _check_writable(path: Path) -> None:
    try:
        if path.exists() and not path.is_file():
            raise DemoError(f"cannot write {path}: it is {'a directory' if path.is_dir() else 'not a regular file'}")
        if not path.parent.is_dir():
            raise DemoError(f"cannot write {path}: there is no directory {path.parent}")
        if path.exists() and not os.access(path, os.W_OK):
            raise DemoError(f"cannot write {path}: it is write-protected")
        with tempfile.TemporaryFile(dir=path.resolve().parent):  # trying is the one way to know on every system
            pass
    except OSError as error:
        raise DemoError(f"cannot write {path}: {error.strerror}") from None


def _identity(path: Path) -> str:
    # one file, whatever it is called: by a link, or in capitals where they do not count
    return os.path.normcase(os.path.realpath(path))


def _replace(source: Path, target: Path) -> None:
    """Put a file in another's place; on Windows that fails while anybody reads the other, which is soon over."""
    until = time.monotonic() + REPLACE_SECONDS
    while True:
        try:
            source.replace(target)
            return
        except PermissionError:
            if not _WINDOWS or time.monotonic() > until:
                raise
            time.sleep(0.05)
