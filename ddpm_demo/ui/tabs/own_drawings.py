"""My own drawings, on the Train tab: teach a small network a symbol of your own.

The drawings stay in the visitor's page until a run begins with them, and then in the run's folder.
"""

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ddpm_demo.core.config import PRESETS, ConfigError, ModelConfig
from ddpm_demo.core.model import count_parameters, unfilled_denoiser
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.drawings.drawing import sign_from_picture
from ddpm_demo.drawings.picture_file import MAX_BYTES
from ddpm_demo.drawings.picture_set import MAX_PICTURES, PictureRead, pictures_of_zip, usable
from ddpm_demo.machine.limits import max_minutes
from ddpm_demo.store.files import GUIDE
from ddpm_demo.store.mnist import to_x0
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.store.tensors import short
from ddpm_demo.training import shelf
from ddpm_demo.training.recipes import LEAST_PICTURES, TrainConfig, train_config
from ddpm_demo.training.training_set import training_pictures
from ddpm_demo.ui.parts.bridge import base64_of, browser_component, server_function
from ddpm_demo.ui.parts.frames import packed
from ddpm_demo.ui.parts.readers import SIDE, flag, from_base64, named_values, number, shown_keys, some_of
from ddpm_demo.ui.parts.shared_runs import RUNS
from ddpm_demo.ui.tabs.train_desk import Desk
from ddpm_demo.ui.tabs.train_settings import CLASSES, FIRST_PRESET, RunRequest
from ddpm_demo.words.sentence import say

MAX_ZIP_MB = 25  # that a page may send; `ddpm-demo train --pictures` reads larger ones
OWN_WIDTH = 32  # channels: a few drawings need no more, and two minutes teach it well
OWN_FIRST = GUIDE  # the shipped network of that width: it has learned MNIST's digits for five minutes
OWN_MINUTES = 2.0
SHOWN = 40  # pictures of the set that are shown before it starts
MESSAGE_SECONDS = 0.2  # while a zip is read, from one message to the next
OWN_LESSON = say("""
## Did it learn or copy?
A network that is shown five drawings for long enough can do well by memorising them: the loss asks for no more. With
a hundred it must find out what they share. Draw a few, then many, and look at the nearest drawing beside each result.
""")


def build_own_drawings(desk: Desk) -> None:
    """Lay out the panel and connect it; it opens on demand."""
    parameters = count_parameters(unfilled_denoiser(own_model()))
    begin = {
        "least": LEAST_PICTURES,
        "most": MAX_PICTURES,
        "bytes": MAX_BYTES,
        "zip_bytes": MAX_ZIP_MB * 1_000_000,
        "minutes": min(OWN_MINUTES, max_minutes()),
        "most_minutes": max_minutes(),
        "width": OWN_WIDTH,
        "parameters": parameters,
        "begins_with": OWN_FIRST if own_first(True) else "",
    }
    browser_component(
        "tabs/own_drawings", begin, elem_id="own-drawings", server=[read_sign, read_zip, preview_set, make_start(desk)]
    )


def own_model() -> ModelConfig:
    """Return the configuration of the network that learns them: the first preset's, narrower."""
    return replace(PRESETS[FIRST_PRESET], hidden=OWN_WIDTH)


def own_first(wanted: object) -> Path | None:
    """Return the file of the network that a run starts from, if a page wants that; None where it starts from scratch.

    It has the shape of `own_model` and knows strokes from MNIST's digits.
    """
    return shipped_checkpoints().get(OWN_FIRST) if flag(say("whether it begins with a network"), wanted) else None


@server_function
def read_sign(question: Any) -> dict[str, Any]:
    """Answer the page with the symbol in one picture file, which it sends in base64 as `file`: 784 bytes, `pixels`."""
    fields = named_values(question, say("a file"))
    file = from_base64(fields.get("file"), say("the picture must be a file of at most 5 MB"), most=MAX_BYTES)
    return {"pixels": base64_of(sign_from_picture(file))}


