"""Autoguidance: Karras et al. 2024, "Guiding a Diffusion Model with a Bad Version of Itself"."""

import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.model import Denoiser
from ddpm_demo.core.sampling import EpsModel
from ddpm_demo.core.schedule import Schedule


class Guided:
    """Two networks that answer as one: on the way from the guide's answer to the model's, and on past it.

    eps_hat = eps_guide + weight (eps_model - eps_guide): Karras et al. 2024, section 3, for networks that predict the
    noise; x0_hat is linear in it, so the same weight holds for the clean images. Where the two agree nothing changes.
    Where they differ, the guide, which is smaller and has seen less, tends to be wrong in the same way as the model
    and more so: the way from its answer to the model's leads towards a digit. At a weight of 1 this is the model
    alone, at 0 the guide. Beyond 1 the answer is no longer the expected noise, and the digits no longer come as often
    as in the data: they get clearer, at the price of a second network's call at every step.

    `answers` holds what model and guide said at the last call, each (B, C, H, W).
    """

    def __init__(self, model: EpsModel, guide: EpsModel, weight: float) -> None:
        self.model, self.guide, self.weight = model, guide, weight
        self.answers: tuple[Tensor, Tensor] | None = None

    def __call__(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return eps_hat (B, C, H, W) for images x_t (B, C, H, W) at timesteps t (B,)."""
        eps_model, eps_guide = self.answers = self.model(x_t, t), self.guide(x_t, t)
        return eps_guide + self.weight * (eps_model - eps_guide)


def check_guide(model: Denoiser, schedule: Schedule, guide: Denoiser, guides_schedule: Schedule) -> None:
    """Raise ConfigError unless the guide learnt to see the same noise in pictures with as many channels."""
    if not torch.equal(schedule.alpha_bar, guides_schedule.alpha_bar):
        raise ConfigError("the guide was trained on another noise schedule than the network: it cannot guide it")
    if model.config.image_channels != guide.config.image_channels:
        raise ConfigError("the guide was trained on pictures with another number of channels than the network")
