"""The race, and the small experiments: up to four settings from the same x_T and seed, side by side."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.guidance import ClassifierGuidance
from ddpm_demo.core.sampling import EpsModel, sample, start_noise, to_uint8
from ddpm_demo.films.film_job import FilmJob, frame_indices
from ddpm_demo.films.plan import Way
from ddpm_demo.machine.scheduler import NETWORK, InTurn
from ddpm_demo.networks.guidance_settings import DigitConfig
from ddpm_demo.networks.ideal_checkpoints import load_ideal
from ddpm_demo.networks.loaded_networks import LoadedNetwork, classifier_at
from ddpm_demo.ui.film.contrast import contrast, training_grey
from ddpm_demo.ui.film.device_run import NO_CLASSIFIER, NO_DIGITS, PlannedRun, planned_walk
from ddpm_demo.ui.film.experiments import Lane
from ddpm_demo.ui.parts.frames import packed
from ddpm_demo.ui.parts.readers import MAX_SEED, whole
from ddpm_demo.words.sentence import say

MAX_LANES = 4
MAX_RACERS = 8  # digits a lane
LANE_STEPS = 40
RACE_MESSAGES_PER_SECOND = 10


@dataclass
class _Clock:
    """What has been drawn of a lane, and since when."""

    begun: float = field(default_factory=time.perf_counter)
    sent: float = 0.0
    frames: int = 0
    pending: list[torch.Tensor] = field(default_factory=list)
    times: list[int] = field(default_factory=list)


def race(
    loaded: LoadedNetwork,
    lanes: Sequence[Lane],
    *,
    count: object,
    seed: object,
    interpolate: bool = False,
    ten: bool = False,
    guide: LoadedNetwork | None = None,
) -> Iterator[dict[str, Any]]:
    """Run lanes one after the other from one x_T, yielding messages with their frames x_t; raise ConfigError.

    With `ten` a lane is ten digits from one noise, asked for 0 to 9.

    One after the other, so that each lane's time is its own.
    """
    n, seed = whole(say("the number of digits"), count, 1, MAX_RACERS), whole(say("the seed"), seed, 0, MAX_SEED)
    n = 10 if ten else n
    same, schedule = race_facts(loaded, lanes, n, in_a_row=interpolate or ten), loaded.schedule
    steps, made = sum(lane.config.steps for lane in lanes), 0
    for k, lane in enumerate(lanes):
        generator = torch.Generator().manual_seed(seed)
        x_T = start_noise(n, loaded.channels, 28, generator)
        if interpolate:
            x_T = arc(x_T)
        if ten:
            x_T = x_T[:1].expand(n, -1, -1, -1).clone()
        if lane.z_offset:
            generator = torch.Generator().manual_seed(other_seed(seed, lane))
        timesteps = schedule.timesteps(lane.config.steps)
        shown, clock = set(frame_indices(schedule, timesteps, LANE_STEPS)), _Clock()
        denoiser = loaded.guided_by(guide, lane.weight)
        if lane.ideal:
            denoiser = load_ideal(lane.ideal, schedule, loaded.placement.device)
        model = InTurn(asked(loaded, denoiser, lane, ten=ten), NETWORK.film_turn)
        for step in sample(model, schedule, lane.config, x_T.to(loaded.placement.device), generator=generator):
            made += 1
            if step.index in shown:
                clock.pending.append(step.x_t)
                clock.times.append(step.t)
            now = time.perf_counter()
            if step.s < 0:
                clock.pending.append(step.x_s)
                clock.times.append(-1)
            elif now - clock.sent < 1 / RACE_MESSAGES_PER_SECOND:
                continue
            message = {
                **same,
                "lane": k,
                "first": clock.frames,
                "t": clock.times,
                "x_t": packed(clock.pending, 8),
                "seconds": now - clock.begun,
                "calls": (step.index + 1) * lane.calls // lane.config.steps,
                "done": made / steps,
            }
            if step.s < 0:
                message["lane_grey"] = float(to_uint8(step.x_s).double().mean())
            yield message
            clock.begun += time.perf_counter() - now  # what passed until the next one is wanted is not the lane's
            clock.frames += len(clock.times)
            clock.pending, clock.times, clock.sent = [], [], now


def race_facts(loaded: LoadedNetwork, lanes: Sequence[Lane], n: int, *, in_a_row: bool) -> dict[str, Any]:
    """Return what the page is told of a race before it begins; raise ConfigError when it has too many lanes."""
    if not 1 <= len(lanes) <= MAX_LANES:
        raise ConfigError("choose two to {most} settings for a race", most=MAX_LANES)
    names = [
        {"name": lane.name, "calls": lane.calls, "contrast": contrast(loaded.schedule, lane.config)} for lane in lanes
    ]
    return {"n": n, "size": 28, "in_a_row": in_a_row, "grey": training_grey(), "lanes": names}


def other_seed(seed: int, lane: Lane) -> int:
    """Return the seed of a lane whose noise on the way is its own."""
    return (seed + lane.z_offset) % 2**31


def race_plan(
    loaded: LoadedNetwork,
    lanes: Sequence[Lane],
    *,
    n: int,
    seed: int,
    interpolate: bool,
    ten: bool,
    guide: LoadedNetwork | None,
) -> PlannedRun:
    """Return the race as `race` makes it, for the visitor's device; raise ConfigError."""
    facts = race_facts(loaded, lanes, n, in_a_row=interpolate or ten)
    if ten or any(lane.wish for lane in lanes):
        return PlannedRun(refused=NO_CLASSIFIER)
    if any(lane.ideal for lane in lanes):
        return PlannedRun(refused=NO_DIGITS)
    walks = []
    for lane in lanes:
        helper, weight = (guide.digest, lane.weight) if guide is not None and lane.weight != 1 else ("", 1.0)
        job = FilmJob(loaded.digest, lane.config, n, seed, helper, weight)
        start = arc(start_noise(n, 1, 28, torch.Generator().manual_seed(seed))) if interpolate else None
        way = Way(other_seed(seed, lane)) if lane.z_offset else Way(seed, drawn=n * 28**2) if interpolate else None
        walks.append(planned_walk(job, loaded, guide, shown=LANE_STEPS, start=start, way=way))
    return PlannedRun(tuple(walks), facts)


