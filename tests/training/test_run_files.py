"""A run's files: damaged, foreign and hostile ones, and that nothing of them stays in use."""

import json
from pathlib import Path

import pytest
import torch

from ddpm_demo.core.config import DemoError, ModelConfig
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.machine.device import Placement
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.store import checkpoint
from ddpm_demo.store.checkpoint import Checkpoint
from ddpm_demo.store.provenance import HeldOutRecord, Provenance
from ddpm_demo.store.tensors import CheckpointError
from ddpm_demo.training import shelf
from ddpm_demo.training.held_out import HeldOut
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.run import Run
from ddpm_demo.training.saved_run import load_run, read_settings, save_run
from ddpm_demo.ui.tabs.train_desk import Desk
from tests.store.test_tensors import DEEP, parts, peak_memory, put

MODEL = ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16)
PLACE = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture(params=["adamw", "muon"])
def run(request, tmp_path):
    """A run of one step, saved."""
    config = TrainConfig(epochs=1, digits=16, batch=16, optimizer=request.param)
    begun = Run.begin(tmp_path / "runs" / "r", MODEL, config, PLACE)
    list(begun.train())
    return begun


def change(path, alter):
    header, data = parts(path)
    alter(header)
    put(path, header, data)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux says what is mapped")
def test_nothing_of_a_resumed_run_stays_mapped(run):
    again = Run.resume(run.directory, PLACE)
    assert "safetensors" not in "".join(
        line for line in Path("/proc/self/maps").read_text().splitlines() if str(run.directory) in line
    )
    assert len(again.state.optimizer.state) == len(list(again.state.model.parameters()))
    again.save()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("model", '{"hidden": 1024, "dilations": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], "time_dim": 4096}'),
        ("model", '{"image_channels": 3}'),
        ("model", DEEP),
        ("train", "{}"),
        ("train", '{"epochs": 1, "batch": "many"}'),
        ("train", DEEP),
        ("schedule", '{"timesteps": 0}'),
        ("grown_from", '{"steps": "x"}'),
        ("grown_from", "[]"),
        ("progress", "[]"),
        ("progress", "{}"),
        ("progress", '{"step": -1, "seconds": 1, "loss": 1}'),
        ("progress", '{"step": 1.5, "seconds": 1, "loss": 1}'),
        ("progress", '{"step": 1, "seconds": "1", "loss": 1}'),
        ("progress", '{"step": 1, "seconds": 1, "loss": NaN}'),
        ("progress", '{"step": 0, "seconds": 1, "loss": 1}'),  # of a run without moments
    ],
)
def test_settings_that_make_no_sense_get_a_sentence(run, name, text):
    change(run.state_path, lambda header: header["__metadata__"].update({name: text}))
    before = peak_memory()
    with pytest.raises(CheckpointError) as caught:
        load_run(run.state_path, PLACE)
    assert peak_memory() - before < 100e6
    assert "\n" not in str(caught.value)
    assert str(run.state_path) in str(caught.value)


@pytest.mark.parametrize(
    "alter",
    [
        lambda header: header.pop("generator"),
        lambda header: header["generator"].update(shape=[1, 5056]),
        lambda header: header["generator"].update(dtype="F32"),
        lambda header: header.pop("ema.in_project.bias"),
        lambda header: header.pop("optimizer.exp_avg.in_project.bias"),
        lambda header: header["optimizer.step.in_project.bias"].update(shape=[1]),
        lambda header: header["model.in_project.bias"].update(dtype="F16"),
        lambda header: header.update(more=header["generator"]),
    ],
)
def test_tensors_that_are_not_a_runs_get_a_sentence(run, alter):
    change(run.state_path, alter)
    with pytest.raises(CheckpointError, match=r"run\.safetensors"):
        load_run(run.state_path, PLACE)


def test_moments_that_are_no_numbers_get_a_sentence(run):
    parameter = next(iter(run.state.model.parameters()))
    run.state.optimizer.state[parameter]["exp_avg"].fill_(float("inf"))
    save_run(run.state_path, run.state, run.config, run.schedule)
    with pytest.raises(CheckpointError, match=r"not finite numbers: optimizer\.exp_avg\."):
        load_run(run.state_path, PLACE)


def test_a_generators_state_is_not_any_bytes(run):
    header, data = parts(run.state_path)
    begin, end = header["generator"]["data_offsets"]
    put(run.state_path, header, data[:begin] + b"\xff" * (end - begin) + data[end:])
    with pytest.raises(CheckpointError, match="cannot be resumed"):
        load_run(run.state_path, PLACE)


def test_a_run_that_grew_before_there_was_a_width(run):
    told = {"preset": "lite", "steps": 5, "mood": "good", "hidden": 64}
    change(run.state_path, lambda header: header["__metadata__"].update(grown_from=json.dumps(told)))
    again = Run.resume(run.directory, PLACE)
    assert again.grown_from.channels == 64
    again.save()
    story = checkpoint.load(again.checkpoint_path).provenance
    assert story.grown_from == again.grown_from == read_settings(run.state_path).grown_from
    assert story.width == 8
    assert story.grown_from.other == {"mood": "good"}


def test_a_held_out_loss_without_every_tenth_can_be_read_again(run):
    run.save(held_out=HeldOut(0.5, (*[0.25] * 9, float("nan")), 20, 20))
    told = checkpoint.load(run.checkpoint_path).provenance.held_out
    assert told == HeldOutRecord(0.5, (*[0.25] * 9, None), 2)
    assert load_placed(run.checkpoint_path).held_out == (*[0.25] * 9, None)


@pytest.mark.parametrize(
    "provenance",
    ["{}", '{"mood": 3}', '{"held_out": {"loss": 1}, "steps": 3}', '{"steps": 3}', "[]", "7", DEEP, '{"steps": {}}'],
)
@pytest.mark.parametrize("run", ["adamw"], indirect=True)
def test_foreign_provenance_is_listed_offered_only_if_good_and_can_be_deleted(run, monkeypatch, provenance):
    monkeypatch.setattr(shelf, "runs_dir", lambda: run.directory.parent)
    change(run.checkpoint_path, lambda header: header["__metadata__"].update(provenance=provenance))
    desk = Desk({}, allowed=True)
    (shown,) = desk.shelf(None)["runs"]
    assert shown["words"]
    assert str(run.directory.parent) not in shown["words"]
    assert shown["checkpoint"] == ('"steps": 3' in provenance)
    for path in desk.checkpoints.values():
        assert load_placed(path).held_out is None
    assert desk.change({"action": "delete", "run": "r"}) == {}
    assert shelf.entries() == []


def test_a_checkpoint_of_nobody_is_good_for_drawing(tiny, tmp_path):
    checkpoint.save(tmp_path / "x", Checkpoint(tiny, ScheduleConfig(), Provenance()))
    assert load_placed(tmp_path / "x").held_out is None


def test_a_run_without_its_file_is_no_run(tmp_path):
    with pytest.raises(DemoError, match="holds no run"):
        Run.resume(tmp_path, PLACE)
