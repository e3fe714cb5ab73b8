"""The page's glossary: its file read, with the small drawings that stand beside some words."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from ddpm_demo.ui.lessons.toml_file import TomlFile
from ddpm_demo.ui.parts.bridge import browser_component
from ddpm_demo.ui.words.drawings import DRAWINGS, Drawing
from ddpm_demo.ui.words.language import ENGLISH, Language, in_language

GLOSSARY_FILE = Path(__file__).resolve().parent / "glossary.toml"


@dataclass(frozen=True)
class Word:
    """A technical word or symbol: the forms in which sentences have it, and what is said of it.

    `lesson` is the lesson that introduces it, by its file's name without the number; empty if none does.
    """

    name: str
    forms: tuple[str, ...]
    say: str
    lesson: str = ""
    picture: str = ""


def read_glossary(path: Path = GLOSSARY_FILE) -> list[Word]:
    """Return the words of a file in its order; raise ConfigError, with the line, where it is not such a file."""
    file = TomlFile(path)
    file.known((), ("word",))
    words = []
    for k in range(file.count(("word",))):
        file.known(("word", k), ("name", "forms", "say", "lesson", "picture"))
        name, picture = file.get(("word", k, "name"), str), file.get(("word", k, "picture"), str, "")
        if picture and picture not in DRAWINGS:
            raise file.fault(("word", k, "picture"), f"`picture` must be one of {', '.join(DRAWINGS)}")
        forms = tuple(file.get(("word", k, "forms"), list, [name]))
        words.append(
            Word(name, forms, file.get(("word", k, "say"), str), file.get(("word", k, "lesson"), str, ""), picture)
        )
    return words


def glossary_value(language: Language = ENGLISH) -> dict[str, Any]:
    """Return what the page needs: the words as a language has them, and the drawings by name."""
    words = read_glossary()
    return {
        "words": [
            {
                **{"name": word.name, "forms": word.forms},
                **language.words.get(word.name, {}),
                **{"say": in_language(word.say, language), "picture": word.picture or None},
            }
            for word in words
        ],
        "pictures": {name: _drawing(name) for name in sorted({word.picture for word in words if word.picture})},
    }


@lru_cache(maxsize=len(DRAWINGS))
def _drawing(name: str) -> Drawing:
    return DRAWINGS[name]()


def build_glossary() -> gr.HTML:
    """Lay out the list of all words; the browser marks them in sentences while it has nothing else to do."""
    return browser_component("glossary", glossary_value, elem_id="glossary")
