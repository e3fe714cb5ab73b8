"""The race, and the small experiments: up to four settings from the same x_T and seed, side by side."""

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from gradio.components import Component

from ddpm_demo.config import ConfigError, DemoError, SamplerConfig
from ddpm_demo.sampling import frame_indices, sample, slerp, start_noise
from ddpm_demo.ui.components import MAX_SEED, browser_component, whole
from ddpm_demo.ui.loaded import Loaded, load_placed
from ddpm_demo.ui.stream import packed
from ddpm_demo.ui.turns import InTurn

LESSON = """
## The race, and small experiments
The same x_T and the same seed, with up to four rules side by side under one slider; beside each the number of network
calls and the time they took here. Each experiment below is one click, with the checkpoint and the seed chosen above.
"""
MAX_LANES = 4
MAX_RACERS = 8  # digits a lane
KEPT_STEPS = 40
MESSAGES_PER_SECOND = 10


@dataclass(frozen=True)
class Lane:
    """One setting in a race; `z_offset` other than 0 draws other noise on the way, from the same x_T."""

    name: str
    config: SamplerConfig
    z_offset: int = 0


@dataclass(frozen=True)
class Experiment:
    """Lanes to run with one click, what to look for, and where it comes from.

    `interpolate` makes the digits of a lane start on the great circle between two noises.
    """

    lanes: tuple[Lane, ...]
    look: str
    source: str
    interpolate: bool = False


def _lane(name: str, z_offset: int = 0, **settings: Any) -> Lane:
    return Lane(name, SamplerConfig(**{"clip": "x0", **settings}), z_offset)


LANES = {
    lane.name: lane
    for lane in (
        _lane("DDPM, 1000 steps", steps=1000),
        _lane("DDPM, 50 steps", steps=50),
        _lane("DDPM, 10 steps", steps=10),
        _lane("DDIM, 50 steps", kind="ddim", steps=50),
        _lane("DDIM, 10 steps", kind="ddim", steps=10),
        _lane("DDIM, η = 1, 50 steps", kind="ddim", eta=1.0, steps=50),
        _lane("DPM-Solver++(2M), 20 steps", kind="dpmpp", steps=20),
        _lane("DPM-Solver++(2M), 10 steps", kind="dpmpp", steps=10),
    )
}
EXPERIMENTS = {
    "1000, 50 and 10 steps": Experiment(
        (LANES["DDPM, 1000 steps"], LANES["DDPM, 50 steps"], LANES["DDIM, 50 steps"], LANES["DDIM, 10 steps"]),
        "Compare the calls and the times first, then the digits. DDIM's 50 and 10 steps follow the same curve from "
        "x_T, so they often agree on the digit; DDPM adds noise on the way and goes elsewhere, and in 50 steps it "
        "leaves grain.",
        "Ho et al. 2020, Algorithm 2; Song et al. 2021, section 5.1",
    ),
    "Three ways of clipping": Experiment(
        (
            _lane("clip nothing", clip="none", steps=200),
            _lane("clip x̂₀", clip="x0", steps=200),
            _lane("clamp x_t", clip="x_t", steps=200),
        ),
        "Noise mostly lies between −2 and 2: clamping x_t to [−1, 1] at every step takes away a part of it that the "
        "network expects to see; look at the paper between the strokes. Clipping x̂₀ only says that the "
        "finished pixels are between black and white.",
        "the spec clips nothing; Ho et al.'s code clips x̂₀; Jackson-Kang's tutorial notebook clamps x_t",
    ),
    "Noise at the last step or not": Experiment(
        (
            _lane("noise only for t > 1 (the spec)", steps=1000, clip="none"),
            _lane("noise for t > 0 (Ho et al.)", steps=1000, clip="none", final_noise="ho"),
        ),
        "Everything up to t = 1 is the same to the last bit, and then one draw of noise with σ = 0.011 differs. You "
        "will not see it in the digits: look at the difference image, and at how few grey levels it is.",
        "the spec's `if t > 1` against Ho et al. 2020, Algorithm 2, which counts t from 1",
    ),
    "η from 0 to 1": Experiment(
        tuple(_lane(f"η = {eta:.2g}", kind="ddim", eta=eta, steps=50) for eta in (0.0, 0.35, 0.7, 1.0)),
        "η = 0 adds no noise and x_T decides everything. The more is added on the way, the less is left of that "
        "decision.",
        "Song et al. 2021, equations 12 and 16",
    ),
    "The same x_T, other noise on the way": Experiment(
        (
            _lane("DDPM, noise of this seed", variance="posterior", steps=100),
            _lane("DDPM, other noise", 1, variance="posterior", steps=100),
            _lane("DDIM, this seed", kind="ddim", steps=100),
            _lane("DDIM, other seed", 1, kind="ddim", steps=100),
        ),
        "Every lane starts from one x_T. DDPM comes to other digits, because fresh noise helps to decide; DDIM draws "
        "none, so its two pictures are equal in every pixel.",
        "Song et al. 2021, section 4.1",
    ),
    "From one noise to another": Experiment(
        (_lane("DDIM between two x_T", kind="ddim", steps=50),),
        "The first and the last digit have noises of their own, those between them lie on the circle from one to the "
        "other. The digits change step by step, and what lies between two digits is often a digit too.",
        "Song et al. 2021, section 5.3",
        interpolate=True,
    ),
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
    loaded: Loaded, lanes: Sequence[Lane], *, count: object, seed: object, interpolate: bool = False
) -> Iterator[dict[str, Any]]:
    """Run lanes one after the other from one x_T, yielding messages with their frames x_t; raise ConfigError.

    One after the other, so that each lane's time is its own.
    """
    n, seed = whole("the number of digits", count, 1, MAX_RACERS), whole("the seed", seed, 0, MAX_SEED)
    if not 1 <= len(lanes) <= MAX_LANES:
        raise ConfigError(f"choose two to {MAX_LANES} settings for a race")
    schedule, run = loaded.schedule, secrets.token_hex(8)
    same = {
        "run": run,
        "n": n,
        "size": 28,
        "in_a_row": interpolate,
        "lanes": [{"name": lane.name, "calls": lane.config.steps} for lane in lanes],
    }
    calls, made = sum(lane.config.steps for lane in lanes), 0
    for k, lane in enumerate(lanes):
        generator = torch.Generator().manual_seed(seed)
        x_T = start_noise(n, loaded.model.config.image_channels, 28, generator)
        if interpolate:
            x_T = slerp(x_T[:1], x_T[-1:], [i / max(1, n - 1) for i in range(n)])
        if lane.z_offset:
            generator = torch.Generator().manual_seed((seed + lane.z_offset) % 2**31)
        timesteps = schedule.timesteps(lane.config.steps)
        shown, clock = set(frame_indices(schedule, timesteps, KEPT_STEPS)), _Clock()
        model = InTurn(loaded.model)
        for step in sample(model, schedule, lane.config, x_T.to(loaded.placement.device), generator=generator):
            made += 1
            if step.index in shown:
                clock.pending.append(step.x_t)
                clock.times.append(step.t)
            now = time.perf_counter()
            if step.s < 0:
                clock.pending.append(step.x_s)
                clock.times.append(-1)
            elif now - clock.sent < 1 / MESSAGES_PER_SECOND:
                continue
            yield {
                **same,
                "lane": k,
                "first": clock.frames,
                "t": clock.times,
                "x_t": packed(clock.pending, 8),
                "seconds": now - clock.begun,
                "calls": step.index + 1,
                "done": made / calls,
            }
            clock.frames += len(clock.times)
            clock.pending, clock.times, clock.sent = [], [], now


