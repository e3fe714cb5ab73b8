"""The Noise tab: one digit, one noise, and the timestep under the student's finger."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.machine.scheduler import NETWORK
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_placed
from ddpm_demo.ui.parts.bridge import AS_SENT, base64_of, browser_component, event, server_function
from ddpm_demo.ui.parts.digits import (
    class_indices,
    closest_t,
    gallery_digit,
    noise_of,
    read_noisy_picture,
    read_picture,
)
from ddpm_demo.ui.parts.ideal import ideal_answer
from ddpm_demo.ui.parts.readers import MAX_SEED, named_values, one_of, whole
from ddpm_demo.ui.parts.schedules import schedule_tables
from ddpm_demo.ui.parts.weights import WEIGHTS
from ddpm_demo.ui.words.page import prose
from ddpm_demo.words.sentence import say

NOISE_LEAD = say("Drag *t*: how much noise can you see through, and how much can the network?")
NOISE_LESSON = say("""
## The forward process: a digit drowns in noise
Diffusion begins with something easy: **destroying** a picture. At timestep *t* the picture x₀ is turned down to √ᾱₜ
of itself and Gaussian noise ε is turned up to √(1 − ᾱₜ), so that the total variance stays about the same
(Ho et al. 2020, equation 4). From the point where you can no longer tell it, the network has to do better than
you. The mixture is computed in your browser while you drag.
""")
FIRST_DIGIT = 7
NO_EVENT = gr.EventData(None, None)


@dataclass(frozen=True)
class NoiseTab:
    """The components that a link in the address sets."""

    label: gr.Radio
    which: gr.Number
    seed: gr.Number
    view: gr.HTML
    details: gr.HTML


def build_noise_tab(checkpoints: dict[str, Path]) -> NoiseTab:
    """Lay out the tab and connect it; the first of the checkpoints looks at x_t until another is chosen."""
    prose(NOISE_LEAD, elem_classes="ddpm-lead")
    view = browser_component("tabs/noise", first_noise_value(), elem_id="noise-view")
    with gr.Row():
        label = gr.Radio(
            [str(d) for d in range(10)],
            value=str(FIRST_DIGIT),
            label=say("Digit"),
            info=say("From MNIST's 10,000 test digits."),
            elem_id="noise-label",
        )
        with gr.Column(min_width=260):
            which = gr.Number(
                0,
                precision=0,
                minimum=0,
                label=say("Which one"),
                info=say("They are numbered from 0 within each class."),
            )
            another = gr.Button(say("Another one"))
        with gr.Column(min_width=260):
            seed = gr.Number(
                0, precision=0, minimum=0, label=say("Noise seed"), info=say("The same seed is always the same noise.")
            )
            redraw = gr.Button(say("New noise"))
    prose(NOISE_LESSON, elem_classes="ddpm-lesson")
    names = {"checkpoints": {name: name for name in checkpoints}}
    server = [read_picture, make_look(checkpoints), make_network_facts(checkpoints), ideal_answer]
    details = browser_component("tabs/noise_details", names, elem_id="noise-details", server=server)

    quick: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last", "api_visibility": "private"}
    which.input(show_digit, [label, which], view, **quick, **AS_SENT)
    label.input(lambda name: (0, show_digit(name, 0)), label, [which, view], **quick)
    another.click(another_digit, label, [which, view], **quick)
    seed.input(show_noise, seed, view, **quick, **AS_SENT)
    redraw.click(new_noise, None, [seed, view], **quick)
    view.submit(follow_screen, None, [label, which, seed], queue=False, **quick)
    return NoiseTab(label, which, seed, view, details)


def first_noise_value() -> dict[str, Any]:
    """Return what the tab shows at first: everything that the page computes with."""
    return {"digit": gallery_digit(FIRST_DIGIT, 0), "noise": noise_of(0), "tables": schedule_tables()}


@event
def show_digit(label: str, which: Any) -> dict[str, Any]:
    """Answer a change of class or number."""
    return {"digit": gallery_digit(_class(label), which)}


@event
def show_noise(seed: Any) -> dict[str, Any]:
    """Answer a change of seed."""
    return {"noise": noise_of(seed)}


@event
def another_digit(label: str) -> tuple[int, dict[str, Any]]:
    """Answer "another one": a digit of the same class at random."""
    which = secrets.randbelow(len(class_indices(_class(label))))
    return which, show_digit(label, which)


@event
def new_noise() -> tuple[int, dict[str, Any]]:
    """Answer "new noise": another seed at random."""
    seed = secrets.randbelow(10_000)
    return seed, show_noise(seed)


@event
def follow_screen(change: gr.EventData = NO_EVENT) -> tuple[Any, Any, Any]:
    """Set the fields to what the page shows by itself, as in a lesson: class, number within it, seed."""
    shown = named_values(change._data, "label, which and seed")
    seed = whole(say("the seed"), shown.get("seed"), 0, MAX_SEED)
    if shown.get("label") is None:  # a digit of the student's own has no number
        return gr.skip(), gr.skip(), seed
    label, which = _class(shown["label"]), shown.get("which")
    last = len(class_indices(label)) - 1
    return str(label), whole(say("the number of the digit"), which, 0, last), seed


def make_look(checkpoints: dict[str, Path]) -> Callable[[Any], dict[str, Any]]:
    """Return the function by which the page asks what the first checkpoint's network sees in an x_t."""

    @server_function
    def look(question: Any) -> dict[str, Any]:
        if not checkpoints:
            raise ConfigError("there is no checkpoint; train one with `ddpm-demo train`")
        x_t, alpha_bar = read_noisy_picture(question)
        chosen = question.get("checkpoint") or next(iter(checkpoints))
        name = one_of(chosen, checkpoints, say("choose one of the listed checkpoints"))
        loaded = load_placed(checkpoints[name])
        t = closest_t(loaded.schedule, alpha_bar)
        with torch.no_grad():
            eps_hat, seconds = NETWORK.turn(lambda: _timed(loaded, x_t, t))
        tenth = t * 10 // len(loaded.schedule)
        size = len(loaded.schedule) // 10
        return {
            "eps_hat": base64_of(eps_hat.numpy()),
            "t": t,
            "milliseconds": 1000 * seconds,
            "held_out": loaded.held_out[tenth] if loaded.held_out else None,
            "held_out_digits": loaded.held_out_digits,
            "tenth": [tenth * size, tenth * size + size - 1],
            "checkpoint": name,
        }

    return look


