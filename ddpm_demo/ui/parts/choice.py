"""A choice from a list by the browser's own `<select>`, which every screen reader and every phone knows how to open."""

from collections.abc import Iterable, Sequence
from typing import Any

import gradio as gr

from ddpm_demo.ui.parts.bridge import browser_component
from ddpm_demo.words.sentence import Sentence, plain


def choice(
    options: Sequence[tuple[str, str]], value: str | None, *, label: str, elem_id: str, info: str = ""
) -> gr.HTML:
    """Return a labelled list of `options`, (text, name) each, one of them chosen; its value is that one's name.

    `choices_of` replaces the options later. Nothing is checked here: the reader of an event says what may be chosen.
    """
    return browser_component(
        "choice",
        value,
        given={"label": label, "info": info, "options": [list(option) for option in options]},
        elem_id=elem_id,
        elem_classes="ddpm-choice",
    )


def named(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return choices (text, name): the text is said in the reader's language, and the name is what is sent."""
    return [(Sentence(name, {}), plain(name)) for name in names]


def unsaid(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return choices (text, name) of names that are the same in every language, as those of checkpoints are."""
    return [(name, name) for name in names]


def choices_of(options: Sequence[tuple[str, str]]) -> Any:
    """Return the update that offers these (text, name); the chosen one stays chosen where it is among them."""
    return gr.update(options=[list(option) for option in options])
