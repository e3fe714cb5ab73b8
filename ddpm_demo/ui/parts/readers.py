"""Readers of what a page sends: each takes any JSON value and returns what was asked for, or raises ConfigError.

Gradio checks little of it: its own limits let None, NaN, true, text and 3.7 through, and anybody can call a server
function with anything at all.
"""

import base64
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.words.sentence import say

MAX_SEED = 2**31 - 1  # PyTorch counts a seed's low 32 bits alone: 7 and 7 + 2**32 would be one film
MOST_KEYS, KEY_LETTERS = 50, 64  # that a visitor may show with a question
UNCHANGED = say("All settings are the recommended ones.")
SIDE = 28  # pixels
Known = TypeVar("Known", bound=str)


def whole(name: str, value: object, low: int, high: int) -> int:
    """Return a whole number from low to high; 3.0 is one, as JavaScript knows no other numbers."""
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high and value == int(value):
        return int(value)
    raise ConfigError("{name} must be a whole number from {low} to {high}", name=name, low=low, high=high)


def number(name: str, value: object, low: float = -math.inf, high: float = math.inf, *, above: bool = False) -> float:
    """Return a finite number from low to high; with `above`, low itself is refused."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            found = float(value)
        except OverflowError:  # a whole number of 400 digits
            found = math.inf
        if math.isfinite(found) and low <= found <= high and not (above and found == low):
            return found
    if math.isinf(low) and math.isinf(high):
        raise ConfigError("{name} must be a number", name=name)
    if above:
        raise ConfigError("{name} must be more than {low:g} and at most {high:g}", name=name, low=low, high=high)
    raise ConfigError("{name} must be from {low:g} to {high:g}", name=name, low=low, high=high)


def flag(name: str, value: object) -> bool:
    """Return a true or false."""
    if isinstance(value, bool):
        return value
    raise ConfigError("{name} must be true or false", name=name)


def named_values(question: object, names: str = say("names for its values")) -> Mapping[str, Any]:
    """Return a question's values by name; `names` tells the refusal what they should be."""
    if isinstance(question, Mapping):
        return question
    raise ConfigError("a question needs {names}", names=names)


def shown_keys(question: Mapping[str, Any]) -> list[str]:
    """Return the keys that a visitor shows with a question; whatever is not one of ours is left out."""
    keys = question.get("keys")
    shown = keys[:MOST_KEYS] if isinstance(keys, list) else []
    return [key for key in shown if isinstance(key, str) and 0 < len(key) <= KEY_LETTERS]


def changed_in_words(settings: Sequence[tuple[str, object, object]]) -> str:
    """Return in one line which of the settings, (name, value, usual value) each, are not as usual."""
    changes = [say("{name} **{value}**", name=name, value=value) for name, value, usual in settings if value != usual]
    return say("Changed: {changes}.", changes=changes) if changes else UNCHANGED


def one_of(value: object, names: Collection[Known], refusal: str) -> Known:
    """Return the value if it is one of the names; the refusal is the whole sentence.

    A visitor sends a name, never a path: whatever is not among the names offered is refused, lists and mappings too.
    """
    if isinstance(value, str):
        for name in list(names):  # a copy: a training run may add to a list of checkpoints
            if name == value:
                return name
    raise ConfigError(refusal)


def some_of(values: object, names: Collection[Known], refusal: str) -> list[Known]:
    """Return a list of names, each one of those offered; the refusal is the whole sentence."""
    if not isinstance(values, list | tuple):
        raise ConfigError(refusal)
    return [one_of(value, names, refusal) for value in values]


def from_base64(value: object, refusal: str, *, most: int, url_safe: bool = False) -> bytes:
    """Return the bytes that base64 text stands for, at most so many; the refusal is the whole sentence.

    `url_safe` is the alphabet of links, which leaves out the padding.
    """
    if not isinstance(value, str) or len(value) > most * 4 / 3 + 4:
        raise ConfigError(refusal)
    text = value + "=" * (-len(value) % 4) if url_safe else value
    try:
        return base64.b64decode(text, altchars=b"-_" if url_safe else None, validate=True)
    except ValueError:  # binascii.Error is one, and so is what text outside ASCII raises
        raise ConfigError(refusal) from None


def image_of(value: object, name: str, *, most: float = math.inf) -> torch.Tensor:
    """Return a picture that the page sent as float32 in base64: (1, 1, 28, 28), finite, nowhere beyond +-`most`."""
    pixels = SIDE * SIDE
    if math.isinf(most):
        refusal = say("{name} must be {count} finite numbers", name=name, count=pixels)
    else:
        refusal = say(
            "{name} must be {count} numbers from {low:g} to {high:g}", name=name, count=pixels, low=-most, high=most
        )
    content = from_base64(value, refusal, most=4 * pixels)
    if len(content) != 4 * pixels:
        raise ConfigError(refusal)
    values = np.frombuffer(content, "<f4").astype(np.float32)
    # rounding on the way may leave a white pixel a little past 1; NaN is not within anything
    if not np.isfinite(values).all() or not (np.abs(values) <= most * 1.0001).all():
        raise ConfigError(refusal)
    return torch.from_numpy(values).view(1, 1, SIDE, SIDE)


def pixel_of(question: Mapping[str, Any]) -> tuple[int, int]:
    """Return the row and column of a pixel that a question is about."""
    return whole("row", question.get("row"), 0, SIDE - 1), whole("col", question.get("col"), 0, SIDE - 1)


def parse_dilations(text: Any) -> tuple[int, ...]:
    """Return the dilations in a text such as `1 2 4`; raise ConfigError unless it is 1 to 12 numbers, 1 to 81."""
    parts = str(text).replace(",", " ").split()
    if not 1 <= len(parts) <= 12 or not all(
        p.isascii() and p.isdigit() and len(p) < 4 and 1 <= int(p) <= 81 for p in parts
    ):
        raise ConfigError("give 1 to 12 dilations, whole numbers from 1 to 81, such as 1 2 4 8")
    return tuple(int(p) for p in parts)
