"""Sentences for people: said in English, and able to be said again in another language.

A sentence is whole, with its values in named places: `say("{count} digit|{count} digits", count=3)`. Forms of the
plural stand beside each other, the first place in the sentence being what is counted. Whoever shows it to somebody
translates it at the last moment (`ddpm_demo.ui.words`); to all other code it is plain English text.
"""

import re
import string
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any, Protocol

FORMS = "|"  # between the forms of the plural
LEAST_PER_CENT = 0.001  # of a share that is written; whatever is less is said to be less
NEARLY_ALL = 99.95
POWER_OF_TEN = re.compile(r"(-?[\d.]+)e([+-]\d+)")
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Sentence(str):
    """An English text that remembers the template and the values it was made of."""

    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, values: Mapping[str, Any]) -> "Sentence":
        """Without values the template is the text: braces in it mean nothing."""
        self = super().__new__(cls, filled(template, values, english_form) if values else template)
        self.template, self.values = template, values
        return self

    def __str__(self) -> str:
        """Return itself: `str` of a sentence can still be translated."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as what it was made of."""
        return Sentence, (self.template, self.values)


def say(template: str, /, **values: Any) -> str:
    """Return an English sentence with its values in the {places}; `{share:.1f}` formats a number as Python does.

    `{share:.1%}` writes 39.4 %, `{share:share}` as many decimals as a share needs. A list of words becomes
    `a, b and c`. Raises KeyError if a place has no value.
    """
    return Sentence(template, values)


class Explained(Protocol):
    """What keeps its sentence and the values of it, as every DemoError does."""

    @property
    def template(self) -> str:
        """The sentence with its places."""

    @property
    def values(self) -> Mapping[str, Any]:
        """What stands in them."""


def sentence_in(error: Explained) -> str:
    """Return an error's sentence, which can be said in another language."""
    return error.template if isinstance(error.template, Sentence) else Sentence(error.template, error.values)


def with_commas(texts: Iterable[str]) -> str:
    """Return at least one text, with the reader's own commas between them."""
    return reduce(lambda before, after: say("{before}, {after}", before=before, after=after), texts)


def plain(text: str) -> str:
    """Return a text as nothing but English: the name of a thing, which stays the same in every language."""
    return str.__str__(text)


def filled(
    template: str,
    values: Mapping[str, Any],
    form: Callable[[float], int],
    written: Callable[[Any, str], str] = lambda value, how: in_english(value, how),
) -> str:
    """Return a template with each value as `written`; `form` chooses among its forms by what is counted."""
    forms = template.split(FORMS)
    if len(forms) > 1:
        counted = next(name for _, name, _, _ in string.Formatter().parse(template) if name)
        template = forms[min(form(values[counted]), len(forms) - 1)]
    return "".join(
        text if name is None else text + written(values[name], how or "")
        for text, name, how, _ in string.Formatter().parse(template)
    )


def english_form(count: float) -> int:
    """Return 0 for one, 1 for any other number."""
    return int(count != 1)


def in_english(value: Any, how: str) -> str:
    """Return a value as it stands in an English sentence."""
    if isinstance(value, list | tuple):
        words = [str(word) for word in value]
        return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    if how == "share":
        return in_english(*as_share(value))
    return format(100 * value, how[:-1] + "f") + " %" if how.endswith("%") else formatted(value, how)


def formatted(value: Any, how: str) -> str:
    """Return a value as Python formats it, but 4.04e-05 as one reads it: 4.04 × 10⁻⁵."""
    text = format(value, how)
    found = POWER_OF_TEN.fullmatch(text) if isinstance(value, float) else None
    return f"{found[1]} × 10{str(int(found[2])).translate(RAISED)}" if found else text


def as_share(share: float) -> tuple[Any, str]:
    """Return how a share from 0 to 1 is written in per cent, a value and its format; `static/figures.js` does alike.

    One decimal, below 1 % more of them, "less than 0.001 %" for a trace.
    """
    percent = 100 * share
    if 0 < percent < LEAST_PER_CENT:
        return say("less than {least:.3%}", least=LEAST_PER_CENT / 100), ""
    if NEARLY_ALL <= percent < 100:
        return say("more than {most:.1%}", most=0.999), ""
    decimals = 0 if percent >= 100 or percent == 0 else 1 if percent >= 1 else 2 if percent >= 0.1 else 3
    return share, f".{decimals}%"
