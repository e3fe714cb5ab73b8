"""The two directions in which MNIST's digits differ most: a plane to draw the path of a film on."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ddpm_demo.store.mnist import load_mnist, to_x0

Floats = NDArray[np.float64]
CLOUD = 150  # real digits of each class that are drawn


@dataclass(frozen=True)
class Plane:
    """The mean digit (784,), and the first two principal components (2, 784), orthonormal, of images in [-1, 1].

    `explained` (2,) is the share of the whole variance along each.
    """

    mean: Floats
    components: Floats
    explained: Floats

    def project(self, images: NDArray[np.floating]) -> Floats:
        """Return where images (N, 784) lie on the plane: (N, 2)."""
        coordinates: Floats = (images.astype(np.float64) - self.mean) @ self.components.T
        return coordinates


def principal_plane(images: NDArray[np.floating]) -> Plane:
    """Return the plane of images (N, D), by the eigenvectors of their covariance.

    Pearson 1901; Hotelling 1933. The sign of a component is free: here its largest entry is positive.
    """
    centred = images.astype(np.float64)
    mean = centred.mean(axis=0)
    centred = centred - mean
    values, vectors = np.linalg.eigh(centred.T @ centred / len(images))  # increasing
    components = vectors[:, [-1, -2]].T
    components = components * np.sign(components[np.arange(2), np.abs(components).argmax(axis=1)])[:, None]
    return Plane(mean, components, values[[-1, -2]] / values.sum())


@cache
def mnist_plane() -> tuple[Plane, Floats, NDArray[np.int64]]:
    """Return MNIST's plane from 10,000 training digits, and CLOUD digits of each class on it with their labels."""
    digits, labels = load_mnist(train=True)
    flat, classes = to_x0(digits[:10_000]).flatten(1).numpy(), labels[:10_000].numpy()
    plane = principal_plane(flat)
    chosen = np.concatenate([np.flatnonzero(classes == label)[:CLOUD] for label in range(10)])
    return plane, plane.project(flat[chosen]), classes[chosen]
