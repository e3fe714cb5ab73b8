"""Digits, noises and noisy pictures as the page and the server exchange them; shared by tabs, films and lessons."""

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.drawings.drawing import read_drawing
from ddpm_demo.drawings.picture_file import MAX_BYTES, DrawingError, grey_png, read_grey
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.ui.parts.bridge import base64_of, server_function
from ddpm_demo.ui.parts.readers import MAX_SEED, from_base64, image_of, named_values, number, whole
from ddpm_demo.words.sentence import say, sentence_in

PIXELS = 28 * 28
FIRST_BOX, FIRST_THRESHOLD = (0.15, 0.15, 0.85, 0.85), 0.3  # to begin with, where no digit was found


def gallery_digit(label: int, which: int) -> dict[str, Any]:
    """Return what the page needs of a test digit: x0 (float32, 784), its name, and its part of the link.

    Raises ConfigError when the class has no such digit.
    """
    indices = class_indices(label)
    name = say("the number of the digit, of {count} of class {label},", count=len(indices), label=label)
    which = whole(name, which, 0, len(indices) - 1)
    index = int(indices[which])
    digits, _ = load_mnist(train=False)
    x0 = base64_of(to_x0(digits[index]).numpy())
    name = say("test digit {index}, a {label}", index=index, label=label)
    return {"x0": x0, "name": name, "link": ["digit", f"{label}-{which}"]}


def own_digit(pixels: np.ndarray) -> dict[str, Any]:
    """Return the same for a digit of the student's own, uint8 (28, 28); its link holds the pixels themselves."""
    x0 = base64_of(to_x0(torch.from_numpy(pixels)).numpy())
    text = base64.urlsafe_b64encode(pixels.tobytes()).decode("ascii").rstrip("=")
    return {"x0": x0, "name": say("a digit of your own"), "link": ["pixels", text]}


def pixels_from_link(text: str) -> np.ndarray:
    """Return the pixels, uint8 (28, 28), that `own_digit` put into a link; raise ConfigError if they are not there."""
    refusal = say("pixels in a link must be 784 bytes in base64")
    content = from_base64(text, refusal, most=PIXELS, url_safe=True)
    if len(content) != PIXELS:
        raise ConfigError(refusal)
    letters, greys = "".join(filter(str.isalpha, text)), set(content) - {0, 255}
    # a drawing in black and white may have capitals alone, hardly one with greys, and A stands for three black pixels
    if letters[1:].islower() or (letters.isupper() and greys):
        raise ConfigError("its capitals or its small letters were lost on the way")
    return np.frombuffer(content, np.uint8).reshape(28, 28).copy()  # writable, as PyTorch wants it


def noise_of(seed: object) -> dict[str, Any]:
    """Return what the page needs of a noise: eps (float32, 784) and its seed. Raises ConfigError on a wrong seed."""
    number = whole(say("the seed"), seed, 0, MAX_SEED)
    return {"eps": base64_of(draw_noise(number).numpy()), "seed": number}


def draw_noise(seed: int) -> torch.Tensor:
    """Return the noise of a seed, float32 (1, 1, 28, 28)."""
    return torch.randn(1, 1, 28, 28, generator=torch.Generator().manual_seed(seed))


def class_indices(label: int) -> torch.Tensor:
    """Return where in the test set the digits of a class are, in order."""
    _, labels = load_mnist(train=False)
    return (labels == label).nonzero().flatten()


@server_function
def read_picture(question: Any) -> dict[str, Any]:
    """Answer the page's drawing pad with a digit, or `error`.

    The question is a picture file in base64, or a mapping with `file`, and perhaps `box` (left, top, right, bottom in
    shares of the picture) and `threshold`. The answer shows the picture as it was read (`sheet`, a grey PNG that may be
    sent again as a file), with the box and threshold; `question` is empty where the digit was certainly read, and where
    there was nothing there is no x0.
    """
    fields = question if isinstance(question, Mapping) else {"file": question}
    file = from_base64(fields.get("file"), say("the picture must be a file of at most 5 MB"), most=MAX_BYTES)
    box = None if fields.get("box") is None else box_of(fields["box"])
    threshold = None
    if fields.get("threshold") is not None:
        threshold = number(say("the threshold"), fields["threshold"], 0.01, 0.99)
    grey = read_grey(file)
    answer: dict[str, Any] = {"sheet": base64.b64encode(grey_png(grey)).decode("ascii"), "width": grey.shape[1]}
    answer["height"] = grey.shape[0]
    try:
        drawing = read_drawing(grey, box=box, threshold=threshold)
    except DrawingError as error:
        return answer | {
            "box": box or FIRST_BOX,
            "threshold": threshold or FIRST_THRESHOLD,
            "question": sentence_in(error),
        }
    read = {"box": drawing.box, "threshold": drawing.threshold, "question": drawing.question}
    return answer | own_digit(drawing.digit) | read


def box_of(value: Any) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a box in shares of a picture; raise ConfigError unless it is one."""
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise ConfigError("a box needs left, top, right and bottom")
    left, top, right, bottom = (number(say("a side of the box"), side, 0, 1) for side in value)
    if left >= right or top >= bottom:
        raise ConfigError("a box must have some width and height")
    return left, top, right, bottom


def closest_t(schedule: Schedule, alpha_bar: float) -> int:
    """Return the t at which a network's own schedule has as much signal as a picture with this alpha_bar."""
    log_snr = math.log(alpha_bar / (1 - alpha_bar))
    return int((schedule.snr.log() - log_snr).abs().argmin())


def read_noisy_picture(question: Any) -> tuple[torch.Tensor, float]:
    """Return the x_t (1, 1, 28, 28) and alpha_bar that a page asks about; raise ConfigError if they make no sense."""
    fields = named_values(question, say("xₜ and ᾱ"))
    alpha_bar = number("alpha_bar", fields.get("alpha_bar"), 0, 1, above=True)
    if alpha_bar == 1:
        raise ConfigError("alpha_bar must be less than 1: at 1 there is no noise to find")
    return image_of(fields.get("x_t"), "x_t"), alpha_bar
