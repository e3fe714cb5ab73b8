"""Pictures moved a little at random: more examples of the same things."""

import math

import torch
from torch import Tensor
from torch.nn import functional

TURN, SHEAR, SCALE, SHIFT = 12.0, 0.1, 0.12, 2.0  # degrees, share, share and pixels, each at most


def moved(x0: Tensor, generator: torch.Generator) -> Tensor:
    """Return each image x0 (B, 1, H, W) in [-1, 1] turned, slanted, scaled and shifted at random, same shape.

    What comes in from outside the picture is paper, -1.
    """

    def chance(reach: float) -> Tensor:
        return (2 * torch.rand(len(x0), generator=generator) - 1) * reach

    angle, slant = chance(math.radians(TURN)), chance(SHEAR)
    wide, high = 1 + chance(SCALE), 1 + chance(SCALE)
    right, down = (chance(SHIFT) * 2 / size for size in (x0.shape[3], x0.shape[2]))
    rows = (
        torch.stack([wide * angle.cos(), slant - high * angle.sin(), right], dim=1),
        torch.stack([wide * angle.sin(), high * angle.cos(), down], dim=1),
    )
    grid = functional.affine_grid(torch.stack(rows, dim=1), list(x0.shape), align_corners=False)  # (B, H, W, 2)
    return functional.grid_sample(x0 + 1, grid, align_corners=False) - 1


def varied(pictures: Tensor, count: int, *, seed: int) -> Tensor:
    """Return `count` pictures uint8 (count, H, W) made of pictures uint8 (N, H, W): each in turn, moved a little.

    The first N are the pictures themselves, unmoved, so that a small set is never only its own variations.
    """
    originals = pictures[: min(count, len(pictures))]
    rest = torch.arange(len(originals), count) % len(pictures)
    x0 = pictures[rest][:, None].float() / 127.5 - 1  # (count - N, 1, H, W)
    again = moved(x0, torch.Generator().manual_seed(seed))
    levels = ((again[:, 0].clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return torch.cat([originals, levels])
