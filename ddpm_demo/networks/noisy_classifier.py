"""Which digit is in a noisy picture, at any t: the classifier by which a denoiser is asked for a digit.

It takes part in drawing, so it never judges what is drawn; the judge is another network (`classifier.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ddpm_demo.core.config import ConfigError, from_dict
from ddpm_demo.core.guidance import ClassifierGuidance, check_within
from ddpm_demo.core.model import sinusoidal_embedding
from ddpm_demo.core.sampling import EpsModel
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.networks.guidance_settings import DigitConfig
from ddpm_demo.store.files import assets_dir
from ddpm_demo.store.tensors import CheckpointError, TensorFile, short, write_tensors

NOISY_FORMAT = "ddpm_demo noisy classifier 1"
WIDTHS = (32, 64, 64)
TIME_DIM = 64
HIDDEN = 40


class NoisyClassifier(nn.Module):
    """Three convolutions and a hidden layer, each told the timestep; 10 classes.

    What it has learned is log p(y | x_t) of Dhariwal & Nichol 2021 ("Diffusion Models Beat GANs on Image Synthesis"),
    section 4, for one noise schedule.
    """

    def __init__(self) -> None:
        super().__init__()
        first, second, third = WIDTHS
        self.convs = nn.ModuleList(
            [
                nn.Conv2d(1, first, kernel_size=5, stride=2, padding=2),
                nn.Conv2d(first, second, kernel_size=3, stride=2, padding=1),
                nn.Conv2d(second, third, kernel_size=3, padding=1),
            ]
        )
        self.times = nn.ModuleList(nn.Linear(TIME_DIM, width) for width in WIDTHS)
        self.norms = nn.ModuleList(nn.GroupNorm(8, width) for width in WIDTHS)
        self.hidden = nn.Linear(third * 7 * 7, HIDDEN)
        self.out = nn.Linear(HIDDEN, 10)

    def forward(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return the logits (B, 10) of noisy images x_t (B, 1, 28, 28) at timesteps t (B,)."""
        time = functional.silu(sinusoidal_embedding(t, TIME_DIM)).to(x_t.dtype)  # (B, TIME_DIM)
        y = x_t
        for conv, embed, norm in zip(self.convs, self.times, self.norms, strict=True):
            y = norm(conv(y)) + embed(time)[:, :, None, None]  # (B, width, 14, 14), then (B, width, 7, 7)
            y = functional.silu(y)
        logits: Tensor = self.out(functional.silu(self.hidden(y.flatten(1))))
        return logits


@dataclass(frozen=True)
class NoisyDigitClassifier:
    """A trained classifier, the schedule whose noise it knows, and how it came to be.

    `provenance["accuracy_by_tenth"]` is the share of MNIST's test digits that it gets right in each tenth of t.
    """

    model: NoisyClassifier
    schedule: ScheduleConfig
    provenance: Mapping[str, Any]


def shipped_classifier() -> Path:
    """Return the path of the classifier that comes with the project; it may be missing."""
    return assets_dir() / "classifiers" / "noisy.safetensors"


def load_classifier(path: Path | None = None) -> NoisyDigitClassifier:
    """Read a classifier, the shipped one unless a path is named; float32, in eval mode. Raises CheckpointError."""
    path = path or shipped_classifier()
    with TensorFile(path, NOISY_FORMAT) as file:
        try:
            schedule = from_dict(ScheduleConfig, file.metadata["schedule"])
            provenance = dict(file.metadata["provenance"])
        except (ConfigError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                "{path} holds a classifier that makes no sense: {why}", path=path, why=short(error)
            ) from None
        with torch.device("meta"):
            model = NoisyClassifier()
        file.fill(model)
    return NoisyDigitClassifier(model.eval().requires_grad_(False), schedule, provenance)


def save_classifier(path: Path, classifier: NoisyDigitClassifier) -> None:
    """Write a classifier, its weights in float16; raise CheckpointError when that fails."""
    weights = {name: tensor.half() for name, tensor in classifier.model.state_dict().items()}
    about = {
        "schedule": {name: getattr(classifier.schedule, name) for name in ("kind", "timesteps", "beta_1", "beta_T")},
        "provenance": dict(classifier.provenance),
    }
    write_tensors(path, weights, NOISY_FORMAT, about)


class AtEqualNoise:
    """A classifier of one schedule's noise that answers for another schedule's timesteps.

    A noisy picture is decided by its alpha_bar alone (Ho et al. 2020, equation 4), so each t is asked as the timestep
    whose log-SNR in the classifier's own schedule is nearest.
    """

    def __init__(self, classifier: NoisyDigitClassifier, schedule: Schedule, device: torch.device) -> None:
        own = Schedule.from_config(classifier.schedule)
        distance = (own.snr.log()[None, :] - schedule.snr.log()[:, None]).abs()  # (T, T of the classifier)
        self.model, self.nearest = classifier.model.to(device), distance.argmin(dim=1).to(device)

    def __call__(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return the logits (B, 10) of x_t (B, 1, 28, 28) at timesteps t (B,) of the other schedule."""
        logits: Tensor = self.model(x_t, self.nearest[t])
        return logits


def guide_to_digit(
    model: EpsModel, schedule: Schedule, wish: DigitConfig, classifier: NoisyDigitClassifier, device: torch.device
) -> ClassifierGuidance:
    """Return a denoiser that is asked for a digit, on its device; raise ConfigError for timesteps it does not have."""
    check_within(wish, schedule)
    digits = torch.tensor([wish.digit])
    known = AtEqualNoise(classifier, schedule, device)
    return ClassifierGuidance(model, known, schedule, digits, wish.weight, wish)
