"""The query string of the page's address, also after mail and chat programs have had their way with it.

They append the punctuation after a link, break it, encode it twice, hide zero-width characters in it, and put
parameters of their own around it. Where it is clear what the link said, it is read; whoever reads a value decides.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeVar
from urllib.parse import unquote

from ddpm_demo.core.config import ConfigError

Value = TypeVar("Value")

DECODINGS = 3  # a link that went through more hands than this is not ours
TRAILING = 24  # characters at most that are taken off a value's end
BREAK = re.compile(r"=?[ \t]*\r?\n[> \t]*")  # with the = of quoted-printable mail, which also writes = as =3D
APPENDED = re.compile(r"(#|[?&;](?:amp;)*[\w.-]+=).*$", re.DOTALL)  # a parameter that somebody else put behind it
# what Markdown, HTML, a chat program's <address|words>, the same address once more or half a %29 leave behind a link
MARKUP = re.compile(r"""(\)?\]\(|["']?>|(?!\A)</?\w|\)\s+["']|\|[^|]*>|\s*https?://|%[0-9A-Fa-f]?\Z).*\Z""", re.DOTALL)
SIGNS = {"\\": "", "+": " ", "−": "-"}  # and every kind of dash: programs that lay text out for people put them in


def query_values(query: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    """Return what a query says for these names, unchanged; `read_repaired` makes sense of it.

    A name may also appear in another one's value, or behind `amp;`, or with its `=` still encoded.
    """
    pairs = list(getattr(query, "multi_items", query.items)())  # a name may stand twice: the last one counts
    found = {name: value for name, value in pairs if name in names}
    ours = re.compile(rf"(?:^|[?&#;/|,(<*\s])(?:amp;)*({'|'.join(names)})[*\s]*=", re.IGNORECASE)
    for name, value in pairs:
        text = unicodedata.normalize("NFKC", _visible(_decoded(f"{name}={value}" if value else name)))
        for match in ours.finditer(text):
            found.setdefault(match[1].lower(), text[match.end() :])
    return found


def read_repaired(text: str, read: Callable[[str], Value]) -> Value:
    """Return what `read` makes of a value as it came, or, where it refuses that, of the repaired value.

    Raises the first ConfigError of `read`, or else its first ValueError.
    """
    refusals: list[ValueError | ConfigError] = []
    for candidate in repairs(text):
        try:
            return read(candidate)
        except (ConfigError, ValueError) as error:
            refusals.append(error)
    raise next((error for error in refusals if isinstance(error, ConfigError)), refusals[0])


def repairs(text: str) -> Iterator[str]:
    """Yield a value as it came, and then what it may have been before it was mangled, the likeliest first."""
    tried = set[str]()
    tidy = _visible(APPENDED.sub("", BREAK.sub("", _decoded(text))))
    plain = _plain(unicodedata.normalize("NFKC", tidy))
    bare = MARKUP.sub("", _plain(tidy)).removeprefix("3D")
    for whole in (text, tidy, _plain(tidy), plain, plain.removeprefix("3D"), bare, plain.strip("_"), plain.lower()):
        for candidate in [whole] if whole is text else _shorter(whole):
            if candidate not in tried:
                tried.add(candidate)
                yield candidate


def _shorter(text: str) -> Iterator[str]:
    """Yield a text without what surrounds it, and then without one character after another at its end."""
    text = re.sub(r"^[^\w%+.−‐-―-]+|\s+$", "", text)  # a minus before a number is no quotation mark
    yield text
    for _ in range(TRAILING):
        if not text or text[-1].isalnum():
            return
        text = text[:-1]
        yield text


def _decoded(text: str) -> str:
    for _ in range(DECODINGS):
        if not re.search(r"%[0-9A-Fa-f]{2}", text):
            break
        text = unquote(text)
    return text


def _visible(text: str) -> str:
    """Return a text without line breaks, zero-width characters and other characters that nobody sees."""
    return "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cf", "Zl", "Zp"))


def _plain(text: str) -> str:
    """Return a text with every dash a hyphen, a space for + and no backslash."""
    signs = (SIGNS.get(sign, "-" if unicodedata.category(sign) == "Pd" else sign) for sign in text)
    return "".join(signs).strip()
