"""Films for many visitors: each is made once, for whoever asks, and costs nothing once nobody watches.

Everything here is quick and waits for nothing. An executor makes the films, in a thread of its own, and delivers
their steps; readers live in the event loop of the server.
"""

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ddpm_demo.films.executor import Executor, LocalExecutor
from ddpm_demo.films.film_job import FilmJob, FilmStep, FilmWalk
from ddpm_demo.networks.loaded_networks import LoadedNetwork, classifier_at, loaded_as
from ddpm_demo.ui.film.broadcast import Broadcast, Reader
from ddpm_demo.ui.film.film_settings import FilmSettings
from ddpm_demo.ui.film.films import FILMS, Films
from ddpm_demo.ui.film.stream import FilmMessages, film_job, new_film

GRACE_SECONDS = 5.0  # that a film goes on without anybody who looks on: a network may blink
MAX_VISITORS = 500  # at once; more get a place in line and come back for their film
COME_BACK_SECONDS = 5.0
ESTIMATE_SECONDS = 1.0  # so long an estimate is good for
SMOOTH = 0.95  # how much of the last steps' time counts, from step to step
IDLE_SECONDS = 3.0  # without a step: nobody had a film made


@dataclass(frozen=True)
class QueuePosition:
    """How long a film will still take, in seconds, None while nobody knows; how many steps of others come first.

    `before` counts down to the film's own first step, and is 0 from then on; `films` share the machine. `trouble` says
    why films are held up, if they are.
    """

    before: int
    films: int
    seconds: float | None
    trouble: str = ""


