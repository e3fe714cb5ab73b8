"""`bench train` measures the same network in every way; no test looks at how long anything took."""

import pytest
import torch

from ddpm_demo.bench import training


def test_the_plain_step_learns():
    from ddpm_demo.core.device import Placement

    torch.manual_seed(0)
    step = training.plain_training("lite", Placement(torch.device("cpu"), torch.float32), 4)
    losses = [step() for _ in range(12)]
    assert sum(losses[-3:]) < sum(losses[:3])


def test_a_row_has_every_figure(monkeypatch):
    monkeypatch.setattr(training, "TRAINING_ROUNDS", 1)
    (row,) = training.bench_train(presets=("lite",), seconds=0.01)
    assert row["preset"] == "lite"
    assert all(row[name] > 0 for name in ("images_per_s", "plain_images_per_s", "of_matrix_rate"))
    assert row["times_plain"] == pytest.approx(row["images_per_s"] / row["plain_images_per_s"])
