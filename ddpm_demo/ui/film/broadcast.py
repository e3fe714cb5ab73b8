"""One film for many readers: its messages, from the first one on, for whoever comes, at any time."""

import asyncio
import secrets
import threading
import time
from collections.abc import Iterable
from typing import Any, Protocol

from ddpm_demo.films.film_job import FilmStep, FilmWalk
from ddpm_demo.networks.loaded_networks import LoadedNetwork
from ddpm_demo.ui.film.films import Films
from ddpm_demo.ui.film.stream import FilmMessages
from ddpm_demo.ui.parts.bridge import reported
from ddpm_demo.ui.parts.server_events import sent_event

BEHIND = 2**20  # bytes that may wait for a reader while memory is short
PIECE = 2**18  # bytes at most that a reader takes at once, or one message if that is larger


class Reader:
    """One visitor's view of a film: how much of it has been read, and what wakes the reader."""

    def __init__(self, broadcast: "Broadcast", visitor: str, position: int) -> None:
        self.broadcast, self.visitor, self.position = broadcast, visitor, position
        self.replaced = self.dropped = False
        self.news = asyncio.Event()

    def read(self) -> bytes:
        """Return what is new, as much as should be sent at once; nothing if there is nothing."""
        part = self.broadcast.parts_from(self.position)
        self.position += len(part)
        return b"".join(part)

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self.replaced or (self.broadcast.over and self.position >= self.broadcast.length)


class BroadcastHub(Protocol):
    """Where broadcasts live: it counts what they do, and wakes their readers."""

    films: Films

    def note_step(self, broadcast: "Broadcast", film_step: FilmStep) -> float | None:
        """Count a step; return how long this film will still take, if that is known."""
        ...

    def note_messages(self, count: int, seconds: float) -> None:
        """Count messages that were written, and the processor's time that this took."""
        ...

    def stop_making(self, broadcast: "Broadcast") -> None:
        """Stop computing its steps."""
        ...

    def wake(self, broadcast: "Broadcast") -> None:
        """Tell the readers, from any thread, that there is something new."""
        ...


class Broadcast:
    """A film while it is made and afterwards: its messages, kept for whoever comes later, and who reads them."""

    def __init__(
        self, hub: BroadcastHub, walk: FilmWalk, networks: Iterable[LoadedNetwork], messages: FilmMessages
    ) -> None:
        self._broadcasts, self.walk, self._networks = hub, walk, list(networks)
        self._messages, self._guard = messages, threading.Lock()
        self.mark = secrets.token_hex(4)  # of its numbers: another one's cannot be gone on from
        self._parts: list[bytes] = []
        self._dropped = 0  # of the first parts, once the film is forgotten: only who had them then reads on
        self.readers: set[Reader] = set()
        self.running = self.over = False
        self.error = ""
        self.begun_by = ""  # the visitor for whom it is made
        self.begun, self.made = time.time(), 0.0  # on the clock: when somebody asked for it, when it was whole
        self.turns_before = 0  # steps of all films until its first one
        self._add(messages.begin(walk.x))

    @property
    def run(self) -> str:
        """Its name."""
        return self._messages.run

    @property
    def forgotten(self) -> bool:
        """Whether its memory was needed for others: whoever asks for it now gets it made again."""
        return self._messages.film.forgotten

    @property
    def length(self) -> int:
        """How many messages there have been."""
        return self._dropped + len(self._parts)

    def position_after(self, number: str) -> int:
        """Return where to continue after the last message that somebody had: its number is that of `event`."""
        mark, _, index = number.partition("-")
        known = mark == self.mark and index.isdecimal() and self._dropped <= int(index) + 1 <= self.length
        return int(index) + 1 if known else 0

    def parts_from(self, position: int) -> list[bytes]:
        """Return the messages from a position on, as many as should be sent at once."""
        with self._guard:
            part, size = list[bytes](), 0
            for message in self._parts[max(0, position - self._dropped) :]:
                if part and size + len(message) > PIECE:
                    break
                part.append(message)
                size += len(message)
            return part

    def deliver(self, film_step: FilmStep) -> None:
        """Take in a step, in the executor's thread; one that comes after the film has failed is ignored."""
        if self.over:
            return
        left = self._broadcasts.note_step(self, film_step)
        begun, before = time.thread_time(), self.length
        try:
            for message in self._messages.take(film_step, left):
                self._add(message)
        except Exception as error:
            self.fail(error)
            self._broadcasts.stop_making(self)  # what cannot be shown is not to be computed either
            return
        self._broadcasts.note_messages(self.length - before, time.thread_time() - begun)
        if self.walk.left == 0:
            self.made = time.time()
            self._end()
        self._broadcasts.wake(self)

    def fail(self, error: Exception) -> None:
        """Note that there will be no more of it, and why."""
        self.error = reported(error)
        self._end()
        self._broadcasts.wake(self)

    def _end(self) -> None:
        self.running, self.over, self._networks = False, True, []

    def _add(self, message: dict[str, Any]) -> None:
        with self._guard:
            part = sent_event(message, number=f"{self.mark}-{self.length}")
            self._parts.append(part)
        if not self.forgotten:
            self._broadcasts.films.note_message(self.run, len(part))

    def trim(self) -> bool:
        """Of a forgotten film, drop what every reader has, and the readers who are too far behind to wait for.

        Those find their stream closed and may ask again; returns whether there were any.
        """
        if not self.forgotten:
            return False
        with self._guard:
            late = [reader for reader in self.readers if self._behind(reader) > BEHIND]
            for reader in late:
                reader.dropped = True
                reader.news.set()
                self.readers.discard(reader)
            done = min((reader.position for reader in self.readers), default=self.length) - self._dropped
            if done > 0:
                del self._parts[:done]
                self._dropped += done
            return bool(late)

    def _behind(self, reader: Reader) -> int:
        return sum(map(len, self._parts[max(0, reader.position - self._dropped) :]))
