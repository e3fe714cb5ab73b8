"""Ray as the pool of workers: an actor for each GPU, and one for each machine that has none.

Ray starts them, watches over them, starts them again, carries networks and steps, and lets no film run ahead of who
reads it (Moritz et al. 2018). All that this program knows about Ray is here.
"""

import asyncio
import atexit
import contextlib
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ddpm_demo.core.config import DemoError
from ddpm_demo.core.sampling import WalkState
from ddpm_demo.films.cluster.executor import ClusterExecutor
from ddpm_demo.films.cluster.film_worker import AHEAD, FilmWorker, StepMessage, WorkerInfo
from ddpm_demo.films.cluster.workers import WorkerLostError
from ddpm_demo.films.executor import LocalExecutor
from ddpm_demo.films.film_job import FilmJob
from ddpm_demo.networks.loaded_networks import classifier_at, loaded_as
from ddpm_demo.words.sentence import say

MOST_FILMS = 1000  # that a worker makes in turn
STORE_BYTES = 256 * 2**20  # shared memory for steps and networks on their way, of workers on this machine
HELLO_SECONDS = 60.0  # that a worker may take to start
CONNECT_SECONDS = 5.0
RENEW_SECONDS = 30.0  # until one is tried anew where it could not start


@dataclass(frozen=True)
class WorkerSlot:
    """Where a worker belongs: the `index`-th on a machine, with so many processors and GPUs."""

    node: str
    index: int
    name: str
    threads: int
    gpus: float


def cluster_executor(where: str, local: int, *, or_here: bool = False) -> ClusterExecutor:
    """Start this many workers here, or without a number those of the cluster there; return the executor that uses them.

    With `or_here` this process makes the films that find no worker. Raises DemoError when there is no such cluster.
    """
    pool = RayPool(where, local)
    otherwise = LocalExecutor(loaded_as, classifier=classifier_at) if or_here else None
    executor = ClusterExecutor(pool, lambda digest: loaded_as(digest).file, otherwise=otherwise)
    atexit.register(executor.close)
    return executor


