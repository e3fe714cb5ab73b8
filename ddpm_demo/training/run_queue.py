"""The runs that wait for the one trainer: first come, first served, kept in memory only."""

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TypeVar

from ddpm_demo.core.config import DemoError
from ddpm_demo.training.run_key import KEY_BYTES
from ddpm_demo.training.trainer import MOST_PAUSE, Trainer
from ddpm_demo.words.sentence import say, sentence_in

MOST_WAITING = 40  # with two thousand drawings each, 60 MB
MOST_FAULTS = 100  # of runs that could not begin, until their visitors have been told
FULL = say("{count} runs are waiting already: watch one, and queue yours when it has ended", count=MOST_WAITING)
BUSY = say("another run is training here, and only one can train at a time: yours can wait in the queue")
BROKEN = say("something went wrong; the server's log has the details")
Begun = TypeVar("Begun")


@dataclass(frozen=True)
class WaitingRun:
    """A run that waits: its visitor's `key`, its `name`, empty until one is chosen for it, and how to begin it."""

    key: str
    name: str
    begin: Callable[[str], object]  # with the key; raises DemoError where it cannot begin


@dataclass(frozen=True)
class QueuePlace:
    """What a visitor is told: how many wait, the place of their own run from 1, if any, and its name.

    `most_pause` is after how many minutes the run that trains makes way, if it is paused and others wait.
    """

    waiting: int
    place: int | None = None
    name: str = ""
    most_pause: float | None = None


class RunQueue:
    """One waiting run a visitor, whom a key stands for; the next begins when the trainer becomes free."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._waiting: list[WaitingRun] = []
        self._faults: OrderedDict[str, str] = OrderedDict()  # by key, until its visitor has been told
        self._guard = threading.RLock()
        trainer.when_free(self._begin_next)
        trainer.give_way(lambda: bool(self._waiting))  # no lock: whoever asks holds the trainer's own

    def begin_now(self, begin: Callable[[], Begun]) -> Begun:
        """Begin a run past the queue, which must be empty, and the trainer free: otherwise raises DemoError."""
        with self._guard:
            if self.busy:
                raise DemoError(BUSY)
            return begin()

    @property
    def busy(self) -> bool:
        """Whether a run that comes now has to wait."""
        return self._trainer.busy or bool(self._waiting)

    def join(self, keys: Collection[str], name: str, begin: Callable[[str], object]) -> str:
        """Add a run, or put it in the place of the one that waits for the holder of these keys; return its key.

        Raises DemoError where the queue is full, or where the run's turn has come at once and it cannot begin.
        """
        with self._guard:
            place = self._index(keys)
            if place is None and len(self._waiting) >= MOST_WAITING:
                raise DemoError(FULL)
            key = secrets.token_urlsafe(KEY_BYTES) if place is None else self._waiting[place].key
            run = WaitingRun(key, name, begin)
            if place is None:
                self._waiting.append(run)
            else:
                self._waiting[place] = run
            self._begin_next()  # it may have become free since the visitor last looked
            if fault := self.fault([key]):
                raise DemoError(fault)
            return key

    def leave(self, keys: Collection[str]) -> None:
        """Take away the run that waits for the holder of these keys, if one does."""
        with self._guard:
            self._waiting = [run for run in self._waiting if run.key not in keys]

    def clear(self) -> None:
        """Take away every run that waits."""
        with self._guard:
            self._waiting = []

    def place(self, keys: Collection[str]) -> QueuePlace:
        """Return what the holder of these keys sees of the queue."""
        waiting = list(self._waiting)  # no lock: a run may be about to begin, and pages ask every other second
        held = waiting and self._trainer.status.phase == "paused"
        seen = QueuePlace(len(waiting), most_pause=MOST_PAUSE / 60 if held else None)
        found = next((k for k, run in enumerate(waiting) if run.key in keys), None)
        return seen if found is None else replace(seen, place=found + 1, name=waiting[found].name)

    def fault(self, keys: Collection[str]) -> str:
        """Return, once, why a run of the holder of these keys could not begin when its turn came; empty if it could."""
        with self._guard:
            found = [key for key in self._faults if key in keys]
            return [self._faults.pop(key) for key in found][-1] if found else ""

    def _index(self, keys: Collection[str]) -> int | None:
        return next((k for k, run in enumerate(self._waiting) if run.key in keys), None)

    def _begin_next(self) -> None:
        with self._guard:
            while self._waiting and not self._trainer.busy:
                run, *self._waiting = self._waiting
                try:
                    run.begin(run.key)
                except Exception as error:  # the trainer's thread calls this: nobody else would hear of it
                    if not isinstance(error, DemoError):
                        logging.getLogger(__name__).exception("a waiting run could not begin")
                    self._faults[run.key] = sentence_in(error) if isinstance(error, DemoError) else BROKEN
                    while len(self._faults) > MOST_FAULTS:
                        self._faults.popitem(last=False)
