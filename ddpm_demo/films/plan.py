"""A film as numbers, for code that makes it without PyTorch: the browser only adds them up."""

from dataclasses import asdict
from functools import lru_cache
from typing import Any

from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.films.film_job import FilmJob

KEPT_WALKS = 16  # a class draws with few settings, each student with another seed


def film_plan(job: FilmJob, schedule: Schedule) -> dict[str, Any]:
    """Return the walk of a film as plain JSON: what `sampling.Walk` would do; every number is a float64.

    `steps` are those of `planned_steps`. `guidance` says where a guide has a part, None without one. Raises ConfigError
    when its steps exceed the schedule.
    """
    interval = job.interval
    guidance = {"weight": job.weight, "first": interval.first, "last": interval.last} if job.guide else None
    steps = list(planned_steps(schedule, job.config))
    return {"seed": job.seed, "n": job.n, "clip": job.config.clip, "guidance": guidance, "steps": steps}


@lru_cache(maxsize=KEPT_WALKS)
def planned_steps(schedule: Schedule, config: SamplerConfig) -> tuple[dict[str, Any], ...]:
    """Return the steps of a walk in order, which whoever asks for the same shares: nobody may change them.

    Each has its `t`, `s`, `std`, and its `calls` of the network: at which t, with which alpha_bar, and the
    `samplers.Coefficients` of what comes of the answer. Raises ConfigError when the steps exceed the schedule.
    """
    steps, t_before = list[dict[str, Any]](), None
    timesteps = schedule.timesteps(config.steps)
    for t, s in zip(timesteps, [*timesteps[1:], -1], strict=True):
        calls = []
        for number, factors in enumerate(SAMPLERS[config.kind].coefficients(schedule, config, t, s, t_before)):
            asked_at = s if number else t  # a rule that asks again asks about the picture that it has come to
            calls.append({"t": asked_at, "alpha_bar": schedule.alpha_bar_at(asked_at), **asdict(factors)})
        steps.append({"t": t, "s": s, "std": calls[-1]["std"], "calls": calls})
        t_before = calls[-1]["t"]
    return tuple(steps)
