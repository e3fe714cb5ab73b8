"""What the server makes for a page message by message: races, branches, completions, a zip that is read.

Those that many ask for are made once, for all of them, as long as they are remembered.
"""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ddpm_demo.words.sentence import say

KEPT_RUNS = 64  # of a few hundred kilobytes each; the least recently used one goes first
FORGET_SECONDS = 60.0  # without a question: then a run that only one visitor can ask for is forgotten


@dataclass(eq=False)
class SharedRun:
    """The messages of a generator, for many readers: whoever needs the next one first makes it, for all of them.

    So a run rests while nobody reads it, and goes on from there for the next one who does. `name` is what a page asks
    for it by; nobody can guess it. `fault` is what the generator raised. `plan` says how the visitor's device would
    make it, if there is a way.
    """

    source: Iterator[dict[str, Any]] | None
    messages: list[dict[str, Any]] = field(default_factory=list)
    made: float | None = None  # on the clock, once it is whole
    fault: Exception | None = None
    guard: threading.Lock = field(default_factory=threading.Lock)
    name: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    asked: float = field(default_factory=time.monotonic)  # when somebody last did
    plan: Callable[[], Any] | None = None

    def read(self) -> Iterator[dict[str, Any]]:
        """Yield all messages from the first on; raise what the generator does."""
        position = 0
        while True:
            self.make(position)
            if position == len(self.messages):
                if self.fault is not None:
                    raise self.fault
                return
            yield self.messages[position]
            position += 1

    def make(self, position: int, wait: float = -1) -> None:
        """See that there is a message at a position, unless there will be none: then the run is `over`.

        While another makes it, this waits, at most `wait` seconds if that is not -1.
        """
        if position < len(self.messages) or not self.guard.acquire(timeout=wait):
            return
        try:
            if position == len(self.messages) and self.source is not None:
                try:
                    self.messages.append(next(self.source))
                except StopIteration:
                    self.source, self.made = None, time.time()
                except Exception as fault:
                    self.source, self.fault = None, fault
        finally:
            self.guard.release()

    @property
    def over(self) -> bool:
        """Whether no more messages will come."""
        return self.source is None


class SharedRuns:
    """All such runs of a server."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._runs = OrderedDict[Hashable, SharedRun]()
        self._own = dict[str, SharedRun]()  # by name

    def ask(
        self, key: Hashable, begin: Callable[[], Iterator[dict[str, Any]]], plan: Callable[[], Any] | None = None
    ) -> SharedRun:
        """Return the run of this key, what decides its pixels; `begin` begins it if nobody has asked for it yet."""
        with self._guard:
            run = self._runs.get(key)
            if run is None or run.fault is not None:
                run = self._runs[key] = SharedRun(begin(), plan=plan)
            self._runs.move_to_end(key)
            if len(self._runs) > KEPT_RUNS:
                self._runs.popitem(last=False)
            return run

    def begin(self, source: Iterator[dict[str, Any]], plan: Callable[[], Any] | None = None) -> SharedRun:
        """Return a run that is one visitor's own, and is forgotten a minute after the last question for it."""
        with self._guard:
            self._forget()
            run = SharedRun(source, plan=plan)
            self._own[run.name] = run
            return run

    def get(self, name: object) -> SharedRun | None:
        """Return the run of a name, if it is remembered."""
        with self._guard:
            self._forget()
            shared = (run for run in self._runs.values() if run.name == name)
            run = self._own.get(name) if isinstance(name, str) and name in self._own else next(shared, None)
            if run is not None:
                run.asked = time.monotonic()
            return run

    def _forget(self) -> None:
        now = time.monotonic()
        self._own = {name: run for name, run in self._own.items() if now - run.asked < FORGET_SECONDS}


RUNS = SharedRuns()


def origin(run: SharedRun) -> str:
    """Return where a run comes from, in words, unless it is made for this visitor."""
    if run.made is not None:
        clock = time.strftime("%H:%M:%S", time.localtime(run.made))
        return say("From memory: computed here at {clock}.", clock=clock)
    return say("Already under way: it is computed once for everybody.") if run.messages else ""
