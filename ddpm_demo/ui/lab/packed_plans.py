"""The plans of all films that the lab offers, small: what does not change from step to step stands there once."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ddpm_demo.core.samplers import SAMPLERS, Coefficients, SamplerConfig
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.explaining.written_step import clean_in_words, named_factors
from ddpm_demo.films.film_job import FilmJob, frame_indices
from ddpm_demo.films.plan import film_plan
from ddpm_demo.ui.film.contrast import contrast, training_grey
from ddpm_demo.ui.film.experiments import LANES
from ddpm_demo.ui.film.films import kept_steps
from ddpm_demo.ui.film.form_words import WORDS, said_sampler
from ddpm_demo.ui.film.race import LANE_STEPS, MAX_LANES, MAX_RACERS
from ddpm_demo.ui.parts.bridge import base64_of
from ddpm_demo.words.sentence import Sentence

FILM_STEPS = (5, 10, 20, 50, 100, 200)  # and as many as the schedule has
ETAS = (0.0, 0.5, 1.0)
FIRST_LANES = ("DDIM, 10 steps", "DPM-Solver++(2M), 10 steps")  # of a race
MOST_DIGITS = 16  # of a film: as many as a laptop draws in seconds, and keeps all steps of
_ALL = Coefficients(x_t=1.0, eps_hat=1.0, x0_hat=1.0, x0_before=1.0, std=1.0)


def offered_steps(schedule: Schedule) -> list[int]:
    """Return how many steps a film may have."""
    return [steps for steps in FILM_STEPS if steps < len(schedule)] + [len(schedule)]


def offered_samplers() -> list[dict[str, Any]]:
    """Return the rows of the table of samplers by their titles on the page, as `facts.js` describes them."""
    rows = []
    for title, settings in WORDS["sampler"].items():
        sampler = SAMPLERS[settings["sampler"]]
        rows.append(
            {
                "title": said_sampler(title),
                "settings": settings,
                "etas": list(ETAS) if "eta" in sampler.settings else [0.0],
                "formula": sampler.formula,
                "words": {clip: _words(settings["sampler"], clip) for clip in ("none", "x0", "x_t")},
            }
        )
    return rows


def offered_clips() -> dict[str, dict[str, str]]:
    """Return the ways of clipping: what the page calls them, and how x0_hat comes about."""
    clips = {known["clip"]: words for words, known in WORDS["clip"].items()}
    return {
        clip: {"words": Sentence(words, {}), "clean": clean_in_words(SamplerConfig(clip=clip))}
        for clip, words in clips.items()
    }


def packed_plans(schedule: Schedule, samplers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the plans of `offered_samplers` by `sampler/eta/steps`, their timesteps, and what a long one shows."""
    plans, timesteps, frames = {}, {}, {}
    for steps in offered_steps(schedule):
        timesteps[str(steps)] = times = schedule.timesteps(steps)
        shown = frame_indices(schedule, times, kept_steps(MOST_DIGITS))
        if len(shown) < steps:
            frames[str(steps)] = shown
        for number, row in enumerate(samplers):
            kind, variance, final_noise = (row["settings"][name] for name in ("sampler", "variance", "final_noise"))
            for eta in row["etas"]:
                config = SamplerConfig(kind, steps=steps, variance=variance, final_noise=final_noise, eta=eta)
                plan = film_plan(FilmJob("", config, n=1, seed=0), schedule)
                plans[f"{number}/{eta:g}/{steps}"] = _packed(plan["steps"])
    return {"plans": plans, "timesteps": timesteps, "frames": frames}


def offered_race(schedule: Schedule, samplers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the settings that can race, as the page's own race has them, where the lab has their plans."""
    lanes = []
    for name, lane in LANES.items():
        config = lane.config
        if config.steps not in offered_steps(schedule):
            continue
        rule = {"sampler": config.kind, "variance": config.variance, "final_noise": config.final_noise}
        row = [sampler["settings"] for sampler in samplers].index(rule)
        lanes.append(
            {
                "name": name,
                "first": name in FIRST_LANES,
                "calls": lane.calls,
                "contrast": contrast(schedule, config),
                "settings": {"sampler": row, "steps": config.steps, "eta": config.eta, "clip": config.clip},
                "frames": frame_indices(schedule, schedule.timesteps(config.steps), LANE_STEPS),
            }
        )
    return {"lanes": lanes, "most_lanes": MAX_LANES, "most_digits": MAX_RACERS, "grey": training_grey()}


def _words(kind: str, clip: Any) -> list[dict[str, str]]:
    """What the pictures of a step's sum are called, at its first call of the network and at a later one."""
    config = SamplerConfig(kind, clip=clip)
    return [
        {picture: name for picture, name, _ in named_factors(config, _ALL, asked_again=again)}
        for again in (False, True)
    ]


def _packed(steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    times = {name: [step[name] for step in steps] for name in ("t", "s")}
    calls = []
    for number in range(max(len(step["calls"]) for step in steps)):
        made = [step["calls"][number] for step in steps if number < len(step["calls"])]
        columns: dict[str, float | str] = {}
        for name in made[0]:
            if name == "t":  # asked at t, or again at s
                where = [call["t"] for call in made]
                columns["t"] = next(known for known, all_of in times.items() if all_of[: len(where)] == where)
            elif name not in ("alpha_bar", "std"):  # the network's table has the first, the step the second
                columns[name] = _column([call[name] for call in made])
        calls.append({"steps": len(made), "columns": columns})
    return {"std": _column([step["std"] for step in steps]), "calls": calls}


def _column(numbers: Sequence[float]) -> float | str:
    """The number that all are, or all of them: float64 in base64."""
    return numbers[0] if len(set(numbers)) == 1 else base64_of(np.array(numbers, np.float64))
