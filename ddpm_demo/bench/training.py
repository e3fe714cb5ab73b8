"""`ddpm-demo bench train`: how fast training is, next to a plain implementation of the same, in one run."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from ddpm_demo.bench.timing import SeparateProcess, live_multiply_adds, matrix_rate, rows_or_fault, time_a_step
from ddpm_demo.core.config import preset
from ddpm_demo.core.model import seeded_denoiser, unfilled_denoiser
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.device import Placement, best_placement
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.training.loop import TrainState, train
from ddpm_demo.training.recipes import train_config

TRAINING_SECONDS = 3.0  # each way is measured at least this long in a round
# The ways take turns, and the best round of each counts: other programs only ever make things slower. Every round makes
# both networks afresh, the plain one in a new process: the memory layout alone is worth up to a tenth, for good.
TRAINING_ROUNDS = 4


def bench_train(
    *, presets: tuple[str, ...] = ("lite", "full"), seconds: float = TRAINING_SECONDS
) -> Iterator[dict[str, Any]]:
    """Measure and yield one row per preset.

    `ours` is `train` with the preset's own recipe (averaged weights, clipped gradients and all); `plain` the plain
    loop in float32 with PyTorch's own layers and Adam, at the same batch, in a process of its own. `of_matrix_rate` is
    three times the network's arithmetic (once forward, twice backward) without the taps in the padding, over what a
    matrix product reaches here in the same number format.
    """
    placement = best_placement()
    rate = matrix_rate(placement, seconds=min(seconds, 1.0))
    for name in presets:
        batch = train_config(name, epochs=1).batch
        what = {"preset": name, "batch": batch}
        yield from rows_or_fault(what, training_rows, name, batch, placement, seconds=seconds, rate=rate)


def training_rows(
    name: str, batch: int, placement: Placement, *, seconds: float, rate: float
) -> Iterator[dict[str, Any]]:
    """Yield the figures of training a preset in batches of so many; `rate` is the matrix product's, in FLOP/s."""
    ours = plain = math.inf
    for _ in range(TRAINING_ROUNDS):
        with SeparateProcess(plain_training, name, placement, batch) as apart:
            ours = min(ours, time_a_step(our_training(name, placement), seconds))
            plain = min(plain, apart.time(seconds))
    flops = 3 * 2 * live_multiply_adds(unfilled_denoiser(preset(name))) * batch
    yield {
        "device": str(placement.device),
        "dtype": placement.dtype_name,
        "images_per_s": batch / ours,
        "plain_images_per_s": batch / plain,
        "times_plain": plain / ours,
        "of_matrix_rate": flops / ours / rate,
    }


def our_training(name: str, placement: Placement) -> Callable[[], object]:
    """Return what takes one step of our training."""
    config = train_config(name, epochs=1000)
    state = TrainState.fresh(preset(name), config, placement)
    steps = train(state, Schedule.from_config(ScheduleConfig()), load_mnist(train=True)[0], config)
    return lambda: next(steps)


def plain_training(name: str, placement: Placement, batch: int) -> Callable[[], object]:
    """Return what takes one step of the loop as anybody writes it down first, in float32."""
    device = placement.device
    schedule = Schedule.from_config(ScheduleConfig()).to(device)
    digits = load_mnist(train=True)[0].to(device)
    model = seeded_denoiser(preset(name), seed=0).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)

    def step() -> float:
        x0 = to_x0(digits[torch.randint(len(digits), (batch,), device=device)])
        t = torch.randint(len(schedule), (batch,), device=device)
        eps = torch.randn_like(x0)
        loss = nn.functional.mse_loss(model(schedule.add_noise(x0, t, eps), t), eps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step
