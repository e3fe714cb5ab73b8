"""Which digit is in a noisy picture, at any t: the classifier by which a denoiser is asked for a digit.

It takes part in drawing, so it never judges what is drawn; the judge is another network (`classifier.py`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ddpm_demo.core.config import ConfigError, DigitConfig, ScheduleConfig, from_dict
from ddpm_demo.core.guidance import AskedFor, check_within
from ddpm_demo.core.model import fill_with_first_weights, sinusoidal_embedding
from ddpm_demo.core.sampling import EpsModel
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.measuring.learning import LearningProgress, learn
from ddpm_demo.store.files import assets_dir
from ddpm_demo.store.mnist import batch_indices, load_mnist, to_x0
from ddpm_demo.store.tensors import CheckpointError, TensorFile, short, write_tensors

NOISY_FORMAT = "ddpm_demo noisy classifier 1"
WIDTHS = (32, 64, 64)
TIME_DIM = 64
HIDDEN = 40
NOISY_STEPS = 8000  # seventeen passes over the digits
NOISY_BATCH = 128
NOISY_RATE = 2e-3
AVERAGING = 0.999  # decay of the averaged weights


class NoisyClassifier(nn.Module):
    """Three convolutions and a hidden layer, each told the timestep; 10 classes.

    What it has learnt is log p(y | x_t) of Dhariwal & Nichol 2021 ("Diffusion Models Beat GANs on Image Synthesis"),
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
class AskingClassifier:
    """A trained classifier, the schedule whose noise it knows, and how it came to be.

    `provenance["accuracy_by_tenth"]` is the share of MNIST's test digits that it gets right in each tenth of t.
    """

    model: NoisyClassifier
    schedule: ScheduleConfig
    provenance: Mapping[str, Any]


def shipped_classifier() -> Path:
    """Return the path of the classifier that comes with the project; it may be missing."""
    return assets_dir() / "classifiers" / "noisy.safetensors"


def load_classifier(path: Path | None = None) -> AskingClassifier:
    """Read a classifier, the shipped one unless a path is named; float32, in eval mode. Raises CheckpointError."""
    path = path or shipped_classifier()
    with TensorFile(path, NOISY_FORMAT) as file:
        try:
            schedule = from_dict(ScheduleConfig, file.metadata["schedule"])
            provenance = dict(file.metadata["provenance"])
        except (ConfigError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path} holds a classifier that makes no sense: {short(error)}") from None
        with torch.device("meta"):
            model = NoisyClassifier()
        file.fill(model)
    return AskingClassifier(model.eval().requires_grad_(False), schedule, provenance)


def save_classifier(path: Path, classifier: AskingClassifier) -> None:
    """Write a classifier, its weights in float16; raise CheckpointError when that fails."""
    weights = {name: tensor.half() for name, tensor in classifier.model.state_dict().items()}
    about = {
        "schedule": {name: getattr(classifier.schedule, name) for name in ("kind", "timesteps", "beta_1", "beta_T")},
        "provenance": dict(classifier.provenance),
    }
    write_tensors(path, weights, NOISY_FORMAT, about)


def train_classifier(
    model: NoisyClassifier, config: ScheduleConfig, *, steps: int, seed: int = 0
) -> Iterator[LearningProgress]:
    """Train a classifier in place on MNIST's training digits under noise, uniform in t; yield after every step.

    The loss is the cross-entropy of the class given x_t. At the end the weights are their running average.
    """
    digits, labels = load_mnist(train=True)
    schedule = Schedule.from_config(config)
    fill_with_first_weights(model, seed)
    generator = torch.Generator().manual_seed(seed)

    def loss_of(step: int) -> Tensor:
        chosen = torch.from_numpy(batch_indices(len(digits), NOISY_BATCH, seed=seed, step=step))
        x0 = to_x0(digits[chosen])  # (B, 1, 28, 28)
        t = torch.randint(len(schedule), (len(x0),), generator=generator)
        eps = torch.randn(x0.shape, generator=generator)
        return functional.cross_entropy(model(schedule.add_noise(x0, t, eps), t), labels[chosen])

    yield from learn(model, loss_of, steps=steps, rate=NOISY_RATE, warmup=100, weight_decay=1e-2, averaging=AVERAGING)


@torch.no_grad()
def accuracy_by_tenth(
    model: NoisyClassifier, config: ScheduleConfig, *, digits: int = 10_000, seed: int = 0
) -> list[float]:
    """Return the share of test digits that a classifier gets right in each tenth of the timesteps, 10 numbers."""
    images, labels = (part[:digits] for part in load_mnist(train=False))
    schedule = Schedule.from_config(config)
    generator = torch.Generator().manual_seed(seed)
    T, shares = len(schedule), []
    for tenth in range(10):
        low, high = tenth * T // 10, (tenth + 1) * T // 10
        right = 0
        for part, truth in zip(images.split(1000), labels.split(1000), strict=True):
            x0 = to_x0(part)
            t = torch.randint(low, high, (len(x0),), generator=generator)
            eps = torch.randn(x0.shape, generator=generator)
            right += int((model(schedule.add_noise(x0, t, eps), t).argmax(1) == truth).sum())
        shares.append(right / len(images))
    return shares


class AtEqualNoise:
    """A classifier of one schedule's noise that answers for another schedule's timesteps.

    A noisy picture is decided by its alpha_bar alone (Ho et al. 2020, equation 4), so each t is asked as the timestep
    whose log-SNR in the classifier's own schedule is nearest.
    """

    def __init__(self, classifier: AskingClassifier, schedule: Schedule, device: torch.device) -> None:
        own = Schedule.from_config(classifier.schedule)
        distance = (own.snr.log()[None, :] - schedule.snr.log()[:, None]).abs()  # (T, T of the classifier)
        self.model, self.nearest = classifier.model.to(device), distance.argmin(dim=1).to(device)

    def __call__(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return the logits (B, 10) of x_t (B, 1, 28, 28) at timesteps t (B,) of the other schedule."""
        logits: Tensor = self.model(x_t, self.nearest[t])
        return logits


def ask_for(
    model: EpsModel, schedule: Schedule, wish: DigitConfig, classifier: AskingClassifier, device: torch.device
) -> AskedFor:
    """Return a denoiser that is asked for a digit, on its device; raise ConfigError for timesteps it does not have."""
    check_within(wish, schedule)
    digits = torch.tensor([wish.digit])
    known = AtEqualNoise(classifier, schedule, device)
    return AskedFor(model, known, schedule, digits, wish.weight, wish)
