"""The history of a training run: one JSON object a line, append-only, readable while it is written.

`kind` says what a line is: `begin` (a new sitting at the run, with a name of its own), `loss`, `tenths`, `held_out`
or `end`. A kill can cut the last line in half; whoever reads leaves such a line out, and whoever resumes the run
rewrites the file without it and without all that came after the save the run goes on from.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddpm_demo.core.config import DemoError
from ddpm_demo.store.files import write_atomically

FILE = "history.jsonl"
TAIL = 4096  # bytes; no line is nearly so long
Line = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """The lines since the last look, the offset for the next one, and whether this is the whole history again."""

    lines: list[Line]
    sitting: str
    offset: int
    fresh: bool


class History:
    """The history file of a run's directory, to be added to."""

    def __init__(self, directory: Path, *, step: int) -> None:
        """Take it up at a step: lines beyond it belong to steps that a kill has undone. Raises DemoError."""
        self.path = directory / FILE
        kept = [line for line in read_all(directory) if line["step"] <= step]
        begin = {"kind": "begin", "step": step, "sitting": secrets.token_hex(6)}
        try:
            directory.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, _text([begin, *(line for line in kept if line["kind"] != "begin")]))
        except OSError as error:
            raise DemoError("cannot write {path}: {why}", path=self.path, why=error.strerror) from None
        self.lines = kept

    def add(self, line: Line) -> None:
        """Append a line; raise DemoError when the disk is full or the directory gone."""
        try:
            with self.path.open("r+b") as file:  # never creates: a deleted directory stays deleted
                file.seek(0, 2)
                file.write(_text([line]))
        except OSError as error:
            raise DemoError("cannot write {path}: {why}", path=self.path, why=error.strerror) from None


def read_all(directory: Path) -> list[Line]:
    """Return every whole line of a run's history, none if there is no history."""
    return read_since(directory, "", 0).lines


def last_line(directory: Path) -> Line | None:
    """Return the last whole line of a run's history without reading the rest; None if there is none in its tail."""
    try:
        with (directory / FILE).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL))
            content = file.read(TAIL)
    except OSError:
        return None
    whole = content[: content.rfind(b"\n") + 1]
    return next((line for line in map(_parse, reversed(whole.splitlines())) if line is not None), None)


def read_since(directory: Path, sitting: str, offset: int) -> Part:
    """Return what was added after `offset` bytes of a sitting; everything when another sitting has begun since."""
    try:
        with (directory / FILE).open("rb") as file:
            first = file.readline()
            now = _parse(first)
            name = str(now["sitting"]) if now and now["kind"] == "begin" else ""
            size = file.seek(0, 2)
            fresh = name != sitting or not name or not 0 < offset <= size
            file.seek(0 if fresh else offset)
            content = file.read()
    except (OSError, KeyError):
        return Part([], "", 0, True)
    whole = content[: content.rfind(b"\n") + 1]  # the last line may still be on its way
    lines = [line for line in map(_parse, whole.splitlines()) if line is not None]
    return Part(lines, name, (0 if fresh else offset) + len(whole), fresh)


def thinned(lines: list[Line], limit: int) -> list[Line]:
    """Return the lines with at most about `limit` of kind `loss`, evenly chosen, the newest always."""
    losses = [i for i, line in enumerate(lines) if line["kind"] == "loss"]
    if len(losses) <= limit:
        return lines
    stride = -(-len(losses) // limit)
    dropped = {i for k, i in enumerate(reversed(losses)) if k % stride}
    return [line for i, line in enumerate(lines) if i not in dropped]


def _parse(text: bytes) -> Line | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) and isinstance(line.get("step"), int) and "kind" in line else None


def _text(lines: Iterable[Line]) -> bytes:
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
