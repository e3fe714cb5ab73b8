"""What the visitor's own device may make besides films: races, completions and branches, as walks by plan."""

from dataclasses import dataclass, field
from typing import Any

from ddpm_demo.films.film_job import FilmJob, frame_indices
from ddpm_demo.films.plan import film_plan
from ddpm_demo.networks.loaded_networks import LoadedNetwork
from ddpm_demo.ui.parts.weights import WEIGHTS
from ddpm_demo.words.sentence import say

NO_CLASSIFIER = say("a digit is asked for, and only the server has the classifier for that")
NO_FILE = say("its network is not in a file that could be sent")
NO_DIGITS = say("a perfect network takes part, and only the server has the digits that it knows")


@dataclass(frozen=True)
class PlannedWalk:
    """A walk for the device: what it is, `films.plan.film_plan`, which steps to show, and its networks by digest."""

    job: FilmJob
    plan: dict[str, Any]
    frames: list[int]
    network: str
    guide: str

    @property
    def only_server(self) -> str:
        """Why no device can make it, empty if one can."""
        return "" if self.network and (self.guide or not self.job.guide) else NO_FILE


@dataclass(frozen=True)
class PlannedRun:
    """What a device makes: its walks one after the other, what the page says of them, and why only the server can."""

    walks: tuple[PlannedWalk, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    refused: str = ""

    @property
    def only_server(self) -> str:
        """Why no device can make it, empty if one can."""
        return next(filter(None, [self.refused, *[walk.only_server for walk in self.walks]]), "")


def planned_walk(
    job: FilmJob, loaded: LoadedNetwork, guide: LoadedNetwork | None, *, shown: int, **given: Any
) -> PlannedWalk:
    """Return the walk of a job, of whose steps at most `shown` are; `given` is for `film_plan`. Raises ConfigError."""
    plan = film_plan(job, loaded.schedule, **given)
    frames = frame_indices(loaded.schedule, [step["t"] for step in plan["steps"]], shown)
    helper = WEIGHTS.offer(guide) if guide is not None and job.guide else ""
    return PlannedWalk(job, plan, frames, WEIGHTS.offer(loaded), helper)
