"""The denoiser: stacked dilated convolutions at constant width, conditioned on the timestep and nothing else.

It follows the spec's analysis step by step. It knows nothing of any schedule: it sees a noisy image and a t.
"""

import contextlib
import math

import torch
from torch import Tensor, nn

from ddpm_demo.core.config import ModelConfig


def sinusoidal_embedding(t: Tensor, dim: int) -> Tensor:
    """Embed timesteps t (B,) as sines and cosines of geometrically spaced frequencies: (B, dim), float32 or wider.

    Vaswani et al. 2017, section 3.5, in the form of Ho et al.'s code: all sines first, then all cosines.
    """
    half = dim // 2
    dtype = torch.float64 if t.dtype == torch.float64 else torch.float32
    k = torch.arange(half, device=t.device, dtype=dtype)
    frequencies = torch.exp(k * (-math.log(10000) / (half - 1)))  # (dim/2,): 1 down to 1/10000
    angles = t.to(dtype)[:, None] * frequencies[None, :]  # (B, dim/2)
    return torch.cat((angles.sin(), angles.cos()), dim=-1)  # (B, dim)


class ResidualBlock(nn.Module):
    """One block: add the time embedding, add a dilated 3x3 convolution of the sum, GroupNorm, SiLU."""

    def __init__(self, width: int, dilation: int, groups: int) -> None:
        """Make a block of `width` channels; padding = dilation keeps the image's size."""
        super().__init__()
        self.conv = nn.Conv2d(width, width, kernel_size=3, padding=dilation, dilation=dilation)
        self.norm: nn.Module = nn.GroupNorm(groups, width)
        self.act = nn.SiLU()

    def forward(self, y: Tensor, time: Tensor) -> Tensor:
        """Map y (B, width, H, W) and time (B, width, 1, 1) to (B, width, H, W)."""
        y = y + time  # (B, width, H, W): direct addition, the same at every pixel
        y = y + self.conv(y)  # (B, width, H, W): the residual sum
        y = self.act(self.norm(y))  # (B, width, H, W)
        return y


class Denoiser(nn.Module):
    """eps_hat(x_t, t): predicts the noise in a noisy image.

    `blocks_dtype` is the number format of the residual blocks, which do nearly all of the arithmetic; the first
    and last convolution always stay in the image's own, because at t = 0 the noise to be seen has a standard
    deviation of 0.01, about the rounding step of bfloat16 at 1. None means the image's dtype throughout.
    """

    def __init__(self, config: ModelConfig) -> None:
        """Make the network with PyTorch's default weights, from the global random state: see `seeded_denoiser`."""
        super().__init__()
        self.config = config
        self.blocks_dtype: torch.dtype | None = None
        width = config.hidden
        self.time_project = nn.Sequential(
            nn.Conv2d(config.time_dim, width, kernel_size=1), nn.SiLU(), nn.Conv2d(width, width, kernel_size=1)
        )
        self.in_project = nn.Conv2d(config.image_channels, width, kernel_size=7, padding=3)
        self.blocks = nn.ModuleList(ResidualBlock(width, d, config.groups) for d in config.dilations)
        self.out_project = nn.Conv2d(width, config.image_channels, kernel_size=3, padding=1)

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return eps_hat (B, C, H, W) for images x_t (B, C, H, W) at timesteps t (B,)."""
        embedding = sinusoidal_embedding(t, self.config.time_dim).to(x_t.dtype)  # (B, 256)
        time = self.time_project(embedding[:, :, None, None])  # (B, width, 1, 1)
        y = self.in_project(x_t)  # (B, width, H, W)
        dtype = self.blocks_dtype or x_t.dtype
        y, time = y.to(dtype), time.to(dtype)
        # While training the weights stay in float32 and autocast rounds them at each use.
        rounding = torch.autocast(x_t.device.type, dtype=dtype) if dtype == torch.bfloat16 else contextlib.nullcontext()
        with rounding:
            for block in self.blocks:
                y = block(y, time)  # (B, width, H, W)
        eps_hat: Tensor = self.out_project(y.to(x_t.dtype))  # (B, C, H, W)
        return eps_hat


def count_parameters(model: nn.Module) -> int:
    """Return the number of trainable numbers in a model."""
    return sum(p.numel() for p in model.parameters())


def unfilled_denoiser(config: ModelConfig) -> Denoiser:
    """Return a network of that shape whose weights take no memory (PyTorch's meta device): for counting and loading."""
    with torch.device("meta"):
        return Denoiser(config)


def seeded_denoiser(config: ModelConfig, seed: int) -> Denoiser:
    """Return a fresh network, float32 on the CPU, whose initial weights depend on `seed` alone."""
    model = unfilled_denoiser(config)
    # `to_empty` would do the same, and import PyTorch's compiler: half a second of every start
    model.load_state_dict({name: torch.empty(w.shape) for name, w in model.state_dict().items()}, assign=True)
    fill_with_first_weights(model, seed)
    return model


def fill_with_first_weights(model: nn.Module, seed: int) -> None:
    """Draw fresh initial weights for a network, as PyTorch's own layers do (He et al. 2015, uniform, a = sqrt(5)).

    From a generator of its own: other threads draw from the process's shared one meanwhile.
    """
    generator = torch.Generator().manual_seed(seed)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
            if layer.bias is not None:
                bound = 1 / math.sqrt(layer.weight[0].numel())
                nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
        elif isinstance(layer, nn.GroupNorm):
            layer.reset_parameters()  # ones and zeros
