import os
import shutil
from pathlib import Path

import pytest
import torch

from ddpm_demo.core.config import ConfigError, DemoError, ModelConfig
from ddpm_demo.machine import limits
from ddpm_demo.machine.device import Placement
from ddpm_demo.networks.ideal_checkpoints import ideal_of_run
from ddpm_demo.store.drawings_file import DRAWINGS_FILE, write_drawings
from ddpm_demo.training import run_entry, shelf
from ddpm_demo.training.history import History
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.run import Run
from ddpm_demo.training.run_entry import NAME_LENGTH
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
    assert "1 step in " in labels["Zoé 2"]
    name, content = shelf.export(second)
    assert name == "Zoé-2.safetensors"
    assert content == offered["Zoé 2"].read_bytes()
    shelf.delete(second)
    shelf.offer(offered, {"lite": runs_folder})
    assert set(offered) == {"lite", "my best"}
    assert [path.name for path in runs_folder.iterdir()] == [first]


def test_with_a_run_on_own_drawings_the_ideal_of_these_is_offered(runs_folder):
    run = make("my sevens")
    write_drawings(runs_folder / run / DRAWINGS_FILE, torch.zeros(5, 28, 28, dtype=torch.uint8))
    offered = {}
    labels = shelf.offer(offered, {})
    assert list(offered) == ["my sevens", ideal_of_run(run)]
    assert offered[ideal_of_run(run)] == Path(ideal_of_run(run))  # the name of an ideal is a path without a file
    assert "my sevens" in labels[ideal_of_run(run)]
    shelf.delete(run)
    assert shelf.offer(offered, {}) == offered == {}


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
        with pytest.raises(ConfigError, match="must be a number of at least 0"):
            limits.max_minutes()


def test_a_deletion_that_was_killed_is_finished(runs_folder):
    make()
    (runs_folder / ".deleted-x").mkdir()
    assert len(shelf.entries()) == 1
    shelf.clear_deleted()
    assert not (runs_folder / ".deleted-x").exists()


def test_odd_contents_of_a_run_folder_never_stop_a_listing(runs_folder):
    good = make("good")
    odd = [runs_folder / name for name in ("a", "b", "c", "d", "e")]
    for folder in odd:
        folder.mkdir()
        (folder / "name.txt").write_text("odd")
    (odd[0] / "run.safetensors").mkdir()  # folders where files belong
    (odd[0] / "model.safetensors").mkdir()
    (odd[1] / "history.jsonl").mkdir()
    (odd[1] / ".lock").mkdir()
    (odd[2] / "moments").write_text("no folder")
    (odd[2] / "run.safetensors").symlink_to(odd[2] / "run.safetensors")  # leads nowhere
    (odd[3] / "name.txt").write_bytes(b"\x1b[31m\xc2\x85 red\n" + b"x" * 10**6)
    (odd[3] / "history.jsonl").write_bytes(b"[" * 200_000 + b"\n")
    (odd[4] / "name.txt").write_bytes(b"\xff\xfe")
    (odd[4] / "history.jsonl").write_bytes(b"x" * 10_000)
    known = {entry.id: entry for entry in shelf.entries()}
    assert set(known) == {good, "a", "b", "c", "d", "e"}
    assert all(known[folder.name].fault and not known[folder.name].finished for folder in odd)
    assert known["d"].name.startswith("[31m red x")
    assert len(known["d"].name) <= NAME_LENGTH
    assert known["e"].name == "e"
    assert all(isinstance(entry.words, str) for entry in known.values())
    for folder in odd:
        shelf.delete(folder.name) if folder != odd[1] else None  # its lock is no file that could be locked
    assert {entry.id for entry in shelf.entries()} == {good, "b"}


def test_a_listing_reads_only_what_has_changed(monkeypatch):
    run, other = make("one"), make("two")
    for name in (run, other):
        History(shelf.directory_of(name), step=1).add({"kind": "end", "step": 1})
    read = []
    for name in ("read_settings", "last_line"):
        real = getattr(run_entry, name)
        monkeypatch.setattr(run_entry, name, lambda path, real=real: read.append(path) or real(path))
    assert all(entry.finished for entry in shelf.entries())
    before = list(read)
    assert {shelf.directory_of(run), shelf.directory_of(other)} <= set(before)
    shelf.entries()
    assert read == before
    directory = shelf.directory_of(run)
    path = directory / "history.jsonl"
    stamp, content = path.stat(), path.read_bytes()
    path.unlink()
    path.write_bytes(content.replace(b"end", b"odd"))  # another file of the same size and time
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    known = {entry.id: entry for entry in shelf.entries()}
    if path.stat().st_ino != stamp.st_ino:  # a file system may give the number out again at once
        assert read == [*before, directory]
        assert not known[run].finished
    assert known[other].finished
