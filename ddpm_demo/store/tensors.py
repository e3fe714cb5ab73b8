"""Safetensors files: what a header promises is checked before anything is read, and nothing of a file stays mapped.

A file may come from anybody. Its header is bounded, and its tensors must be those that the program expects, name by
name, so that no file makes the program take more memory than the file itself is large.
"""

import json
import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from ddpm_demo.core.config import DemoError
from ddpm_demo.store.files import write_atomically
from ddpm_demo.words.sentence import say, sentence_in

HEADER_BYTES = 2**21  # of the largest network that can be named, with everything its training keeps, it is 0.2 MB
# by safetensors' names: bytes of one number
NUMBERS = {"U8": 1, "F16": 2, "BF16": 2, "F32": 4}
SHORT = 200  # characters of a foreign text that an error message shows


class CheckpointError(DemoError):
    """A file is not a checkpoint that this program can use; the message names the file and says why."""


@dataclass(frozen=True)
class Layout:
    """What a tensor of a file must be: its shape and the number formats, by safetensors' names, that it may have."""

    shape: tuple[int, ...]
    formats: tuple[str, ...] = ("F16", "BF16", "F32")


class TensorFile:
    """An open file that `write_tensors` wrote; a context manager.

    `metadata` is what was written with the tensors, parsed. Raises CheckpointError, naming the file, when it is
    missing, too large a header, damaged, or of another format than `form`.
    """

    def __init__(self, path: Path, form: str | None) -> None:
        self.path = path
        try:
            self._file = path.open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise CheckpointError("there is no checkpoint file {path}", path=path) from None
        except OSError as error:
            raise CheckpointError("cannot read {path}: {why}", path=path, why=error.strerror) from None
        try:
            self._header = self._read_header()
            self._tensors, self.metadata = _parsed(self._header, path, form)
            there, size = self._sizes()
            if there < size:
                raise _wrong_size(there, size)
        except (OSError, ValueError, RecursionError) as error:
            self._file.close()
            raise not_whole(path, error) from None
        except CheckpointError:
            self._file.close()
            raise

    def __enter__(self) -> "TensorFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a tensor by its name, None if the file does not have it."""
        return self._tensors[name][1] if name in self._tensors else ()

    def read(self, expected: Mapping[str, Layout]) -> dict[str, Tensor]:
        """Read the tensors, which must be the expected ones; raise CheckpointError before any is read if not.

        They lie in memory of their own. All that are not whole numbers are finite.
        """
        for name in sorted(expected.keys() | self._tensors.keys()):
            wanted, found = expected.get(name), self._tensors.get(name)
            if wanted is None or found is None or found[1] != wanted.shape:
                raise CheckpointError(
                    "{path} holds weights that do not fit its own configuration: {name}",
                    path=self.path,
                    name=short(name),
                )
            if found[0] not in wanted.formats:
                raise CheckpointError(
                    "{path} holds {name} as {found}, not as {wanted}",
                    path=self.path,
                    name=short(name),
                    found=short(found[0]),
                    wanted=" or ".join(wanted.formats),
                )
        try:
            there, size = self._sizes()
            if there != size:
                raise _wrong_size(there, size)
            # whole and by copy: a mapped file could neither be replaced nor deleted on Windows
            tensors = safetensors.torch.load(struct.pack("<Q", len(self._header)) + self._header + self._file.read())
        except (safetensors.SafetensorError, OSError, ValueError) as error:
            raise not_whole(self.path, error) from None
        for name, tensor in tensors.items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise CheckpointError(
                    "{path} holds weights that are not finite numbers: {name}", path=self.path, name=name
                )
        return tensors

    def fill(self, model: torch.nn.Module) -> None:
        """Give a model on the meta device the weights in the file, in float32; raise CheckpointError as `read` does."""
        weights = self.read(layouts(model))
        model.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, assign=True)

    def _read_header(self) -> bytes:
        start = self._file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= HEADER_BYTES:
            raise ValueError(say("it does not begin with the header of a safetensors file"))
        header = self._file.read(length)
        if len(header) < length:
            raise ValueError(say("its header is cut short"))
        return header

    def _sizes(self) -> tuple[int, int]:
        """Return how many bytes of weights there are, and how many there must be at least by the header."""
        size = sum(NUMBERS.get(form, 0) * math.prod(shape) for form, shape in self._tensors.values())
        return os.fstat(self._file.fileno()).st_size - 8 - len(self._header), size


