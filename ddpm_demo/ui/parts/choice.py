"""A choice from a list by the browser's own `<select>`, which every screen reader and every phone knows how to open."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from ddpm_demo.ui.parts.bridge import browser_component


def choice(options: Sequence[str], value: str | None, *, label: str, elem_id: str, info: str = "") -> gr.HTML:
    """Return a labelled list with one of `options` chosen; its value is the chosen one's name.

    `choices_of` replaces the options later. Nothing is checked here: the reader of an event says what may be chosen.
    """
    return browser_component(
        "choice",
        value,
        given={"label": label, "info": info, "options": [[option, option] for option in options]},
        elem_id=elem_id,
        elem_classes="ddpm-choice",
    )


def choices_of(options: Sequence[tuple[str, str]]) -> Any:
    """Return the update that offers these (text, name); the chosen one stays chosen where it is among them."""
    return gr.update(options=[list(option) for option in options])
