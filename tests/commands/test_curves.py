"""`ddpm-demo curves`: every sampler once, and no point measured twice."""

import io
import json

import pytest
from PIL import Image

from ddpm_demo.commands import curves, figures
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.measuring import classifier, quality
from ddpm_demo.networks import drawing_digits
from ddpm_demo.store import pictures
from ddpm_demo.store.checkpoint import Checkpoint, save
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.store.provenance import Provenance
from tests.commands.test_parser import run


@pytest.fixture(autouse=True)
def quick_judge(monkeypatch):
    known = classifier.TrainedJudge(classifier.untrained_judge().eval(), 0.125, {})
    monkeypatch.setattr(classifier, "load_judge", lambda: known)
    digits, labels = load_mnist(train=True)
    test = load_mnist(train=False)
    monkeypatch.setattr(quality, "load_mnist", lambda *, train: (digits[:99], labels[:99]) if train else test)


@pytest.fixture
def command(tiny, tmp_path):
    path = tmp_path / "tiny.safetensors"
    save(path, Checkpoint(tiny, ScheduleConfig(), Provenance(seed=1)))
    return ["curves", "--checkpoint", str(path), "--n", "4", "--out", str(tmp_path / "c.json")]


def test_the_points_are_all_samplers_with_the_fewest_steps_first():
    wanted = curves.points([50, 5, 5])
    assert [config.steps for config in wanted] == [5] * 10 + [50] * 11
    assert len(set(wanted)) == len(wanted)
    assert SamplerConfig("ddpm", steps=50, variance="posterior", clip="x0") in wanted
    assert not any(config.steps == 5 and config.clip == "x_t" for config in wanted)
    assert len({curves.variant_name(config) for config in wanted}) == 11


def test_what_is_measured_is_kept_and_not_measured_again(capsys, command, tmp_path, monkeypatch):
    asked = []
    real_draw = drawing_digits.draw_digits

    def stopped_at_the_third(*arguments, **named):
        asked.append(arguments[2])
        if len(asked) == 3:
            raise KeyboardInterrupt
        return real_draw(*arguments, **named)

    monkeypatch.setattr(drawing_digits, "draw_digits", stopped_at_the_third)
    status, out, err = run(capsys, *command, "--steps", "2")
    assert (status, out) == (130, "")
    assert "keeps 2 points; repeat the command to continue" in err
    before = json.loads((tmp_path / "c.json").read_text())
    assert [point["sampler"]["clip"] for point in before["points"]] == ["none", "x0"]

    status, _, _ = run(capsys, *command, "--steps", "2")
    assert status == 0
    assert len(asked) == 3 + 8
    after = json.loads((tmp_path / "c.json").read_text())
    assert after["points"][:2] == before["points"]
    assert after["real"] == before["real"]

    status, out, _ = run(capsys, *command, "--steps", "2,1", "--picture", str(tmp_path / "c.png"), "--markdown")
    assert status == 0
    assert len(asked) == 11 + 10
    assert len(out.splitlines()) == 3 + 20
    with Image.open(tmp_path / "c.png") as picture:
        assert picture.format == "PNG"


def test_a_points_figures_are_those_of_evaluate(capsys, command, tmp_path):
    run(capsys, *command, "--steps", "2", "--seed", "5")
    points = json.loads((tmp_path / "c.json").read_text())["points"]
    found = next(p for p in points if p["sampler"]["kind"] == "dpmpp" and p["sampler"]["clip"] == "x0")
    more = ["--n", "4", "--seed", "5", "--steps", "2", "--sampler", "dpmpp", "--held-out", "1", "--json"]
    _, out, _ = run(capsys, "evaluate", *command[1:3], *more)
    assert found["quality"] == json.loads(out)["generated"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--n", "0"], 2, "--n must be a whole number from 4"),
        (["--steps", "1001"], 2, "steps must be from 1 to 1000"),
        (["--steps", "5;10"], 2, "--steps must be whole numbers with commas between"),
        (["--seed", "-1"], 2, "--seed must be a whole number"),
        (["--picture", "nowhere/c.png"], 1, "there is no directory nowhere"),
    ],
)
def test_wrong_arguments_get_one_line_and_nothing_is_written(
    capsys, command, tmp_path, monkeypatch, arguments, status, message
):
    monkeypatch.chdir(tmp_path)
    found, out, err = run(capsys, *command, *arguments)
    assert (found, out, err.count("\n")) == (status, "", 1)
    assert message in err
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.safetensors"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Dear reader", "holds no curves"),
        (b"[]", "holds no curves"),
        (b"{}", "holds curves with a different classifier"),
    ],
)
def test_a_file_about_something_else_is_left_alone(capsys, command, tmp_path, content, message):
    (tmp_path / "c.json").write_bytes(content)
    status, out, err = run(capsys, *command, "--steps", "1")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert message in err
    assert (tmp_path / "c.json").read_bytes() == content


def test_another_number_of_digits_is_another_measurement(capsys, command, tmp_path):
    run(capsys, *command, "--steps", "1")
    status, _, err = run(capsys, *command[:4], "5", *command[5:], "--steps", "1")
    assert status == 1
    assert "holds curves with a different n: choose another --out" in err


def test_the_pictures_lines_and_size():
    figures = {"frechet": 3.0, "recall": 0.5}
    content = pictures.curves_png(
        {"A, clip none": [(5, figures), (10, figures)], "A, clip x0": [(5, figures)]}, figures
    )
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == (990, 585)


def test_markdown_of_an_evaluation(capsys, command):
    more = ["--n", "4", "--steps", "2", "--held-out", "1", "--markdown"]
    status, out, _ = run(capsys, "evaluate", *command[1:3], *more)
    assert status == 0
    rows = out.splitlines()
    assert all(row.startswith("|") and row.count("|") == 4 for row in rows)
    assert len(rows) == 2 + 1 + len(figures.FIGURES) + 2
