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
from ddpm_demo.core.sampling import Guess, Step, WalkState
from ddpm_demo.films.executor import LocalExecutor
from ddpm_demo.films.film_job import ClassifierPull, FilmJob, FilmStep, FilmWalk, Prediction, code_version
from ddpm_demo.machine.device import answering_placement
from ddpm_demo.machine.freed_memory import keep_freed_memory
from ddpm_demo.machine.processors import take_processors
from ddpm_demo.networks.loaded_networks import LoadedNetwork, classifier_at, load_placed, loaded_as, steering_classifier

KEPT_NETWORKS = 8  # besides those of films that are made
AHEAD = 4  # steps of a film that may wait here to be sent: more are not made until somebody has taken them
Pictures = NDArray[np.float32]


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker is: the code it runs, with PyTorch's version, its device, its process."""

    code: str
    torch: str
    device: str
    pid: int


@dataclass(frozen=True)
class GuessMessage:
    """A guess to be sent: what the network was asked, x at t, and eps_hat and x0_hat, float32 (N, C, H, W) each."""

    x: Pictures
    t: int
    eps_hat: Pictures
    x0_hat: Pictures


@dataclass(frozen=True)
class StepMessage:
    """A step of a film to be sent, float32 (N, C, H, W) each; x_t is what the film was before.

    `t_before` is None unless the step made use of the x0_hat before, which the receiver has. `guidance_pair` and
    `classifier_pull` are those of `Prediction`; `generator` is the state of the film's noise after the step.
    """

    index: int
    t: int
    s: int
    std: float
    eps_hat: Pictures
    x0_hat: Pictures
    z: Pictures
    x_s: Pictures
    later: tuple[GuessMessage, ...]
    t_before: int | None
    generator: NDArray[np.uint8]
    seconds: float
    guidance_pair: tuple[Pictures, Pictures] | None = None
    classifier_pull: tuple[Pictures, Pictures] | None = None


def pack_step(film_step: FilmStep, state: WalkState) -> StepMessage:
    """Return a step to be sent; `state` is the film's after it."""

    def two(first: torch.Tensor, second: torch.Tensor) -> tuple[Pictures, Pictures]:
        return first.cpu().numpy(), second.cpu().numpy()

    step, prediction = film_step.step, film_step.prediction
    pull = prediction.classifier_pull
    return StepMessage(
        step.index,
        step.t,
        step.s,
        step.std,
        *two(step.eps_hat, step.x0_hat),
        *two(step.z, step.x_s),
        tuple(GuessMessage(each.x.cpu().numpy(), each.t, *two(each.eps_hat, each.x0_hat)) for each in step.later),
        step.t_before,
        state.generator.numpy(),
        film_step.seconds,
        two(*prediction.guidance_pair) if prediction.guidance_pair else None,
        two(pull.pull, pull.probabilities) if pull else None,
    )


def unpack_step(message: StepMessage, walk: FilmWalk) -> FilmStep:
    """Advance a film by a step that has arrived, and return the step."""

    def two(pair: tuple[Pictures, Pictures]) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.tensor(pair[0]), torch.tensor(pair[1])  # copies: what has come is not to be written into

    eps_hat, x0_hat = two((message.eps_hat, message.x0_hat))
    z, x_s = two((message.z, message.x_s))
    before = walk.state
    later = tuple(Guess(torch.tensor(g.x), g.t, *two((g.eps_hat, g.x0_hat))) for g in message.later)
    step = Step(
        index=message.index,
        t=message.t,
        s=message.s,
        x_t=before.x,
        eps_hat=eps_hat,
        x0_hat=x0_hat,
        z=z,
        std=message.std,
        x_s=x_s,
        later=later,
        x0_before=None if message.t_before is None else before.x0_before,
        t_before=message.t_before,
    )
    last = later[-1] if later else Guess(before.x, step.t, eps_hat, x0_hat)
    walk.go_to(WalkState(step.index + 1, x_s, torch.tensor(message.generator), last.x0_hat, last.t))
    pull = message.classifier_pull and ClassifierPull(*two(message.classifier_pull))
    prediction = Prediction(eps_hat, message.guidance_pair and two(message.guidance_pair), pull)
    return FilmStep(step, prediction, message.seconds)


class _Outbox:
    """The steps of a film that wait to be sent; while there are many the film pauses."""

    def __init__(self, executor: LocalExecutor, walk: FilmWalk) -> None:
        self._executor, self._walk, self._loop = executor, walk, asyncio.get_running_loop()
        self._steps: asyncio.Queue[StepMessage | Exception] = asyncio.Queue()
        self._waiting = 0
        self._rests = False

    def deliver(self, film_step: FilmStep) -> None:
        """Take in a step, in the executor's thread."""
        self._tell(self._put, pack_step(film_step, self._walk.state))

    def fail(self, error: Exception) -> None:
        """Take in, in the executor's thread, why there will be no more."""
        self._tell(self._steps.put_nowait, error)

    def _tell(self, take: Callable[[Any], None], what: StepMessage | Exception) -> None:
        if not self._loop.is_closed():  # or whoever read the film has gone with it
            self._loop.call_soon_threadsafe(take, what)

    def _put(self, step: StepMessage) -> None:
        self._steps.put_nowait(step)
        if self._steps.qsize() >= AHEAD and not self._rests and step.s >= 0:
            self._rests = True
            self._executor.stop(self._walk)

    async def take(self) -> StepMessage:
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
        self._networks = OrderedDict[str, LoadedNetwork]()
        self._loading = asyncio.Lock()

    async def hello(self) -> WorkerInfo:
        """Say what this worker is."""
        return WorkerInfo(code_version(), torch.__version__, str(answering_placement().device), os.getpid())

    async def film(
        self, job: FilmJob, state: WalkState, files: Mapping[str, list[Awaitable[bytes]]]
    ) -> AsyncIterator[StepMessage]:
        """Go on with a film from where it stands, yielding its steps; `files` brings the networks' files by digest.

        A file stands in a list of one, and is only waited for if it is not known here. Raises DemoError.
        """
        networks = {digest: await self._network(digest, file) for digest, (file,) in files.items()}  # held meanwhile
        if job.classifier and job.classifier != steering_classifier()[1]:
            raise DemoError("a worker in the cluster has a different digit classifier")
        walk = FilmWalk(job, networks[job.network].schedule, state)
        outbox = _Outbox(self._executor, walk)
        self._executor.begin(walk, outbox)
        try:
            for _ in range(walk.left):
                yield await outbox.take()
        finally:
            self._executor.stop(walk)

    async def _network(self, digest: str, file: Awaitable[bytes]) -> LoadedNetwork:
        async with self._loading:
            if digest not in self._networks:
                self._networks[digest] = await asyncio.to_thread(_load, await file, digest)
            self._networks.move_to_end(digest)
            if len(self._networks) > KEPT_NETWORKS:
                self._networks.popitem(last=False)
            return self._networks[digest]


def _load(file: bytes, digest: str) -> LoadedNetwork:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        path.write_bytes(file)
        loaded = load_placed(path)
    if loaded.digest != digest:
        raise DemoError("a network's file changed on its way to a worker in the cluster")
    return loaded