class Broadcasts:
    """All films of a server and their readers: one film a visitor, and each film once."""

    def __init__(self, executor: Executor | None = None, films: Films = FILMS) -> None:
        self.executor = executor or LocalExecutor(loaded_as, classifier=classifier_at)
        self.films = films
        self._guard = threading.RLock()
        self._broadcasts: dict[str, Broadcast] = {}
        self._readers: dict[str, Reader] = {}  # by visitor
        self._line: dict[str, float] = {}  # visitors for whom there was no room, and when they were last here
        self._expected: dict[str, float] = {}  # those for whom there is, until they join
        self._loop: asyncio.AbstractEventLoop | None = None
        self._steps = 0
        self._last_step = 0.0
        self._passed, self._busy = 0.0, 0.0  # seconds between the last steps, and seconds of computing in them
        self._left: tuple[float, list[tuple[int, float]]] = (0.0, [])
        self.asked = self.joined = self.remembered = self.finished = self.messages = 0  # for whoever runs the server
        self.writing_seconds = 0.0

    def ask(self, loaded: LoadedNetwork, settings: FilmSettings, guide: LoadedNetwork | None = None) -> Broadcast:
        """Return the film of these settings: new, or under way, or from memory; raise ConfigError if there is none."""
        job = film_job(loaded, settings, guide)
        with self._guard:
            self.asked += 1
            self._forget()
            known = self._broadcasts.get(job.key)
            if known is not None and not known.error:
                self.joined, self.remembered = self.joined + known.running, self.remembered + known.over
                self.films.touch(job.key)
                return known
            film, walk = new_film(loaded, settings, guide), FilmWalk(job, loaded.schedule)
            self.films.add(job.key, film)
            messages = FilmMessages(job.key, film, self.films)
            networks = [loaded] if guide is None else [loaded, guide]
            made = self._broadcasts[job.key] = Broadcast(self, walk, networks, messages)
            return made

    def admit(self, visitor: str) -> int:
        """Return 0 if there is room for this visitor, or else its place in the line of those waiting."""
        with self._guard:
            now = time.monotonic()
            for seen_last in (self._line, self._expected):
                for who in [who for who, seen in seen_last.items() if now - seen > 3 * COME_BACK_SECONDS]:
                    del seen_last[who]
            place = list(self._line).index(visitor) if visitor in self._line else len(self._line)
            inside = self._readers.keys() | self._expected.keys()
            if visitor in inside or len(inside) + place < MAX_VISITORS:
                self._line.pop(visitor, None)
                self._expected[visitor] = now
                return 0
            self._line[visitor] = now
            return place + 1

    def give_up(self, visitor: str) -> None:
        """Stop expecting a visitor for whom there was room."""
        with self._guard:
            self._expected.pop(visitor, None)

    def join(self, broadcast: Broadcast, visitor: str, after: str = "") -> Reader:
        """Let a visitor read a film, after the last message it had, instead of the film before; see that it is made.

        Called in the event loop, as `leave` is.
        """
        with self._guard:
            self._loop = asyncio.get_running_loop()
            before = self._readers.get(visitor)
            reader = Reader(broadcast, visitor, broadcast.position_after(after))
            self._readers[visitor] = reader
            self._expected.pop(visitor, None)
            broadcast.readers.add(reader)
            if before is not None:
                before.replaced = True
                before.news.set()
                before.broadcast.readers.discard(before)
                self._stop_if_alone(before.broadcast)
            broadcast.begun_by = broadcast.begun_by or visitor
            if not broadcast.running and not broadcast.over:
                broadcast.running = True
                broadcast.turns_before = self._steps + sum(1 for each in self._broadcasts.values() if each.running) - 1
                self.executor.begin(broadcast.walk, broadcast)
            return reader

    def leave(self, reader: Reader) -> None:
        """Let a visitor go; a film that nobody reads any more goes on for a moment in case somebody comes back."""
        with self._guard:
            reader.broadcast.readers.discard(reader)
            if self._readers.get(reader.visitor) is reader:
                del self._readers[reader.visitor]
            if reader.broadcast.running and not reader.broadcast.readers:
                asyncio.get_running_loop().call_later(GRACE_SECONDS, self._stop_if_alone, reader.broadcast)
            reader.broadcast.trim()

    def expect_again(self, reader: Reader) -> None:
        """Keep the place of a visitor who polls, until the next request or for a moment at most."""
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._expect_no_more, reader)

    def _expect_no_more(self, reader: Reader) -> None:
        with self._guard:
            if self._readers.get(reader.visitor) is reader:
                del self._readers[reader.visitor]
            reader.broadcast.readers.discard(reader)
            self._stop_if_alone(reader.broadcast)
            reader.broadcast.trim()

    def stop(self, visitor: str) -> None:
        """End a visitor's film now, unless others read it too."""
        with self._guard:
            reader = self._readers.pop(visitor, None)
            if reader is not None:
                reader.replaced = True
                reader.news.set()
                reader.broadcast.readers.discard(reader)
                self._stop_if_alone(reader.broadcast)

    def _stop_if_alone(self, broadcast: Broadcast) -> None:
        with self._guard:
            if broadcast.running and not broadcast.readers:
                self.executor.stop(broadcast.walk)
                broadcast.running = False

    def _forget(self) -> None:
        gone = [run for run, each in self._broadcasts.items() if each.forgotten]
        for run in gone:
            del self._broadcasts[run]  # who reads it still does

    def position(self, broadcast: Broadcast) -> QueuePosition:
        """Return how long a film has to wait, and how long it will take."""
        with self._guard:
            self._estimate()
            running = self._running()
            before = 0 if broadcast.walk.index else max(0, min(broadcast.turns_before - self._steps, len(running) - 1))
            return QueuePosition(before, len(running), self._seconds_left(broadcast), self.executor.trouble())

    def outlook(self, job: FilmJob, steps: int) -> dict[str, Any]:
        """Return how long a film that nobody has asked for yet would take, in seconds, None while nobody knows.

        `here` says that it would come at once: it is in memory or under way.
        """
        with self._guard:
            known = self._broadcasts.get(job.key)
            if known is not None and (known.over or known.running) and not known.error:
                return {"here": True, "seconds": 0.0}
            return {"here": False, "seconds": self.seconds_for([(job, steps)])}

    def seconds_for(self, work: Sequence[tuple[FilmJob, int]]) -> float | None:
        """Return how long so many steps of such films would take, one after the other; None while nobody knows."""
        with self._guard:
            self._estimate()
            costs = [(self.executor.seconds_a_step(job), steps) for job, steps in work]
            if not all(one for one, _ in costs):
                return None
            mine, steps = sum(one * steps for one, steps in costs), sum(steps for _, steps in costs)
            others = sum(min(left, steps) * (seconds or mine / steps) for left, seconds in self._left[1])
            return (others + mine) * self._slowness()

    def _slowness(self) -> float:
        """How much longer the latest steps took than computing them: at least 1."""
        return max(1.0, self._passed / self._busy) if self._busy else 1.0

    def _running(self) -> list[Broadcast]:
        return [each for each in {reader.broadcast for reader in self._readers.values()} if each.running]

    def _estimate(self) -> None:
        """Note how many steps every film still needs, and what each costs; good for a second."""
        now = time.monotonic()
        if now - self._left[0] < ESTIMATE_SECONDS:
            return
        running = self._running()
        self._left = (now, [(each.walk.left, self.executor.seconds_a_step(each.walk.job)) for each in running])

    def _seconds_left(self, broadcast: Broadcast) -> float | None:
        """All films take steps in turn: until this one ends, every other one takes as many, or all that it has left."""
        mine, one = broadcast.walk.left, self.executor.seconds_a_step(broadcast.walk.job)
        if not one or not self._busy:
            return None
        others = sum(min(left, mine) * (seconds or one) for left, seconds in self._left[1])
        return max(others, mine * one) * self._slowness()

    def note_step(self, broadcast: Broadcast, film_step: FilmStep) -> float | None:
        """Count a step, in the executor's thread; return how long this film will still take, if that is known."""
        with self._guard:
            now = time.monotonic()
            passed = now - self._last_step if now - self._last_step < IDLE_SECONDS else film_step.seconds
            self._passed, self._busy = SMOOTH * self._passed + passed, SMOOTH * self._busy + film_step.seconds
            self._steps, self._last_step = self._steps + 1, now
            self.finished += broadcast.walk.left == 0
            self._estimate()
            return self._seconds_left(broadcast)

    def note_messages(self, count: int, seconds: float) -> None:
        """Count messages that were written, and the processor's time that this took."""
        with self._guard:
            self.messages, self.writing_seconds = self.messages + count, self.writing_seconds + seconds

    def stop_making(self, broadcast: Broadcast) -> None:
        """Stop computing a film's steps."""
        with self._guard:
            self.executor.stop(broadcast.walk)

    def wake(self, broadcast: Broadcast) -> None:
        """Tell the readers, from any thread, that there is something new."""
        if self._loop is None or not broadcast.readers:
            return
        try:
            self._loop.call_soon_threadsafe(self._wake, broadcast)
        except RuntimeError:  # the server has been closed
            self._loop = None

    def numbers(self) -> dict[str, float]:
        """Return what is going on, for whoever runs the server."""
        with self._guard:
            return {
                "visitors": len(self._readers),
                "films": len(self._running()),
                "in_line": len(self._line),
                "asked": self.asked,
                "joined": self.joined,
                "remembered": self.remembered,
                "finished": self.finished,
                "steps": self._steps,
                "messages": self.messages,
                "memory": self.films.bytes,
                "writing_seconds": self.writing_seconds,
            }

    def _wake(self, broadcast: Broadcast) -> None:
        for reader in broadcast.readers:
            reader.news.set()
        if broadcast.trim():
            self._stop_if_alone(broadcast)
