"""What a worker does: it makes films, many in turn, and sends their steps to whoever asked."""

import asyncio
import os
import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ddpm_demo.core.config import DemoError
from ddpm_demo.core.device import best_placement
from ddpm_demo.core.sampling import Step
from ddpm_demo.machine.executor import LocalExecutor
from ddpm_demo.machine.film_job import Asked, FilmJob, Taken, Walk, WalkState, code_version
from ddpm_demo.machine.freed_memory import keep_freed_memory
from ddpm_demo.machine.processors import take_processors
from ddpm_demo.ui.networks import Loaded, classifier_at, load_placed, loaded_as, shipped_asker

KEPT_NETWORKS = 8  # besides those of films that are made
AHEAD = 4  # steps of a film that may wait here to be sent: more are not made until somebody has taken them
Pictures = NDArray[np.float32]


@dataclass(frozen=True)
class Hello:
    """What a worker is: the code it runs, with PyTorch's version, its device, its process."""

    code: str
    torch: str
    device: str
    pid: int


@dataclass(frozen=True)
class SentStep:
    """A step of a film on its way, float32 (N, C, H, W) each; x_t is what the film was before.

    `answers` are those of network and guide, `asked` the pull and the odds of asking for a digit; `generator` is the
    state of the film's noise after the step.
    """

    index: int
    t: int
    s: int
    std: float
    eps_hat: Pictures
    x0_hat: Pictures
    z: Pictures
    x_s: Pictures
    generator: NDArray[np.uint8]
    seconds: float
    answers: tuple[Pictures, Pictures] | None = None
    asked: tuple[Pictures, Pictures] | None = None


def pack_step(taken: Taken, state: WalkState) -> SentStep:
    """Return a step to be sent; `state` is the film's after it."""

    def two(first: torch.Tensor, second: torch.Tensor) -> tuple[Pictures, Pictures]:
        return first.cpu().numpy(), second.cpu().numpy()

    step, asked = taken.step, taken.asked
    return SentStep(
        step.index,
        step.t,
        step.s,
        step.std,
        *two(step.eps_hat, step.x0_hat),
        *two(step.z, step.x_s),
        state.generator.numpy(),
        taken.seconds,
        two(*taken.answers) if taken.answers else None,
        two(asked.pull, asked.probabilities) if asked else None,
    )


def unpack_step(sent: SentStep, walk: Walk) -> Taken:
    """Bring a film to where a step that came has brought it, and return the step."""

    def two(pair: tuple[Pictures, Pictures]) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.tensor(pair[0]), torch.tensor(pair[1])  # copies: what has come is not to be written into

    eps_hat, x0_hat = two((sent.eps_hat, sent.x0_hat))
    z, x_s = two((sent.z, sent.x_s))
    step = Step(sent.index, sent.t, sent.s, walk.x_t, eps_hat, x0_hat, z, sent.std, x_s)
    walk.go_to(WalkState(sent.index + 1, x_s, torch.tensor(sent.generator), x0_hat))
    return Taken(step, sent.answers and two(sent.answers), sent.seconds, sent.asked and Asked(*two(sent.asked)))


class _Outbox:
    """The steps of a film that wait to be sent; while there are many the film rests."""

    def __init__(self, executor: LocalExecutor, walk: Walk) -> None:
        self._executor, self._walk, self._loop = executor, walk, asyncio.get_running_loop()
        self._steps: asyncio.Queue[SentStep | Exception] = asyncio.Queue()
        self._waiting = 0
        self._rests = False

    def deliver(self, taken: Taken) -> None:
        """Take in a step, in the executor's thread."""
        self._tell(self._put, pack_step(taken, self._walk.state))

    def fail(self, error: Exception) -> None:
        """Take in, in the executor's thread, why there will be no more."""
        self._tell(self._steps.put_nowait, error)

    def _tell(self, take: Callable[[Any], None], what: SentStep | Exception) -> None:
        if not self._loop.is_closed():  # or whoever read the film has gone with it
            self._loop.call_soon_threadsafe(take, what)

    def _put(self, step: SentStep) -> None:
        self._steps.put_nowait(step)
        if self._steps.qsize() >= AHEAD and not self._rests and step.s >= 0:
            self._rests = True
            self._executor.stop(self._walk)

    async def take(self) -> SentStep:
        """Return the next step; raise what ended the film."""
        step = await self._steps.get()
        if isinstance(step, Exception):
            raise step
        if self._rests and not self._steps.qsize():
            self._rests = False
            if self._walk.left:
                self._executor.begin(self._walk, self)
        return step


class FilmWorker:
    """Makes films in its own process: networks come by the digest of their file, each once."""

    def __init__(self, threads: int = 0) -> None:
        """`threads` is how many processors it computes on; 0 leaves it to PyTorch."""
        keep_freed_memory()
        if threads:
            torch.set_num_threads(threads)
        take_processors()
        self._executor = LocalExecutor(loaded_as, classifier=classifier_at)
        self._networks = OrderedDict[str, Loaded]()
        self._loading = asyncio.Lock()

    async def hello(self) -> Hello:
        """Say what this worker is."""
        return Hello(code_version(), torch.__version__, str(best_placement().device), os.getpid())

    async def film(
        self, job: FilmJob, state: WalkState, files: Mapping[str, list[Awaitable[bytes]]]
    ) -> AsyncIterator[SentStep]:
        """Go on with a film from where it stands, yielding its steps; `files` brings the networks' files by digest.

        A file stands in a list of one, and is only waited for if it is not known here. Raises DemoError.
        """
        networks = {digest: await self._network(digest, file) for digest, (file,) in files.items()}  # held meanwhile
        if job.asker and job.asker != shipped_asker()[1]:
            raise DemoError("a worker of the cluster has another classifier to ask for a digit with")
        walk = Walk(job, networks[job.network].schedule, state)
        outbox = _Outbox(self._executor, walk)
        self._executor.begin(walk, outbox)
        try:
            for _ in range(walk.left):
                yield await outbox.take()
        finally:
            self._executor.stop(walk)

    async def _network(self, digest: str, file: Awaitable[bytes]) -> Loaded:
        async with self._loading:
            if digest not in self._networks:
                self._networks[digest] = await asyncio.to_thread(_load, await file, digest)
            self._networks.move_to_end(digest)
            if len(self._networks) > KEPT_NETWORKS:
                self._networks.popitem(last=False)
            return self._networks[digest]


def _load(file: bytes, digest: str) -> Loaded:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        path.write_bytes(file)
        loaded = load_placed(path)
    if loaded.digest != digest:
        raise DemoError("a network's file came to a worker of the cluster as another one")
    return loaded
