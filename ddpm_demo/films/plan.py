"""A film as numbers, for code that makes it without PyTorch: the browser only adds them up."""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from torch import Tensor

from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.films.film_job import FilmJob

KEPT_WALKS = 16  # a class draws with few settings, each student with another seed


@dataclass(frozen=True)
class Way:
    """Where the noise on the way comes from: a generator's seed, and how many numbers were drawn of it before."""

    seed: int
    drawn: int = 0


def film_plan(
    job: FilmJob,
    schedule: Schedule,
    *,
    steps: Sequence[dict[str, Any]] | None = None,
    start: Tensor | None = None,
    way: Way | None = None,
    known: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the walk of a film as plain JSON: what `sampling.Walk` would do; every number is a float64.

    `steps` are those of `planned_steps` for the job, or others that are given. `guidance` says where a guide has a
    part, None without one. A walk begins at noise of the job's seed, which draws on for the way, unless `start`
    (N or 1, 1, 28, 28) is its picture, or `way` the noise. `known` is what `known_part` returns, for steps of
    `completion_steps`. Raises ConfigError when its steps exceed the schedule.
    """
    interval = job.interval
    guidance = {"weight": job.weight, "first": interval.first, "last": interval.last} if job.guide else None
    return {
        "seed": job.seed,
        "n": job.n,
        "clip": job.config.clip,
        "guidance": guidance,
        "steps": list(planned_steps(schedule, job.config) if steps is None else steps),
        "start": None if start is None else _packed(start.float().numpy(), "<f4"),
        "way": None if way is None else asdict(way),
        "known": known,
    }


def known_part(x0: Tensor, known: Tensor) -> dict[str, str]:
    """Return what is known of a picture, x0 and where it holds, both (1, 1, 28, 28), for a plan."""
    return {"x0": _packed(x0.float().numpy(), "<f4"), "mask": _packed(known.numpy(), "u1")}


def _packed(array: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, kind).tobytes()).decode("ascii")


@lru_cache(maxsize=KEPT_WALKS)
def planned_steps(schedule: Schedule, config: SamplerConfig, start: int | None = None) -> tuple[dict[str, Any], ...]:
    """Return the steps of a walk in order, which whoever asks for the same shares: nobody may change them.

    Each has its `t`, `s`, `std`, and its `calls` of the network: at which t, with which alpha_bar, and the
    `samplers.Coefficients` of what comes of the answer. The walk begins at `start`, at T - 1 if None. Raises
    ConfigError when the steps exceed the schedule.
    """
    steps, t_before = list[dict[str, Any]](), None
    timesteps = schedule.timesteps(config.steps, start)
    for t, s in zip(timesteps, [*timesteps[1:], -1], strict=True):
        steps.append(_planned_step(schedule, config, t, s, t_before))
        t_before = steps[-1]["calls"][-1]["t"]
    return tuple(steps)


def _planned_step(schedule: Schedule, config: SamplerConfig, t: int, s: int, t_before: int | None) -> dict[str, Any]:
    calls = []
    for number, factors in enumerate(SAMPLERS[config.kind].coefficients(schedule, config, t, s, t_before)):
        asked_at = s if number else t  # a rule that asks again asks about the picture that it has come to
        calls.append({"t": asked_at, "alpha_bar": schedule.alpha_bar_at(asked_at), **asdict(factors)})
    return {"t": t, "s": s, "std": calls[-1]["std"], "calls": calls}


@lru_cache(maxsize=KEPT_WALKS)
def completion_steps(schedule: Schedule, config: SamplerConfig, jumps: int) -> tuple[dict[str, Any], ...]:
    """Return the steps of `inpainting.complete`, a step that is taken again standing there again, shared as above.

    After each the known part is x0 times `given.x0` plus noise times `given.z`; before one that is taken again the
    picture is itself times `back.x` plus noise times `back.z`, and nothing is known of the clean image before.
    Raises ConfigError when the steps exceed the schedule.
    """
    steps = list[dict[str, Any]]()
    for step in planned_steps(schedule, config):
        t, s = step["t"], step["s"]
        alpha_bar = schedule.alpha_bar_at(s)
        given = {"x0": math.sqrt(alpha_bar), "z": math.sqrt(1 - alpha_bar)}
        steps.append({**step, "given": given})
        if s >= 0:
            beta = schedule.step_beta(t, s)
            back = {"x": math.sqrt(1 - beta), "z": math.sqrt(beta)}
            steps += [{**_planned_step(schedule, config, t, s, None), "given": given, "back": back}] * jumps
    return tuple(steps)
