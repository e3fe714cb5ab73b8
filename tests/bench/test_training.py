"""`bench train` measures the same network in every way; no test looks at how long anything took."""

import pytest
import torch

from ddpm_demo.bench import training
from ddpm_demo.bench.timing import live_multiply_adds
from ddpm_demo.core.config import preset
from ddpm_demo.core.model import Denoiser


def test_the_plain_step_learns():
    from ddpm_demo.machine.device import Placement

    torch.manual_seed(0)
    step = training.plain_training("lite", Placement(torch.device("cpu"), torch.float32), 4)
    losses = [step() for _ in range(12)]
    assert sum(losses[-3:]) < sum(losses[:3])


def test_a_rows_figures_are_those_of_each_ways_best_round(monkeypatch, told_apart):
    ours, taken = iter([3.0, 4.0]), []
    monkeypatch.setattr(training, "TRAINING_ROUNDS", 2)
    monkeypatch.setattr(training, "time_a_step", lambda step, seconds: (taken.append(step()), next(ours))[1])
    monkeypatch.setattr(training, "matrix_rate", lambda placement, seconds: 1e12)
    monkeypatch.setattr(training, "SeparateProcess", told_apart({"plain_training": [9.0, 6.0]}))
    (row,) = training.bench_train(presets=("lite",))
    assert [progress.step for progress in taken] == [1, 1]  # every round begins anew
    batch = row["batch"]
    assert (row["images_per_s"], row["plain_images_per_s"]) == pytest.approx((batch / 3, batch / 6))
    assert row["times_plain"] == 2
    flops = 3 * 2 * batch * live_multiply_adds(Denoiser(preset("lite")))
    assert row["of_matrix_rate"] == pytest.approx(flops / 3 / 1e12)
