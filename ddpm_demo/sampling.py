"""The reverse process, as a generator of steps: the caller owns the progress bar, the pictures and the stopping."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from ddpm_demo.config import SamplerConfig
from ddpm_demo.schedule import Schedule


class EpsModel(Protocol):
    """Anything that predicts noise: the network, or an exact answer in the tests."""

    def __call__(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return eps_hat (B, C, H, W) for images x_t (B, C, H, W) at timesteps t (B,)."""
        ...


@dataclass(frozen=True)
class Step:
    """One whole reverse step from t to s; all images (B, C, H, W), all belonging to the same step.

    `index` counts from 0. `eps_hat` is what the network said; `x0_hat` is the clean image it implies, after
    clipping if that was asked for; x_s = mean(x_t, x0_hat) + std * z, and s = -1 is the finished image.
    """

    index: int
    t: int
    s: int
    x_t: Tensor
    eps_hat: Tensor
    x0_hat: Tensor
    z: Tensor
    std: float
    x_s: Tensor


@torch.no_grad()
def sample(
    model: EpsModel, schedule: Schedule, config: SamplerConfig, x_T: Tensor, *, generator: torch.Generator
) -> Iterator[Step]:
    """Walk from noise x_T (B, C, H, W) to clean images, yielding every step once it is complete.

    Noise comes from `generator` (on the CPU, so that every device draws the same). Closing the iterator stops
    between two steps and gives the model its train or eval mode back. Raises ConfigError when config.steps
    exceeds the schedule.
    """
    timesteps = schedule.timesteps(config.steps)
    pairs = zip(timesteps, [*timesteps[1:], -1], strict=True)
    was_training = isinstance(model, nn.Module) and model.training
    if isinstance(model, nn.Module):
        model.eval()
    try:
        x_t = x_T
        for index, (t, s) in enumerate(pairs):
            eps_hat = model(x_t, torch.full((len(x_t),), t, device=x_t.device))
            step = reverse_step(schedule, config, index=index, t=t, s=s, x_t=x_t, eps_hat=eps_hat, generator=generator)
            yield step
            x_t = step.x_s
    finally:
        if isinstance(model, nn.Module):
            model.train(was_training)


def reverse_step(
    schedule: Schedule,
    config: SamplerConfig,
    *,
    index: int,
    t: int,
    s: int,
    x_t: Tensor,
    eps_hat: Tensor,
    generator: torch.Generator,
) -> Step:
    """Take one reverse step from t to s, given the network's answer."""
    x0_hat, eps = schedule.predict_x0(x_t, t, eps_hat), eps_hat
    if config.clip == "x0":
        # Clipping x0_hat changes the noise that goes with it; both rules below speak in terms of that noise.
        x0_hat = x0_hat.clamp(-1, 1)
        eps = schedule.predict_eps(x_t, t, x0_hat)

    alpha_bar_t, alpha_bar_s = schedule.alpha_bar_at(t), schedule.alpha_bar_at(s)
    if config.kind == "ddim":
        std = config.eta * schedule.reverse_std(t, s, "posterior")
        # Song, Meng & Ermon 2021, equation 12
        mean = math.sqrt(alpha_bar_s) * x0_hat + math.sqrt(1 - alpha_bar_s - std**2) * eps
    else:
        no_noise = t <= 1 if config.final_noise == "spec" else s == -1
        std = 0.0 if no_noise else schedule.reverse_std(t, s, config.variance)
        # Ho et al. 2020, Algorithm 2, line 4; with s < t - 1 the step's alpha is alpha_bar_t / alpha_bar_s
        beta = schedule.step_beta(t, s)
        mean = (x_t - beta / math.sqrt(1 - alpha_bar_t) * eps) / math.sqrt(1 - beta)

    if std > 0:
        z = torch.randn(x_t.shape, generator=generator, dtype=x_t.dtype).to(x_t.device)
    else:
        z = torch.zeros_like(x_t)
    x_s = mean + std * z
    if config.clip == "x_t":
        x_s = x_s.clamp(-1, 1)
    return Step(index=index, t=t, s=s, x_t=x_t, eps_hat=eps_hat, x0_hat=x0_hat, z=z, std=std, x_s=x_s)


def frame_indices(schedule: Schedule, timesteps: Sequence[int], count: int) -> list[int]:
    """Choose at most `count` of a sampler's steps to show, evenly in log-SNR, the first and last always.

    Evenly in t would spend most frames on pictures that all look like pure noise.
    """
    if len(timesteps) <= count:
        return list(range(len(timesteps)))
    log_snr = schedule.snr[torch.tensor(timesteps)].log()  # increasing along the sampler's way
    wanted = torch.linspace(float(log_snr[0]), float(log_snr[-1]), count, dtype=torch.float64)
    nearest = (log_snr[None, :] - wanted[:, None]).abs().argmin(dim=1)
    return sorted(set(nearest.tolist()))


def start_noise(n: int, channels: int, size: int, generator: torch.Generator) -> Tensor:
    """Draw x_T ~ N(0, I), (n, channels, size, size), float32, on the CPU: a seed means one picture everywhere."""
    return torch.randn(n, channels, size, size, generator=generator)


def to_uint8(x: Tensor) -> Tensor:
    """Map images from [-1, 1] to 0..255, rounded, everything outside clipped: uint8 on the CPU, same shape."""
    return ((x.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu()
