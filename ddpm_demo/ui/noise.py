"""The Noise tab: one digit, one noise, and the timestep under the student's finger."""

import secrets
from typing import Any

import gradio as gr
import torch

from ddpm_demo.config import ConfigError, ScheduleConfig
from ddpm_demo.data import load_mnist, to_x0
from ddpm_demo.schedule import Schedule
from ddpm_demo.ui.components import MAX_SEED, base64_of, browser_component, whole

LESSON = """
### The forward process: a digit drowns in noise
Diffusion begins with something easy: **destroying** a picture. At timestep *t* the picture x₀ is turned down to √ᾱₜ
of itself and Gaussian noise ε is turned up to √(1 − ᾱₜ), so that the total variance stays about the same
(Ho et al. 2020, equation 4). Drag *t*, and find the point where you can no longer tell the digit: the network has to do
better than you from there. Everything below is computed in your browser while you drag.
"""
FIRST_DIGIT = 7


def build_noise_tab() -> None:
    """Lay out the tab and connect it."""
    gr.Markdown(LESSON)
    view = browser_component("noise", noise_value(FIRST_DIGIT, 0, 0), elem_id="noise-view")
    with gr.Row():
        label = gr.Radio(
            [str(d) for d in range(10)], value=str(FIRST_DIGIT), label="Digit", info="From MNIST's 10,000 test digits."
        )
        with gr.Column(min_width=260):
            which = gr.Number(
                0, precision=0, minimum=0, label="Which one", info="They are numbered from 0 within each class."
            )
            another = gr.Button("Another one")
        with gr.Column(min_width=260):
            seed = gr.Number(
                0, precision=0, minimum=0, label="Noise seed", info="The same seed is always the same noise."
            )
            redraw = gr.Button("New noise")

    inputs = [label, which, seed]
    for event in (which.input, seed.input):
        event(show_digit, inputs, view, show_progress="hidden", trigger_mode="always_last", api_visibility="private")
    label.input(first_of_class, [label, seed], [which, view], show_progress="hidden", api_visibility="private")
    another.click(another_digit, [label, seed], [which, view], show_progress="hidden", api_visibility="private")
    redraw.click(new_noise, [label, which], [seed, view], show_progress="hidden", api_visibility="private")


def noise_value(label: int, which: float | None, seed: float | None) -> dict[str, Any]:
    """Return all that the page needs: x0 and eps (float32, 784 each) and the alpha_bar table (float64).

    Raises ConfigError when there is no such digit or seed.
    """
    indices = class_indices(label)
    which = whole(
        f"the number of the digit, of {len(indices)} test digits of class {label},", which, 0, len(indices) - 1
    )
    seed = whole("the seed", seed, 0, MAX_SEED)
    index = int(indices[which])
    digits, _ = load_mnist(train=False)
    schedule = Schedule.from_config(ScheduleConfig())
    return {
        "x0": base64_of(to_x0(digits[index]).numpy()),
        "eps": base64_of(draw_noise(seed).numpy()),
        "alpha_bar": base64_of(schedule.alpha_bar.numpy()),
        "label": label,
        "index": index,
        "seed": seed,
    }


def draw_noise(seed: int) -> torch.Tensor:
    """Return the noise of a seed, float32 (1, 1, 28, 28)."""
    return torch.randn(1, 1, 28, 28, generator=torch.Generator().manual_seed(seed))


def class_indices(label: int) -> torch.Tensor:
    """Return where in the test set the digits of a class stand, in order."""
    _, labels = load_mnist(train=False)
    return (labels == label).nonzero().flatten()


def show_digit(label: str, which: float | None, seed: float | None) -> dict[str, Any]:
    """Answer a change of any of the three inputs."""
    try:
        return noise_value(_digit(label), which, seed)
    except ConfigError as error:
        raise gr.Error(str(error), print_exception=False) from None


def first_of_class(label: str, seed: float | None) -> tuple[int, dict[str, Any]]:
    """Answer a choice of class: its first digit."""
    return 0, show_digit(label, 0, seed)


def another_digit(label: str, seed: float | None) -> tuple[int, dict[str, Any]]:
    """Answer "another one": a digit of the same class by chance."""
    which = secrets.randbelow(len(class_indices(_digit(label))))
    return which, show_digit(label, which, seed)


def new_noise(label: str, which: float | None) -> tuple[int, dict[str, Any]]:
    """Answer "new noise": another seed by chance."""
    seed = secrets.randbelow(10_000)
    return seed, show_digit(label, which, seed)


def _digit(label: str) -> int:
    if label not in [str(d) for d in range(10)]:
        raise gr.Error("choose a digit from 0 to 9", print_exception=False)
    return int(label)
