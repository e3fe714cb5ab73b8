"""The judge of pictures against closed forms, and against MNIST itself."""

import math

import pytest
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.measuring import quality
from ddpm_demo.measuring.classifier import FEATURES, untrained_judge
from ddpm_demo.measuring.copying import nearest
from ddpm_demo.measuring.quality import (
    Reference,
    class_shares,
    frechet_distance,
    precision_and_recall,
    real_test_digits,
    total_variation,
)
from ddpm_demo.store.mnist import load_mnist, to_x0


def normal(n, width, seed=0):
    return torch.randn(n, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def whitened(n, width):
    """Points with mean exactly 0 and covariance exactly the identity."""
    points = normal(n, width)
    points -= points.mean(dim=0)
    return points @ torch.linalg.inv(torch.linalg.cholesky(points.T.cov())).T


@pytest.fixture
def judge():
    return untrained_judge().eval()


@pytest.fixture
def reference(judge):
    digits, labels = (part[:300] for part in load_mnist(train=True))
    return Reference(digits, quality.judge(judge, digits)[0], class_shares(labels))


def test_a_set_has_no_distance_from_itself():
    points = normal(300, 5)
    assert frechet_distance(points, points) == pytest.approx(0, abs=1e-8)
    assert precision_and_recall(points, points) == (1.0, 1.0)


def test_the_frechet_distance_of_gaussians_is_the_closed_form():
    """|shift|^2 + sum of (sigma_i - 1)^2, as both covariances are diagonal."""
    points = whitened(400, 3)
    sigma, shift = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64), torch.tensor([3.0, 0.0, -4.0])
    assert frechet_distance(points + shift, points) == pytest.approx(25, rel=1e-9)
    assert frechet_distance(points * sigma + shift, points) == pytest.approx(25 + 1 + 0.25, rel=1e-9)


def test_the_frechet_distance_of_correlated_gaussians():
    """Against the matrix square root, written out by eigenvalues of the symmetric form."""
    points, mix = whitened(400, 4), normal(4, 4, seed=1)
    a, b = points @ mix, points
    covariance = a.T.cov()
    root = torch.linalg.eigvalsh(covariance).sqrt().sum()  # tr (C I)^(1/2)
    assert frechet_distance(a, b) == pytest.approx(float(covariance.trace() + 4 - 2 * root), rel=1e-7)


def test_precision_and_recall_on_a_line():
    """Members 0, 1, 2 have with k = 1 balls of radius 1: the manifold is [-1, 3]."""
    members = torch.tensor([[0.0], [1.0], [2.0]])
    points = torch.tensor([[-1.0], [3.0], [3.1], [9.0]])
    # the points' balls: radii 4, 0.1, 0.1 and 5.9, so [-5, 3], [2.9, 3.1], [3, 3.2] and [3.1, 14.9]
    assert precision_and_recall(points, members, k=1) == (0.5, 1.0)


def test_a_collapsed_set_is_precise_and_forgets_nearly_everything():
    real = normal(500, 8)
    collapsed = real[:1].repeat(500, 1)
    precision, recall = precision_and_recall(collapsed, real)
    assert precision == 1.0
    assert recall == 1 / 500


def test_a_far_away_set_is_neither_precise_nor_complete():
    real = normal(100, 8)
    assert precision_and_recall(real + 100, real) == (0.0, 0.0)


def test_chunks_change_nothing(monkeypatch):
    points, real = normal(100, 8), normal(90, 8, seed=1)
    whole = precision_and_recall(points, real)
    monkeypatch.setattr(quality, "CHUNK", 7)
    assert precision_and_recall(points, real) == whole
    assert 0 < whole[0] < 1


def test_the_nearest_digit_is_the_nearest_and_a_copy_is_at_zero():
    others = load_mnist(train=True)[0][:500]
    images = load_mnist(train=False)[0][:20].clone()
    images[3] = others[77]
    by_hand = [min(float((((a.double() - b.double()) / 255) ** 2).sum()) for b in others) ** 0.5 for a in images[:5]]
    _, found = nearest(images, others)
    assert found[:5].tolist() == pytest.approx(by_hand, rel=1e-6)
    assert found[3] == 0


def test_total_variation():
    even, sevens = torch.full((10,), 0.1), class_shares(torch.full((30,), 7))
    assert total_variation(even, even) == 0
    assert total_variation(sevens, even) == pytest.approx(0.9)
    assert total_variation(sevens, class_shares(torch.tensor([1, 2]))) == 1


def test_the_features_are_what_the_last_layer_sees(judge):
    x0 = to_x0(load_mnist(train=False)[0][:5])
    with torch.no_grad():
        features = judge.features(x0)
        torch.testing.assert_close(judge.out(features), judge(x0))
    assert features.shape == (5, FEATURES)
    assert float(features.min()) >= 0


def test_everything_about_some_digits(judge, reference):
    images = real_test_digits(100)
    result = quality.measure_quality(images, judge, reference)
    with torch.no_grad():
        probabilities = judge(to_x0(images)).softmax(dim=1)
    assert result.n == sum(result.classes) == 100
    assert result.recognised == float((probabilities.amax(dim=1) >= 0.9).double().mean())
    assert result.classes == tuple(int((probabilities.argmax(dim=1) == c).sum()) for c in range(10))
    shares = torch.tensor(result.classes).double() / 100
    assert result.total_variation == pytest.approx(float((shares - reference.shares).abs().sum() / 2))
    assert 0 < result.nearest_min < result.nearest_median < math.sqrt(784)
    assert result.frechet > 0
    ink = images.double().mean(dim=(1, 2)) / 255
    assert result.ink == pytest.approx(float(ink.mean()))
    for digit, share in enumerate(result.ink_by_class):
        of_it = ink[probabilities.argmax(dim=1) == digit]
        assert share == (pytest.approx(float(of_it.mean())) if len(of_it) else None)
    copies = quality.measure_quality(reference.digits[:100], judge, reference)
    assert copies.nearest_median == 0


def test_the_real_digits_are_the_same_at_every_call_and_not_the_first_ones():
    digits = real_test_digits(50)
    assert torch.equal(digits, real_test_digits(60)[:50])
    assert not torch.equal(digits, load_mnist(train=False)[0][:50])


@pytest.mark.parametrize("n", [0, 3, 10_001])
def test_too_few_or_too_many_digits_are_refused(judge, reference, n):
    with pytest.raises(ConfigError, match="quality needs from 4 to"):
        real_test_digits(n)
    with pytest.raises(ConfigError, match="quality needs from 4 to 300 digits"):
        quality.measure_quality(torch.zeros(n, 28, 28, dtype=torch.uint8), judge, reference)
