"""A small digit classifier: a judge of what the denoiser draws, never a part of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from ddpm_demo.core.config import DemoError, check_number
from ddpm_demo.core.model import fill_with_first_weights
from ddpm_demo.store.files import cache_dir, write_atomically
from ddpm_demo.store.mnist import batch_indices, load_mnist, to_x0
from ddpm_demo.store.tensors import TensorFile

FILE = "classifier-2.safetensors"  # another number when the network or its training changes
BATCH = 128
LEARNING_RATE = 2e-3
STEPS = 1800  # nearly four passes over the digits


class Classifier(nn.Module):
    """Two strided convolutions, one hidden layer, ten classes: 104,840 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=5, stride=2, padding=2)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=5, stride=2, padding=2)
        self.hidden = nn.Linear(32 * 7 * 7, 58)
        self.out = nn.Linear(58, 10)

    def forward(self, x0: Tensor) -> Tensor:
        """Return the logits (B, 10) of clean images x0 (B, 1, 28, 28) in [-1, 1]."""
        logits: Tensor = self.out(self.features(x0))
        return logits

    def features(self, x0: Tensor) -> Tensor:
        """Return what the last layer sees of clean images x0 (B, 1, 28, 28) in [-1, 1]: (B, 58), none negative."""
        y = nn.functional.relu(self.conv1(x0))  # (B, 16, 14, 14)
        y = nn.functional.relu(self.conv2(y))  # (B, 32, 7, 7)
        return nn.functional.relu(self.hidden(y.flatten(1)))  # (B, 58)

    @torch.no_grad()
    def classes(self, x0: Tensor) -> Tensor:
        """Return the class 0..9 of each image, int64 (B,), on the CPU."""
        logits: Tensor = self(x0.float().cpu().clamp(-1, 1))
        return logits.argmax(dim=1)


@dataclass(frozen=True)
class Trained:
    """A classifier and the share of MNIST's 10,000 test digits that it gets right.

    `unsaved` says, in one sentence, why it is only in memory, if so: the next start of the program trains it again.
    """

    model: Classifier
    accuracy: float
    unsaved: str = ""


@dataclass(frozen=True)
class Progress:
    """How far the training is: steps done, of so many."""

    step: int
    total: int


def path() -> Path:
    """Return where the trained classifier is kept."""
    return cache_dir() / FILE


def load() -> Trained | None:
    """Return the classifier that was trained before, or None if there is none, or none that can be read."""
    try:
        model = _unfilled()
        with TensorFile(path(), None) as file:
            accuracy = file.metadata["classifier"]["accuracy"]
            check_number("its accuracy", accuracy, low=0.0, high=1.0)
            file.fill(model)
    except (DemoError, KeyError, TypeError):
        return _in_memory.get(path())
    return Trained(model.eval(), accuracy)


def train(*, steps: int = STEPS, seed: int = 0) -> Iterator[Progress]:
    """Train on MNIST's training digits, measure on the test digits, and keep the result; yield after every step.

    The result is there once the iterator has ended: `load` returns it, from memory where the cache directory cannot
    be written. Raises DataError when MNIST cannot be read.
    """
    digits, labels = load_mnist(train=True)
    model = _unfilled().to_empty(device="cpu")
    fill_with_first_weights(model, seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / steps)
    for step in range(steps):
        chosen = batch_indices(len(digits), BATCH, seed=seed, step=step)
        loss = nn.functional.cross_entropy(model(to_x0(digits[chosen])), labels[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        yield Progress(step + 1, steps)
    _keep(model.eval(), accuracy_of(model))


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


_in_memory: dict[Path, Trained] = {}  # by where each belongs; what could not be written there


def _keep(model: Classifier, accuracy: float) -> None:
    content = save(model.state_dict(), metadata={"classifier": json.dumps({"accuracy": accuracy})})
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path(), content)
        _in_memory.pop(path(), None)
    except OSError as error:
        unsaved = f"cannot write {path()}: {error.strerror}; the classifier is kept until the program ends"
        _in_memory[path()] = Trained(model, accuracy, unsaved)
