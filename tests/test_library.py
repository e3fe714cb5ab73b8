import shutil

import pytest
import torch

from ddpm_demo import library, limits
from ddpm_demo.config import ConfigError, DemoError, ModelConfig, TrainConfig
from ddpm_demo.device import Placement
from ddpm_demo.lock import LockedError, RunLock
from ddpm_demo.runs import Run

MODEL = ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16)
PLACE = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "runs_dir", lambda: tmp_path / "runs")
    return tmp_path / "runs"


def make(name="", steps=1):
    directory = library.create(name, MODEL, 4000)
    run = Run.begin(directory, MODEL, TrainConfig(epochs=1, classes=(1, 7)), PLACE)
    run.save()
    run.state.step = steps
    for parameter in run.state.model.parameters():
        run.state.optimizer.state[parameter] = {
            "step": torch.tensor(1.0), "exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter)
        }  # fmt: skip
    run.save()
    return directory.name


def test_a_run_is_listed_named_offered_exported_and_deleted(shelf):
    first, second = make(), make("Zoé 2")
    assert {known.name for known in library.entries()} == {"my 8-channel run 1", "Zoé 2"}
    known = library.entry(second)
    assert not known.finished
    assert not known.locked
    assert "only 1 7" in known.words
    library.rename(first, " my  best ")
    offered = {"lite": shelf}
    labels = library.offer(offered, {"lite": shelf})
    assert set(offered) == set(labels) == {"lite", "my best", "Zoé 2"}
    assert offered["Zoé 2"] == shelf / second / "model.safetensors"
    assert "1 steps" in labels["Zoé 2"]
    name, content = library.export(second)
    assert name == "Zoé-2.safetensors"
    assert content == offered["Zoé 2"].read_bytes()
    library.delete(second)
    library.offer(offered, {"lite": shelf})
    assert set(offered) == {"lite", "my best"}
    assert [path.name for path in shelf.iterdir()] == [first]


def test_a_run_that_has_learned_nothing_is_not_offered():
    make(steps=0)
    assert library.offer({}, {}) == {}


@pytest.mark.parametrize("bad", ["../..", "", "x" * 41, "a/b", None, 7, "lite", "mine", "a\x00b", "<b>"])
def test_names_that_are_no_good_get_a_sentence(bad):
    run = make("mine")
    other = make("other")
    with pytest.raises(ConfigError, match=r"name|called"):
        library.rename(other, bad)
    assert library.entry(run).name == "mine"


@pytest.mark.parametrize("bad", ["..", ".", "", None, 7, ["x"], "/etc", "../runs", "nowhere"])
def test_what_is_not_on_the_shelf_is_no_run(bad):
    make()
    for ask in (library.entry, library.directory_of, library.delete, library.export):
        with pytest.raises(ConfigError, match="no such run"):
            ask(bad)


def test_a_run_in_training_cannot_be_deleted():
    run = make()
    with RunLock(library.directory_of(run)), pytest.raises(LockedError):
        library.delete(run)
    assert library.entry(run).step == 1


def test_damage_is_said_and_can_be_deleted(shelf):
    run = make()
    path = shelf / run / "run.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    known = library.entry(run)
    assert "only a part" in known.fault
    assert str(shelf) not in known.fault
    assert known.checkpoint is not None  # the checkpoint is whole: it still draws digits
    library.delete(run)
    shutil.rmtree(shelf)
    assert library.entries() == []


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


def test_a_deletion_that_was_killed_is_finished(shelf):
    make()
    (shelf / ".deleted-x").mkdir()
    assert len(library.entries()) == 1
    library.clear_deleted()
    assert not (shelf / ".deleted-x").exists()
