"""The Generate tab: digits out of pure noise, every frame on the screen as it is made."""

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import torch

from ddpm_demo.config import ConfigError, DemoError, SamplerConfig
from ddpm_demo.sampling import sample, start_noise, to_uint8
from ddpm_demo.ui.components import MAX_SEED, base64_of, browser_component, whole
from ddpm_demo.ui.loaded import Loaded, load_placed

LESSON = """
## The reverse process: a digit comes out of noise
Start from pure noise. At every step the network says which noise it believes is in the picture; a little of it is taken
away, and (in DDPM) a little fresh noise is put back. Nothing tells the network *which* digit to draw: the noise
decides. Try DDIM with 50 steps and η = 0, then the same seed with 10.
"""
SAMPLERS = {
    "DDPM, the spec's rule (σ² = β)": {"kind": "ddpm", "variance": "beta"},
    "DDPM, posterior variance": {"kind": "ddpm", "variance": "posterior"},
    "DDIM": {"kind": "ddim"},
}
CLIPS = {"none": "none", "clip x̂₀ to [−1, 1]": "x0", "clamp x_t to [−1, 1]": "x_t"}
MAX_IMAGES = 64
FRAMES_PER_SECOND = 25  # more messages than this a second would only queue up on the way to the page


def build_generate_tab(checkpoints: dict[str, Path]) -> None:
    """Lay out the tab for these checkpoints, by name, and connect it."""

    def stream(name: str, *settings: Any) -> Iterator[tuple[dict[str, Any], Any, Any]]:
        # a visitor sends a name, never a path
        if name not in checkpoints:
            raise gr.Error("choose one of the listed checkpoints", print_exception=False)
        try:
            for value in generate(load_placed(checkpoints[name]), *settings):
                yield value, gr.update(interactive=False), gr.update(interactive=True)
        except DemoError as error:
            raise gr.Error(str(error), print_exception=False) from None

    idle = (gr.update(interactive=True), gr.update(interactive=False))
    gr.Markdown(LESSON)
    with gr.Row():
        with gr.Column(min_width=300, scale=2):
            names = list(checkpoints)
            which = gr.Dropdown(
                names,
                value=names[0] if names else None,
                label="Checkpoint",
                info="The trained weights that do the work.",
            )
            sampler = gr.Radio(
                list(SAMPLERS),
                value=next(iter(SAMPLERS)),
                label="Sampler",
                info="The rule that turns x_t into the next picture.",
            )
            clip = gr.Radio(
                list(CLIPS),
                value="clip x̂₀ to [−1, 1]",
                label="Clipping",
                info="The spec clips nothing; Ho et al.'s code clips the implied clean image, which forgives a lot.",
            )
            steps = gr.Slider(
                5,
                1000,
                value=200,
                step=1,
                label="Steps",
                info="Network calls from noise to digit; 1000 uses every timestep.",
            )
            eta = gr.Slider(
                0,
                1,
                value=0,
                step=0.05,
                label="η (DDIM only)",
                info="How much fresh noise DDIM adds: 0 none, 1 as much as DDPM.",
            )
            count = gr.Slider(1, MAX_IMAGES, value=16, step=1, label="Digits", info="How many are drawn at once.")
            with gr.Row():
                seed = gr.Number(
                    0, precision=0, minimum=0, label="Seed", info="The same seed and settings give the same digits."
                )
                dice = gr.Button("New seed", min_width=100)
            with gr.Row():
                start = gr.Button("Generate", variant="primary", elem_id="generate-start")
                stop = gr.Button("Stop", variant="stop", interactive=False, elem_id="generate-stop")
        with gr.Column(min_width=300, scale=3):
            film = browser_component("film", None, elem_id="generate-film")

    settings = [which, sampler, clip, steps, eta, count, seed]
    run = start.click(
        stream,
        settings,
        [film, start, stop],
        show_progress="hidden",
        concurrency_limit=4,
        concurrency_id="network",
        api_visibility="private",
    )
    run.then(lambda: idle, None, [start, stop], show_progress="hidden", queue=False, api_visibility="private")
    # cancelling stops the generator at its next step; what has arrived stays in the page
    stop.click(
        lambda: idle, None, [start, stop], cancels=[run], show_progress="hidden", queue=False, api_visibility="private"
    )
    dice.click(
        lambda: secrets.randbelow(10_000), None, seed, show_progress="hidden", queue=False, api_visibility="private"
    )


def generate(
    loaded: Loaded, sampler: str, clip: str, steps: float, eta: float, count: float, seed: float
) -> Iterator[dict[str, Any]]:
    """Draw digits, yielding frames for the film: every step's picture, in order, none left out.

    Frames are uint8 (count, 28, 28). Raises ConfigError on settings that make no sense.
    """
    if sampler not in SAMPLERS or clip not in CLIPS:
        raise ConfigError("choose one of the listed samplers and ways of clipping")
    config = SamplerConfig(**SAMPLERS[sampler], clip=CLIPS[clip], steps=whole("steps", steps, 1, 1000), eta=eta)  # type: ignore[arg-type]
    n = whole("the number of digits", count, 1, MAX_IMAGES)
    generator = torch.Generator().manual_seed(whole("the seed", seed, 0, MAX_SEED))
    x_T = start_noise(n, loaded.model.config.image_channels, 28, generator).to(loaded.placement.device)

    run, begun, sent = secrets.token_hex(8), time.perf_counter(), 0.0
    pending: list[np.ndarray] = [to_uint8(x_T[:, 0]).numpy()]
    times = [len(loaded.schedule) - 1]  # the t of every pending picture; -1 is the finished one
    first = 0
    for step in sample(loaded.model, loaded.schedule, config, x_T, generator=generator):
        pending.append(to_uint8(step.x_s[:, 0]).numpy())
        times.append(step.s)
        now = time.perf_counter()
        if step.s >= 0 and now - sent < 1 / FRAMES_PER_SECOND:
            continue
        done = (step.index + 1) / config.steps
        seconds = now - begun
        rate = f"{seconds / (step.index + 1) * 1000:.0f} ms a step"
        if step.s < 0:
            note = f"{config.steps} steps in {seconds:.1f} s, {rate}, {n / seconds:.2f} images/s"
        else:
            note = f"step {step.index + 1} of {config.steps}, {rate}, about {seconds / done - seconds:.0f} s left"
        yield {
            "run": run,
            "n": n,
            "size": 28,
            "first": first,
            "t": times,
            "done": done,
            "note": note,
            "frames": base64_of(np.stack(pending)),
        }
        first, pending, times, sent = first + len(pending), [], [], now
