"""The first ten seconds: digits that come out of noise beside one sentence, and three screens that say how."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr

from ddpm_demo.networks.ideal_checkpoints import is_ideal
from ddpm_demo.ui.film.film_settings import recommended_settings
from ddpm_demo.ui.parts.bridge import browser_component

LOOP_DIGITS = 6
LOOP_STEPS = 20  # seen as a whole in two seconds
FILM_SEED = 3  # of the shipped networks a six that everybody can read; "another one" is whatever comes next


def build_intro(checkpoints: Mapping[str, Path]) -> gr.HTML:
    """Lay out the button; the browser shows the rest to whoever is here for the first time and follows no link."""
    return browser_component("intro/entry", first_intro_value(checkpoints), elem_id="intro")


def first_intro_value(checkpoints: Mapping[str, Path]) -> dict[str, Any]:
    """Return the settings of the two films that the visitor's own device makes; None where there is no network.

    `loop` is the row of digits at the top, `film` the one digit of the third screen.
    """
    name = next((name for name in checkpoints if not is_ideal(name)), None)
    if name is None:
        return {"loop": None, "film": None}
    loop = recommended_settings(name, n=LOOP_DIGITS, steps=LOOP_STEPS)
    return {"loop": asdict(loop), "film": asdict(recommended_settings(name, n=1, seed=FILM_SEED))}
