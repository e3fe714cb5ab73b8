"""Which worker makes which film: the page's executor when there are workers; what runs those is behind `Pool`.

A film is given to the worker that would be done with it first, and stays there; its steps come back, and how far it
has got is kept here. So a film whose worker has died, or that another one would finish sooner, goes on elsewhere from
its last step.
"""

import asyncio
import contextlib
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch

from ddpm_demo.core.config import DemoError
from ddpm_demo.films.cluster.film_worker import unpack_step
from ddpm_demo.films.cluster.workers import AssignedFilm, Pool, WorkerHandle, WorkerLostError, balance, quickest
from ddpm_demo.films.executor import SMOOTH, Executor, StepListener
from ddpm_demo.films.film_job import FilmJob, FilmWalk, code_version
from ddpm_demo.words.sentence import say

LOOK_SECONDS = 2.0  # from one look for new workers to the next
AGAIN_SECONDS = 0.5  # from one question to a worker that does not answer to the next
DEATHS = 3  # of workers at one and the same step: then it is the film
KEPT_FILES = 16
STARTING = say("the cluster's workers are starting: this film waits for the first")
NOBODY = say("no worker in the cluster answers: this film waits for one")


class ClusterExecutor:
    """Has films made by the workers of a pool.

    All that it knows belongs to an event loop in a thread of its own, where the steps come in.
    """

    def __init__(self, pool: Pool, files: Callable[[str], bytes], *, otherwise: Executor | None = None) -> None:
        """`files` returns a network's file by its digest.

        `otherwise` makes the films that find no worker; without it they wait for one.
        """
        self._pool, self._files, self._otherwise = pool, files, otherwise
        self._handles: dict[int, WorkerHandle] = {}
        self._films: dict[int, AssignedFilm] = {}
        self._shared = OrderedDict[str, Any]()
        self._paces: dict[tuple[str, str, int], float] = {}
        self._last_notice: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="cluster", daemon=True)
        self._thread.start()

    def begin(self, walk: FilmWalk, listener: StepListener) -> None:
        """Give the film to a worker."""
        self._loop.call_soon_threadsafe(self._begin, walk, listener)

    def stop(self, walk: FilmWalk) -> None:
        """Take the film away from its worker."""
        self._loop.call_soon_threadsafe(self._stop, walk)

    def seconds_a_step(self, job: FilmJob) -> float:
        """Return a step's usual time on a worker, of which all workers take one at once."""
        ready = sum(handle.ready for handle in self._handles.copy().values())
        return self._paces.get((job.network, job.guide, job.n), 0.0) / max(1, ready)

    def paces(self) -> list[dict[str, Any]]:
        """Return the usual step of every kind of film that was made by the workers: digests are cut short."""
        return [
            {
                "network": network[:8],
                "guide": guide[:8],
                "digits": n,
                "device": "cluster",
                "milliseconds": round(1000 * seconds, 2),
                "films_a_call": 1,
            }
            for (network, guide, n), seconds in self._paces.copy().items()
        ]

    def workers(self) -> list[dict[str, Any]]:
        """Return a row for each worker: its name, device and process, how many films it makes, and its usual step."""
        return [
            {
                "name": handle.worker.name,
                "device": handle.info.device,
                "pid": handle.info.pid,
                "ready": handle.ready,
                "films": len(handle.films),
                "milliseconds": round(1000 * handle.seconds, 2),
            }
            for handle in self._handles.copy().values()
        ]

    def trouble(self) -> str:
        """Return that no worker answers, if so."""
        if any(handle.ready for handle in self._handles.copy().values()):
            return ""
        return NOBODY if self._paces else STARTING

    def close(self) -> None:
        """Make no more films."""
        with contextlib.suppress(RuntimeError):  # closed before
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        watching = self._loop.create_task(self._watch())
        try:
            self._loop.run_forever()
        finally:
            watching.cancel()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _watch(self) -> None:
        """See which workers there are, and greet the new ones."""
        greetings: dict[int, asyncio.Task[None]] = {}
        while True:
            try:
                there = {id(worker): worker for worker in await asyncio.to_thread(self._pool.workers)}
            except Exception as error:  # nobody can say: those that are known may still work
                self._notice("the cluster", f"cannot list its workers: {error}")
            else:
                self._last_notice.pop("the cluster", None)
                for gone in self._handles.keys() - there.keys():
                    greetings.pop(gone).cancel()
                    del self._handles[gone]
                for key in there.keys() - self._handles.keys():
                    handle = self._handles[key] = WorkerHandle(there[key])
                    greetings[key] = asyncio.ensure_future(self._greet(handle))
            await asyncio.sleep(LOOK_SECONDS)

    async def _greet(self, handle: WorkerHandle) -> None:
        """Give a worker films as soon as it answers, and whenever it does, unless its films would differ from ours."""
        name = f"worker {handle.worker.name}"
        while True:
            try:
                handle.info = hello = await handle.worker.hello()
            except WorkerLostError as error:
                self._notice(name, f"does not answer: {error}")
            else:
                mine = (code_version(), torch.__version__)
                if (hello.code, hello.torch) == mine:
                    self._last_notice.pop(name, None)
                    handle.ready = True
                    balance(self._handles.values())
                    self._wake()
                    while handle.ready:
                        await self._changed.wait()
                else:
                    words = "makes no films here: it runs ddpm_demo {} with PyTorch {}, this page {} with {}"
                    self._notice(name, words.format(hello.code, hello.torch, *mine))
            await asyncio.sleep(AGAIN_SECONDS)

    def _notice(self, who: str, what: str) -> None:
        """Tell whoever runs the page, once until it changes."""
        if self._last_notice.get(who) != what:
            self._last_notice[who] = what
            print(f"ddpm-demo: {who} {what}", file=sys.stderr, flush=True)

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _begin(self, walk: FilmWalk, listener: StepListener) -> None:
        self._films[id(walk)] = film = AssignedFilm(walk, listener)
        film.task = asyncio.ensure_future(self._make(film))

    def _stop(self, walk: FilmWalk) -> None:
        film = self._films.pop(id(walk), None)
        if film is not None and film.task is not None:
            film.task.cancel()
        if self._otherwise is not None:
            self._otherwise.stop(walk)

    async def _make(self, film: AssignedFilm) -> None:
        """See a film to its end, from worker to worker if need be."""
        deaths, at = 0, film.walk.index
        try:
            while film.walk.left:
                handle = quickest(self._handles.values())
                if handle is None and self._otherwise is not None:
                    self._otherwise.begin(film.walk, film.listener)
                    return
                if handle is None:
                    await self._changed.wait()
                    continue
                try:
                    await self._take_steps(film, handle)
                except WorkerLostError as error:
                    deaths, at = (deaths if film.walk.index == at else 0) + 1, film.walk.index
                    if deaths == DEATHS:
                        raise DemoError(
                            "{count} workers have died on one step of this film: {why}", count=DEATHS, why=str(error)
                        ) from None
                    handle.ready = False
                    self._wake()  # it is greeted again
        except Exception as error:
            film.listener.fail(error)
        finally:
            if self._films.get(id(film.walk)) is film:
                del self._films[id(film.walk)]
            balance(self._handles.values())

    async def _take_steps(self, film: AssignedFilm, handle: WorkerHandle) -> None:
        """Let a worker take a film's steps until it is complete or moves; raise WorkerLostError, or what ended it."""
        job, film.moves = film.walk.job, False
        handle.films.add(film)
        try:
            files = {digest: self._share(digest) for digest in (job.network, job.guide) if digest}
            async with contextlib.aclosing(handle.worker.film(job, film.walk.state, files)) as steps:
                async for sent in steps:
                    film_step = unpack_step(sent, film.walk)
                    self._note_pace(handle, job, film_step.seconds)
                    film.listener.deliver(film_step)
                    if film.moves or not film.walk.left:
                        return
        finally:
            handle.films.discard(film)
        raise WorkerLostError(say("{name} has stopped in the middle of a film", name=handle.worker.name))

    def _share(self, digest: str) -> Any:
        if digest not in self._shared:
            self._shared[digest] = self._pool.share(self._files(digest))
        self._shared.move_to_end(digest)
        if len(self._shared) > KEPT_FILES:
            self._shared.popitem(last=False)
        return self._shared[digest]

    def _note_pace(self, handle: WorkerHandle, job: FilmJob, seconds: float) -> None:
        handle.seconds = SMOOTH * (handle.seconds or seconds) + (1 - SMOOTH) * seconds
        kind = (job.network, job.guide, job.n)
        self._paces[kind] = SMOOTH * self._paces.get(kind, seconds) + (1 - SMOOTH) * seconds