@server_function
def preview_set(question: Any) -> dict[str, Any]:
    """Answer the page with some of the pictures that a run would learn from, drawn at random, and how many there are.

    These are the run's own: it makes them of the drawings and its seed, which is 0 here as there.
    """
    drawings, config = read_own(question)
    pictures = training_pictures(config, drawings)
    some = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(config.seed))[:SHOWN]
    return {"pictures": packed([to_x0(pictures[some])], 8), "n": len(some), "total": len(pictures)}


def make_start(desk: Desk) -> Callable[[Any], dict[str, Any]]:
    """Return the function by which the page begins a run with its drawings."""

    @server_function
    def start_own(question: Any) -> dict[str, Any]:
        desk.must_be_allowed()
        drawings, config = read_own(question)
        first = own_first(question.get("begun", True))
        name = question.get("name")
        text = shelf.new_name(name) if isinstance(name, str) and name.strip() else ""
        request = RunRequest(text, own_model(), ScheduleConfig(), config)
        if flag(say("whether it may wait"), question.get("wait", False)):
            return desk.join(shown_keys(question), request, drawings, first=first)
        if desk.queue.busy:  # the page asks whether it may wait
            return {"busy": True}
        return desk.start(request, drawings, first=first)

    return start_own


def read_own(question: Any) -> tuple[Tensor, TrainConfig]:
    """Return the drawings uint8 (N, 28, 28) that a page sends, and how to learn them; raise DemoError if wrong.

    `pixels` are those of all drawings, a byte each, in base64; `classes` are those of MNIST that are mixed in.
    """
    fields = named_values(question, "pixels, classes and minutes")
    drawings = read_drawings_sent(fields.get("pixels"))
    usable([PictureRead("", drawing, "", 0, 0) for drawing in drawings], least=LEAST_PICTURES)
    labels = some_of(fields.get("classes"), CLASSES, say("the digits mixed in must be some of 0 to 9"))
    config = train_config(
        FIRST_PRESET,
        minutes=number(say("the length in minutes"), fields.get("minutes"), 0, max_minutes(), above=True),
        classes=tuple(sorted({int(label) for label in labels})),
        pictures=len(drawings),
    )
    return drawings, config


def read_drawings_sent(value: object) -> Tensor:
    """Return drawings uint8 (N, 28, 28) of at most MAX_PICTURES, sent in base64; raise ConfigError on anything else."""
    pixels = SIDE * SIDE
    refusal = say("there must be at most {most} drawings, of {bytes} bytes each", most=MAX_PICTURES, bytes=pixels)
    content = from_base64(value, refusal, most=MAX_PICTURES * pixels)
    if len(content) % pixels:
        raise ConfigError(refusal)
    return torch.from_numpy(np.frombuffer(content, np.uint8).reshape(-1, SIDE, SIDE).copy())


@server_function
def read_zip(question: Any) -> dict[str, Any]:
    """Answer the page with the name of a run that reads a zip of pictures, which it sends in base64 as `file`."""
    fields = named_values(question, say("a file"))
    refusal = say(
        "a zip from this page may be at most {most} MB; ddpm-demo train --pictures reads larger ones", most=MAX_ZIP_MB
    )
    content = from_base64(fields.get("file"), refusal, most=MAX_ZIP_MB * 1_000_000)
    return {"run": RUNS.begin(zip_messages(content)).name}


def zip_messages(content: bytes) -> Iterator[dict[str, Any]]:
    """Read a zip of pictures, yielding what was read as it is read; raise DemoError if it is unusable as a whole.

    A message holds the `pixels` of `n` pictures, the `faults` of others, [name, sentence] each, and how many of `total`
    are `done`.
    """
    reads, last_sent = list[PictureRead](), time.monotonic()
    for read in pictures_of_zip(content):
        reads.append(read)
        if time.monotonic() - last_sent >= MESSAGE_SECONDS:
            yield _message(reads)
            reads, last_sent = [], time.monotonic()
    if reads:
        yield _message(reads)


def _message(reads: list[PictureRead]) -> dict[str, Any]:
    pictures = [read.picture.numpy().tobytes() for read in reads if read.picture is not None]
    return {
        "pixels": base64.b64encode(b"".join(pictures)).decode("ascii"),
        "n": len(pictures),
        "faults": [[short(read.name), read.fault] for read in reads if read.picture is None],
        "done": reads[-1].done,
        "total": reads[-1].total,
    }
