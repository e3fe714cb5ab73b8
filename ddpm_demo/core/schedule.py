"""The noise schedule, and every formula that needs nothing but the schedule.

Equation numbers are those of Ho, Jain & Abbeel 2020, "Denoising Diffusion Probabilistic Models". Timesteps are
zero-based: t = 0 is the least noise, T - 1 the most, and s = -1 means clean data, where alpha_bar = 1.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError, Variance, check_choice, check_number, check_whole

FAINTEST_NOISE = 1e-12  # of 1 - alpha_bar at t = 0: float64's 1 - beta still holds four digits of it
FAINTEST_SIGNAL = 1e-60  # of alpha_bar at T - 1: a float32 image can be divided by its root and stay finite
COSINE_OFFSET = 0.008  # s in Nichol & Dhariwal 2021, equation 17
COSINE_MAX_BETA = 0.999  # the same paper, section 3.2: no step may destroy everything


@dataclass(frozen=True)
class ScheduleConfig:
    """The noise schedule: how much of the image is left at each of `timesteps` steps.

    `kind` is a name in `SCHEDULES`; `beta_1` and `beta_T` are the noise of the first and the last step, for kinds that
    take them. Raises ConfigError on values out of range.
    """

    kind: str = "linear"
    timesteps: int = 1000
    beta_1: float = 1e-4
    beta_T: float = 0.02

    def __post_init__(self) -> None:
        """Refuse a schedule that is not a diffusion."""
        check_choice("schedule", self.kind, SCHEDULES)
        check_whole("timesteps", self.timesteps, low=1, high=10_000)
        for name in ("beta_1", "beta_T"):
            check_number(name, getattr(self, name), low=0.0, high=1.0, open_ends=True)
        if self.beta_1 > self.beta_T:
            raise ConfigError("beta_1 must not exceed beta_T, got {beta_1} > {beta_T}", **vars(self))
        if SCHEDULES[self.kind].takes_betas:  # at both ends a sampler divides
            left = float(torch.prod(1 - SCHEDULES[self.kind].beta(self)))
            if self.beta_1 < FAINTEST_NOISE or left < FAINTEST_SIGNAL:
                raise ConfigError(
                    "beta_1 must be at least {noise:g}, and {signal:g} of the signal must remain; {beta_1:g} to "
                    "{beta_T:g} over {timesteps} timesteps leave {left:g}",
                    **{**vars(self), "noise": FAINTEST_NOISE, "signal": FAINTEST_SIGNAL, "left": left},
                )


@dataclass(frozen=True)
class ScheduleKind:
    """An entry of the table: how a schedule's beta (T,), float64, comes from its config, and how it is shown.

    `colour` and `dash` are the style of its curve; `takes_betas` says whether it uses beta_1 and beta_T.
    """

    beta: Callable[[ScheduleConfig], Tensor]
    colour: str
    dash: str
    takes_betas: bool = False


def linear_beta(config: ScheduleConfig) -> Tensor:
    """Ho et al. 2020, section 4: a straight line from beta_1 to beta_T."""
    return torch.linspace(config.beta_1, config.beta_T, config.timesteps, dtype=torch.float64)


def cosine_beta(config: ScheduleConfig) -> Tensor:
    """Nichol & Dhariwal 2021, equation 17: alpha_bar follows a squared cosine."""
    u = torch.arange(config.timesteps + 1, dtype=torch.float64) / config.timesteps
    f = torch.cos((u + COSINE_OFFSET) / (1 + COSINE_OFFSET) * math.pi / 2) ** 2
    return (1 - f[1:] / f[:-1]).clamp(max=COSINE_MAX_BETA)


# colours that the page gives to nothing else, told apart by their dashes, too: blue is a picture, orange its noise
SCHEDULES: dict[str, ScheduleKind] = {
    "linear": ScheduleKind(linear_beta, "#888888", "solid", takes_betas=True),
    "cosine": ScheduleKind(cosine_beta, "#9467BD", "dash"),
}


class Schedule:
    """Float64 tables over t = 0..T-1: `beta`, `alpha` = 1 - beta, `alpha_bar` = cumulative product of alpha, `snr`.

    The tables stay in double precision and are cast where they are used, to the dtype of the image.
    """

    def __init__(self, beta: Tensor) -> None:
        """Make the tables from beta (T,), float64, each in (0, 1)."""
        self.beta = beta
        self.alpha = 1 - beta
        self.alpha_bar = torch.cumprod(self.alpha, dim=0)
        self.snr = self.alpha_bar / (1 - self.alpha_bar)  # power of the signal over power of the noise

    @classmethod
    def from_config(cls, config: ScheduleConfig) -> "Schedule":
        """Make the schedule that a config describes."""
        return cls(SCHEDULES[config.kind].beta(config))

    def __len__(self) -> int:
        """T, the number of timesteps."""
        return len(self.beta)

    def to(self, device: torch.device) -> "Schedule":
        """Return the same schedule with its tables on `device`, so that training never waits for a transfer."""
        return Schedule(self.beta.to(device))

    def alpha_bar_at(self, t: int) -> float:
        """alpha_bar at one timestep, in double precision; 1.0 at t = -1, clean data. Raises ConfigError past T - 1."""
        if not -1 <= t < len(self):
            raise ConfigError("t must be from -1 to {last}, got {t}", last=len(self) - 1, t=t)
        return 1.0 if t == -1 else float(self.alpha_bar[t])

    def add_noise(self, x0: Tensor, t: Tensor | int, eps: Tensor) -> Tensor:
        """Draw x_t ~ q(x_t | x_0) in one jump, given its noise (equation 4). Images (B, C, H, W), t an int or (B,)."""
        signal, noise = self._coefficients(t, x0)
        return signal * x0 + noise * eps

    def predict_x0(self, x_t: Tensor, t: Tensor | int, eps: Tensor) -> Tensor:
        """Return the clean image that x_t and a noise imply: equation 4 solved for x_0."""
        signal, noise = self._coefficients(t, x_t)
        return (x_t - noise * eps) / signal

    def predict_eps(self, x_t: Tensor, t: Tensor | int, x0: Tensor) -> Tensor:
        """Return the noise that x_t and a clean image imply: equation 4 solved for eps."""
        signal, noise = self._coefficients(t, x_t)
        return (x_t - signal * x0) / noise

    def timesteps(self, steps: int, start: int | None = None) -> list[int]:
        """Return `steps` timesteps from `start` (T - 1 if None) down to 0, evenly spaced and strictly decreasing.

        `steps` = T is every timestep; `steps` = 1 is `start` alone. Raises ConfigError outside 1..start + 1.
        """
        last = len(self) - 1 if start is None else start
        check_whole("start", last, low=0, high=len(self) - 1)
        if not 1 <= steps <= last + 1:
            values = {"most": last + 1, "start": start, "steps": steps}
            if start is None:
                raise ConfigError("steps must be from 1 to {most}, the schedule's length, got {steps}", **values)
            raise ConfigError("steps must be from 1 to {most}, all from t = {start} down, got {steps}", **values)
        if steps == 1:
            return [last]
        return [last - round(i * last / (steps - 1)) for i in range(steps)]

    def step_beta(self, t: int, s: int) -> float:
        """Variance of the noise between s and t: 1 - alpha_bar_t / alpha_bar_s, which is beta_t when s = t - 1."""
        return 1 - self.alpha_bar_at(t) / self.alpha_bar_at(s)

    def reverse_std(self, t: int, s: int, variance: Variance) -> float:
        """Return sigma_t, the noise of one reverse step from t to s.

        `beta`: sqrt(beta_t). `posterior`: sqrt((1 - alpha_bar_s) / (1 - alpha_bar_t) beta_t), equation 7; DDIM's
        sigma is eta times this (Song et al. 2021, equation 16).
        """
        beta = self.step_beta(t, s)
        if variance == "posterior":
            beta *= (1 - self.alpha_bar_at(s)) / (1 - self.alpha_bar_at(t))
        return math.sqrt(beta)

    def _coefficients(self, t: Tensor | int, like: Tensor) -> tuple[Tensor | float, Tensor | float]:
        """sqrt(alpha_bar_t) and sqrt(1 - alpha_bar_t), ready to multiply an image batch."""
        if isinstance(t, int):
            alpha_bar = self.alpha_bar_at(t)
            return math.sqrt(alpha_bar), math.sqrt(1 - alpha_bar)
        table = self.alpha_bar[t].view(-1, 1, 1, 1)  # (B, 1, 1, 1)
        return table.sqrt().to(like), (1 - table).sqrt().to(like)
