"""Every sentence that the page can say, found in its sources, and what a catalogue lacks of them."""

import contextlib
import io
import string
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from babel.messages.extract import extract

import ddpm_demo
from ddpm_demo.core.config import DemoError
from ddpm_demo.ui.lessons.entry import FILES, page_words
from ddpm_demo.ui.lessons.toml_file import TomlFile, sentences_in
from ddpm_demo.ui.parts.bridge import STATIC
from ddpm_demo.ui.words.glossary import GLOSSARY_FILE
from ddpm_demo.ui.words.language import Language
from ddpm_demo.words.sentence import FORMS

SOURCES = Path(ddpm_demo.__file__).resolve().parent
TERMINAL = ("commands", "bench")  # rooms that no visitor of the page hears of
# babel passes over what stands in JavaScript's `${...}` unless told
HOW_TO_READ = {"encoding": "utf-8", "parse_template_string": True}


@lru_cache(maxsize=1)
def sentences() -> dict[str, list[str]]:
    """Return all sentences by the section of the catalogue in which they stand, each once, in a lasting order."""
    sources = [path for path in sorted(SOURCES.rglob("*.py")) if path.relative_to(SOURCES).parts[0] not in TERMINAL]
    found = {
        "browser": [text for path in sorted(STATIC.rglob("*.js")) for text in said_in(path, "javascript")],
        "lessons": _of_lessons(),
        "glossary": [*sentences_in(TomlFile(GLOSSARY_FILE).content)],
        "server": [text for path in sources for text in said_in(path, "python")],
    }
    known: set[str] = set()
    for section, texts in found.items():
        found[section] = [text for text in dict.fromkeys(texts) if text not in known]
        known |= set(texts)
    return found


def said_in(path: Path, kind: str) -> Iterator[str]:
    """Yield the sentences that a file says by `say`, or by raising an error, in their order."""
    names = {"say", "DemoError", *(error.__name__ for error in _errors(DemoError))}
    # babel writes to stderr whatever it skips
    with path.open("rb") as file, contextlib.redirect_stderr(io.StringIO()):
        for _, found, _, _ in extract(kind, file, dict.fromkeys(names), options=HOW_TO_READ):
            text = found if isinstance(found, str) else found[0]
            if "${" not in text:  # JavaScript's own template, of a function that happens to be called `say`
                yield text


def _errors(base: type[DemoError]) -> Iterator[type[DemoError]]:
    for error in base.__subclasses__():
        yield error
        yield from _errors(error)


def _of_lessons() -> list[str]:
    files = sorted(FILES.glob("[0-9]*.toml"), key=lambda path: int(path.stem.split("-")[0]))
    found = [text for path in [*files, FILES / "plans.toml"] for text in sentences_in(TomlFile(path).content)]
    return [*found, *page_words().values(), *TomlFile(FILES / "lab.toml").content.values()]


def missing(language: Language) -> dict[str, list[str]]:
    """Return what a catalogue lacks, by section; a sentence in the wrong section is lacking where it belongs."""
    return {
        section: [text for text in texts if text not in language.sections.get(section, {})]
        for section, texts in sentences().items()
    }


def same_places(english: str, text: str, language: Language) -> bool:
    """Return whether each form has the places of one of the English forms, and no place of theirs is lost.

    A later form that one number alone takes may leave that number out: "two steps" is a single word in Arabic.
    """
    ours, theirs = _places(english), _places(text)
    counted = {name for _, name, _, _ in list(string.Formatter().parse(text))[:1] if name is not None}
    for place in range(1, len(theirs)):
        if place in language.lone_forms and theirs[place] not in ours:
            theirs[place] |= counted
    return set(theirs) <= set(ours) and frozenset().union(*theirs) == frozenset().union(*ours)


def _places(text: str) -> list[frozenset[str]]:
    """Return the places in each form of a sentence."""
    return [
        frozenset(name for _, name, _, _ in string.Formatter().parse(form) if name is not None)
        for form in text.split(FORMS)
    ]
