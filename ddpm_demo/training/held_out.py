"""How good a denoiser is, measured on digits that it never saw; and the digits that it draws, to be measured."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.sampling import EpsModel
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.store.mnist import to_x0


@dataclass(frozen=True)
class HeldOut:
    """Mean squared error of eps_hat so far: over all, and over each tenth of the timesteps (NaN where none fell)."""

    loss: float
    by_tenth: tuple[float, ...]
    done: int
    total: int


@torch.no_grad()
def held_out_loss(
    model: EpsModel,
    schedule: Schedule,
    digits: Tensor,
    *,
    per_digit: int = 10,
    seed: int = 0,
    batch: int = 250,
    device: torch.device | None = None,
) -> Iterator[HeldOut]:
    """Measure the loss of Ho et al. 2020, equation 14, every digit at `per_digit` uniform timesteps; yield as it goes.

    `digits` is uint8 (N, 28, 28). Timesteps and noise depend on `seed` alone. The last value yielded is the result.
    Raises ConfigError when there are no digits or no timesteps to measure.
    """
    if not len(digits) or per_digit < 1:
        raise ConfigError("the held-out loss needs at least one digit and one timestep")
    device = device or torch.device("cpu")
    generator = torch.Generator().manual_seed(seed)
    sums, counts = torch.zeros(10, dtype=torch.float64), torch.zeros(10, dtype=torch.float64)
    total = len(digits) * per_digit
    for _ in range(per_digit):
        for chunk in digits.split(batch):
            x0 = to_x0(chunk)  # (B, 1, 28, 28)
            t = torch.randint(len(schedule), (len(x0),), generator=generator)
            eps = torch.randn(x0.shape, generator=generator)
            x_t = schedule.add_noise(x0, t, eps)
            eps_hat = model(x_t.to(device), t.to(device)).cpu()
            error = (eps - eps_hat).double().square().mean(dim=(1, 2, 3))  # (B,)
            tenth = t * 10 // len(schedule)
            sums.index_add_(0, tenth, error)
            counts.index_add_(0, tenth, torch.ones_like(error))
            loss = float(sums.sum() / counts.sum())
            yield HeldOut(loss, tuple((sums / counts).tolist()), int(counts.sum()), total)
