"""One trainer a run: a lock of the operating system on the run's directory, gone with the process that held it."""

import os
import sys
import time
from pathlib import Path
from types import TracebackType

from ddpm_demo.core.config import DemoError

NAME = ".lock"
ATTEMPTS = 5


class LockedError(DemoError):
    """Somebody else is training this run; the message names its directory."""


class RunLock:
    """The right to train the run in a directory; a context manager.

    A killed process loses it at once, so that nothing has to be cleared up. Raises LockedError when another program
    (or another part of this one) has it, and DemoError when the directory cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / NAME
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise DemoError(f"cannot write {directory}: {error.strerror}") from None
        if not _lock(self._handle, shared=False):
            os.close(self._handle)
            raise LockedError(f"another program is training the run in {directory}: stop it there first")
        self._identity = os.fstat(self._handle).st_ino

    @property
    def holds(self) -> bool:
        """Whether the lock's file is still there: not so when somebody deleted the run's directory."""
        try:
            return self.path.stat().st_ino == self._identity
        except OSError:
            return False

    def release(self) -> None:
        """Let others have the run."""
        if self._handle >= 0:
            os.close(self._handle)  # this also unlocks, on every system
            self._handle = -1

    def __enter__(self) -> "RunLock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_locked(directory: Path) -> bool:
    """Return whether somebody is training the run in a directory; nothing is created.

    Any number may ask at once and never take each other for the trainer.
    """
    try:
        handle = os.open(directory / NAME, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _lock(handle, shared=True)
    finally:
        os.close(handle)


def _lock(handle: int, *, shared: bool) -> bool:
    """Lock an open file, for oneself or with others who share it; return whether that was possible."""
    for attempt in reversed(range(ATTEMPTS)):
        try:
            if sys.platform == "win32":  # where a lock cannot be shared: those who only ask wait for each other
                import msvcrt

                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            return True
        except OSError:
            if attempt:
                time.sleep(0.02)  # `is_locked` holds it for a moment, to find out
    return False
