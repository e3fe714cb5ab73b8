"""The race, and the small experiments: up to four settings from the same x_T and seed, side by side."""

import math
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from gradio.components import Component
from torch import Tensor

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.guidance import ClassifierGuidance
from ddpm_demo.core.sampling import EpsModel, sample, start_noise, to_uint8
from ddpm_demo.films.film_job import FilmJob, frame_indices
from ddpm_demo.films.plan import Way
from ddpm_demo.machine.scheduler import NETWORK, InTurn
from ddpm_demo.networks.guidance_settings import DigitConfig
from ddpm_demo.networks.ideal_checkpoints import load_ideal
from ddpm_demo.networks.loaded_networks import LoadedNetwork, classifier_at, load_placed
from ddpm_demo.store.files import GUIDE
from ddpm_demo.ui.film.contrast import contrast, training_grey
from ddpm_demo.ui.film.device_run import NO_CLASSIFIER, NO_DIGITS, PlannedRun, planned_walk
from ddpm_demo.ui.film.experiments import EXPERIMENTS, LANES, Lane
from ddpm_demo.ui.film.form_words import NO_GUIDE
from ddpm_demo.ui.parts.bridge import AS_SENT, browser_component, event
from ddpm_demo.ui.parts.frames import packed
from ddpm_demo.ui.parts.readers import MAX_SEED, one_of, some_of, whole
from ddpm_demo.ui.parts.shared_runs import RUNS, SharedRun, origin

RACE_WORDS = """
The same x_T and the same seed, with up to four rules side by side under one slider; beside each, the number of
network calls and the time they took here, what its steps do to contrast whatever the network (given exact answers for
pixels of standard deviation 1, and nothing clipped; ×1.00 is right), and the mean grey of its digits, from 0 to 255.
"""
RACE_LESSON = f"""
## The race, and small experiments{RACE_WORDS}Each experiment below is one click, with the checkpoint and the seed of
the film; only the one about guidance uses a guide.
"""
MAX_LANES = 4
MAX_RACERS = 8  # digits a lane
LANE_STEPS = 40
RACE_MESSAGES_PER_SECOND = 10
ELEMENTS = {  # what a lesson leads to
    "1000, 50 and 10 steps": "experiment-steps",
    "The same x_T, other noise on the way": "experiment-same-x_T",
    "When is it decided which digit it will be?": "experiment-asked-in-parts",
    "Beside a perfect network": "experiment-ideal",
}


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
    n, seed = whole("the number of digits", count, 1, MAX_RACERS), whole("the seed", seed, 0, MAX_SEED)
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
        raise ConfigError(f"choose two to {MAX_LANES} settings for a race")
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


def worse_than(name: str, guide: Any, checkpoints: Mapping[str, Path]) -> Path:
    """Return the checkpoint of the chosen guide, or else the shipped one; raise ConfigError if it is not one."""
    if guide in (NO_GUIDE, name):
        guide = GUIDE
    refusal = "choose a guide above that is not the network itself"
    if guide == name:
        raise ConfigError(refusal)
    return checkpoints[one_of(guide, checkpoints, refusal)]


def build_race(checkpoints: dict[str, Path], which: Component, seed: Component, guide: Component) -> None:
    """Lay out the race below the film and connect it; checkpoint, seed and guide are the film's."""

    def run(
        name: str, lanes: Sequence[Lane], count: Any, seed: Any, guide: Any, interpolate: bool, ten: bool = False
    ) -> SharedRun:
        name = one_of(name, checkpoints, "choose one of the listed checkpoints")
        loaded = load_placed(checkpoints[name])
        other = None
        if any(lane.weight != 1 for lane in lanes):
            other = load_placed(worse_than(name, guide, checkpoints))
        n, seed = whole("the number of digits", count, 1, MAX_RACERS), whole("the seed", seed, 0, MAX_SEED)
        key = (loaded.digest, other and other.digest, *lanes, n, seed, interpolate, ten)
        settings: dict[str, Any] = {"seed": seed, "interpolate": interpolate, "ten": ten, "guide": other}
        return RUNS.ask(
            key,
            lambda: race(loaded, lanes, count=n, **settings),
            lambda: race_plan(loaded, lanes, n=n, **settings),
        )

    def show(words: str, run: SharedRun) -> tuple[str, dict[str, Any]]:
        press = secrets.token_hex(8)  # a visitor's second look at a run begins it again on the page
        return words, {"run": run.name, "press": press, "origin": origin(run)}

    def run_experiment(title: str) -> Any:
        experiment = EXPERIMENTS[title]
        words = f"### {title}\n**What to look for.** {experiment.look}\n\n**Source:** {experiment.source}."

        @event
        def answer(name: str, count: Any, seed: Any, guide: Any) -> tuple[str, dict[str, Any]]:
            count = MAX_RACERS if experiment.interpolate else count
            return show(words, run(name, experiment.lanes, count, seed, guide, experiment.interpolate, experiment.ten))

        return answer

    @event
    def run_chosen(name: str, chosen: Any, count: Any, seed: Any) -> tuple[str, dict[str, Any]]:
        refusal = f"choose two to {MAX_LANES} of the listed settings for a race"
        names = some_of(chosen, LANES, refusal)
        if not 2 <= len(names) <= MAX_LANES:
            raise ConfigError(refusal)
        run_of_these = run(name, [LANES[lane] for lane in names], count, seed, NO_GUIDE, False)
        return show("### A race of your own", run_of_these)

    gr.Markdown(RACE_LESSON, elem_id="race", elem_classes="ddpm-lesson")
    with gr.Row():
        buttons = {title: gr.Button(title, min_width=340, elem_id=ELEMENTS.get(title)) for title in EXPERIMENTS}
    with gr.Row():
        chosen = gr.CheckboxGroup(
            list(LANES),
            value=["DDIM, 10 steps", "DPM-Solver++(2M), 10 steps"],
            label="A race of your own",
            info="Two to four settings; all clip x̂₀.",
        )
        with gr.Column(min_width=260):
            count = gr.Slider(
                1,
                MAX_RACERS,
                value=4,
                step=1,
                label="Number in each lane",
                info="How many digits; the same x_T in every lane.",
            )
            with gr.Row():
                go = gr.Button("Race", variant="primary", min_width=100, elem_id="race-start")
                stop = gr.Button("Stop the race", variant="stop", min_width=100, elem_id="race-stop")
    words = gr.Markdown(elem_id="race-words")
    film = browser_component("film/race", None, elem_id="race-film")
    options: dict[str, Any] = {
        "show_progress": "hidden",
        "concurrency_limit": 16,
        "concurrency_id": "network",
        "api_visibility": "private",
        **AS_SENT,
    }
    runs: list[Any] = [
        button.click(run_experiment(title), [which, count, seed, guide], [words, film], **options)
        for title, button in buttons.items()
    ]
    runs.append(go.click(run_chosen, [which, chosen, count, seed], [words, film], **options))
    stopped = "() => ({ stop: Date.now() })"  # the page reads the run, and stops reading it
    stop.click(
        None, None, film, js=stopped, cancels=runs, show_progress="hidden", queue=False, api_visibility="private"
    )
