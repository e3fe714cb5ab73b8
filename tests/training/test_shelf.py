import shutil

import pytest
import torch

from ddpm_demo.core.config import ConfigError, DemoError, ModelConfig
from ddpm_demo.core.device import Placement
from ddpm_demo.machine import limits
from ddpm_demo.training import shelf
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.run import Run
from ddpm_demo.training.run_lock import LockedError, RunLock

MODEL = ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16)
PLACE = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture(autouse=True)
def runs_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "runs_dir", lambda: tmp_path / "runs")
    return tmp_path / "runs"


def make(name="", steps=1):
    directory = shelf.create(name, MODEL, 4000)
    run = Run.begin(directory, MODEL, TrainConfig(epochs=1, classes=(1, 7)), PLACE)
    run.save()
    run.state.step = steps
    for parameter in run.state.model.parameters():
        run.state.optimizer.state[parameter] = {
            "step": torch.tensor(1.0), "exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter)
        }  # fmt: skip
    run.save()
    return directory.name


def test_a_run_is_listed_named_offered_exported_and_deleted(runs_folder):
    first, second = make(), make("Zoé 2")
    assert {known.name for known in shelf.entries()} == {"my 8-channel run 1", "Zoé 2"}
    known = shelf.entry(second)
    assert not known.finished
    assert not known.locked
    assert "only 1 7" in known.words
    shelf.rename(first, " my  best ")
    offered = {"lite": runs_folder}
    labels = shelf.offer(offered, {"lite": runs_folder})
    assert set(offered) == set(labels) == {"lite", "my best", "Zoé 2"}
    assert offered["Zoé 2"] == runs_folder / second / "model.safetensors"
    assert "1 steps" in labels["Zoé 2"]
    name, content = shelf.export(second)
    assert name == "Zoé-2.safetensors"
    assert content == offered["Zoé 2"].read_bytes()
    shelf.delete(second)
    shelf.offer(offered, {"lite": runs_folder})
    assert set(offered) == {"lite", "my best"}
    assert [path.name for path in runs_folder.iterdir()] == [first]


def test_a_run_that_has_learned_nothing_is_not_offered():
    make(steps=0)
    assert shelf.offer({}, {}) == {}


@pytest.mark.parametrize("bad", ["../..", "", "x" * 41, "a/b", None, 7, "lite", "mine", "a\x00b", "<b>"])
def test_names_that_are_no_good_get_a_sentence(bad):
    run = make("mine")
    other = make("other")
    with pytest.raises(ConfigError, match=r"name|called"):
        shelf.rename(other, bad)
    assert shelf.entry(run).name == "mine"


@pytest.mark.parametrize("bad", ["..", ".", "", None, 7, ["x"], "/etc", "../runs", "nowhere"])
def test_what_is_not_on_the_shelf_is_no_run(bad):
    make()
    for ask in (shelf.entry, shelf.directory_of, shelf.delete, shelf.export):
        with pytest.raises(ConfigError, match="no such run"):
            ask(bad)


def test_a_run_in_training_cannot_be_deleted():
    run = make()
    with RunLock(shelf.directory_of(run)), pytest.raises(LockedError):
        shelf.delete(run)
    assert shelf.entry(run).step == 1


def test_damage_is_said_and_can_be_deleted(runs_folder):
    run = make()
    path = runs_folder / run / "run.safetensors"
    whole = path.read_bytes()
    for size in (100, len(whole) - 1):  # in its header, and in its weights
        path.write_bytes(whole[:size])
        assert "only a part" in shelf.entry(run).fault
    known = shelf.entry(run)
    assert str(runs_folder) not in known.fault
    assert known.checkpoint is not None  # the checkpoint is whole: it still draws digits
    shelf.delete(run)
    shutil.rmtree(runs_folder)
    assert shelf.entries() == []


def test_limits_of_the_disk_and_the_clock(monkeypatch):
    monkeypatch.setenv(limits.DISK_VARIABLE, "5")
    with pytest.raises(DemoError, match="of 5 MB: delete one first"):
        make()
    monkeypatch.setenv(limits.MINUTES_VARIABLE, "7.5")
    assert limits.max_minutes() == 7.5
    for bad in ("many", "-1", "nan", "inf"):
        monkeypatch.setenv(limits.MINUTES_VARIABLE, bad)
        with pytest.raises(ConfigError, match="must be a number from 0 up"):
            limits.max_minutes()


def test_a_deletion_that_was_killed_is_finished(runs_folder):
    make()
    (runs_folder / ".deleted-x").mkdir()
    assert len(shelf.entries()) == 1
    shelf.clear_deleted()
    assert not (runs_folder / ".deleted-x").exists()
