"""What a network must beat: the best matrix against the normal equations, and the stored figures against MNIST."""

import json

import numpy as np
import pytest
import torch

from ddpm_demo.core.config import ModelConfig
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.device import best_placement
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.training.baselines import BASELINES_FILE, TITLES, affine_errors, baselines, comparable
from ddpm_demo.training.recipes import train_config
from ddpm_demo.training.run import Run


def test_the_best_matrix_has_the_error_that_the_normal_equations_leave():
    digits = torch.randint(0, 256, (40, 3, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    schedule = Schedule.from_config(ScheduleConfig(timesteps=50))
    errors, covariance = affine_errors(digits, schedule), np.cov(digits.flatten(1).numpy().T / 127.5 - 1, bias=True)
    for t in (0, 20, 49):
        a = schedule.alpha_bar_at(t)
        noisy, cross = a * covariance + (1 - a) * np.eye(9), np.sqrt(1 - a) * np.eye(9)  # of x_t; of x_t with eps
        left = np.trace(np.eye(9) - cross @ np.linalg.solve(noisy, cross)) / 9
        assert errors[t] == pytest.approx(left, rel=1e-4)


def test_the_stored_baselines_are_mnists(linear):
    found = json.loads(BASELINES_FILE.read_text(encoding="utf-8"))
    errors = affine_errors(load_mnist(train=True)[0], linear)
    assert found["average"]["affine"] == pytest.approx(np.mean(errors), rel=0.005) == pytest.approx(0.0745, abs=5e-5)
    assert found["by_tenth"]["affine"] == pytest.approx(np.reshape(errors, (10, 100)).mean(axis=1), rel=0.005)
    for t, values in found["at"].items():
        assert values["affine"] == pytest.approx(errors[int(t)], rel=0.005)
        assert values["memory_training"] < values["affine"] * 1.01
    assert set(found["average"]) == set(TITLES)
    rows = baselines(find_checkpoint("full"))
    assert [row.loss for row in rows] == sorted((row.loss for row in rows), reverse=True)
    assert {row.title: round(row.loss, 4) for row in rows}["full, as shipped"] == 0.0206
    assert all(len(row.by_tenth) == 10 for row in rows)


@pytest.mark.parametrize(
    ("schedule", "settings", "fits"),
    [("linear", {}, True), ("cosine", {}, False), ("linear", {"classes": (1, 7)}, False)],
)
def test_only_runs_on_all_digits_and_the_linear_schedule_stand_beside_them(tmp_path, schedule, settings, fits):
    shape = ModelConfig(hidden=8, dilations=(1,), groups=4, time_dim=16)
    config = train_config("lite", epochs=1.0, **settings)
    run = Run.begin(tmp_path / "run", shape, config, best_placement(), schedule=ScheduleConfig(kind=schedule))
    assert not comparable(tmp_path / "nowhere")
    run.save()
    assert comparable(run.directory) == fits