def arc(noise: Tensor) -> Tensor:
    """Return noises (N, C, H, W) from the first to the last of these, on the great circle."""
    return slerp(noise[:1], noise[-1:], [i / max(1, len(noise) - 1) for i in range(len(noise))])


def slerp(start: Tensor, end: Tensor, weights: Sequence[float]) -> Tensor:
    """Return noises on the great circle from one to another, (len(weights), C, H, W); both (1, C, H, W).

    A straight line between two Gaussian noises passes through pictures that are too faint to be noise; the circle
    keeps their length (Shoemake 1985; Song et al. 2021, section 5.3, for DDIM).
    """
    cosine = float((start * end).sum() / (start.norm() * end.norm()))
    angle = math.acos(max(-1.0, min(1.0, cosine)))
    if angle < 1e-3:  # as far as float32 can tell the same noise: the circle is a point
        return start.expand(len(weights), *start.shape[1:]).clone()
    between = [
        math.sin((1 - u) * angle) / math.sin(angle) * start + math.sin(u * angle) / math.sin(angle) * end
        for u in weights
    ]
    return torch.cat(between)


def asked(loaded: LoadedNetwork, model: EpsModel, lane: Lane, *, ten: bool) -> EpsModel:
    """Return the model of a lane, asked for its digit, or for ten in a row, if it is to be."""
    if not ten and lane.wish is None:
        return model
    classifier = classifier_at(loaded.schedule, loaded.placement.device)
    wish = lane.wish or DigitConfig(0)
    digits = torch.arange(10) if ten else torch.tensor([wish.digit])
    return ClassifierGuidance(model, classifier, loaded.schedule, digits, wish.weight, wish)
