"""Films that the visitor's own device makes: the server gives the numbers of every step, and the weights.

GET /ddpm/plan?settings=[...]     the film of these settings, as `film.event_stream` reads them, for the device
GET /ddpm/plan?run=NAME           the race, branches or completion of this name, for the device
GET /ddpm/weights/DIGEST          the checkpoint file with this SHA-256, which a plan or an answer names
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.samplers import SAMPLERS, Coefficients, SamplerConfig
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.explaining.written_step import clean_in_words, named_factors
from ddpm_demo.films.film_job import frame_indices
from ddpm_demo.films.plan import KEPT_WALKS, film_plan, planned_steps
from ddpm_demo.ui.film.broadcasts import Broadcasts
from ddpm_demo.ui.film.device_run import NO_CLASSIFIER, NO_FILE, PlannedRun
from ddpm_demo.ui.film.event_stream import open_networks, settings_of_film
from ddpm_demo.ui.film.film_link import link_text
from ddpm_demo.ui.film.film_settings import FilmSettings
from ddpm_demo.ui.film.films import kept_steps
from ddpm_demo.ui.film.stream import film_job, new_film
from ddpm_demo.ui.film.take_home import program
from ddpm_demo.ui.parts.bridge import sentence_of
from ddpm_demo.ui.parts.run_stream import GONE
from ddpm_demo.ui.parts.shared_runs import RUNS, SharedRuns
from ddpm_demo.ui.parts.weights import WEIGHTS
from ddpm_demo.ui.ready_files import FOR_EVER
from ddpm_demo.ui.words.visitor import for_visitor
from ddpm_demo.words.sentence import say

PLAN_PATH = "/ddpm/plan"
WEIGHTS_PATH = "/ddpm/weights"
WEIGHTS_HEADERS = {"cache-control": FOR_EVER, "x-content-type-options": "nosniff"}


def device_routes(checkpoints: Mapping[str, Path], broadcasts: Broadcasts) -> list[BaseRoute]:
    """Return the routes by which the page makes films of these checkpoints itself."""

    async def plan(request: Request) -> Response:
        try:
            run = request.query_params.get("run")
            if run is not None:
                answer = await anyio.to_thread.run_sync(device_run, broadcasts, run)
            else:
                settings = settings_of_film(request.query_params.get("settings"))
                answer = await anyio.to_thread.run_sync(device_film, checkpoints, broadcasts, settings)
        except Exception as error:
            answer = {"error": sentence_of(error)}
        return JSONResponse(for_visitor(answer), headers={"cache-control": "no-store"})

    async def weights(request: Request) -> Response:
        file = WEIGHTS.get(request.path_params["digest"])
        if file is None:
            return Response("no such weights", status_code=404, headers={"cache-control": "no-store"})
        return Response(file, media_type="application/octet-stream", headers=WEIGHTS_HEADERS)

    return [Route(PLAN_PATH, plan), Route(WEIGHTS_PATH + "/{digest}", weights)]


def device_film(checkpoints: Mapping[str, Path], broadcasts: Broadcasts, settings: FilmSettings) -> dict[str, Any]:
    """Return what a page needs to make a film itself; raise ConfigError if there is none with these settings.

    `plan` is `films.plan.film_plan`'s, its steps with the `terms` of their sums; `frames` are the steps to show.
    `server` says whether the film is there already, or under way, and how many seconds it would take. `only_server`
    says in words why no device can make it; it is empty if one can.
    """
    loaded, guide = open_networks(checkpoints, settings)
    job = film_job(loaded, settings, guide)
    plan, config = film_plan(job, loaded.schedule), settings.config
    plan["steps"] = written_steps(loaded.schedule, config)
    frames = frame_indices(loaded.schedule, [step["t"] for step in plan["steps"]], kept_steps(settings.n))
    network, helper = WEIGHTS.offer(loaded), WEIGHTS.offer(guide) if guide and job.guide else ""
    film = new_film(loaded, settings, guide)
    return {
        "run": job.key,
        "plan": plan,
        "frames": frames,
        "rule": SAMPLERS[config.kind].formula,
        "clean": clean_in_words(config),
        "network": network,
        "guide": helper,
        "only_server": why_only_server(settings, network, helper, guided=bool(job.guide)),
        "server": broadcasts.outlook(job, len(plan["steps"])),
        "link": link_text(settings),
        "python": program(settings, film.network, film.guide),
        "settings": json.dumps(asdict(settings)),
    }


def device_run(broadcasts: Broadcasts, name: str, runs: SharedRuns = RUNS) -> dict[str, Any]:
    """Return what a page needs to make a run itself: `walks`, with what its messages say of all of them.

    `server` and `only_server` are as in `device_film`. Raises ConfigError when there is no such run.
    """
    run = runs.get(name)
    if run is None:
        raise ConfigError(GONE)
    planned: PlannedRun | None = run.plan() if run.plan else None
    if planned is None or planned.only_server:
        return {"only_server": planned.only_server if planned else say("it is nothing that a device makes")}
    walks = [
        {"plan": walk.plan, "frames": walk.frames, "network": walk.network, "guide": walk.guide}
        for walk in planned.walks
    ]
    seconds = broadcasts.seconds_for([(walk.job, len(walk.plan["steps"])) for walk in planned.walks])
    server = {"here": bool(run.messages), "seconds": seconds}
    return {"walks": walks, "only_server": "", "server": server, **planned.facts}


@lru_cache(maxsize=KEPT_WALKS)
def written_steps(schedule: Schedule, config: SamplerConfig) -> tuple[dict[str, Any], ...]:
    """Return the steps of a walk, as `plan.planned_steps` does, each with the `terms` of its sum."""
    return tuple({**step, "terms": terms_of(config, step)} for step in planned_steps(schedule, config))


def terms_of(config: SamplerConfig, step: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the sum of a planned step: which picture, its words, and its factor."""
    last = step["calls"][-1]
    numbers = Coefficients(**{each.name: last[each.name] for each in fields(Coefficients)})
    named = named_factors(config, numbers, asked_again=len(step["calls"]) > 1)
    return [{"picture": picture, "name": name, "coefficient": factor} for picture, name, factor in named]


def why_only_server(settings: FilmSettings, network: str, guide: str, *, guided: bool) -> str:
    """Return why a film cannot be made on the visitor's device, empty if it can."""
    if settings.digit is not None:
        return NO_CLASSIFIER
    if not network or (guided and not guide):
        return NO_FILE
    return ""
