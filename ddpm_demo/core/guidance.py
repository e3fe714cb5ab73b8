"""Guidance: another network changes a denoiser's answer, without changing the weights of either.

`Autoguidance` is Karras et al. 2024, "Guiding a Diffusion Model with a Bad Version of Itself"; `ClassifierGuidance`
is Dhariwal & Nichol 2021, "Diffusion Models Beat GANs on Image Synthesis".
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_demo.core.config import ALWAYS, ConfigError, Interval
from ddpm_demo.core.sampling import EpsModel
from ddpm_demo.core.schedule import Schedule


def autoguided(eps_model: Tensor, eps_guide: Tensor, weight: float) -> Tensor:
    """Return eps_hat (B, C, H, W) of two networks' answers: Karras et al. 2024, section 3."""
    return eps_guide + weight * (eps_model - eps_guide)


class Autoguidance:
    """Two networks that answer as one: from the guide's answer towards the model's, and past it.

    eps_hat = eps_guide + weight (eps_model - eps_guide): Karras et al. 2024, section 3, for networks that predict the
    noise; x0_hat is linear in it, so the same weight holds for the clean images. Where the two agree nothing changes.
    Where they differ, the guide, which is smaller and has seen less, tends to be wrong in the same way as the model
    and more so: the direction from its answer to the model's leads towards a digit. At a weight of 1 this is the model
    alone, at 0 the guide. Beyond 1 the answer is no longer the expected noise, and the digits no longer come as often
    as in the data: they get clearer, at the price of a second network's call at every step.

    Outside its `interval` the guide is not asked. `answers` holds what model and guide said at the last call, each
    (B, C, H, W); None where the model was alone.
    """

    def __init__(self, model: EpsModel, guide: EpsModel, weight: float, interval: Interval = ALWAYS) -> None:
        self.model, self.guide, self.weight, self.interval = model, guide, weight, interval
        self.answers: tuple[Tensor, Tensor] | None = None

    def __call__(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return eps_hat (B, C, H, W) for images x_t (B, C, H, W), all at the same timestep t (B,)."""
        if not self.interval.holds_at(int(t[0])):
            self.answers = None
            return self.model(x_t, t)
        eps_model, eps_guide = self.answers = self.model(x_t, t), self.guide(x_t, t)
        return autoguided(eps_model, eps_guide, self.weight)


class ClassifierGuidance:
    """A denoiser that is asked for digits: a classifier of noisy pictures pulls x_t towards their classes.

    eps_hat = eps_model - weight sqrt(1 - alpha_bar_t) grad log p(y | x_t): Dhariwal & Nichol 2021, equation 14, whose
    Algorithm 2 (DDIM) this is. In Ho's rule with sigma^2 = beta it moves the mean by weight beta grad / sqrt(alpha),
    which is Algorithm 1 but for the factor 1 / sqrt(alpha_t), at most 1.01. At a weight of 0 this is the model alone.
    Outside its `interval` the classifier is not asked.

    Of the last call, None where the model was alone: `gradient` (B, C, H, W) and `probabilities` (B, 10) are what the
    classifier said; `pull` (B, C, H, W) is what was subtracted from eps_hat.
    """

    def __init__(
        self,
        model: EpsModel,
        classifier: Callable[[Tensor, Tensor], Tensor],
        schedule: Schedule,
        digits: Tensor,
        weight: float,
        interval: Interval = ALWAYS,
    ) -> None:
        """Ask for `digits`, int64 (B,) or (1,) for all; `classifier` gives the logits (B, 10) of x_t at t."""
        self.model, self.classifier, self.schedule = model, classifier, schedule
        self.digits, self.weight, self.interval = digits, weight, interval
        self.gradient: Tensor | None = None
        self.pull: Tensor | None = None
        self.probabilities: Tensor | None = None

    def __call__(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return eps_hat (B, C, H, W) for images x_t (B, C, H, W), all at the same timestep t (B,)."""
        eps_hat, now = self.model(x_t, t), int(t[0])
        if not self.interval.holds_at(now):
            self.gradient = self.pull = self.probabilities = None
            return eps_hat
        with torch.enable_grad():
            x = x_t.detach().requires_grad_(True)
            log_p = torch.log_softmax(self.classifier(x, t), dim=1)  # (B, 10)
            wanted = log_p.gather(1, self.digits.to(x.device).expand(len(x))[:, None])  # (B, 1)
            (self.gradient,) = torch.autograd.grad(wanted.sum(), x)
        self.probabilities = log_p.detach().exp()
        self.pull = self.weight * math.sqrt(1 - self.schedule.alpha_bar_at(now)) * self.gradient
        return eps_hat - self.pull


def check_within(interval: Interval, schedule: Schedule) -> None:
    """Raise ConfigError for an interval of timesteps that a schedule does not have."""
    if max(interval.last, interval.first or 0) >= len(schedule):
        raise ConfigError("the timesteps of the guidance must be from 0 to {last}", last=len(schedule) - 1)
