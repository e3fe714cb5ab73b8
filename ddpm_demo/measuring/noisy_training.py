"""Training the classifier of noisy digits, and its accuracy by tenths of the timesteps."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from ddpm_demo.core.model import fill_with_first_weights
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.measuring.learning import LearningProgress, learn
from ddpm_demo.networks.noisy_classifier import NoisyClassifier
from ddpm_demo.store.mnist import batch_indices, load_mnist, to_x0

NOISY_STEPS = 8000  # seventeen passes over the digits
NOISY_BATCH = 128
NOISY_RATE = 2e-3
AVERAGING = 0.999  # decay of the averaged weights


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
