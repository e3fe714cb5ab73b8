"""A set of the user's own pictures: a folder or a zip of drawings, each read as an uploaded digit is."""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
import torch
from torch import Tensor

from ddpm_demo.core.config import DemoError
from ddpm_demo.drawings.drawing import sign_from_picture
from ddpm_demo.drawings.picture_file import MAX_BYTES, DrawingError
from ddpm_demo.words.sentence import say, sentence_in

MAX_PICTURES = 2000
MAX_ZIP_BYTES = 200_000_000  # of the zip itself
MAX_ENTRIES = 10_000  # names in a zip or a folder, pictures or not
LEAST_DIFFERENCE = 4.0  # mean absolute grey levels, of 255, between some two pictures of a set
THE_ZIP = say("the zip")  # that a page has sent, without its name
ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"}


class PictureSetError(DemoError):
    """A set of pictures cannot be used; the message says why."""


@dataclass(frozen=True)
class PictureRead:
    """One file of a set: its name, and its picture uint8 (28, 28), or the sentence that says why there is none."""

    name: str
    picture: Tensor | None
    fault: str
    done: int
    total: int


def read_pictures(path: Path) -> Iterator[PictureRead]:
    """Read every picture of a folder or zip file, in the order of names, yielding each as it is read.

    Nothing is ever unpacked to disk, so a name inside a zip is a name and never a path; what an entry claims to be and
    how much it really unpacks to are both bounded. Raises PictureSetError when there is no such set, or too much.
    """
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in ENDINGS and file.is_file())
        _check_count(len(files), path.name)
        for done, file in enumerate(files):
            yield _read(file.name, lambda file=file: _bounded(file.open("rb")), done, len(files))  # type: ignore[misc]
        return
    try:
        size = path.stat().st_size
        if size > MAX_ZIP_BYTES:
            raise _too_large(path.name, size)
        with zipfile.ZipFile(path) as archive:
            yield from read_zip(archive, path.name)
    except OSError as error:
        raise PictureSetError("cannot read {path}: {why}", path=path.name, why=error.strerror or str(error)) from None
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise PictureSetError("{name} is neither a folder nor a zip of pictures", name=path.name) from None


def pictures_of_zip(content: bytes) -> Iterator[PictureRead]:
    """Read every picture of a zip file's bytes, as `read_pictures` does."""
    if len(content) > MAX_ZIP_BYTES:
        raise _too_large(THE_ZIP, len(content))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from read_zip(archive, THE_ZIP)
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise PictureSetError("this file is not a zip of pictures") from None


def read_zip(archive: zipfile.ZipFile, called: str) -> Iterator[PictureRead]:
    """Read every picture of an open zip, whatever it is `called`, as `read_pictures` does."""
    if len(archive.filelist) > MAX_ENTRIES:
        raise PictureSetError(
            "{name} holds {count} files; the limit is {most}",
            name=called,
            count=len(archive.filelist),
            most=MAX_ENTRIES,
        )
    entries = sorted((entry for entry in archive.filelist if _is_picture(entry)), key=lambda entry: entry.filename)
    _check_count(len(entries), called)
    for done, entry in enumerate(entries):
        name = PurePosixPath(entry.filename.replace("\\", "/")).name
        yield _read(name, lambda entry=entry: _entry_bytes(archive, entry), done, len(entries))  # type: ignore[misc]


def usable(reads: list[PictureRead], *, least: int = 1) -> Tensor:
    """Return the pictures that could be read, uint8 (N, 28, 28); raise PictureSetError if they teach nothing."""
    pictures = [read.picture for read in reads if read.picture is not None]
    if len(pictures) < least:
        if not reads or pictures:
            raise PictureSetError(
                "at least {least} pictures are needed, but only {count} could be read", least=least, count=len(pictures)
            )
        raise PictureSetError(
            "at least {least} pictures are needed, but only {count} could be read: {name}, {why}",
            least=least,
            count=0,
            name=reads[0].name,
            why=reads[0].fault,
        )
    stacked = torch.stack(pictures)
    if len(stacked) > 1:
        furthest = (stacked.float() - stacked[:1].float()).abs().mean(dim=(1, 2)).max()
        if float(furthest) < LEAST_DIFFERENCE:
            raise PictureSetError(
                "these pictures are all alike: draw the digit several times, each a little differently"
            )
    return stacked


def _check_count(count: int, called: str) -> None:
    if count == 0:
        raise PictureSetError("{name} holds no pictures that can be read: use PNG, JPEG, WebP, GIF or BMP", name=called)
    if count > MAX_PICTURES:
        raise PictureSetError(
            "{name} holds {count} pictures; the limit is {most}", name=called, count=count, most=MAX_PICTURES
        )


def _too_large(called: str, size: int) -> PictureSetError:
    return PictureSetError(
        "{name} is {size:.0f} MB; the limit is {most} MB", name=called, size=size / 1e6, most=MAX_ZIP_BYTES // 10**6
    )


def _is_picture(entry: zipfile.ZipInfo) -> bool:
    name = PurePosixPath(entry.filename.replace("\\", "/"))
    # macOS puts a second, unreadable file beside each of its own
    return not entry.is_dir() and name.suffix.lower() in ENDINGS and "__MACOSX" not in name.parts


def _entry_bytes(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.flag_bits & 1:
        raise DrawingError("it is encrypted")
    return _bounded(archive.open(entry))


def _bounded(file: IO[bytes]) -> bytes:
    """Read a file, at most a byte more than a picture may have: what a zip says of a size can be a lie."""
    with file:
        return file.read(MAX_BYTES + 1)


def _read(name: str, content: Callable[[], bytes], done: int, total: int) -> PictureRead:
    try:
        sign: np.ndarray = sign_from_picture(content())
    except DrawingError as error:
        return PictureRead(name, None, sentence_in(error), done + 1, total)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error):
        return PictureRead(name, None, say("it cannot be read"), done + 1, total)
    return PictureRead(name, torch.from_numpy(sign.copy()), "", done + 1, total)
