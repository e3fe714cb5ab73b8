"""Did it learn or copy? How far pictures are from the nearest that a network was taught.

Distances are Euclidean between pixels from 0 to 1. A number alone says little: `scale_of` gives two to hold it against.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

AT_ONCE = 256  # pictures compared at once: bounds the memory
OTHERS_AT_ONCE = 10_000  # likewise
SHIFT = 2  # pixels by which a drawing may lie elsewhere and still be the same
ASKED = 100  # drawings at most that `scale_of` compares with all others


@dataclass(frozen=True)
class Nearest:
    """For each of B pictures the nearest it could have copied.

    `source` int64 (B,): of which drawing; `picture` uint8 (B, 28, 28): that drawing as it lies there, shifted or
    otherwise moved; `distance` float64 (B,), 0 for a copy.
    """

    source: Tensor
    picture: Tensor
    distance: Tensor


@dataclass(frozen=True)
class Scale:
    """What is near and what is far, in a set of drawings: two median distances.

    `fresh`: of a variation that was not taught, to the nearest that was. `other`: of a drawing to the nearest other
    drawing, wherever it lies.
    """

    fresh: float
    other: float


def nearest(images: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Return which of `others` is the nearest to each image, int64 (B,), and its distance, float64 (B,).

    Both uint8 (., 28, 28). The nearest is found in float32; the distance to it is then exact, and 0 for a copy.
    """
    mine = images.flatten(1).float() / 255  # (B, 784)
    found, closest = torch.zeros(len(mine), dtype=torch.int64), torch.full((len(mine),), torch.inf)
    for begin in range(0, len(others), OTHERS_AT_ONCE):
        theirs = others[begin : begin + OTHERS_AT_ONCE].flatten(1).float() / 255  # (., 784)
        parts = [torch.cdist(part, theirs).min(dim=1) for part in mine.split(AT_ONCE)]
        apart, where = (torch.cat([part[k] for part in parts]) for k in (0, 1))
        closer = apart < closest
        found, closest = torch.where(closer, where + begin, found), torch.where(closer, apart, closest)
    difference = (mine - others[found].flatten(1).float() / 255).double()  # (B, 784)
    return found, difference.square().sum(dim=1).sqrt()


def shifted(pictures: Tensor, down: int, right: int) -> Tensor:
    """Return pictures uint8 (N, H, W) moved by whole pixels, at most SHIFT; what comes in from outside is paper."""
    padded = torch.nn.functional.pad(pictures, (SHIFT, SHIFT, SHIFT, SHIFT))
    height, width = pictures.shape[1:]
    return padded[:, SHIFT - down : SHIFT - down + height, SHIFT - right : SHIFT - right + width]


def nearest_drawings(images: Tensor, drawings: Tensor, variations: Tensor) -> Nearest:
    """Return the nearest to images uint8 (B, 28, 28) among drawings uint8 (N, 28, 28) and their variations.

    Every drawing is tried at all shifts up to two pixels; of the variations, uint8 (M, 28, 28), the m-th is one of
    drawing m modulo N.
    """
    source, distance = nearest(images, variations)
    best = Nearest(source % len(drawings), variations[source], distance)
    for down in range(-SHIFT, SHIFT + 1):
        for right in range(-SHIFT, SHIFT + 1):
            moved = shifted(drawings, down, right)
            source, distance = nearest(images, moved)
            closer = distance < best.distance
            best = Nearest(
                torch.where(closer, source, best.source),
                torch.where(closer[:, None, None], moved[source], best.picture),
                torch.where(closer, distance, best.distance),
            )
    return best


def scale_of(drawings: Tensor, variations: Tensor, fresh: Tensor) -> Scale:
    """Return the scale of a set of at least two drawings uint8 (N, 28, 28), with `fresh` variations of it."""
    asked = drawings[:ASKED]
    between = [
        torch.cdist(asked.flatten(1).float() / 255, shifted(drawings, down, right).flatten(1).float() / 255)
        for down in range(-SHIFT, SHIFT + 1)
        for right in range(-SHIFT, SHIFT + 1)
    ]
    apart = torch.stack(between).amin(dim=0)  # (asked, N)
    apart.fill_diagonal_(float("inf"))
    return Scale(
        fresh=float(nearest_drawings(fresh, drawings, variations).distance.median()),
        other=float(apart.amin(dim=1).median()),
    )
