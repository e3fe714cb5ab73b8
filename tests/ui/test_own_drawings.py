"""My own drawings: what a page may send, what it is shown of the set, and the run that begins with them."""

import base64
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.drawings.picture_set import MAX_PICTURES, PictureSetError
from ddpm_demo.machine.limits import MINUTES_VARIABLE
from ddpm_demo.store.checkpoint import load
from ddpm_demo.store.drawings_file import read_drawings
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.training.run import Run
from ddpm_demo.training.shelf import directory_of, entry
from ddpm_demo.training.trainer import Trainer
from ddpm_demo.training.training_set import training_pictures, variations
from ddpm_demo.ui.parts.shared_runs import RUNS
from ddpm_demo.ui.tabs import own_drawings
from ddpm_demo.ui.tabs.own_drawings import (
    OWN_WIDTH,
    SHOWN,
    make_start,
    preview_set,
    read_drawings_sent,
    read_own,
    read_sign,
    read_zip,
)
from ddpm_demo.ui.tabs.train_desk import Desk
from tests.drawings.test_picture_set import drawing, zipped


def text_of(content):
    return base64.b64encode(content).decode()


def bars(count=6):
    """Drawings of a bar, each somewhere else: uint8 (count, 28, 28)."""
    pictures = torch.zeros(count, 28, 28, dtype=torch.uint8)
    for k in range(count):
        pictures[k, 4 + 3 * k % 20 : 7 + 3 * k % 20, 4:24] = 255
    return pictures


def question(drawings=None, **changes):
    pixels = text_of((bars() if drawings is None else drawings).numpy().tobytes())
    return {"pixels": pixels, "classes": [], "minutes": 2, "name": "", **changes}


def shown(answer):
    levels = zlib.decompress(base64.b64decode(answer["pictures"]))
    return torch.frombuffer(bytearray(levels), dtype=torch.uint8).view(-1, 28, 28)


def messages_of(question):
    """What the page gets of a zip that it sends; raises what ends it."""
    answer = read_zip(question)
    if "error" in answer:
        raise ConfigError(answer["error"])
    return list(RUNS.get(answer["run"]).read())


def test_what_is_shown_before_it_starts_is_what_the_run_learns():
    for classes in ([], ["3", "7"]):
        answer = preview_set(question(classes=classes))
        drawings, config = read_own(question(classes=classes))
        taught = {picture.numpy().tobytes() for picture in training_pictures(config, drawings)}
        assert config.classes == tuple(map(int, classes))
        assert answer["total"] == 2000 * (1 + len(classes))
        assert answer["n"] == len(shown(answer)) == SHOWN
        assert all(picture.numpy().tobytes() in taught for picture in shown(answer))


def test_all_ten_classes_can_be_mixed_in():
    assert read_own(question(classes=[str(k) for k in range(10)]))[1].classes == tuple(range(10))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pixels": text_of(bars(4).numpy().tobytes())}, "at least 5 pictures are needed"),
        ({"pixels": ""}, "at least 5 pictures are needed"),
        ({"pixels": text_of(bytes(5 * 784))}, "alike"),
        ({"pixels": text_of(bytes(5 * 784 + 1))}, "784 bytes each"),
        ({"pixels": text_of(bytes((MAX_PICTURES + 1) * 784))}, "at most 2000"),
        ({"classes": ["10"]}, "some of 0 to 9"),
        ({"minutes": 0}, "more than 0"),
        ({"minutes": 1e6}, "at most"),
        ({"minutes": None}, "the length in minutes"),
    ],
)
def test_a_wrong_set_gets_a_sentence(changes, said):
    for answer in (preview_set(question(**changes)), make_start(Desk({}, allowed=True))(question(**changes))):
        assert said in answer["error"]


