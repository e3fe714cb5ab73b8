"""What a pixel of the output can see of the input: by formula, by counting paths, and measured on a network."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from ddpm_demo.core.config import ConfigError, ModelConfig, check_whole


def receptive_field(kernels: Sequence[int], dilations: Sequence[int]) -> list[int]:
    """Return the width in pixels of the receptive field after every layer, for stride-1 convolutions.

    Each layer adds (kernel - 1) * dilation (Dumoulin & Visin 2016; Araujo et al. 2019, equation 2). Raises
    ConfigError when the two lists differ in length.
    """
    if len(kernels) != len(dilations):
        raise ConfigError(f"{len(kernels)} kernels need as many dilations, got {len(dilations)}")
    widths, width = [], 1
    for kernel, dilation in zip(kernels, dilations, strict=True):
        width += (kernel - 1) * dilation
        widths.append(width)
    return widths


def live_taps(size: int, dilation: int, kernel: int = 3) -> float:
    """Return the share, 0 to 1, of a square kernel's taps that fall inside a size x size image, over all its pixels.

    The other taps read the zero padding. In one direction the centre tap is always inside, and one that stands k
    taps beside it for size - k * dilation of the size pixels.
    """
    reach = kernel // 2
    inside = sum(max(0, size - abs(k) * dilation) for k in range(-reach, reach + 1))
    return (inside / size / kernel) ** 2


def path_counts(dilations: Sequence[int], size: int, row: int, col: int, *, layers: int) -> Tensor:
    """Count the paths through the convolutions from every input pixel to (row, col) after the first `layers` layers.

    Layer 1 is the 7x7 convolution, then one residual block each (its sum is one more path, straight on), and last the
    3x3 convolution. Paths that leave the image are lost in the padding. Returns float64 (size, size), exact up to
    2^53; raises ConfigError when the pixel or the number of layers does not exist.
    """
    kernels, steps = ModelConfig(dilations=tuple(dilations)).kernels_and_dilations
    if not (0 <= row < size and 0 <= col < size):
        raise ConfigError(f"the pixel must be from 0 to {size - 1}, got row {row}, column {col}")
    check_whole("layers", layers, low=1, high=len(kernels))
    counts = torch.zeros(1, 1, size, size, dtype=torch.float64)
    counts[0, 0, row, col] = 1
    for layer in reversed(range(layers)):  # from the output back to the input
        kernel, step = kernels[layer], steps[layer]
        ones = torch.ones(1, 1, kernel, kernel, dtype=torch.float64)
        through = functional.conv2d(counts, ones, padding=kernel // 2 * step, dilation=step)
        is_block = 0 < layer < len(kernels) - 1
        counts = counts + through if is_block else through
    return counts[0, 0]
