"""How good pictures of digits are, as pictures: judged by the small classifier, and against MNIST's own digits.

Nothing here knows how the pictures were made: they are uint8 (N, 28, 28), 0 paper to 255 ink, as a user sees them.
Every figure depends on the number of pictures, so each is worth reading only beside the same figure of as many real
test digits, and figures made with different classifiers must not be compared.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ddpm_demo.core.config import ConfigError
from ddpm_demo.measuring.classifier import Classifier
from ddpm_demo.measuring.copying import nearest
from ddpm_demo.store.mnist import load_mnist, to_x0

CONFIDENCE = 0.9  # from here on a digit counts as recognised
NEIGHBOURS = 3  # k of precision and recall, as in the paper
MIN_IMAGES = NEIGHBOURS + 1  # with fewer there is no k-th neighbour
REFERENCE_SEED = 2019  # chooses among MNIST's digits: its files are not in random order
CHUNK = 256  # pictures compared at once with all of the reference: bounds the memory at about 60 MB


@dataclass(frozen=True)
class Quality:
    """What can be said about a set of pictures.

    - `n`: how many pictures.
    - `frechet`: Frechet distance of their features from those of MNIST's 60,000 training digits, see
      `frechet_distance`; it shrinks with n even for perfect pictures.
    - `precision`, `recall`: shares from 0 to 1, see `precision_and_recall`; against n training digits.
    - `recognised`: share to which the classifier gives one class with a probability of at least 0.9.
    - `classes`: how many pictures the classifier puts into each of the ten classes.
    - `total_variation`: of `classes`, as shares, from the 60,000 training labels: half the sum of the differences.
    - `nearest_median`, `nearest_min`: distance to the nearest training digit, the pixels from 0 to 1, Euclidean:
      of the middle picture, and of the one most like a training digit. 0 is a copy; much less than for real test
      digits says that training digits are repeated.
    - `ink`: mean of all pixels, 0 paper to 1 ink; `ink_by_class`: the same of the pictures in each class, None where
      there are none. GroupNorm takes the brightness away between the layers, so a network may get it wrong.
    """

    n: int
    frechet: float
    precision: float
    recall: float
    recognised: float
    classes: tuple[int, ...]
    total_variation: float
    nearest_median: float
    nearest_min: float
    ink: float
    ink_by_class: tuple[float | None, ...]


@dataclass(frozen=True)
class Reference:
    """MNIST's training digits, ready to be compared with: uint8 (N, 28, 28), features (N, F), class shares (10,)."""

    digits: Tensor
    features: Tensor
    shares: Tensor


def load_reference(classifier: Classifier) -> Reference:
    """Return the reference, all 60,000 training digits; raise DataError when MNIST cannot be read."""
    digits, labels = load_mnist(train=True)
    return Reference(digits, judge(classifier, digits)[0], class_shares(labels))


def real_test_digits(n: int) -> Tensor:
    """Return n of MNIST's test digits, uint8 (n, 28, 28), none of them in the reference, the same at every call.

    Chosen at random, because the two halves of the test set are of two sources and differ: a nearest neighbour errs on
    221 of the first 5,000 and on 88 of the last, which have 17 % more ink (findings/mnist_*.sh). Raises ConfigError
    unless 4 <= n <= 10,000, and DataError when MNIST cannot be read.
    """
    digits, _ = load_mnist(train=False)
    if not MIN_IMAGES <= n <= len(digits):
        raise ConfigError(f"quality needs from {MIN_IMAGES} to {len(digits)} digits, got {n}")
    return digits[_some(len(digits), n)]