def read_metadata(path: Path, form: str) -> dict[str, Any]:
    """Read only the JSON metadata of such a file, which is quick; raise CheckpointError as TensorFile does."""
    with TensorFile(path, form) as file:
        return file.metadata


def layouts(model: torch.nn.Module, formats: tuple[str, ...] = ("F16", "BF16", "F32")) -> dict[str, Layout]:
    """Return what the weights of a model must be in a file; the model itself may be on the meta device."""
    return {name: Layout(tuple(tensor.shape), formats) for name, tensor in model.state_dict().items()}


def write_tensors(path: Path, tensors: Mapping[str, Tensor], form: str, metadata: Mapping[str, Any]) -> None:
    """Write tensors and JSON metadata to a safetensors file, atomically; raise CheckpointError if that fails.

    Equal tensors and metadata make equal files, to the byte, on every machine. The folder must be there: a run that
    somebody has deleted must not half come back.
    """
    text = {"format": form, **{name: json.dumps(value) for name, value in metadata.items()}}
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        write_atomically(path, _header_sorted(safetensors.torch.save(plain, metadata=text)))
    except OSError as error:
        raise CheckpointError("cannot write {path}: {why}", path=path, why=error.strerror) from None


def _header_sorted(content: bytes) -> bytes:
    """Return a safetensors file with its header's names in order: safetensors varies the order of the metadata."""
    length = struct.unpack("<Q", content[:8])[0]
    entries = json.loads(content[8 : 8 + length])
    header = json.dumps(entries, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)  # the numbers begin at a multiple of eight
    return struct.pack("<Q", len(header)) + header + content[8 + length :]


def short(text: object) -> str:
    """Return text from outside, or an error's, as one line: unprintable characters escaped, and cut short."""
    whole = sentence_in(text) if isinstance(text, DemoError) else str(text)
    line = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in whole[:SHORT])
    if line == whole:
        return whole  # a sentence stays one
    return line if len(whole) <= SHORT else f"{line}..."


def not_whole(path: Path, error: object) -> CheckpointError:
    """Return the error that says a file is damaged, and how that was noticed."""
    return CheckpointError("{path} is not a checkpoint, or only a part of one: {why}", path=path, why=short(error))


def _wrong_size(there: int, size: int) -> ValueError:
    return ValueError(say("it has {there:,} bytes of weights instead of {size:,}", there=there, size=size))


def _parsed(
    header: bytes, path: Path, form: str | None
) -> tuple[dict[str, tuple[str, tuple[int, ...]]], dict[str, Any]]:
    """Return what a header says: number format and shape of each tensor by name, and the metadata."""
    entries = json.loads(header, object_pairs_hook=_no_name_twice)
    if not isinstance(entries, dict):
        raise ValueError(say("its header is not a JSON object"))
    text = entries.pop("__metadata__", {})
    if not isinstance(text, dict) or not all(isinstance(value, str) for value in text.values()):
        raise ValueError(say("its metadata values are not all strings"))
    found = text.pop("format", None)
    if found != form:
        if not found:
            raise CheckpointError("{path} cannot be used: it was not written by ddpm_demo", path=path)
        raise CheckpointError(
            "{path} cannot be used: its format is {found}, not {wanted}",
            path=path,
            found=short(repr(found)),
            wanted=repr(form),
        )
    tensors = {}
    for name, entry in entries.items():
        form_of, shape = (entry.get("dtype"), entry.get("shape")) if isinstance(entry, dict) else (None, None)
        if not isinstance(form_of, str) or not isinstance(shape, list) or not all(type(n) is int for n in shape):
            raise ValueError(say("its header does not say what {name} is", name=name))
        tensors[name] = form_of, tuple(shape)
    return tensors, {name: json.loads(value) for name, value in text.items()}


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(say("its header has the same name twice"))
    return found
