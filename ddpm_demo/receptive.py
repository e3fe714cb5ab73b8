"""What a pixel of the output can see of the input: by formula, and measured on a network."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ddpm_demo.config import ConfigError
from ddpm_demo.model import Denoiser, ResidualBlock


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


def live_taps(size: int, dilation: int) -> float:
    """Return the share, 0 to 1, of a 3x3 kernel's taps that fall inside a size x size image, over all its pixels.

    The other taps read the zero padding. In one direction the centre tap is always inside, and each of the two
    outer ones for size - dilation of the size pixels.
    """
    return ((1 + 2 * max(0, size - dilation) / size) / 3) ** 2


def influence_map(model: Denoiser, x_t: Tensor, t: int, row: int, col: int, *, freeze_norm: bool) -> Tensor:
    """Return |d eps_hat[row, col] / d x_t|, summed over channels: (H, W), for one image x_t (1, C, H, W).

    The effective receptive field (Luo et al. 2016) at one pixel. With `freeze_norm` every GroupNorm is replaced
    by the affine map that it happens to be at this x_t (its mean and variance held constant), which leaves the
    convolutions as the only way from pixel to pixel. The model is not changed.
    """
    network = copy.deepcopy(model).eval().requires_grad_(False)
    if freeze_norm:
        for block in list(network.modules()):
            if isinstance(block, ResidualBlock) and isinstance(block.norm, nn.GroupNorm):
                block.norm = _FrozenNorm(block.norm)
    x = x_t.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        eps_hat = network(x, torch.full((len(x),), t, device=x.device))  # (1, C, H, W)
        (gradient,) = torch.autograd.grad(eps_hat[:, :, row, col].sum(), x)
    return gradient.abs().sum(dim=(0, 1))  # (H, W)


class _FrozenNorm(nn.Module):
    """GroupNorm whose statistics are constants to the gradient."""

    def __init__(self, norm: nn.GroupNorm) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, y: Tensor) -> Tensor:
        groups = y.unflatten(1, (self.norm.num_groups, -1))  # (B, G, C/G, H, W)
        variance, mean = torch.var_mean(groups.detach(), dim=(2, 3, 4), keepdim=True, correction=0)
        normal = ((groups - mean) / (variance + self.norm.eps).sqrt()).flatten(1, 2)  # (B, C, H, W)
        scaled: Tensor = normal * self.norm.weight[:, None, None] + self.norm.bias[:, None, None]
        return scaled