def worker_slots(nodes: Sequence[Mapping[str, Any]], local: int) -> list[WorkerSlot]:
    """Return where workers belong on Ray's nodes: with `local` that many on each, else one for each GPU or machine."""
    found = []
    for node in nodes:
        cpus, gpus = (node["Resources"].get(name, 0.0) for name in ("CPU", "GPU"))
        if not node["Alive"] or not cpus:
            continue
        count = local or max(1, int(gpus))
        for index in range(count):
            name = f"{node['NodeManagerAddress']}/{index + 1}"
            found.append(WorkerSlot(node["NodeID"], index, name, max(1, int(cpus) // count), min(1.0, gpus / count)))
    return found


class RayPool:
    """The workers of a Ray cluster."""

    def __init__(self, where: str, local: int) -> None:
        """Start Ray on this machine for a number of workers, or join the cluster at an address; raise DemoError."""
        self._local = local
        self._ray = _started(where, local)
        self._actors: dict[WorkerSlot, RayWorker] = {}
        self._actor_class = self._ray.remote(FilmWorker)
        self.workers()  # imports more of Ray, which must not happen while another thread imports Gradio

    def workers(self) -> list["RayWorker"]:
        """Return a worker for each slot, starting those that are not there yet; raise WorkerLostError."""
        with ray_errors("the cluster"):
            wanted = worker_slots(self._ray.nodes(), self._local)
        for slot in self._actors.keys() - set(wanted):
            del self._actors[slot]
        for slot in wanted:
            known = self._actors.get(slot)
            if known is None or (known.lost_since and time.monotonic() - known.lost_since > RENEW_SECONDS):
                self._actors[slot] = self._start(slot)
        return list(self._actors.values())

    def share(self, file: bytes) -> list[Any]:
        """Put a file where every worker can get it."""
        return [self._ray.put(file)]  # in a list, or Ray would bring it along with every film

    def _start(self, slot: WorkerSlot) -> "RayWorker":
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        actor = self._actor_class.options(
            num_cpus=1,
            num_gpus=slot.gpus,
            max_restarts=-1,
            max_task_retries=0,  # a film goes on from where it stands, and not from its beginning
            max_concurrency=MOST_FILMS,
            scheduling_strategy=NodeAffinitySchedulingStrategy(slot.node, soft=False),
        ).remote(slot.threads)
        return RayWorker(actor, slot.name)


class RayWorker:
    """An actor that makes films."""

    def __init__(self, actor: Any, name: str) -> None:
        self._actor, self.name = actor, name
        self.lost_since = 0.0  # when it turned out that it will not come back, by the monotonic clock

    async def hello(self) -> WorkerInfo:
        """Ask what it is, once it has started."""
        with self._errors():
            try:
                hello: WorkerInfo = await asyncio.wait_for(self._actor.hello.remote(), HELLO_SECONDS)
            except asyncio.TimeoutError:
                raise WorkerLostError(say("it has not started yet: is a processor free on its machine?")) from None
            return hello

    async def film(self, job: FilmJob, state: WalkState, files: Mapping[str, Any]) -> AsyncGenerator[StepMessage, None]:
        """Let it go on with a film, and yield its steps."""
        import ray

        with self._errors():
            options = {"num_returns": "streaming", "_generator_backpressure_num_objects": AHEAD}
            stream = self._actor.film.options(**options).remote(job, state, files)
            try:
                async for step in stream:
                    yield await step
            finally:
                with contextlib.suppress(Exception):  # over, or its worker gone: then there is nothing to cancel
                    ray.cancel(stream)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        from ray.exceptions import ActorDiedError

        with ray_errors(self.name):
            try:
                yield
            except ActorDiedError:
                self.lost_since = self.lost_since or time.monotonic()
                raise


@contextlib.contextmanager
def ray_errors(name: str) -> Iterator[None]:
    """Turn Ray's errors into WorkerLostError, and pass on those of the work itself."""
    from ray.exceptions import RayError, RayTaskError

    try:
        yield
    except RayTaskError as error:
        raise error.cause from None
    except RayError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise WorkerLostError(lines[-1].split(". ")[0] if lines else say("{name} does not answer", name=name)) from None


def check_reachable(address: str) -> None:
    """Raise OSError unless something listens at HOST:PORT: Ray itself would wait for it for a minute and a half."""
    host, _, port = address.rpartition(":")
    if host:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()


def _started(where: str, local: int) -> Any:
    """Import Ray and start it, or join it, without its dashboard and telemetry; raise DemoError if it cannot be."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if local:  # the one way to keep Ray's ports on the loopback: what it does on macOS and Windows by itself
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        if "RAY_AUTH_MODE" not in os.environ:  # else Ray would write a token into the user's home
            os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if not local:
            check_reachable(where)
        import ray

        if local:
            folder = tempfile.mkdtemp(prefix="ddpm-ray-", dir="/tmp" if os.name == "posix" else None)
            atexit.register(shutil.rmtree, folder, ignore_errors=True)  # sockets, so its name must be short; and logs
            cpus = max(local, os.cpu_count() or 1)
            ray.init(
                num_cpus=cpus, include_dashboard=False, object_store_memory=STORE_BYTES, _temp_dir=folder, **options
            )
        else:
            ray.init(address=where, **options)
    except Exception as error:
        why = (str(error) or type(error).__name__).splitlines()[0]
        if isinstance(error, ConnectionError) and not isinstance(error, ConnectionRefusedError):
            why += "; if it asks for a token, set RAY_AUTH_MODE=token here, too"
        raise DemoError(f"cannot start with the cluster {where}: {why}") from None
    atexit.register(ray.shutdown)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # Ray's own prints where it stood in C++
    return ray
