"""A TOML file whose errors are reported with their line."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ddpm_demo.core.config import ConfigError
from ddpm_demo.words.sentence import Sentence, say

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Keys = tuple[str | int, ...]  # the names of tables, the numbers of their entries, and the key: where a value stands
HEADER = re.compile(r"\s*(\[\[?)\s*([\w.-]+)\s*\]")
KEY = re.compile(r"\s*([\w-]+)\s*=")


class TomlFile:
    """The content of a file, and the line of every key in it."""

    def __init__(self, path: Path) -> None:
        """Read the file; raise ConfigError, one sentence with the line, if it cannot be read or is not TOML."""
        self.path = path
        try:
            self.text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ConfigError(f"the lesson {path} cannot be read: {why}") from None
        self.content: dict[str, Any] = _said(toml_content(self.text, path.name))
        self._lines = self._find_lines()

    def _find_lines(self) -> dict[Keys, int]:
        lines: dict[Keys, int] = {(): 1}
        here: Keys = ()
        counts: dict[Keys, int] = {}
        for number, text in enumerate(self.text.splitlines(), start=1):
            if header := HEADER.match(text):
                here = ()
                names = header[2].split(".")
                for k, name in enumerate(names):
                    here = (*here, name)
                    if k == len(names) - 1 and header[1] == "[[":
                        counts[here] = counts.get(here, -1) + 1
                    if here in counts:
                        here = (*here, counts[here])
                lines.setdefault(here, number)
            elif key := KEY.match(text):
                lines.setdefault((*here, key[1]), number)
        return lines

    def line(self, keys: Keys) -> int:
        """Return the line of a value, or that of the table it should be in."""
        while keys not in self._lines:
            keys = keys[:-1]
        return self._lines[keys]

    def fault(self, keys: Keys, words: str) -> ConfigError:
        """Return the error that says what is wrong there."""
        return ConfigError(f"{self.path.name}, line {self.line(keys)}: {words}")

    def get(self, keys: Keys, kind: type | tuple[type, ...], default: Any = ...) -> Any:
        """Return the value at a place; raise ConfigError if it is missing without a default, or of another kind."""
        found: Any = self.content
        for name in keys:
            try:
                found = found[name]
            except (KeyError, IndexError, TypeError):
                if default is not ...:
                    return default
                raise self.fault(keys, f"`{_dotted(keys)}` is missing") from None
        wrong = isinstance(found, bool) and kind is not bool  # true is an int to Python
        if wrong or not isinstance(found, kind):
            raise self.fault(keys, f"`{_dotted(keys)}` must be {KIND_WORDS[kind]}, got {found!r}")
        if isinstance(found, str) and not found.strip():
            raise self.fault(keys, f"`{_dotted(keys)}` is empty")
        return found

    def known(self, keys: Keys, names: Iterable[str]) -> None:
        """Raise ConfigError if the table at a place has a key that is not one of these names."""
        table, names = self.get(keys, dict), list(names)
        for name in table if isinstance(table, Mapping) else ():
            if name not in names:
                raise self.fault((*keys, name), f"nothing is called `{name}` here; there are {', '.join(names)}")

    def count(self, keys: Keys) -> int:
        """Return how many entries a list of tables has."""
        entries = self.get(keys, list, [])
        if not all(isinstance(entry, dict) for entry in entries):
            raise self.fault(keys, f"`{_dotted(keys)}` must be written as [[{_dotted(keys)}]]")
        return len(entries)


FAULTS = {  # what Python's reader says, and what people say
    "Cannot overwrite a value": "this key is there already, further up",
    "Cannot declare": "this table is there already: put its lines under the first one",
    "Illegal character '\\n'": "the quotes are not closed on this line",
}


def toml_content(text: str, name: str) -> dict[str, Any]:
    """Return what a TOML text holds; raise ConfigError, one sentence with the name and the line, if it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else len(text.splitlines())
        words = re.sub(r"\s*\(at [^)]*\)", "", str(error))
        words = next((ours for theirs, ours in FAULTS.items() if words.startswith(theirs)), words)
        raise ConfigError(f"{name}, line {line}: {words}") from None


SENTENCES = {  # the keys of what students read, in lessons, plans and the glossary
    "title",
    "goal",
    "opening",
    "explain",
    "remember",
    "leads",
    "ask",
    "reading",
    "say",
    "button",
    "close",
    "too_low",
    "too_high",
    "far",
    "misconception",
    "refutation",
    "right",
    "wrong",
    "left_end",
    "right_end",
    "height",
}
CAPTIONS = ("pictures", "bars")  # tables of captions by name

KIND_WORDS: dict[Any, str] = {
    str: "a text in quotes",
    int: "a whole number",
    (int, float): "a number",
    list: "a list",
    dict: "a table",
}


def _said(content: Any, name: str = "", *, sentence: bool = False) -> Any:
    """Return a file's content with what students read as sentences, which can be said in another language."""
    if isinstance(content, dict):
        return {key: _said(value, key, sentence=sentence or name in CAPTIONS) for key, value in content.items()}
    if isinstance(content, list):
        return [_said(each, name, sentence=sentence) for each in content]
    return say(content) if isinstance(content, str) and (sentence or name in SENTENCES) else content


def sentences_in(content: Any) -> Iterator[str]:
    """Yield the sentences of a file's content in its order."""
    if isinstance(content, Sentence):
        yield content
    elif isinstance(content, dict | list):
        for each in content.values() if isinstance(content, dict) else content:
            yield from sentences_in(each)


def _dotted(keys: Keys) -> str:
    return ".".join(str(name) if isinstance(name, str) else f"{name + 1}" for name in keys)
