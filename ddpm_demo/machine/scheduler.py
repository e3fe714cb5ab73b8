"""Who computes next: one thread for all networks of a server, which gives turns by what they are for.

One thread, because two networks at once on two cores only get in each other's way, and because that thread alone then
computes on several processors (`processors.take_processors`).
"""

import atexit
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from enum import IntEnum
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from ddpm_demo.core.sampling import EpsModel

Result = TypeVar("Result")


class Kind(IntEnum):
    """What a turn is for, the most urgent first."""

    INTERACTIVE = 0  # somebody looks at the screen and waits for this one answer
    FILM = 1
    TRAINING = 2


KEPT_SHARE = 0.25  # of the time that films, and training, keep when everything more urgent never ends
GOODBYE_SECONDS = 5.0  # at the end of the program, for the turn that is under way


class Turn(Protocol):
    """How a piece of work with a network gets done: at once, or when its turn has come."""

    def __call__(self, work: Callable[[], Result], /) -> Result:
        """Do the work and return its result; what it raises is raised here."""
        ...


def at_once(work: Callable[[], Result], /) -> Result:
    """Do a piece of work now and here: the turns of a program that does nothing else."""
    return work()


class Job(Protocol):
    """Work of many steps. The jobs of a kind form a ring: after a step a job goes to its end, unless it is over.

    Jobs whose `batch_key` is equal, and not None, may share a step, `films_per_call` of them at most.
    """

    over: bool
    batch_key: Hashable
    films_per_call: int

    def step(self, batch: "Sequence[Any]", /) -> None:
        """Take one step, together with other jobs of the same `batch_key`; what it raises ends all of them."""
        ...

    def fail(self, error: BaseException, /) -> None:
        """Note the error that ended it."""
        ...


class _Once:
    """One piece of work, for a thread that waits for its result."""

    batch_key: Hashable = None
    films_per_call = 1

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work, self.over, self.result = work, True, Future[Any]()

    def step(self, _: Sequence[Any]) -> None:
        self.result.set_result(self.work())

    def fail(self, error: BaseException) -> None:
        self.result.set_exception(error)


class Scheduler:
    """Gives turns, one after the other: the most urgent kind first, and within a kind in the order of asking.

    Films, and training, still keep `KEPT_SHARE` of the time. Every second that others have while one of these
    waits is a third of a second of credit for it; with credit it comes first, and pays with the time it takes.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rings: dict[Kind, deque[Job]] = {kind: deque() for kind in Kind}
        self._credit = {Kind.FILM: 0.0, Kind.TRAINING: 0.0}
        self._thread: threading.Thread | None = None
        self._closed = False
        self.seconds = dict.fromkeys(Kind, 0.0)  # that the turns of each kind have taken
        self.turns = dict.fromkeys(Kind, 0)

    def turn(self, work: Callable[[], Result], /, kind: Kind = Kind.INTERACTIVE) -> Result:
        """Do a piece of work when its turn has come, as `Turn` says.

        It must not ask for a turn itself: it would wait for its own end.
        """
        gradients = torch.is_grad_enabled()  # which every thread decides for itself

        def as_here() -> Result:
            with torch.set_grad_enabled(gradients):
                return work()

        once = _Once(as_here)
        self.add(once, kind)
        result: Result = once.result.result()
        return result

    def film_turn(self, work: Callable[[], Result], /) -> Result:
        """Do a piece of work when its turn among the films has come."""
        return self.turn(work, Kind.FILM)

    def training_turn(self, work: Callable[[], Result], /) -> Result:
        """Do a piece of work when its turn has come, as a step of training: after everybody who waits for an answer."""
        return self.turn(work, Kind.TRAINING)

    def add(self, job: Job, kind: Kind = Kind.FILM) -> None:
        """Put a job at the end of its kind's ring."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="network", daemon=True)
                self._thread.start()
                atexit.register(self._close)
            self._rings[kind].append(job)
            self._changed.notify_all()

    def remove(self, job: Job) -> None:
        """Take a job out; a step that is under way is still finished."""
        with self._changed:
            job.over = True
            for ring in self._rings.values():
                if job in ring:
                    ring.remove(job)

    @property
    def waiting(self) -> int:
        """How many wait, besides whoever has the turn."""
        return sum(len(ring) for ring in self._rings.values())

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self.waiting)
                if self._closed:
                    return
                kind = self._next_kind()
                jobs = self._take(self._rings[kind])
                hungry = {other for other in self._credit if other != kind and self._rings[other]}
            begun = time.perf_counter()
            try:
                jobs[0].step(jobs)
            except BaseException as error:
                for job in jobs:
                    job.over = True
                    try:
                        job.fail(error)
                    except Exception:  # nobody is there to be told; everybody else's turns go on
                        traceback.print_exc()
            passed = time.perf_counter() - begun
            with self._changed:
                self._rings[kind].extend(job for job in jobs if not job.over)
                hungry |= {other for other in self._credit if other != kind and self._rings[other]}
                self._pay(kind, passed, hungry)
            del jobs  # the result is the asker's: nothing here may keep its memory until the next turn

    def _next_kind(self) -> Kind:
        for kind in (Kind.TRAINING, Kind.FILM):
            if self._rings[kind] and self._credit[kind] > 0:
                return kind
        return next(kind for kind in Kind if self._rings[kind])

    def _take(self, ring: deque[Job]) -> list[Job]:
        first = ring.popleft()
        jobs = [first]
        if first.batch_key is not None and first.films_per_call > 1:
            for job in list(ring):
                if len(jobs) == first.films_per_call:
                    break
                if job.batch_key == first.batch_key:
                    ring.remove(job)
                    jobs.append(job)
        return jobs

    def _pay(self, kind: Kind, passed: float, hungry: set[Kind]) -> None:
        self.seconds[kind] += passed
        self.turns[kind] += 1
        for other in self._credit:
            if other == kind:  # whoever keeps nobody more urgent waiting owes nothing
                waits = any(self._rings[each] for each in Kind if each < kind)
                self._credit[kind] = self._credit[kind] - passed if waits else 0.0
            elif other in hungry:
                self._credit[other] += passed * KEPT_SHARE / (1 - KEPT_SHARE)

    def _close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(GOODBYE_SECONDS)


NETWORK = Scheduler()  # one for all networks of this process


class InTurn:
    """A network that takes a turn for every call; `turn` says among whom."""

    def __init__(self, model: EpsModel, turn: Turn = NETWORK.turn) -> None:
        self.model, self.turn = model, turn

    def __call__(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return eps_hat (B, C, H, W), as the network does."""
        return self.turn(lambda: self.model(x_t, t))