def test_a_run_begins_with_the_drawings_and_keeps_them(monkeypatch):
    begun = []
    monkeypatch.setattr(Trainer, "start", lambda trainer, directory, make: begun.append((directory, make())))
    answer = make_start(Desk({}, allowed=True))(question(name="my bars", classes=["3"]))
    directory, run = begun[0]
    assert directory == directory_of(answer["run"])
    run.save()
    assert entry(answer["run"]).name == "my bars"
    assert run.config.pictures == 6
    assert run.config.classes == (3,)
    assert run.state.model.config.hidden == OWN_WIDTH
    tiny = load(find_checkpoint("tiny"))
    assert run.grown_from == replace(tiny.provenance, width=OWN_WIDTH)  # it says what it began with
    assert all(torch.equal(a, b) for a, b in zip(run.state.ema.parameters(), tiny.model.parameters(), strict=True))
    torch.testing.assert_close(read_drawings(directory / "pictures.safetensors", 6), bars())
    torch.testing.assert_close(Run.resume(directory, run.placement).training_pictures[:2000], variations(bars(), 0))


def test_a_run_of_drawings_can_begin_with_nothing(monkeypatch):
    begun = []
    monkeypatch.setattr(Trainer, "start", lambda trainer, directory, make: begun.append(make()))
    make_start(Desk({}, allowed=True))(question(begun=False))
    assert begun[0].grown_from is None
    assert "must be true or false" in make_start(Desk({}, allowed=True))(question(begun="tiny"))["error"]


def test_the_teachers_switch_and_limit_hold(monkeypatch):
    assert "switched off" in make_start(Desk({}, allowed=False))(question())["error"]
    monkeypatch.setenv(MINUTES_VARIABLE, "1")
    assert "at most 1" in make_start(Desk({}, allowed=True))(question())["error"]


def test_a_picture_is_read_as_the_set_reads_it():
    (message,) = messages_of({"file": text_of(zipped([("a.png", drawing())]))})
    assert read_sign({"file": text_of(drawing())}) == {"pixels": message["pixels"]}
    assert "cannot be read as a picture" in read_sign({"file": text_of(b"no picture")})["error"]
    assert "at most 5 MB" in read_sign({"file": text_of(bytes(5_000_002))})["error"]


def test_a_zip_is_read_bit_by_bit_and_bad_pictures_are_named(monkeypatch):
    monkeypatch.setattr(own_drawings, "MESSAGE_SECONDS", 0.0)  # a message each
    entries = [(f"../../{k}.png", drawing(10 * k)) for k in range(3)]
    file = text_of(zipped([*entries, ("bad\x1b.png", b"no picture"), ("note.txt", b"not looked at")]))
    told = messages_of({"file": file})
    assert [message["done"] for message in told] == [1, 2, 3, 4]
    assert sum(message["n"] for message in told) == 3
    (fault,) = [fault for message in told for fault in message["faults"]]
    assert fault[0].isprintable()
    assert "cannot be read as a picture" in fault[1]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"file": text_of(b"no zip")}, "not a zip of pictures"),
        ({"file": text_of(zipped([("a.txt", b"words")]))}, "holds no pictures"),
        ({"file": "====" * 3}, "at most 25 MB"),
        ({}, "at most 25 MB"),
        (None, "a question needs"),
        ("a text", "a question needs"),
    ],
)
def test_what_is_no_zip_ends_in_a_sentence(question, said):
    with pytest.raises(DemoError, match=said):
        messages_of(question)


def test_a_zip_larger_than_a_page_may_send_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(own_drawings, "MAX_ZIP_MB", 0)
    with pytest.raises(ConfigError, match="ddpm-demo train --pictures reads larger ones"):
        messages_of({"file": text_of(zipped([("a.png", drawing())]))})


def test_the_drawings_sent_are_bytes():
    sent = read_drawings_sent(text_of(bars().numpy().tobytes()))
    torch.testing.assert_close(sent, bars())
    with pytest.raises(ConfigError):
        read_drawings_sent(np.zeros(784))
    with pytest.raises(PictureSetError):
        read_own(question(bars(2)))
