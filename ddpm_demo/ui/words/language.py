"""The languages of the page: one catalogue each, `LANG.toml` beside this file, and sentences said again in one.

A catalogue has the language's own name, whether it is a `draft`, the direction of its script, and tables of English
sentences with what they are called there: `[browser]` for what the page's JavaScript says, `[lessons]`, `[glossary]`,
and `[server]` for all else. `[words."NAME"]` has what the glossary's word NAME is called. Whatever it lacks is said
in English, and logged.
"""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

from babel import Locale
from babel.lists import format_list

from ddpm_demo.core.config import ConfigError
from ddpm_demo.ui.lessons.toml_file import toml_content
from ddpm_demo.words.sentence import Sentence, as_share, english_form, filled, formatted

FOLDER = Path(__file__).resolve().parent
# how such a file is called: a language, its script, its region
LANGUAGE_FILE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
CATEGORIES = ("zero", "one", "two", "few", "many", "other")  # of numbers, as CLDR orders them
SECTIONS = ("browser", "server", "lessons", "glossary")
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Language:
    """A language and its catalogue, which is read when it is first wanted; `code` is a BCP 47 tag such as `pt-BR`."""

    code: str
    name: str  # as its speakers call it
    direction: str = "ltr"
    draft: bool = False  # shown to whoever asks for it by its code, and offered to nobody
    path: Path | None = None  # of the catalogue; English has none

    @cached_property
    def content(self) -> dict[str, Any]:
        """All that stands in the catalogue; raises ConfigError, with the line, if it is not TOML."""
        return {} if self.path is None else toml_content(self.path.read_text(encoding="utf-8"), self.path.name)

    @cached_property
    def sections(self) -> dict[str, dict[str, str]]:
        """The catalogue's tables of sentences: English, and what it is called in this language."""
        return {name: self.content.get(name, {}) for name in SECTIONS}

    @cached_property
    def words(self) -> dict[str, dict[str, Any]]:
        """What the glossary's words are called, by their English names, and the forms in which sentences have them."""
        words: dict[str, dict[str, Any]] = self.content.get("words", {})
        return words

    @cached_property
    def _sentences(self) -> dict[str, str]:
        return {english: text for section in self.sections.values() for english, text in section.items()}

    def of(self, english: str) -> str:
        """Return an English sentence or template in this language; itself where the catalogue lacks it."""
        if english not in self._sentences and self.path is not None and _has_words(english):
            _missing(self.code, english)
        return self._sentences.get(english, english)

    def form(self, count: float) -> int:
        """Return which of the forms of the plural a number takes, of those that the language has, in CLDR's order."""
        return english_form(count) if self.code == "en" else self.forms.index(self._locale.plural_form(count))

    @cached_property
    def forms(self) -> list[str]:
        """The names of the language's forms of the plural, in CLDR's order."""
        return [name for name in CATEGORIES if name in {*self._locale.plural_form.tags, "other"}]

    @cached_property
    def lone_forms(self) -> frozenset[int]:
        """The forms of the plural that one number alone takes, as those of one and of two in Arabic."""
        taken = [self.form(count) for count in range(200)]
        return frozenset(form for form in taken if taken.count(form) == 1)

    def written(self, value: Any, how: str) -> str:
        """Return a value as it stands in a sentence: a number with the language's own marks, a list as one says it."""
        if isinstance(value, list | tuple):
            return format_list([self.written(word, "") for word in value], locale=self._locale)
        if isinstance(value, str):
            return format(in_language(value, self), how)
        if how == "share":
            return self.written(*as_share(value))
        if how.endswith("%"):
            share = self.written(100 * value, how[:-1] + "f")
            return str(self._locale.percent_formats[None].pattern).replace("#,##0", share)
        text = formatted(value, how)
        if isinstance(value, int | float):
            marks = self._locale.number_symbols["latn"]
            text = text.translate(str.maketrans({",": marks["group"], ".": marks["decimal"]}))
        return text

    @cached_property
    def _locale(self) -> Locale:
        return Locale.parse(self.code, sep="-")


ENGLISH = Language("en", "English")


def _has_words(template: str) -> bool:
    """Return whether there is more in a template than places, marks and spaces."""
    return any(letter.isalpha() for text, *_ in Formatter().parse(template) for letter in text)


@lru_cache(maxsize=1000)
def _missing(code: str, english: str) -> None:
    """Log a sentence that a catalogue lacks, once."""
    LOG.warning("%s: no translation of %r", code, english)


@lru_cache(maxsize=1)
def languages() -> dict[str, Path]:
    """Return the catalogues there are, by code."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml")) if LANGUAGE_FILE.fullmatch(path.stem)}


@lru_cache(maxsize=32)
def language(code: str) -> Language:
    """Return a language by its code; English if there is no catalogue of it."""
    path = languages().get(code)
    return ENGLISH if path is None else read_catalogue(path)


def read_catalogue(path: Path) -> Language:
    """Return the language of a catalogue, of which only the lines before its first table are read now.

    Raises ConfigError, one sentence with the line, if they are not TOML or do not name the language.
    """
    text = re.split(r"^\[", path.read_text(encoding="utf-8"), maxsplit=1, flags=re.MULTILINE)[0]
    head = toml_content(text, path.name)
    if not isinstance(head.get("name"), str):
        raise ConfigError(
            f'{path.name}, line 1: it must begin with the language\'s own name, such as `name = "Deutsch"`'
        )
    return Language(path.stem, head["name"], head.get("direction", "ltr"), head.get("draft", False), path)


def codes(*, drafts: bool = True) -> list[str]:
    """Return the codes of all languages, English first; without the drafts those that the page offers."""
    return [ENGLISH.code, *(code for code in languages() if drafts or not language(code).draft)]


def known_code(code: str) -> str:
    """Return the code of a language that there is, in its own capitals; raise ConfigError if there is none."""
    for known in codes():
        if known.lower() == code.lower():
            return known
    raise ConfigError(f"there is no catalogue of {code!r}; there are {', '.join(codes())}")


def best_code(wanted: Iterable[str], known: Iterable[str]) -> str | None:
    """Return the first of the wanted languages that is known, `de` for `de-AT`; None if none is."""
    known = list(known)
    for tag in wanted:
        exact = [code for code in known if code.lower() == tag.lower()]
        near = [code for code in known if code.split("-")[0] == re.split("[-_]", tag.lower())[0]]
        if exact or near:
            return (exact or near)[0]
    return None


def in_language(value: Any, language: Language) -> Any:
    """Return any value with all sentences in it, however deep in lists and tables, said in a language."""
    if language is ENGLISH:
        return value
    if isinstance(value, Sentence):
        template = language.of(value.template)
        return filled(template, value.values, language.form, language.written) if value.values else template
    if isinstance(value, dict):
        return {name: in_language(each, language) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([in_language(each, language) for each in value])
    return value
