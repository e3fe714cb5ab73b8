"""The judge of digits: a classifier of clean pictures that measures what a denoiser draws and takes no part in drawing.

It is shipped, so that everybody measures with the same yardstick, and it gets more than 99.4 % of MNIST's test digits
right: a weaker judge has coarser features, and flatters digits that are slightly broken.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ddpm_demo.core.config import DemoError, check_number
from ddpm_demo.core.model import fill_with_first_weights
from ddpm_demo.drawings.augmentation import moved
from ddpm_demo.measuring.learning import LearningProgress, learn
from ddpm_demo.store.files import assets_dir
from ddpm_demo.store.mnist import batch_indices, load_mnist, to_x0
from ddpm_demo.store.tensors import CheckpointError, TensorFile, short, write_tensors

JUDGE_FORMAT = "ddpm_demo judge 1"
JUDGE_WIDTHS = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (64, 1))  # channels and stride of the 3x3 convolutions
FEATURES = 96
JUDGE_STEPS = 6000  # nearly thirteen passes over the digits
JUDGE_BATCH = 128
JUDGE_RATE = 3e-3
JUDGE_AVERAGING = 0.998  # decay of the averaged weights


class Classifier(nn.Module):
    """Six 3x3 convolutions with GroupNorm, one hidden layer, ten classes."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for width, stride in JUDGE_WIDTHS:
            layers += [nn.Conv2d(channels, width, kernel_size=3, stride=stride, padding=1), nn.GroupNorm(8, width)]
            layers += [nn.SiLU()]
            channels = width
        self.convs = nn.Sequential(*layers)
        self.hidden = nn.Linear(channels * 7 * 7, FEATURES)
        self.out = nn.Linear(FEATURES, 10)

    def forward(self, x0: Tensor) -> Tensor:
        """Return the logits (B, 10) of clean images x0 (B, 1, 28, 28) in [-1, 1]."""
        logits: Tensor = self.out(self.features(x0))
        return logits

    def features(self, x0: Tensor) -> Tensor:
        """Return what the last layer sees of clean images x0 (B, 1, 28, 28) in [-1, 1]: (B, 96), none negative."""
        return functional.relu(self.hidden(self.convs(x0).flatten(1)))

    @torch.no_grad()
    def classes(self, x0: Tensor) -> Tensor:
        """Return the class 0..9 of each image, int64 (B,), on the CPU."""
        logits: Tensor = self(x0.float().cpu().clamp(-1, 1))
        return logits.argmax(dim=1)


@dataclass(frozen=True)
class TrainedJudge:
    """A classifier, the share of MNIST's 10,000 test digits that it gets right, and how it came to be."""

    model: Classifier
    accuracy: float
    provenance: Mapping[str, Any]


def shipped_judge() -> Path:
    """Return the path of the classifier that comes with the project; it may be missing."""
    return assets_dir() / "classifiers" / "judge.safetensors"


@cache
def load_judge(path: Path | None = None) -> TrainedJudge:
    """Read a classifier, the shipped one unless a path is named; float32, in eval mode. Raises CheckpointError."""
    path = path or shipped_judge()
    with TensorFile(path, JUDGE_FORMAT) as file:
        try:
            provenance = dict(file.metadata["provenance"])
            accuracy = provenance["accuracy"]
            check_number("its accuracy", accuracy, low=0.0, high=1.0)
        except (DemoError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                "{path} holds a classifier that makes no sense: {why}", path=path, why=short(error)
            ) from None
        model = _unfilled()
        file.fill(model)
    return TrainedJudge(model.eval().requires_grad_(False), accuracy, provenance)


def save_judge(path: Path, trained: TrainedJudge) -> None:
    """Write a classifier, its weights in float16; raise CheckpointError when that fails."""
    weights = {name: tensor.half() for name, tensor in trained.model.state_dict().items()}
    write_tensors(path, weights, JUDGE_FORMAT, {"provenance": {**trained.provenance, "accuracy": trained.accuracy}})


def untrained_judge(seed: int = 0) -> Classifier:
    """Return a classifier with random weights that follow from `seed` alone."""
    model = _unfilled().to_empty(device="cpu")
    fill_with_first_weights(model, seed)
    return model


def train_judge(model: Classifier, *, steps: int = JUDGE_STEPS, seed: int = 0) -> Iterator[LearningProgress]:
    """Train a classifier in place on MNIST's training digits, moved a little each time; yield after every step.

    At the end the weights are their running average, in eval mode. Raises DataError when MNIST cannot be read.
    """
    digits, labels = load_mnist(train=True)
    generator = torch.Generator().manual_seed(seed)

    def loss_of(step: int) -> Tensor:
        chosen = torch.from_numpy(batch_indices(len(digits), JUDGE_BATCH, seed=seed, step=step))
        return functional.cross_entropy(model(moved(to_x0(digits[chosen]), generator)), labels[chosen])

    yield from learn(
        model, loss_of, steps=steps, rate=JUDGE_RATE, warmup=200, weight_decay=2e-2, averaging=JUDGE_AVERAGING
    )


def accuracy_of(model: Classifier) -> float:
    """Return the share of MNIST's test digits that a classifier gets right."""
    digits, labels = load_mnist(train=False)
    right = sum(
        int((model.classes(to_x0(part)) == truth).sum())
        for part, truth in zip(digits.split(1000), labels.split(1000), strict=True)
    )
    return right / len(digits)


def counts(classes: Tensor) -> list[int]:
    """Return how many of the images fell into each of the ten classes."""
    return [int(number) for number in np.bincount(classes.numpy(), minlength=10)]


def _unfilled() -> Classifier:
    with torch.device("meta"):  # where no weights are drawn from the process's own generator
        return Classifier()