def build_race(checkpoints: dict[str, Path], which: Component, seed: Component) -> None:
    """Lay out the race below the film and connect it; checkpoint and seed are the film's."""

    def run(name: str, lanes: Sequence[Lane], count: Any, seed: Any, interpolate: bool) -> Iterator[dict[str, Any]]:
        if name not in checkpoints:
            raise gr.Error("choose one of the listed checkpoints", print_exception=False)
        try:
            loaded = load_placed(checkpoints[name])
            yield from race(loaded, lanes, count=count, seed=seed, interpolate=interpolate)
        except DemoError as error:
            raise gr.Error(str(error), print_exception=False) from None

    def run_experiment(title: str) -> Any:
        experiment = EXPERIMENTS[title]
        words = f"### {title}\n**What to look for.** {experiment.look}\n\n**Source:** {experiment.source}."

        def answer(name: str, count: Any, seed: Any) -> Iterator[tuple[str, dict[str, Any]]]:
            count = MAX_RACERS if experiment.interpolate else count
            for value in run(name, experiment.lanes, count, seed, experiment.interpolate):
                yield words, value

        return answer

    def run_chosen(name: str, chosen: Any, count: Any, seed: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        if not isinstance(chosen, list) or not 2 <= len(chosen) <= MAX_LANES or not set(chosen) <= set(LANES):
            raise gr.Error(f"choose two to {MAX_LANES} of the listed settings for a race", print_exception=False)
        for value in run(name, [LANES[lane] for lane in chosen], count, seed, False):
            yield "### A race of your own", value

    gr.Markdown(LESSON)
    with gr.Row():
        buttons = {title: gr.Button(title, min_width=340) for title in EXPERIMENTS}
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
    film = browser_component("race", None, elem_id="race-film")
    options: dict[str, Any] = {
        "show_progress": "hidden",
        "concurrency_limit": 16,
        "concurrency_id": "network",
        "api_visibility": "private",
    }
    runs: list[Any] = [
        button.click(run_experiment(title), [which, count, seed], [words, film], **options)
        for title, button in buttons.items()
    ]
    runs.append(go.click(run_chosen, [which, chosen, count, seed], [words, film], **options))
    stop.click(None, None, None, cancels=runs, show_progress="hidden", queue=False, api_visibility="private")