def measure_quality(images: Tensor, classifier: Classifier, reference: Reference) -> Quality:
    """Return the quality of images uint8 (N, 28, 28); raise ConfigError unless 4 <= N <= the size of the reference."""
    n = len(images)
    if not MIN_IMAGES <= n <= len(reference.digits):
        raise ConfigError(f"quality needs from {MIN_IMAGES} to {len(reference.digits)} digits, got {n}")
    features, probabilities = judge(classifier, images)
    classes = probabilities.argmax(dim=1)
    like = reference.features[_some(len(reference.features), n)]
    precision, recall = precision_and_recall(features, like)
    _, distances = nearest(images, reference.digits)
    ink = images.double().mean(dim=(1, 2)) / 255  # (N,)
    by_class = [ink[classes == digit] for digit in range(10)]
    return Quality(
        n=n,
        frechet=frechet_distance(features, reference.features),
        precision=precision,
        recall=recall,
        recognised=float((probabilities.amax(dim=1) >= CONFIDENCE).double().mean()),
        classes=tuple(torch.bincount(classes, minlength=10).tolist()),
        total_variation=total_variation(class_shares(classes), reference.shares),
        nearest_median=float(distances.median()),
        nearest_min=float(distances.min()),
        ink=float(ink.mean()),
        ink_by_class=tuple(float(each.mean()) if len(each) else None for each in by_class),
    )


@torch.no_grad()
def judge(classifier: Classifier, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the classifier's features (N, F) and class probabilities (N, 10) of images uint8 (N, 28, 28)."""
    parts = [classifier.features(to_x0(part)) for part in images.split(1000)]
    features = torch.cat(parts)  # (N, F)
    return features, classifier.out(features).softmax(dim=1)


def frechet_distance(features: Tensor, reference: Tensor) -> float:
    """Return the Frechet distance between two sets of features, (N, F) and (M, F), each taken for a Gaussian.

    Heusel et al. 2017, equation 6: |mu - mu_r|^2 + tr(C + C_r - 2 (C C_r)^(1/2)), in the square of the features'
    units; there the features are Inception's, here a digit classifier's, so the numbers are not the "FID" of other
    papers. Computed by torchmetrics in float64, with covariances over N - 1. Needs at least two rows in each set.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance  # slow to import

    metric = FrechetInceptionDistance(feature=_Ready(features.shape[1]))
    metric.update(reference.double(), real=True)
    metric.update(features.double(), real=False)
    return float(metric.compute())


def precision_and_recall(features: Tensor, reference: Tensor, k: int = NEIGHBOURS) -> tuple[float, float]:
    """Return how much of `features` (N, F) lies among the real ones, `reference` (M, F), and the other way round.

    Kynkaanniemi et al. 2019, equations 1 and 2: the manifold of a set is the union of balls around its members, the
    radius of each the distance to its k-th nearest neighbour in the set. Precision is the share of the pictures inside
    the manifold of the real digits (are they good?), recall the share of the real digits inside that of the pictures
    (is everything there?). Both sets should be of one size, as in the paper: balls are larger where there are fewer.
    Needs more than k rows in each set.
    """
    return _share_inside(features, reference, k), _share_inside(reference, features, k)


def class_shares(classes: Tensor) -> Tensor:
    """Return the share of each of the ten classes among int64 (N,), float64 (10,)."""
    return torch.bincount(classes, minlength=10).double() / len(classes)


def total_variation(p: Tensor, q: Tensor) -> float:
    """Return the total variation distance of two distributions, 0 (the same) to 1 (nothing in common)."""
    return float((p - q).abs().sum() / 2)


class _Ready(nn.Identity):
    """The feature extractor that torchmetrics asks for, where the features are there already."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features


def _share_inside(points: Tensor, members: Tensor, k: int) -> float:
    radii = torch.cat([_distances(part, members).kthvalue(k + 1, dim=1).values for part in members.split(CHUNK)])
    # ... the nearest of all is the member itself, hence k + 1
    inside = [(_distances(part, members) <= radii).any(dim=1) for part in points.split(CHUNK)]
    return float(torch.cat(inside).double().mean())


def _distances(a: Tensor, b: Tensor) -> Tensor:
    # the usual way, through a matrix product, gives a point a small distance from itself
    return torch.cdist(a.double(), b.double(), compute_mode="donot_use_mm_for_euclid_dist")


def _some(count: int, n: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(REFERENCE_SEED))[:n]
