"""A page of Gradio in the language of whoever opens it: laid out once, its texts said again for each language."""

from collections.abc import Callable
from typing import Any, TypeVar

import gradio as gr
from gradio.blocks import Block

from ddpm_demo.ui.words.language import ENGLISH, Language, in_language
from ddpm_demo.ui.words.visitor import visitors_language
from ddpm_demo.words.sentence import say

Component = TypeVar("Component", bound=Block)
InWords = Callable[[Language], dict[str, Any]]
TITLE = say("How diffusion draws a digit")
IN_WORDS = "ddpm_words"  # the attribute of a component whose properties are more than sentences


def translated(component: Component, words: InWords) -> Component:
    """Return the component, of which `words` gives the properties that Gradio makes something else of."""
    setattr(component, IN_WORDS, words)
    return component


def prose(sentence: str, **layout: Any) -> gr.Markdown:
    """Return Markdown that can be said in another language, which Gradio's own forgets."""
    return translated(
        gr.Markdown(sentence, **layout),
        lambda language: {"value": in_language(sentence, language), "rtl": language.direction == "rtl"},
    )


class Page(gr.Blocks):
    """Blocks whose configuration is in the language of whoever asks for it."""

    _said: dict[str, Any]

    @property
    def config(self) -> Any:
        """What Gradio sends to a browser that opens the page."""
        language = visitors_language()
        if language.code not in self._said:
            self._said[language.code] = self._in(language)
        return self._said[language.code]

    @config.setter
    def config(self, english: Any) -> None:
        self._said = {ENGLISH.code: english}

    def _in(self, language: Language) -> Any:
        english = self._said[ENGLISH.code]
        components = []
        for component in english["components"]:
            words: InWords = getattr(self.blocks[component["id"]], IN_WORDS, lambda _: {})
            props = in_language(component["props"], language) | words(language)
            components.append({**component, "props": props})
        return {**english, "title": in_language(self.title, language), "components": components}
