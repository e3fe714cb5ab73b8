"""Markdown of sentences, which can be said again in another language."""

from collections.abc import Iterable, Sequence
from typing import Any

from ddpm_demo.words.sentence import Sentence


def joined(texts: Iterable[Any], between: str = "\n") -> str:
    """Return texts one after the other, each of which is said in the reader's language."""
    values = {f"text{k}": text for k, text in enumerate(texts)}
    return Sentence("{between}".join(f"{{{name}}}" for name in values), {**values, "between": between})


def markdown_table(head: Sequence[Any], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table with this head; a cell is anything that can stand in a sentence."""
    return joined(joined(["|", joined(cells, " | "), "|"], " ") for cells in (head, ["---"] * len(head), *rows))
