"""One trainer a run: an operating system lock on a file in the run's directory, gone with the process that held it."""

import contextlib
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from ddpm_demo.core.config import DemoError

LOCK_FILE = ".lock"
ATTEMPTS, PAUSE = 10, 0.01  # seconds: another program that only asks (`is_locked`) holds the file for far less
_access = threading.Lock()  # to any lock file, within this program


class LockedError(DemoError):
    """Somebody else is training this run; the message names its directory."""


class RunLock:
    """The right to train the run in a directory, from construction to `release`; a context manager.

    A killed process loses it at once. Any thread may release it. Raises LockedError when another program, or another
    part of this one, has it, and DemoError when the directory cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / LOCK_FILE
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self.path, thread_local=False)
            if not any(self._acquired(attempt) for attempt in range(ATTEMPTS)):
                raise LockedError(
                    "another program is training the run in {folder}: stop it there first", folder=directory
                )
            self._inode = self.path.stat().st_ino
        except OSError as error:
            raise DemoError("cannot write {path}: {why}", path=directory, why=error.strerror) from None

    @property
    def holds(self) -> bool:
        """Whether the locked file is still there: not once somebody has deleted the run's directory."""
        try:
            return self.path.stat().st_ino == self._inode
        except OSError:
            return False

    def release(self) -> None:
        """Let others have the run."""
        self._lock.release()

    def _acquired(self, attempt: int) -> bool:
        if attempt:
            time.sleep(PAUSE)
        try:
            with _access:  # those who ask all the time must not keep the file from whoever wants to train
                self._lock.acquire(timeout=0)
        except Timeout:
            return False
        return True

    def __enter__(self) -> "RunLock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_locked(directory: Path) -> bool:
    """Return whether somebody is training the run in a directory, at once; nothing is created or written.

    Any number may ask at the same time and never take each other for the trainer.
    """
    path = directory / LOCK_FILE
    try:
        if sys.platform == "win32":  # where a lock cannot be shared with another program that asks
            with _access, FileLock(path, timeout=0) if path.is_file() else contextlib.nullcontext():
                return False
        import fcntl

        with _access, path.open("rb") as file:  # closing it unlocks
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (Timeout, BlockingIOError):
        return True
    except OSError:
        return False
    return False
