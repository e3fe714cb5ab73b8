"""Drawing many digits: the digits of `ddpm-demo sample`, in batches, step by step."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import EpsModel, Step, sample, start_noise, to_uint8
from ddpm_demo.core.schedule import Schedule

AT_ONCE = 256  # digits drawn at once: bounds the memory, and is part of what a seed means


@dataclass(frozen=True)
class DrawProgress:
    """How far the drawing is, in image steps; `images` is uint8 (n, 28, 28) at the very end and None before.

    Before the end `step` is the reverse step just taken, and `begin` says how many digits were finished before
    this batch.
    """

    done: int
    total: int
    images: Tensor | None = None
    step: Step | None = None
    begin: int = 0


@torch.no_grad()
def draw_digits(
    model: EpsModel,
    schedule: Schedule,
    config: SamplerConfig,
    *,
    n: int,
    seed: int,
    batch: int = AT_ONCE,
    device: torch.device | None = None,
) -> Iterator[DrawProgress]:
    """Draw n digits, `batch` at once, yielding after every step; the digits of `ddpm-demo sample` with that seed.

    Raises ConfigError when n < 1 or config.steps exceeds the schedule, and DemoError when a picture holds anything
    but finite numbers.
    """
    if n < 1:
        raise ConfigError(f"at least one digit must be drawn, got {n}")
    device = device or torch.device("cpu")
    generator = torch.Generator().manual_seed(seed)
    done, total, finished = 0, n * len(schedule.timesteps(config.steps)), []
    for begin in range(0, n, batch):
        x_T = start_noise(min(batch, n - begin), 1, 28, generator).to(device)
        for step in sample(model, schedule, config, x_T, generator=generator):
            done += len(x_T)
            yield DrawProgress(done, total, step=step, begin=begin)
        if not torch.isfinite(step.x_s).all():
            raise DemoError("the network's pictures are not finite numbers, so there are no digits")
        finished.append(to_uint8(step.x_s[:, 0]))
    yield DrawProgress(total, total, torch.cat(finished))
