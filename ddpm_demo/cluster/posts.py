"""The workers as the page sees them, and which of them should make which film."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Any, Protocol

from ddpm_demo.cluster.film_worker import Hello, SentStep
from ddpm_demo.machine.executor import Customer
from ddpm_demo.machine.film_job import FilmJob, Walk, WalkState

WORTH = 0.8  # of the time that a film's worker needs for what it has: less elsewhere, and the film moves


class WorkerLostError(Exception):
    """A worker does not answer: its process has died, or its machine."""


class Worker(Protocol):
    """One that makes films, somewhere."""

    name: str

    async def hello(self) -> Hello:
        """Ask what it is; raise WorkerLostError."""
        ...

    def film(self, job: FilmJob, state: WalkState, files: Mapping[str, Any]) -> AsyncGenerator[SentStep, None]:
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


class Post:
    """A worker as it is seen from here."""

    def __init__(self, worker: Worker) -> None:
        self.worker, self.films = worker, set[GivenFilm]()
        self.ready, self.hello = False, Hello("", "", "", 0)
        self.seconds = 0.0  # usual ones of a step, whatever the film

    def busy(self, films: int, otherwise: float) -> float:
        """How long a step of each of so many films takes; a worker that nobody knows is as quick as another."""
        return films * (self.seconds or otherwise)


class GivenFilm:
    """A film that somebody waits for."""

    def __init__(self, walk: Walk, customer: Customer) -> None:
        self.walk, self.customer = walk, customer
        self.moves = False
        self.task: asyncio.Task[None] | None = None


def quickest(posts: Iterable[Post]) -> Post | None:
    """Return the worker that would be done first with what it has and one film more; None when none is ready."""
    ready = [post for post in posts if post.ready]
    usual = _usual(ready)
    return min(ready, key=lambda post: post.busy(len(post.films) + 1, usual), default=None)


def balance(posts: Iterable[Post]) -> None:
    """Let films move where it pays: a worker has come, or has less to do than another."""
    ready = [post for post in posts if post.ready]
    usual, target = _usual(ready), quickest(ready)
    if target is None:
        return
    films = {post: [film for film in post.films if not film.moves] for post in ready}
    coming = sum(film.moves for post in ready for film in post.films)
    while True:
        fullest = max(films, key=lambda post: post.busy(len(films[post]), usual))
        there = target.busy(len(target.films) + coming + 1, usual)
        if there > WORTH * fullest.busy(len(films[fullest]), usual):
            return
        films[fullest].pop().moves = True
        coming += 1


def _usual(ready: Sequence[Post]) -> float:
    known = [post.seconds for post in ready if post.seconds]
    return sum(known) / len(known) if known else 1.0
