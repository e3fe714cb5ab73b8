"""What a run learns from and is measured on: MNIST's digits, all or some, or the user's own drawings.

A user's own drawings are few, so a run learns from many variations of them (`augmentation`). The drawings are in
the run's folder, and nowhere else; the variations follow from them and the run's seed.
"""

import torch
from torch import Tensor

from ddpm_demo.drawings.augmentation import varied
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.training.recipes import TrainConfig

VARIATIONS = 2000  # in all, the drawings themselves among them, and
VARIATIONS_EACH = 4  # at least, of a large set
FRESH = 500  # variations that a run does not learn from, to measure it on


def chosen_digits(config: TrainConfig, *, train: bool) -> Tensor:
    """Return the digits uint8 (N, 28, 28) that a run trains on, or of the test set all those of its classes."""
    digits, labels = load_mnist(train=train)
    if config.classes:
        digits = digits[torch.isin(labels, torch.tensor(config.classes))]
    return digits[: config.digits] if train and config.digits else digits


def variations(drawings: Tensor, seed: int) -> Tensor:
    """Return what a run learns of drawings uint8 (N, 28, 28): first themselves, then each in turn, moved a little."""
    return varied(drawings, max(VARIATIONS, VARIATIONS_EACH * len(drawings)), seed=seed)


def fresh_variations(drawings: Tensor, seed: int) -> Tensor:
    """Return variations of the drawings uint8 (500, 28, 28) that `variations` does not hold: by another seed."""
    return varied(drawings, len(drawings) + FRESH, seed=seed + 1)[len(drawings) :]


def training_pictures(config: TrainConfig, drawings: Tensor | None) -> Tensor:
    """Return what a run learns from, uint8 (N, 28, 28).

    With the user's own drawings only the classes that are named are mixed, each with as many digits as there are
    variations: each is one kind of picture among them.
    """
    if drawings is None:
        return chosen_digits(config, train=True)
    own = variations(drawings, config.seed)
    return torch.cat([own, *_some_of_each(config, len(own), train=True)])


def held_out_pictures(config: TrainConfig, drawings: Tensor | None) -> Tensor:
    """Return what a run is measured on, uint8 (N, 28, 28).

    Of the user's own drawings these are other variations, mixed as evenly with test digits of the classes named: there
    are too few drawings to hold any back.
    """
    if drawings is None:
        return chosen_digits(config, train=False)
    own = fresh_variations(drawings, config.seed)
    pictures = torch.cat([own, *_some_of_each(config, FRESH, train=False)])
    return pictures[torch.randperm(len(pictures), generator=torch.Generator().manual_seed(config.seed))]


def _some_of_each(config: TrainConfig, count: int, *, train: bool) -> list[Tensor]:
    if not config.classes:
        return []
    digits, labels = load_mnist(train=train)
    return [digits[labels == label][:count] for label in config.classes]