def make_network_facts(checkpoints: dict[str, Path]) -> Callable[[Any], dict[str, Any]]:
    """Return the function by which the page gets what its own device needs to answer as `look` does.

    `digest` names the weights, empty if they are in no file; `alpha_bar` are the network's own, float64, by which the
    page finds the t to ask about; `held_out` the loss in each tenth of the timesteps, None if it was not measured.
    """

    @server_function
    def network_facts(question: Any) -> dict[str, Any]:
        fields = named_values(question, "checkpoint")
        name = one_of(fields.get("checkpoint"), checkpoints, say("choose one of the listed checkpoints"))
        loaded = load_placed(checkpoints[name])
        return {
            "checkpoint": name,
            "digest": WEIGHTS.offer(loaded),
            "alpha_bar": base64_of(loaded.schedule.alpha_bar.numpy()),
            "held_out": loaded.held_out,
            "held_out_digits": loaded.held_out_digits,
        }

    return network_facts


def _timed(loaded: LoadedNetwork, x_t: torch.Tensor, t: int) -> tuple[torch.Tensor, float]:
    """Return eps_hat, float32 on the CPU, and the seconds that the network took, without those before its turn."""
    device, begun = loaded.placement.device, time.perf_counter()
    eps_hat = loaded.model(x_t.to(device), torch.tensor([t]).to(device)).float().cpu()
    return eps_hat, time.perf_counter() - begun


def _class(label: Any) -> int:
    return int(one_of(label, [str(d) for d in range(10)], say("choose a digit from 0 to 9")))
