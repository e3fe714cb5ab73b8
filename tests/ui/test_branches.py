"""From one's own digit: where the walk starts, what is counted, and what is refused."""

import base64
import zlib

import numpy as np
import pytest
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.measuring import classifier
from ddpm_demo.store import checkpoint
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.film import branches
from ddpm_demo.ui.parts.shared_runs import RUNS


def made(path, question):
    """What the page gets to such a question."""
    (answer,) = branches.branches_run(path, question).read()
    return answer


def encoded(x0):
    return base64.b64encode(np.asarray(x0, "<f4").tobytes()).decode()


@pytest.fixture
def judge(monkeypatch):
    """A classifier that reads the brightness, so that anybody can check its answers."""

    class Bright(classifier.Classifier):
        def classes(self, x0):
            return ((x0.mean(dim=(1, 2, 3)).clamp(-1, 1) + 1) * 4.999).long().cpu()

    trained = classifier.TrainedJudge(Bright(), 0.5, {})
    monkeypatch.setattr(classifier, "load_judge", lambda: trained)


@pytest.mark.parametrize("start", [0, 1, 250, 999])
@pytest.mark.parametrize("kind", ["ddpm", "ddim", "dpmpp"])
def test_a_walk_from_the_middle_finds_the_only_image_there_is(linear, start, kind):
    point = torch.linspace(-0.9, 0.9, 16, dtype=torch.float64).view(1, 1, 4, 4)
    generator = torch.Generator().manual_seed(0)
    x_t = linear.add_noise(point, start, torch.randn(point.shape, generator=generator, dtype=torch.float64))
    config = SamplerConfig(kind=kind, variance="posterior", steps=min(10, start + 1))
    steps = list(
        sample(lambda x, t: linear.predict_eps(x, t, point), linear, config, x_t, generator=generator, start=start)
    )
    assert (steps[0].t, steps[-1].s, len(steps)) == (start, -1, config.steps)
    torch.testing.assert_close(steps[-1].x_s, point, rtol=1e-10, atol=1e-10)


def test_a_walk_cannot_have_more_steps_than_timesteps(linear):
    with pytest.raises(ConfigError, match="from 1 to 6, all from t = 5 down"):
        linear.timesteps(7, 5)
    with pytest.raises(ConfigError, match="start must be a whole number from 0 to 999"):
        linear.timesteps(1, 1000)


def test_branches_are_one_digit_at_small_t_and_many_pictures_at_large_t(judge):
    digits, _ = load_mnist(train=False)
    x0 = to_x0(digits[0])
    path = find_checkpoint("lite")

    def pictures(t):
        answer = made(path, {"x0": encoded(x0), "t": t, "seed": 3})
        assert len(answer["classes"]) == answer["n"] == branches.BRANCHES
        assert answer["accuracy"] == 0.5
        levels = np.frombuffer(zlib.decompress(base64.b64decode(answer["branches"])), np.uint8)
        return levels.reshape(branches.BRANCHES, 28, 28).astype(float)

    near = pictures(20)
    # all stay the digit that was given: nearly every pixel, for nearly every branch
    assert np.abs(near - digits[0].numpy()).mean() < 12
    assert pictures(950).std(axis=0).mean() > 3 * near.std(axis=0).mean()


GOOD = encoded(np.zeros(784))


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "x",
        [],
        {},
        {"x0": "no base64!", "t": 5, "seed": 0},
        {"x0": encoded(np.zeros(783)), "t": 5, "seed": 0},
        {"x0": encoded(np.full(784, np.nan)), "t": 5, "seed": 0},
        {"x0": encoded(np.full(784, 7.0)), "t": 5, "seed": 0},
        *({"x0": GOOD, "t": wrong, "seed": 0} for wrong in (-1, 1000, None, "5", float("nan"), 2.5, True)),
        *({"x0": GOOD, "t": 5, "seed": wrong} for wrong in (-1, 2**31, None, "5")),
    ],
)
def test_questions_past_the_interface_are_refused(judge, bad):
    with pytest.raises(ConfigError):
        branches.branches_run(find_checkpoint("lite"), bad)


def test_the_chosen_checkpoint_makes_the_branches(judge, tiny, tmp_path):
    checkpoint.save(tmp_path / "own.safetensors", checkpoint.Checkpoint(tiny, ScheduleConfig(), Provenance()))
    branch = branches.make_branch({"lite": find_checkpoint("lite"), "own": tmp_path / "own.safetensors"})
    named = {name: branch({"checkpoint": name, "x0": GOOD, "t": 100, "seed": 0}) for name in ("lite", "own")}
    assert {name: (answer["checkpoint"], answer["origin"]) for name, answer in named.items()} == {
        name: (name, "") for name in named
    }
    answers = {name: list(RUNS.get(answer["run"]).read()) for name, answer in named.items()}
    assert answers["lite"][0]["branches"] != answers["own"][0]["branches"]
    again = branch({"checkpoint": "own", "x0": GOOD, "t": 100, "seed": 0})
    assert again["origin"].startswith("From memory: computed here at ")
    assert list(RUNS.get(again["run"]).read()) == answers["own"]  # the very seconds too: it was not computed again


@pytest.mark.parametrize("name", [None, "", "full", "assets/checkpoints/lite.safetensors", ["lite"], {}, 0])
def test_only_a_listed_checkpoint_makes_branches(judge, name):
    answer = branches.make_branch({"lite": None})({"checkpoint": name, "x0": GOOD, "t": 5, "seed": 0})
    assert set(answer) == {"error"}


def test_branches_without_a_judge_get_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(classifier, "shipped_judge", lambda: tmp_path / "none.safetensors")
    classifier.load_judge.cache_clear()
    answer = branches.make_branch({"lite": find_checkpoint("lite")})(
        {"checkpoint": "lite", "x0": GOOD, "t": 1, "seed": 0}
    )
    classifier.load_judge.cache_clear()
    assert set(answer) == {"error"}
    assert "there is no checkpoint file" in answer["error"]
