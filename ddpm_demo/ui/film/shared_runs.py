"""Races and branches for many visitors: each is computed once, for whoever asks, as long as it is remembered."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

KEPT_RUNS = 64  # of a few hundred kilobytes each; the least recently used one goes first
REPLAY_SECONDS = 0.04  # between two messages that are there already: the page draws each of them


@dataclass
class SharedRun:
    """The messages of a generator, for many readers: whoever needs the next one first makes it, for all of them.

    So a run rests while nobody reads it, and goes on from there for the next one who does.
    """

    source: Iterator[dict[str, Any]] | None
    messages: list[dict[str, Any]] = field(default_factory=list)
    made: float | None = None  # on the clock, once it is whole
    guard: threading.Lock = field(default_factory=threading.Lock)

    def read(self, pause: float | None = None) -> Iterator[dict[str, Any]]:
        """Yield all messages from the first on, with a pause between those there are; raise what the generator does."""
        position = 0
        while True:
            before = position < len(self.messages)
            if not before and not self._make(position):
                return
            yield self.messages[position]
            position += 1
            if before:
                time.sleep(REPLAY_SECONDS if pause is None else pause)

    def _make(self, position: int) -> bool:
        """See that there is a message at a position; return whether there is."""
        with self.guard:
            if position == len(self.messages) and self.source is not None:
                try:
                    self.messages.append(next(self.source))
                except StopIteration:
                    self.source, self.made = None, time.time()
                except BaseException:
                    self.source = None
                    raise
            return position < len(self.messages)

    @property
    def failed(self) -> bool:
        """Whether it has ended incomplete."""
        return self.source is None and self.made is None


class SharedRuns:
    """All such runs of a server, by what decides their pixels."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._runs = OrderedDict[Hashable, SharedRun]()

    def ask(self, key: Hashable, begin: Callable[[], Iterator[dict[str, Any]]]) -> SharedRun:
        """Return the run of this key, which `begin` begins if nobody has asked for it yet."""
        with self._guard:
            run = self._runs.get(key)
            if run is None or run.failed:
                run = self._runs[key] = SharedRun(begin())
            self._runs.move_to_end(key)
            if len(self._runs) > KEPT_RUNS:
                self._runs.popitem(last=False)
            return run


RUNS = SharedRuns()


def origin(run: SharedRun) -> str:
    """Return where a run comes from, in words, unless it is made for this visitor."""
    if run.made is not None:
        return f"From memory: computed here at {time.strftime('%H:%M:%S', time.localtime(run.made))}."
    return "Already under way: it is computed once for everybody." if run.messages else ""
