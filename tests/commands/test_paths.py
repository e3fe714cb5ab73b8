"""Paths, endings and consoles of the command line: what is wrong is refused in one line before any work is done."""

import io
import json
import sys

import numpy as np
import pytest

from ddpm_demo.commands.parser import main
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.measuring import classifier
from ddpm_demo.store.checkpoint import Checkpoint, save
from ddpm_demo.store.provenance import Provenance
from tests.commands.test_parser import run


@pytest.fixture
def home(tmp_path, monkeypatch, tiny):
    """A home directory, the working directory too, with a checkpoint."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "mine.safetensors", Checkpoint(tiny, ScheduleConfig(), Provenance(hardware="ᾱ-手")))
    return tmp_path


@pytest.fixture
def nothing_is_done(monkeypatch):
    """Make it an error to draw, to train or to judge."""

    def fail(*_, **__):
        raise AssertionError("work was begun")

    for name in ("networks.drawing_digits.draw_digits", "measuring.classifier.load_judge"):
        monkeypatch.setattr(f"ddpm_demo.{name}", fail)
    monkeypatch.setattr("ddpm_demo.measuring.noisy_training.train_classifier", fail)
    return classifier


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["sample", "--out", "digits.png"], 2, "--out must be a file name that ends in .npz, got digits.png"),
        (["sample", "--out", "digits"], 2, "--out must be a file name that ends in .npz"),
        (["sample", "--out", "d.npz", "--png", "x.jpg"], 2, "--png must be a file name that ends in .png"),
        (["sample", "--out", "d.npz", "--gif", "x.png"], 2, "--gif must be a file name that ends in .gif"),
        (["sample", "--out", ""], 2, "argument --out: it must be a path, but it is empty"),
        (["sample", "--out", "a\0.npz"], 2, "argument --out: it must be a path, which cannot contain a NUL"),
        (
            ["sample", "--out", "d.npz", "--png", "~nobody-here/x.png"],
            2,
            "argument --png: it names the home directory of an unknown user",
        ),
        (["sample", "--out", "folder.npz"], 1, "cannot write folder.npz: it is a directory"),
        (["sample", "--out", "d.npz", "--checkpoint", "a\0"], 2, "a checkpoint must be a path"),
        (["sample", "--out", "d.npz", "--checkpoint", "x" * 5000], 2, "a checkpoint cannot be used: File name too"),
        (["sample", "--out", "d.npz", "--checkpoint", ""], 1, "no checkpoint ''"),
        (["info", "--checkpoint", "~nobody-here/x"], 2, "a checkpoint names the home directory of an unknown user"),
        (["app", "--checkpoint", "\0"], 2, "a checkpoint must be a path"),
        (["train", "--out", "", "--minutes", "1"], 2, "argument --out: it must be a path"),
        (["train", "--out", "r", "--grow-from", "\0"], 2, "a checkpoint must be a path"),
        (["evaluate", "--run", " "], 2, "argument --run: it must be a path"),
        (["curves", "--out", "c.npz"], 2, "--out must be a file name that ends in .json"),
        (["curves", "--out", "c.json", "--picture", "c.gif"], 2, "--picture must be a file name that ends in .png"),
        (["curves", "--out", "c.json", "--picture", "folder.npz/c.json"], 2, "--picture must be a file"),
        (["complete", "--png", "c.jpg"], 2, "--png must be a file name that ends in .png"),
        (["classifier", "--out", "c.npz"], 2, "--out must be a file name that ends in .safetensors"),
        (["classifier", "--out", "nowhere/c.safetensors"], 1, "there is no directory nowhere"),
    ],
)
def test_a_wrong_path_gets_one_line_before_any_work(home, nothing_is_done, capsys, arguments, status, message):
    (home / "folder.npz").mkdir()
    found, out, err = run(capsys, *arguments)
    assert (found, out, err.count("\n")) == (status, "", 1)
    assert message in err
    assert sorted(path.name for path in home.iterdir()) == ["folder.npz", "mine.safetensors"]


def test_a_tilde_is_understood_everywhere(home, capsys):
    (home / "out").mkdir()
    command = ["sample", "--checkpoint", "~/mine.safetensors", "--n", "2", "--steps", "2", "--out", "~/out/d.npz"]
    status, out, _ = run(capsys, *command, "--png", "~/out/d.png", "--gif", "~/out/d.gif")
    assert (status, out.split()) == (0, [str(home / "out" / name) for name in ("d.npz", "d.gif", "d.png")])
    assert np.load(home / "out" / "d.npz")["images"].shape == (2, 28, 28)
    assert sorted(path.name for path in (home / "out").iterdir()) == ["d.gif", "d.npz", "d.png"]
    assert sorted(path.name for path in home.iterdir()) == ["mine.safetensors", "out"]


def test_a_relative_path_is_shown_as_it_was_given(home, capsys):
    _, out, _ = run(capsys, "sample", "--checkpoint", "mine.safetensors", "--n", "1", "--steps", "1", "--out", "d.npz")
    assert out == "d.npz\n"


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "gbk", "cp437", "utf-8"])
def test_a_console_that_lacks_a_letter_shows_its_number(home, monkeypatch, encoding):
    console = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    monkeypatch.setattr(sys, "stdout", console)
    assert main(["info", "--checkpoint", "mine.safetensors"]) == 0
    console.seek(0)
    assert "ᾱ-手".encode(encoding, "backslashreplace").decode(encoding) in console.read()


def test_info_of_a_checkpoint_without_a_story(home, capsys, tiny):
    save(home / "x.safetensors", Checkpoint(tiny, ScheduleConfig(), Provenance()))
    _, out, _ = run(capsys, "info", "--checkpoint", "x.safetensors", "--json")
    assert json.loads(out)["provenance"] == {}


@pytest.mark.parametrize("points", ["7", "[7]", "[{}]", '[{"sampler": {"kind": "x"}, "quality": {}}]', "[" * 100_000])
def test_a_result_file_that_makes_no_sense_is_left_alone(home, capsys, monkeypatch, points):
    known = classifier.TrainedJudge(classifier.untrained_judge().eval(), 0.125, {})
    monkeypatch.setattr(classifier, "load_judge", lambda: known)
    import hashlib

    about = {
        "format": "ddpm_demo curves 1",
        "checkpoint": "mine.safetensors",
        "sha256": hashlib.sha256((home / "mine.safetensors").read_bytes()).hexdigest(),
        "n": 4,
        "seed": 0,
        "classifier": {"accuracy": 0.125},
    }
    content = json.dumps(about)[:-1] + f', "points": {points}}}'
    (home / "c.json").write_text(content)
    command = ["curves", "--checkpoint", "mine.safetensors", "--n", "4", "--steps", "1", "--out", "c.json"]
    status, _, err = run(capsys, *command)
    assert status == 1
    assert "holds no curves" in err.splitlines()[-1]
    assert (home / "c.json").read_text() == content
