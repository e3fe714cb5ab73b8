"""What many output pixels owe to the input, at one forward pass for all of them: a click on the receptive map."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ddpm_demo.core.config import ModelConfig
from ddpm_demo.core.model import Denoiser, ResidualBlock, seeded_denoiser, sinusoidal_embedding


class KeptPasses:
    """Forward passes whose graph is kept, so that each further pixel costs a backward pass alone.

    The maps are those of `core.receptive.influence_map`, bit by bit, but one an image instead of their mean.
    """

    def __init__(self, model: Denoiser, x_t: Tensor, t: Tensor) -> None:
        """Run the network once on images x_t (B, C, H, W) at timesteps t (B,); it is not changed."""
        self._x = x_t.detach().clone().requires_grad_(True)
        first: list[Tensor] = []
        hook = model.blocks[0].register_forward_hook(lambda _module, _inputs, output: first.append(output))
        try:
            with torch.enable_grad():
                self._eps_hat = model(self._x, t)  # (B, C, H, W)
        finally:
            hook.remove()
        self._first_block = first[0]  # (B, width, H, W)

    def behind_answer(self, row: int, col: int) -> Tensor:
        """Return |d eps_hat[row, col] / d x_t|, summed over image channels: (B, H, W)."""
        return self._gradient(self._eps_hat[:, :, row, col].sum())

    def behind_first_block(self, row: int, col: int) -> Tensor:
        """Return the same of the first block's output, its channels mixed at random so that they do not cancel."""
        pixel = self._first_block[:, :, row, col]  # (B, width)
        mix = torch.randn(pixel.shape[1], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        return self._gradient((pixel * mix.to(pixel)).sum())

    def _gradient(self, total: Tensor) -> Tensor:
        (gradient,) = torch.autograd.grad(total, self._x, retain_graph=True)
        return gradient.abs().sum(dim=1)


def measured_receptive_field(dilations: Sequence[int]) -> list[int]:
    """Measure the receptive field after every layer: the width of the gradient's support, the formula unused.

    On a network of eight channels with random weights, in float64, norms frozen, along one row of pixels longer than
    the field (the kernels are square, so a row shows the width, and costs next to nothing).
    """
    config = ModelConfig(hidden=8, groups=4, time_dim=16, dilations=tuple(dilations))
    size = 2 * (sum(dilations) + 6) + 3  # every tap of every layer in one direction, and room to spare
    model = seeded_denoiser(config, seed=0).double()
    x = torch.randn(1, 1, 1, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    widths = []
    for layer in range(1, len(dilations) + 3):
        seen = influence_map(model, x, 500, 0, size // 2, freeze_norm=True, layers=layer) > 0
        columns = seen.any(dim=0).nonzero().flatten()
        widths.append(int(columns[-1] - columns[0]) + 1)
    return widths


def influence_map(
    model: Denoiser, x_t: Tensor, t: int, row: int, col: int, *, freeze_norm: bool, layers: int | None = None
) -> Tensor:
    """Return |d output[row, col] / d x_t|, summed over image channels and averaged over the batch: (H, W).

    The effective receptive field (Luo et al. 2016) of one pixel, for images x_t (B, C, H, W). The output is eps_hat,
    or the values after the first `layers` layers, its channels mixed at random so that they do not cancel. With
    `freeze_norm` every GroupNorm is replaced by the affine map that it happens to be at this x_t (its mean and
    variance held constant), which leaves the convolutions as the only way from pixel to pixel. The model is not
    changed.
    """
    network = frozen_copy(model) if freeze_norm else model
    x = x_t.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        pixel = _after_layers(network, x, t, layers)[:, :, row, col]  # (B, C)
        mix = torch.randn(pixel.shape[1], generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(pixel)
        (gradient,) = torch.autograd.grad((pixel * (mix if layers else 1)).sum(), x)
    return gradient.abs().sum(dim=1).mean(dim=0)  # (H, W)


def frozen_copy(model: Denoiser) -> Denoiser:
    """Return a copy of a network that computes the same, but whose norms' statistics are constants to the gradient."""
    network = copy.deepcopy(model)
    for block in list(network.modules()):
        if isinstance(block, ResidualBlock) and isinstance(block.norm, nn.GroupNorm):
            block.norm = _FrozenNorm(block.norm)
    return network


def share_outside(influence: Tensor, row: int, col: int, width: int) -> float:
    """Return the share, 0 to 1, of an influence map (H, W) outside the square of `width` pixels around (row, col)."""
    reach = width // 2
    outside = influence.double().clone()
    total = outside.sum()
    outside[max(0, row - reach) : row + reach + 1, max(0, col - reach) : col + reach + 1] = 0
    return float(outside.sum() / total)


def radial_profile(influence: Tensor, row: int, col: int) -> Tensor:
    """Return the mean influence at every whole distance (Chebyshev's, the square's own) from (row, col): (H or W,)."""
    rows = (torch.arange(influence.shape[0]) - row).abs()
    cols = (torch.arange(influence.shape[1]) - col).abs()
    distance = torch.maximum(rows[:, None], cols[None, :])  # (H, W)
    count = torch.bincount(distance.flatten()).clamp(min=1)
    return torch.bincount(distance.flatten(), weights=influence.flatten().double()) / count


def effective_width(influence: Tensor, row: int, col: int, *, share: float = 0.9) -> int:
    """Return the width of the smallest square around (row, col) that holds `share` of an influence map (H, W)."""
    for width in range(1, 2 * max(influence.shape), 2):
        if 1 - share_outside(influence, row, col, width) >= share:
            return width
    return 2 * max(influence.shape) - 1


def _after_layers(model: Denoiser, x: Tensor, t: int, layers: int | None) -> Tensor:
    """Run the first `layers` layers of a network (all: None), as `Denoiser.forward` does."""
    steps = torch.full((len(x),), t, device=x.device)
    if layers is None or layers == len(model.blocks) + 2:
        eps_hat: Tensor = model(x, steps)
        return eps_hat
    embedding = sinusoidal_embedding(steps, model.config.time_dim).to(x.dtype)
    time = model.time_project(embedding[:, :, None, None])
    y: Tensor = model.in_project(x)
    for block in list(model.blocks)[: layers - 1]:
        y = block(y, time)
    return y


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
