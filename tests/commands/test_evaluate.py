"""`ddpm-demo evaluate` as a user calls it."""

import dataclasses
import json
from dataclasses import asdict

import pytest
import torch

from ddpm_demo.commands.figures import test_digits as words_for_test_digits
from ddpm_demo.core.config import ModelConfig
from ddpm_demo.core.model import seeded_denoiser
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.device import Placement, answering_placement
from ddpm_demo.machine.placement import place
from ddpm_demo.measuring import classifier, quality
from ddpm_demo.networks.recommended import RECOMMENDED_GUIDANCE, RECOMMENDED_SAMPLER
from ddpm_demo.store.checkpoint import Checkpoint, save
from ddpm_demo.store.files import GUIDE
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.training.held_out import held_out_loss
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.run import Run
from ddpm_demo.training.saved_run import save_run
from tests.commands.test_parser import run

QUICK = ["--n", "5", "--held-out", "12", "--steps", "3"]


@pytest.fixture(autouse=True)
def quick_judge(tmp_path, monkeypatch):
    """A judge that is not trained, of a few digits: what is tested here is who is asked what."""
    known = classifier.TrainedJudge(classifier.untrained_judge().eval(), 0.125, {})
    monkeypatch.setattr(classifier, "load_judge", lambda: known)
    digits, labels = load_mnist(train=True)
    monkeypatch.setattr(
        quality, "load_mnist", lambda *, train: (digits[:99], labels[:99]) if train else load_mnist(train=False)
    )


@pytest.fixture
def checkpoint(tiny, tmp_path):
    path = tmp_path / "tiny.safetensors"
    save(path, Checkpoint(tiny, ScheduleConfig(), Provenance(seed=1)))
    return path


def test_json_has_every_figure_of_the_drawn_and_of_real_digits(capsys, checkpoint, tmp_path):
    status, out, err = run(capsys, "evaluate", "--checkpoint", str(checkpoint), *QUICK, "--seed", "3", "--json")
    facts = json.loads(out)
    assert status == 0
    assert facts["checkpoint"] == "tiny.safetensors"
    assert facts["sampler"] == dataclasses.asdict(dataclasses.replace(RECOMMENDED_SAMPLER, steps=3))
    assert facts["guidance"] is None  # the page has a guide for the shipped networks alone
    assert facts["classifier"] == {"accuracy": 0.125}
    assert facts["held_out"]["digits"] == 12
    assert set(facts["generated"]) == set(facts["real"]) == set(quality.Quality.__dataclass_fields__)
    assert facts["generated"]["n"] == facts["real"]["n"] == 5
    assert "drawing digits" in err
    assert "held-out loss, ten timesteps a digit" in err
    assert "5 digits are few for a Frechet distance, which needs thousands" in err
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.safetensors"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], asdict(RECOMMENDED_GUIDANCE["lite"])),
        (["--guidance", "1.5"], {"guide": GUIDE, "weight": 1.5, "first": None, "last": 0}),
        (["--guide", "full", "--interval", "700", "9"], {"guide": "full", "weight": 2.0, "first": 700, "last": 9}),
        (["--guide", "none"], None),
    ],
)
def test_a_shipped_network_is_measured_with_the_pages_guide(capsys, options, expected):
    status, out, _ = run(capsys, "evaluate", "--checkpoint", "lite", *QUICK, *options, "--json")
    assert status == 0
    assert json.loads(out)["guidance"] == expected


def test_the_figures_are_those_of_the_digits_that_sample_draws(capsys, checkpoint, tmp_path):
    import numpy as np

    _, out, _ = run(capsys, "evaluate", "--checkpoint", str(checkpoint), *QUICK, "--seed", "3", "--json")
    command = [
        "--n",
        "5",
        "--steps",
        "3",
        "--seed",
        "3",
        "--variance",
        "posterior",
        "--clip",
        "x0",
        "--out",
        str(tmp_path / "s.npz"),
    ]
    run(capsys, "sample", "--checkpoint", str(checkpoint), *command)
    images = torch.from_numpy(np.load(tmp_path / "s.npz")["images"])
    judge = classifier.load_judge().model
    expected = quality.measure_quality(images, judge, quality.load_reference(judge))
    facts = json.loads(out)
    assert facts["generated"]["frechet"] == expected.frechet
    assert facts["generated"]["classes"] == list(expected.classes)


