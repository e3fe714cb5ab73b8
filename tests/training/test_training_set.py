"""Drawings of one's own: what a run learns of them, where they are kept, and that a resumed run is the same run."""

import base64
import json
import shutil
import zlib

import pytest
import torch

from ddpm_demo.core.config import ConfigError, ModelConfig
from ddpm_demo.machine.device import Placement
from ddpm_demo.store import checkpoint
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.store.tensors import CheckpointError
from ddpm_demo.training import shelf, snapshots
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.run import Run
from ddpm_demo.training.training_set import (
    fresh_variations,
    held_out_pictures,
    training_pictures,
    variations,
)
from ddpm_demo.ui.tabs.train_pictures import moment
from tests.store.test_tensors import parts, put
from tests.training.test_loop import assert_same_bits

MODEL = ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16)
PLACE = Placement(torch.device("cpu"), torch.float32)
CONFIG = TrainConfig(epochs=1)


@pytest.fixture
def drawings():
    """Six bars, each elsewhere."""
    sheets = torch.zeros(6, 28, 28, dtype=torch.uint8)
    for k, sheet in enumerate(sheets):
        sheet[4 + 3 * k : 7 + 3 * k, 4:24] = 255
    return sheets


def begin(folder, drawings, **settings):
    config = TrainConfig(**{"epochs": 0.6, "batch": 200, "warmup": 2, **settings})  # 6 steps of 2,000 pictures
    return Run.begin(folder, MODEL, config, PLACE, drawings=drawings)


def test_a_run_learns_the_drawings_their_variations_and_the_classes_mixed_in(drawings):
    own = training_pictures(CONFIG, drawings)
    assert len(own) == 2000
    assert torch.equal(own[:6], drawings)
    assert torch.equal(own, variations(drawings, CONFIG.seed))
    mixed = training_pictures(TrainConfig(epochs=1, classes=(3, 7)), drawings)
    digits, labels = load_mnist(train=True)
    assert torch.equal(mixed[:2000], own)
    assert torch.equal(mixed[2000:4000], digits[labels == 3][:2000])
    assert torch.equal(mixed[4000:], digits[labels == 7][:2000])
    assert len(training_pictures(CONFIG, drawings.repeat(200, 1, 1))) == 4800


def test_it_is_measured_on_other_variations_and_on_digits_only_if_mixed(drawings):
    def rows(pictures):
        return {bytes(picture.flatten().tolist()) for picture in pictures}

    fresh = fresh_variations(drawings, CONFIG.seed)
    alone = held_out_pictures(CONFIG, drawings)
    assert len(alone) == 500
    assert rows(alone) == rows(fresh)
    assert not rows(alone) & rows(training_pictures(CONFIG, drawings))
    mixed = held_out_pictures(TrainConfig(epochs=1, classes=(3,)), drawings)
    digits, labels = load_mnist(train=False)
    assert rows(mixed) == rows(alone) | rows(digits[labels == 3][:500])
    assert 30 < len(rows(mixed[:128]) & rows(fresh)) < 98


def test_a_resumed_run_is_the_same_run_bit_for_bit(drawings, tmp_path):
    whole = begin(tmp_path / "whole", drawings)
    assert [step.step for step in whole.train()] == [1, 2, 3, 4, 5, 6]
    first = begin(tmp_path / "cut", drawings)
    steps = first.train()
    next(steps), next(steps)
    steps.close()
    second = Run.resume(tmp_path / "cut", PLACE)
    assert torch.equal(second.drawings, drawings)
    list(second.train())
    assert_same_bits(whole.state, second.state)
    assert torch.equal(second.held_out_pictures, whole.held_out_pictures)
    assert list(second.held_out(20))[-1] == list(whole.held_out(20))[-1]


def test_drawings_lie_in_the_runs_folder_alone_and_go_with_it(drawings, tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "runs_dir", lambda: tmp_path / "runs")
    directory = shelf.create("signs", MODEL, 4000)
    run = begin(directory, drawings)
    list(run.record())
    (path,) = directory.glob("pictures*")
    held = [
        file for file in directory.rglob("*") if file.is_file() and drawings[2].numpy().tobytes() in file.read_bytes()
    ]
    assert held == [path] == [run.drawings_path]
    story = checkpoint.load(run.checkpoint_path).provenance
    assert (story.pictures, story.classes) == (6, ())
    assert "500 other variations of the same drawings" in story.data
    assert "6 hand-made drawings" in shelf.entry(directory.name).words
    assert shelf.export(directory.name)[1] == run.checkpoint_path.read_bytes()
    shelf.delete(directory.name)
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_run_without_its_drawings_gets_a_sentence(drawings, tmp_path):
    list(begin(tmp_path / "r", drawings).train())
    shutil.copytree(tmp_path / "r", tmp_path / "other")
    list(begin(tmp_path / "five", drawings[:5]).train())
    shutil.copy(tmp_path / "five" / "pictures.safetensors", tmp_path / "r")
    with pytest.raises(CheckpointError, match="do not fit"):
        Run.resume(tmp_path / "r", PLACE)
    (tmp_path / "other" / "pictures.safetensors").unlink()
    with pytest.raises(CheckpointError, match="without its drawings this run cannot continue"):
        Run.resume(tmp_path / "other", PLACE)


def test_a_run_from_before_there_were_drawings_reads_as_it_did(tmp_path):
    run = Run.begin(tmp_path / "r", MODEL, TrainConfig(epochs=1, digits=16, batch=16), PLACE)
    list(run.train())
    header, data = parts(run.state_path)
    train = json.loads(header["__metadata__"]["train"])
    del train["pictures"]
    header["__metadata__"]["train"] = json.dumps(train)
    put(run.state_path, header, data)
    again = Run.resume(tmp_path / "r", PLACE)
    assert (again.config, again.drawings) == (run.config, None)
    assert again.provenance().data == "MNIST training set, 16 digits"
    assert not again.drawings_path.exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pictures": 4}, "at least 5 pictures"),
        ({"pictures": 2001}, "pictures must be a whole number from 0 to 2000"),
        ({"pictures": 5, "digits": 100}, "digits counts MNIST's digits"),
    ],
)
def test_settings_that_make_no_sense_get_a_sentence(settings, words):
    with pytest.raises(ConfigError, match=words):
        TrainConfig(epochs=1, **settings)


def test_the_page_is_told_how_near_each_digit_is_to_the_drawings(drawings, tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "runs_dir", lambda: tmp_path / "runs")
    directory = shelf.create("signs", MODEL, 4000)
    list(begin(directory, drawings, epochs=0.1).record())
    step = snapshots.steps_kept(directory)[0][-1]
    answer = moment({"run": directory.name, "step": step})["nearest"]
    assert answer["drawings"] == 6
    assert 0 < answer["fresh"] < answer["other"]
    found = (
        torch.tensor(list(zlib.decompress(base64.b64decode(answer["pictures"])))).to(torch.uint8).reshape(16, 28, 28)
    )
    apart = (found.double() - snapshots.pictures(directory, step)[0].double()).flatten(1).norm(dim=1) / 255
    assert answer["distance"] == pytest.approx(apart.tolist(), rel=1e-9)

    plain = shelf.create("digits", MODEL, 4000)
    list(Run.begin(plain, MODEL, TrainConfig(epochs=1, digits=16, batch=16), PLACE).record())
    assert "nearest" not in moment({"run": plain.name, "step": 1})
