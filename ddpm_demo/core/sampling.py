"""The reverse process, as a generator of steps: the caller owns the progress bar, the pictures and the stopping."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from ddpm_demo.core.config import ConfigError, DemoError, SamplerConfig
from ddpm_demo.core.schedule import Schedule

AT_ONCE = 256  # digits drawn at once: bounds the memory, and is part of what a seed means


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
    model: EpsModel,
    schedule: Schedule,
    config: SamplerConfig,
    x_T: Tensor,
    *,
    generator: torch.Generator,
    start: int | None = None,
) -> Iterator[Step]:
    """Walk from noise x_T (B, C, H, W) to clean images, yielding every step once it is complete.

    With `start` the walk begins there instead of at T - 1, and x_T is an x_t of that timestep: SDEdit (Meng et al.
    2022) is noising a picture so far and walking back.

    Noise comes from `generator` (on the CPU, so that every device draws the same). Closing the iterator stops
    between two steps and gives the model its train or eval mode back. Raises ConfigError when config.steps
    exceeds the schedule.
    """
    timesteps = schedule.timesteps(config.steps, start)
    pairs = zip(timesteps, [*timesteps[1:], -1], strict=True)
    with evaluating(model):
        x_t, x0_before = x_T, None
        for index, (t, s) in enumerate(pairs):
            eps_hat = model(x_t, torch.full((len(x_t),), t, device=x_t.device))
            step = reverse_step(
                schedule,
                config,
                index=index,
                t=t,
                s=s,
                x_t=x_t,
                eps_hat=eps_hat,
                generator=generator,
                x0_before=x0_before,
                t_before=None if index == 0 else timesteps[index - 1],
            )
            yield step
            x_t, x0_before = step.x_s, step.x0_hat


@contextlib.contextmanager
def evaluating(model: EpsModel) -> Iterator[None]:
    """Put a network into eval mode for a while, and back into the mode that it was in."""
    if not isinstance(model, nn.Module):
        yield
        return
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
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
    x0_before: Tensor | None = None,
    t_before: int | None = None,
) -> Step:
    """Take one reverse step from t to s, given the network's answer.

    `x0_before` is the x0_hat of the step before, at `t_before`: DPM-Solver++ needs it, and without it takes a step
    of first order.
    """
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
    elif config.kind == "dpmpp":
        std, (keep, now, before) = 0.0, solver_coefficients(schedule, t=t, s=s, t_before=t_before)
        mean = keep * x_t + now * x0_hat
        if x0_before is not None:
            mean = mean + before * x0_before
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


def solver_coefficients(schedule: Schedule, *, t: int, s: int, t_before: int | None) -> tuple[float, float, float]:
    """Return what DPM-Solver++(2M) multiplies x_t, x0_hat and the x0_hat of the step before with.

    Lu et al. 2022, "DPM-Solver++", Algorithm 2: x_s = sigma_s / sigma_t x_t - alpha_s (e^-h - 1) D, where
    D = (1 + 1/2r) x0_hat - 1/2r x0_hat_before, h is the step in lambda = log(alpha / sigma), and r the step before
    over this one. The first step has nothing before it, and the last one goes to lambda = infinity, where x_s is D:
    both are of first order, D = x0_hat.
    """
    alpha_bar_t, alpha_bar_s = schedule.alpha_bar_at(t), schedule.alpha_bar_at(s)
    if s == -1:
        return 0.0, 1.0, 0.0
    keep = math.sqrt((1 - alpha_bar_s) / (1 - alpha_bar_t))  # sigma_s / sigma_t
    gain = math.sqrt(alpha_bar_s) - keep * math.sqrt(alpha_bar_t)  # alpha_s (1 - e^-h)
    if t_before is None:
        return keep, gain, 0.0
    # log(alpha / sigma) is half the log-SNR
    lambda_before, lambda_t, lambda_s = (
        0.5 * math.log(a / (1 - a)) for a in (schedule.alpha_bar_at(t_before), alpha_bar_t, alpha_bar_s)
    )
    r = (lambda_t - lambda_before) / (lambda_s - lambda_t)
    return keep, gain * (1 + 1 / (2 * r)), -gain / (2 * r)


@dataclass(frozen=True)
class Drawn:
    """How far the drawing is, in image steps; `images` is uint8 (n, 28, 28) at the very end and None before.

    Before the end `step` is the reverse step just taken, and `begin` says how many digits were finished before those
    that it is about.
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
) -> Iterator[Drawn]:
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
            yield Drawn(done, total, step=step, begin=begin)
        if not torch.isfinite(step.x_s).all():
            raise DemoError("the network's pictures are not finite numbers: these are no digits")
        finished.append(to_uint8(step.x_s[:, 0]))
    yield Drawn(total, total, torch.cat(finished))


def start_noise(n: int, channels: int, size: int, generator: torch.Generator) -> Tensor:
    """Draw x_T ~ N(0, I), (n, channels, size, size), float32, on the CPU: a seed means one picture everywhere."""
    return torch.randn(n, channels, size, size, generator=generator)


def to_uint8(x: Tensor) -> Tensor:
    """Map images from [-1, 1] to 0..255, rounded, everything outside clipped: uint8 on the CPU, same shape."""
    return ((x.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu()