def test_the_loss_is_that_of_the_test_digits(capsys, checkpoint, tiny):
    _, out, _ = run(capsys, "evaluate", "--checkpoint", str(checkpoint), *QUICK, "--json")
    from ddpm_demo.store.checkpoint import load

    model = place(load(checkpoint).model, answering_placement())
    digits, _ = load_mnist(train=False)
    *_, result = held_out_loss(
        model, Schedule.from_config(ScheduleConfig()), digits[:12], device=answering_placement().device
    )
    assert json.loads(out)["held_out"]["loss"] == result.loss


def test_the_help_says_which_test_digits_are_taken(capsys):
    """The first of them are no sample of all: the halves come from two sources (findings/mnist_*.sh)."""
    status, out, _ = run(capsys, "evaluate", "--help")
    text = " ".join(out.split())
    assert status == 0
    assert "the first so many test digits for the loss" in text
    assert "beside as many test digits, a fixed random choice" in text
    assert [words_for_test_digits(count) for count in (12, 10_000)] == [
        "the first 12 test digits",
        "10,000 test digits",
    ]


def test_a_table_for_people(capsys, checkpoint):
    status, out, _ = run(capsys, "evaluate", "--checkpoint", str(checkpoint), *QUICK, "--sampler", "ddim")
    assert status == 0
    assert "ddim 3 steps, clip x0, eta 0" in out
    assert "gets 12.50% of MNIST's test digits right" in out
    assert "the first 12 test digits" in out
    assert "real: as many test digits as were drawn, a fixed random choice" in out
    for name in ("Frechet distance", "precision", "recall", "recognised", "total variation", "nearest training digit"):
        assert name in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--n", "0"], "--n must be a whole number from 4 to 10000, got 0"),
        (["--n", "10001"], "--n must be a whole number from 4 to 10000"),
        (["--held-out", "0"], "--held-out must be a whole number from 1 to 10000"),
        (["--steps", "1001"], "steps must be from 1 to 1000"),
        (["--sampler", "euler"], "sampler must be one of"),
        (["--seed", "-1"], "--seed must be a whole number"),
    ],
)
def test_wrong_arguments_get_one_line_and_status_2(capsys, monkeypatch, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, "evaluate", *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_weights_that_do_not_fit_or_are_no_numbers_get_one_line_and_status_1(capsys, tmp_path, tiny):
    path = tmp_path / "bad.safetensors"
    other = seeded_denoiser(ModelConfig(hidden=16, dilations=(1, 3), groups=4, time_dim=16), seed=0)
    other.config = tiny.config
    save(path, Checkpoint(other, ScheduleConfig(), Provenance()))
    status, out, err = run(capsys, "evaluate", "--checkpoint", str(path))
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "do not fit its own configuration" in err

    with torch.no_grad():
        tiny.out_project.bias.fill_(float("nan"))
    save(path, Checkpoint(tiny, ScheduleConfig(), Provenance()))
    status, out, err = run(capsys, "evaluate", "--checkpoint", str(path))
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "not finite numbers: out_project.bias" in err


def test_what_sixteen_bits_cost(capsys, tmp_path):
    """float32 against float16 of the same run: a run's own figure, and nearly nothing between them."""
    config = ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16)
    placement = Placement(answering_placement().device, torch.float32)
    started = Run.begin(tmp_path / "r", config, TrainConfig(epochs=1, digits=64, batch=32), placement)
    for _ in started.train():
        pass
    status, out, _ = run(capsys, "evaluate", "--run", str(tmp_path / "r"), "--held-out", "30", "--json")
    facts = json.loads(out)
    assert status == 0
    *_, result = started.held_out(30)
    assert facts["float32"] == pytest.approx(result.loss, rel=1e-6)
    assert facts["float16"] != facts["float32"]
    assert abs(facts["float16_percent"]) < 0.5
    assert facts["float16_percent"] == pytest.approx(100 * (facts["float16"] - facts["float32"]) / facts["float32"])
    assert facts["step"] == 2
    status, out, _ = run(capsys, "evaluate", "--run", str(tmp_path / "r"), "--held-out", "30")
    assert status == 0
    assert out.count("held-out loss") == 3
    assert "the first 30 test digits, 10 timesteps each" in out

    started.state.step = 1  # as if a kill had come between the two files
    save_run(started.state_path, started.state, started.config, started.schedule)
    status, _, err = run(capsys, "evaluate", "--run", str(tmp_path / "r"))
    assert status == 1
    assert "two files from different steps" in err


def test_a_directory_without_a_run_is_named(capsys, tmp_path):
    status, out, err = run(capsys, "evaluate", "--run", str(tmp_path))
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "there is no checkpoint file" in err
