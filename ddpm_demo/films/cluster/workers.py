"""The workers as the page sees them, and which of them should make which film."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Any, Protocol

from ddpm_demo.core.sampling import WalkState
from ddpm_demo.films.cluster.film_worker import StepMessage, WorkerInfo
from ddpm_demo.films.executor import StepListener
from ddpm_demo.films.film_job import FilmJob, FilmWalk

WORTH = 0.8  # of the time that a film's worker needs for what it has: less elsewhere, and the film moves


class WorkerLostError(Exception):
    """A worker does not answer: its process has died, or its machine."""


class Worker(Protocol):
    """One that makes films, somewhere."""

    name: str

    async def hello(self) -> WorkerInfo:
        """Ask what it is; raise WorkerLostError."""
        ...

    def film(self, job: FilmJob, state: WalkState, files: Mapping[str, Any]) -> AsyncGenerator[StepMessage, None]:
        """Let it go on with a film; its steps come as they are made. Raises WorkerLostError, or what ended the film."""
        ...


class Pool(Protocol):
    """All workers, and what brings files to them."""

    def workers(self) -> Sequence[Worker]:
        """Return those that there should be now, each always as the same object; may take a moment."""
        ...

    def share(self, file: bytes) -> Any:
        """Make a file known to all, and return what `FilmWorker.film` gets for it."""
        ...


class WorkerHandle:
    """A worker as it is seen from here."""

    def __init__(self, worker: Worker) -> None:
        self.worker, self.films = worker, set[AssignedFilm]()
        self.ready, self.info = False, WorkerInfo("", "", "", 0)
        self.seconds = 0.0  # usual ones of a step, whatever the film

    def busy(self, films: int, otherwise: float) -> float:
        """How long a step of each of so many films takes; a worker that nobody knows is as quick as another."""
        return films * (self.seconds or otherwise)


class AssignedFilm:
    """A film that somebody waits for."""

    def __init__(self, walk: FilmWalk, listener: StepListener) -> None:
        self.walk, self.listener = walk, listener
        self.moves = False
        self.task: asyncio.Task[None] | None = None


def quickest(handles: Iterable[WorkerHandle]) -> WorkerHandle | None:
    """Return the worker that would be done first with what it has and one more film; None when none is ready."""
    ready = [handle for handle in handles if handle.ready]
    usual = _usual(ready)
    return min(ready, key=lambda handle: handle.busy(len(handle.films) + 1, usual), default=None)


def balance(handles: Iterable[WorkerHandle]) -> None:
    """Let films move where it pays: when a worker has come, or has less to do than another."""
    ready = [handle for handle in handles if handle.ready]
    usual, target = _usual(ready), quickest(ready)
    if target is None:
        return
    films = {handle: [film for film in handle.films if not film.moves] for handle in ready}
    coming = sum(film.moves for handle in ready for film in handle.films)
    while True:
        fullest = max(films, key=lambda handle: handle.busy(len(films[handle]), usual))
        there = target.busy(len(target.films) + coming + 1, usual)
        if there > WORTH * fullest.busy(len(films[fullest]), usual):
            return
        films[fullest].pop().moves = True
        coming += 1


def _usual(ready: Sequence[WorkerHandle]) -> float:
    known = [handle.seconds for handle in ready if handle.seconds]
    return sum(known) / len(known) if known else 1.0
