"""`ddpm-demo bench company`: whether a film depends on what else is being made, film by film.

The films differ in sampler, steps, number of digits and seed. Each is made alone first, and then all of them at once,
by the page's executor: in turns, and with several films in one call of the network, at different timesteps.
"""

import threading
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ddpm_demo.core.config import DemoError
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import to_uint8
from ddpm_demo.films.executor import LocalExecutor
from ddpm_demo.films.film_job import FilmJob, FilmStep, FilmWalk, film_alone
from ddpm_demo.machine.scheduler import Scheduler
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_placed, loaded_as
from ddpm_demo.store.files import GUIDE
from ddpm_demo.store.shipped import shipped_checkpoints

FILMS = 1000
COMPANIES = (1, 8)  # films in a call
SAMPLERS = (
    SamplerConfig(variance="beta", steps=8),
    SamplerConfig(variance="posterior", clip="x0", steps=5),
    SamplerConfig(kind="ddim", eta=0.5, steps=7),
    SamplerConfig(kind="dpmpp", clip="x0", steps=6),
)
MOST_DIGITS = 4


def bench_company(films: int = FILMS) -> Iterator[dict[str, Any]]:
    """Yield a row for films that take turns, and one for films that share calls; raise DemoError without a network.

    `same_bits` and `within_a_grey_level` count films whose digits equal those that were made alone to the last bit,
    and within one of 256 grey levels in every pixel; `apart` is the largest difference of all, in grey levels.
    """
    path = shipped_checkpoints().get(GUIDE)
    if path is None:
        raise DemoError(f"the checkpoint {GUIDE} is not shipped here, so there is no film to make")
    loaded = load_placed(path)
    jobs = [FilmJob(loaded.digest, SAMPLERS[k % len(SAMPLERS)], 1 + k % MOST_DIGITS, k) for k in range(films)]
    alone = [made_alone(loaded, job) for job in jobs]
    for films_per_call in COMPANIES:
        together = made_together(loaded, jobs, films_per_call)
        apart = [grey_levels_apart(a, b) for a, b in zip(alone, together, strict=True)]
        yield {
            "films": films,
            "films_a_call": films_per_call,
            "device": str(loaded.placement.device),
            "dtype": loaded.placement.dtype_name,
            "same_bits": sum(torch.equal(a, b) for a, b in zip(alone, together, strict=True)),
            "within_a_grey_level": sum(each <= 1 for each in apart),
            "apart": max(apart),
        }


def made_alone(loaded: LoadedNetwork, job: FilmJob) -> Tensor:
    """Return a film's digits (N, C, H, W), made with nobody around."""
    *_, last = film_alone(loaded, None, FilmWalk(job, loaded.schedule))
    return last.step.x_s.cpu()


class _Viewer:
    """Whoever wanted one of the films: `over` is called once, at its end."""

    def __init__(self, walk: FilmWalk, over: threading.Semaphore) -> None:
        self.walk, self._over = walk, over
        self.error: Exception | None = None

    def deliver(self, _: FilmStep) -> None:
        if not self.walk.left:
            self._over.release()

    def fail(self, error: Exception) -> None:
        self.error = error
        self._over.release()


def made_together(loaded: LoadedNetwork, jobs: list[FilmJob], films_per_call: int) -> list[Tensor]:
    """Return the digits of films that are made at once, so many in a call; raise what ended one of them."""
    executor, over = LocalExecutor(loaded_as, Scheduler()), threading.Semaphore(0)
    executor.films_per_call[(loaded.digest, "")] = films_per_call
    viewers = [_Viewer(FilmWalk(job, loaded.schedule), over) for job in jobs]
    for viewer in viewers:
        executor.begin(viewer.walk, viewer)
    for _ in viewers:
        over.acquire()
    for viewer in viewers:
        if viewer.error is not None:
            raise viewer.error
    return [viewer.walk.x.cpu() for viewer in viewers]


def grey_levels_apart(a: Tensor, b: Tensor) -> int:
    """Return the largest difference of two films' digits, in grey levels."""
    return int((to_uint8(a).int() - to_uint8(b).int()).abs().max())
