"""The Noise tab: one digit, one noise, and the timestep under the student's finger."""

import base64
import math
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.machine.scheduler import NETWORK
from ddpm_demo.store.drawing import read_drawing
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.store.picture_file import MAX_BYTES, DrawingError, grey_png, read_grey
from ddpm_demo.ui.bridge import base64_of, browser_component, event, server_function
from ddpm_demo.ui.networks import Loaded, load_placed
from ddpm_demo.ui.readers import MAX_SEED, from_base64, image_of, named_values, number, one_of, whole
from ddpm_demo.ui.tabs.schedule import schedule_tables

NOISE_LEAD = "Drag *t*, and find the point where you can no longer tell the digit."
NOISE_LESSON = """
## The forward process: a digit drowns in noise
Diffusion begins with something easy: **destroying** a picture. At timestep *t* the picture x₀ is turned down to √ᾱₜ
of itself and Gaussian noise ε is turned up to √(1 − ᾱₜ), so that the total variance stays about the same
(Ho et al. 2020, equation 4). From the point where you can no longer tell the digit, the network has to do better than
you. The mixture is computed in your browser while you drag.
"""
FIRST_DIGIT = 7
PIXELS = 28 * 28
NOTHING_TOLD = gr.EventData(None, None)
FIRST_BOX, FIRST_THRESHOLD = (0.15, 0.15, 0.85, 0.85), 0.3  # to begin with, where no digit was found


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
    gr.Markdown(NOISE_LEAD, elem_classes="ddpm-lead")
    view = browser_component("tabs/noise", first_noise_value(), elem_id="noise-view")
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
    gr.Markdown(NOISE_LESSON, elem_classes="ddpm-lesson")
    names = {"checkpoints": {name: name for name in checkpoints}}
    server = [read_picture, make_look(checkpoints)]
    details = browser_component("tabs/noise_details", names, elem_id="noise-details", server=server)

    quick: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last", "api_visibility": "private"}
    which.input(show_digit, [label, which], view, **quick)
    label.input(lambda name: (0, show_digit(name, 0)), label, [which, view], **quick)
    another.click(another_digit, label, [which, view], **quick)
    seed.input(show_noise, seed, view, **quick)
    redraw.click(new_noise, None, [seed, view], **quick)
    view.submit(follow_screen, None, [label, which, seed], queue=False, **quick)
    return NoiseTab(label, which, seed, view, details)


def first_noise_value() -> dict[str, Any]:
    """Return what the tab shows at first: everything that the page computes with."""
    return {"digit": gallery_digit(FIRST_DIGIT, 0), "noise": noise_of(0), "tables": schedule_tables()}


def gallery_digit(label: int, which: int) -> dict[str, Any]:
    """Return what the page needs of a test digit: x0 (float32, 784), its name, and its part of the link.

    Raises ConfigError when the class has no such digit.
    """
    indices = class_indices(label)
    which = whole(f"the number of the digit, of {len(indices)} of class {label},", which, 0, len(indices) - 1)
    index = int(indices[which])
    digits, _ = load_mnist(train=False)
    x0 = base64_of(to_x0(digits[index]).numpy())
    return {"x0": x0, "name": f"test digit {index}, a {label}", "link": ["digit", f"{label}-{which}"]}


def own_digit(pixels: np.ndarray) -> dict[str, Any]:
    """Return the same of a digit of the student's own, uint8 (28, 28); its link holds the pixels themselves."""
    x0 = base64_of(to_x0(torch.from_numpy(pixels)).numpy())
    text = base64.urlsafe_b64encode(pixels.tobytes()).decode("ascii").rstrip("=")
    return {"x0": x0, "name": "a digit of your own", "link": ["pixels", text]}


def pixels_from_link(text: str) -> np.ndarray:
    """Return the pixels, uint8 (28, 28), that `own_digit` put into a link; raise ConfigError if they are not there."""
    refusal = "pixels in a link must be 784 bytes in base64"
    content = from_base64(text, refusal, most=PIXELS, url_safe=True)
    if len(content) != PIXELS:
        raise ConfigError(refusal)
    return np.frombuffer(content, np.uint8).reshape(28, 28).copy()  # writable, as PyTorch wants it


def noise_of(seed: object) -> dict[str, Any]:
    """Return what the page needs of a noise: eps (float32, 784) and its seed. Raises ConfigError on a wrong seed."""
    number = whole("the seed", seed, 0, MAX_SEED)
    return {"eps": base64_of(draw_noise(number).numpy()), "seed": number}


def draw_noise(seed: int) -> torch.Tensor:
    """Return the noise of a seed, float32 (1, 1, 28, 28)."""
    return torch.randn(1, 1, 28, 28, generator=torch.Generator().manual_seed(seed))


