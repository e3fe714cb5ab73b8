"""What is wrong with a catalogue, each fault in one line for whoever writes it."""

import json
import string
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from ddpm_demo.ui.words.glossary import read_glossary
from ddpm_demo.ui.words.language import SECTIONS, Language
from ddpm_demo.ui.words.sentences import same_places, sentences
from ddpm_demo.words.sentence import FORMS

HEAD = {"name": str, "direction": str, "draft": bool}
DIRECTIONS = ("ltr", "rtl")


def faults(language: Language) -> list[str]:
    """Return what must be mended in a catalogue, each with its line; what it lacks is no fault.

    Raises ConfigError, with the line, if the file is not TOML.
    """
    if language.path is None:
        return []
    lines = language.path.read_text(encoding="utf-8").splitlines()
    found = [*_of_the_head(language), *_of_words(language)]
    known = sentences()
    for section, texts in language.sections.items():
        for english, text in texts.items():
            found += [(english, words) for words in _of_a_sentence(section, english, text, language, known)]
    return [f"{language.path.name}{_line_of(start, lines)}: {words}" for start, words in found]


def _line_of(start: str, lines: list[str]) -> str:
    """Return where the line of a key or a table stands, empty if it is written in another way."""
    starts = (start, as_toml(start), f"[{start}]", f"[words.{as_toml(start)}]")
    number = next((n for n, line in enumerate(lines, 1) if line.strip().startswith(starts)), None)
    return "" if number is None else f", line {number}"


def _of_the_head(language: Language) -> Iterator[tuple[str, str]]:
    tables = (*SECTIONS, "words")
    for key, value in language.content.items():
        if isinstance(value, dict) and key not in tables:
            yield key, f"no table is called [{key}]; there are {', '.join(tables)}"
        elif not isinstance(value, dict) and key not in HEAD:
            yield key, f"nothing is called `{key}` here; there are {', '.join(HEAD)}"
        elif key in HEAD and not isinstance(value, HEAD[key]):
            yield key, f"`{key}` must be {'true or false' if HEAD[key] is bool else 'a text in quotes'}"
    if language.direction not in DIRECTIONS:
        yield "direction", f"`direction` must be {' or '.join(DIRECTIONS)}"


def _of_words(language: Language) -> Iterator[tuple[str, str]]:
    known = [word.name for word in read_glossary()]
    for name, word in language.words.items():
        if name not in known:
            yield name, f"the glossary has no word {as_toml(name)}{_nearest(name, known)}"
        elif not isinstance(word, dict) or set(word) != {"name", "forms"}:
            yield name, f"[words.{as_toml(name)}] has `name` and `forms`, and nothing else"
        elif not isinstance(word["name"], str) or not _are_texts(word["forms"]):
            yield name, '`name` is a text in quotes, `forms` a list of them: ["one", "another"]'


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _of_a_sentence(
    section: str, english: str, text: Any, language: Language, known: Mapping[str, list[str]]
) -> Iterator[str]:
    if english not in known[section]:
        home = next((name for name, texts in known.items() if english in texts), None)
        near = _nearest(english, [each for texts in known.values() for each in texts])
        yield f"this belongs in [{home}], not in [{section}]" if home else f"the page does not say {english!r}{near}"
    if not isinstance(text, str) or not text.strip():
        yield "a translation is a text in quotes, and not empty"
        return
    counted = FORMS in english and "{" in english
    if (many := text.count(FORMS) + 1) > len(language.forms) and counted:
        forms = "|".join(language.forms)
        yield f"{many} forms of the plural, and the language has {len(language.forms)}: {forms}"
    try:
        broken = [how for _, _, how, _ in string.Formatter().parse(text) if how and not _is_format(how)]
    except ValueError:
        yield "a { or } stands alone"
        return
    if broken:
        yield f"no number can be written as {{...:{broken[0]}}}: copy it from the English sentence"
    if not same_places(english, text, language):
        yield f"its {{places}} are not those of the English sentence: {_compared(english, text)}"


def _is_format(how: str) -> bool:
    """Return whether a number can be written so."""
    try:
        format(1.0, how.removesuffix("%") + "f" if how.endswith("%") else how)
    except ValueError:
        return how == "share"
    return True


def _compared(english: str, text: str) -> str:
    """Return which places a translation lacks and which it has besides."""
    theirs, ours = ({name for _, name, _, _ in string.Formatter().parse(each) if name} for each in (english, text))
    lacks = [f"{{{name}}} is lacking" for name in sorted(theirs - ours)]
    more = [f"{{{name}}} is not there in English" for name in sorted(ours - theirs)]
    return ", ".join([*lacks, *more]) or "a form lacks one, or has one of another form"


def _nearest(text: str, known: list[str]) -> str:
    near = get_close_matches(text, known, n=1, cutoff=0.8)
    return f"; did you mean {near[0]!r}?" if near else ""


def as_toml(value: object) -> str:
    """Return a text, or a list of them, as TOML writes it: as JSON does."""
    return json.dumps(value, ensure_ascii=False)
