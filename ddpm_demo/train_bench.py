"""`ddpm-demo bench train`: how fast training is, beside the plain way of doing the same, in one run."""

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ddpm_demo.config import ScheduleConfig, preset, train_config
from ddpm_demo.data import load_mnist, to_x0
from ddpm_demo.device import Placement, best_placement
from ddpm_demo.measure import Apart, live_multiply_adds, matrix_rate, time_a_step
from ddpm_demo.model import Denoiser, ResidualBlock, seeded_denoiser
from ddpm_demo.schedule import Schedule
from ddpm_demo.training import TrainState, train

SECONDS = 3.0  # at least so long is every way measured in a round
# The ways take turns, and the best round of each counts: other programs only ever make things slower. Every round makes
# both networks anew, the plain one in a new process: how memory happens to lie is worth up to a tenth, for good.
ROUNDS = 4


def bench_train(*, presets: tuple[str, ...] = ("lite", "full"), seconds: float = SECONDS) -> Iterator[dict[str, Any]]:
    """Measure and yield one row a preset.

    `ours` is `train` with the preset's own recipe (averaged weights, clipped gradients and all); `plain` the plain
    loop in float32 with PyTorch's own layers and Adam, at the same batch, in a process of its own. `of_matrix_rate` is
    three times the network's arithmetic (once forward, twice backward) without the taps in the padding, over what a
    matrix product reaches here in the same number format.
    """
    placement = best_placement()
    rate = matrix_rate(placement, seconds=min(seconds, 1.0))
    for name in presets:
        batch = train_config(name, epochs=1).batch
        ours = plain = math.inf
        for _ in range(ROUNDS):
            with Apart(plain_way, name, placement, batch) as apart:
                ours = min(ours, time_a_step(our_way(name, placement), seconds))
                plain = min(plain, apart.time(seconds))
        flops = 3 * 2 * live_multiply_adds(Denoiser(preset(name))) * batch
        yield {
            "preset": name,
            "batch": batch,
            "device": str(placement.device),
            "dtype": placement.dtype_name,
            "images_per_s": batch / ours,
            "plain_images_per_s": batch / plain,
            "times_plain": plain / ours,
            "of_matrix_rate": flops / ours / rate,
        }


def our_way(name: str, placement: Placement) -> Callable[[], object]:
    """Return what takes one step of our training."""
    config = train_config(name, epochs=1000)
    state = TrainState.fresh(preset(name), config, placement)
    steps = train(state, Schedule.from_config(ScheduleConfig()), load_mnist(train=True)[0], config)
    return lambda: next(steps)


def plain_way(name: str, placement: Placement, batch: int) -> Callable[[], object]:
    """Return what takes one step of the loop as anybody writes it down first, in float32."""
    device = placement.device
    schedule = Schedule.from_config(ScheduleConfig()).to(device)
    digits = load_mnist(train=True)[0].to(device)
    model = with_plain_layers(seeded_denoiser(preset(name), seed=0)).to(device)
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


def with_plain_layers(model: Denoiser) -> Denoiser:
    """Return a copy of a network whose blocks consist of PyTorch's own layers, with the same weights."""
    model = copy.deepcopy(model)
    for block in model.blocks:
        assert isinstance(block, ResidualBlock)
        ours, norm = block.conv, block.norm
        assert isinstance(norm, nn.GroupNorm)
        reach = int(ours.dilation[0])
        conv = PlainResidualConv(ours.in_channels, ours.out_channels, kernel_size=3, padding=reach, dilation=reach)
        plain_norm = nn.GroupNorm(norm.num_groups, norm.num_channels)
        conv.load_state_dict(ours.state_dict())
        plain_norm.load_state_dict(norm.state_dict())
        block.conv, block.norm = conv, plain_norm  # type: ignore[assignment]
    return model


class PlainResidualConv(nn.Conv2d):
    """y + conv(y), as one writes it down."""

    def forward(self, y: Tensor) -> Tensor:
        """Map y (B, width, H, W) to (B, width, H, W)."""
        return y + super().forward(y)