def class_indices(label: int) -> torch.Tensor:
    """Return where in the test set the digits of a class stand, in order."""
    _, labels = load_mnist(train=False)
    return (labels == label).nonzero().flatten()


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
    """Answer "another one": a digit of the same class by chance."""
    which = secrets.randbelow(len(class_indices(_class(label))))
    return which, show_digit(label, which)


@event
def new_noise() -> tuple[int, dict[str, Any]]:
    """Answer "new noise": another seed by chance."""
    seed = secrets.randbelow(10_000)
    return seed, show_noise(seed)


@event
def follow_screen(told: gr.EventData = NOTHING_TOLD) -> tuple[Any, Any, Any]:
    """Set the fields to what the page shows by itself, in a lesson say: class, number in it, seed."""
    shown = named_values(told._data, "label, which and seed")
    seed = whole("the seed", shown.get("seed"), 0, MAX_SEED)
    if shown.get("label") is None:  # a digit of one's own has no number
        return gr.skip(), gr.skip(), seed
    label, which = _class(shown["label"]), shown.get("which")
    last = len(class_indices(label)) - 1
    return str(label), whole("the number of the digit", which, 0, last), seed


@server_function
def read_picture(question: Any) -> dict[str, Any]:
    """Answer the page's drawing pad with a digit, or `error`.

    The question is a picture file in base64, or a mapping with `file`, and at will `box` (left, top, right, bottom in
    shares of the picture) and `threshold`. The answer shows the picture as it was read (`sheet`, a grey PNG that may be
    sent again as a file), with the box and threshold; `question` is empty where the digit was surely read, and where
    nothing was there is no x0.
    """
    asked = question if isinstance(question, Mapping) else {"file": question}
    file = from_base64(asked.get("file"), "the picture must be a file of at most 5 MB", most=MAX_BYTES)
    box = None if asked.get("box") is None else box_of(asked["box"])
    threshold = None
    if asked.get("threshold") is not None:
        threshold = number("the threshold", asked["threshold"], 0.01, 0.99)
    grey = read_grey(file)
    answer: dict[str, Any] = {"sheet": base64.b64encode(grey_png(grey)).decode("ascii"), "width": grey.shape[1]}
    answer["height"] = grey.shape[0]
    try:
        drawing = read_drawing(grey, box=box, threshold=threshold)
    except DrawingError as error:
        return answer | {"box": box or FIRST_BOX, "threshold": threshold or FIRST_THRESHOLD, "question": str(error)}
    read = {"box": drawing.box, "threshold": drawing.threshold, "question": drawing.question}
    return answer | own_digit(drawing.digit) | read


def box_of(value: Any) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a box in shares of a picture; raise ConfigError unless it is one."""
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise ConfigError("a box needs left, top, right and bottom")
    left, top, right, bottom = (number("a side of the box", side, 0, 1) for side in value)
    if left >= right or top >= bottom:
        raise ConfigError("a box must have some width and height")
    return left, top, right, bottom


def make_look(checkpoints: dict[str, Path]) -> Callable[[Any], dict[str, Any]]:
    """Return the function by which the page asks what the first checkpoint's network sees in an x_t."""

    @server_function
    def look(question: Any) -> dict[str, Any]:
        if not checkpoints:
            raise ConfigError("there is no checkpoint; train one with `ddpm-demo train`")
        x_t, alpha_bar = read_question(question)
        chosen = question.get("checkpoint") or next(iter(checkpoints))
        name = one_of(chosen, checkpoints, "choose one of the listed checkpoints")
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


def _timed(loaded: Loaded, x_t: torch.Tensor, t: int) -> tuple[torch.Tensor, float]:
    """Return eps_hat, float32 on the CPU, and the seconds that the network took, without those before its turn."""
    device, begun = loaded.placement.device, time.perf_counter()
    eps_hat = loaded.model(x_t.to(device), torch.tensor([t]).to(device)).float().cpu()
    return eps_hat, time.perf_counter() - begun


def closest_t(schedule: Schedule, alpha_bar: float) -> int:
    """Return the t at which a network's own schedule has as much signal as a picture with this alpha_bar."""
    log_snr = math.log(alpha_bar / (1 - alpha_bar))
    return int((schedule.snr.log() - log_snr).abs().argmin())


def read_question(question: Any) -> tuple[torch.Tensor, float]:
    """Return the x_t (1, 1, 28, 28) and alpha_bar that a page asks about; raise ConfigError if they make no sense."""
    asked = named_values(question, "x_t and alpha_bar")
    alpha_bar = number("alpha_bar", asked.get("alpha_bar"), 0, 1, above=True)
    if alpha_bar == 1:
        raise ConfigError("alpha_bar must be less than 1: at 1 there is no noise to find")
    return image_of(asked.get("x_t"), "x_t"), alpha_bar


def _class(label: Any) -> int:
    return int(one_of(label, [str(d) for d in range(10)], "choose a digit from 0 to 9"))
