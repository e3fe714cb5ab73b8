"""The denoiser measured on itself: every shape, parameter and multiply-add is read from the running model by hooks."""

import math
from dataclasses import dataclass

import torch
from torch import nn

from ddpm_demo.core.config import ModelConfig, check_whole
from ddpm_demo.core.model import Denoiser, ResidualBlock, seeded_denoiser, sinusoidal_embedding
from ddpm_demo.words.sentence import say

SIDE = 28  # pixels of the image that is run


@dataclass(frozen=True)
class Stage:
    """One module on the way from (t, x_t) to eps_hat, as it was called: shapes, size and cost for one batch."""

    name: str
    operation: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    dilation: int | None


@torch.no_grad()
def trace_stages(config: ModelConfig, *, batch: int = 1, height: int = 28, width: int = 28) -> list[Stage]:
    """Run a network of that shape once and return its stages in the order in which they ran.

    One image of 28x28 is run and the sizes put in afterwards: no step mixes images or changes their height and width.
    (PyTorch's meta device would run any size, and takes seconds to import the compiler; the tests hold both equal.)
    Multiply-adds are counted dense, taps in the padding included, and for convolutions alone (norm, activation and
    additions are a few operations a value). Raises ConfigError when batch, height or width is not from 1 to 4096.
    """
    for name, value in (("batch", batch), ("height", height), ("width", width)):
        check_whole(name, value, low=1, high=4096)
    model = seeded_denoiser(config, seed=0)
    x_t, t = torch.zeros(1, config.image_channels, SIDE, SIDE), torch.zeros(1, dtype=torch.int64)

    def sized(tensor: torch.Tensor) -> tuple[int, ...]:
        _, *channels = tensor.shape
        return (batch, channels[0], height, width) if channels[1:] == [SIDE, SIDE] else (batch, *channels)

    stages = [
        Stage(
            name=say("sinusoidal embedding"),
            operation=say("sin and cos of t"),
            input_shape=sized(t),
            output_shape=sized(sinusoidal_embedding(t, config.time_dim)),
            parameters=0,
            multiply_adds=0,
            dilation=None,
        )
    ]

    def record(name: str, module: nn.Module, taken: tuple[torch.Tensor, ...], given: torch.Tensor) -> None:
        dilation = int(module.dilation[0]) if isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1) else None
        stages.append(
            Stage(
                name=name,
                operation=_operation(module),
                input_shape=sized(taken[0]),
                output_shape=sized(given),
                parameters=sum(p.numel() for p in module.parameters()),
                multiply_adds=_multiply_adds(module, sized(given)),
                dilation=dilation,
            )
        )

    hooks = [
        module.register_forward_hook(lambda m, taken, given, name=name: record(name, m, taken, given))
        for name, module in model.named_modules()
        if not list(module.children())
    ]
    model(x_t, t)
    for hook in hooks:
        hook.remove()
    return stages


def _operation(module: nn.Module) -> str:
    if isinstance(module, nn.Conv2d):
        height, width = module.kernel_size
        return say("{height}x{width} convolution", height=height, width=width)
    if isinstance(module, nn.GroupNorm):
        return f"GroupNorm({module.num_groups})"
    return type(module).__name__


def _multiply_adds(module: nn.Module, given: tuple[int, ...]) -> int:
    if not isinstance(module, nn.Conv2d):
        return 0
    return math.prod(given) * module.in_channels * math.prod(module.kernel_size)


@torch.no_grad()
def activations(model: Denoiser, x_t: torch.Tensor, t: int) -> dict[str, torch.Tensor]:
    """Run one image x_t (1, C, H, W) and return the values after every step, float32 (channels, H, W), by name.

    Names are `in_project`, `blocks.i.input`, `.with time`, `.residual sum`, `.norm`, `.act`, and `out_project`; they
    are read by hooks, so they are what the running network computed, in its own number format.
    """
    seen: dict[str, torch.Tensor] = {}

    def keep(name: str, tensor: torch.Tensor) -> None:
        seen[name] = tensor[0].float().cpu()

    hooks = []
    for name, module in model.named_modules():
        if isinstance(module, ResidualBlock):
            hooks += [
                module.register_forward_pre_hook(lambda m, taken, n=name: keep(f"{n}.input", taken[0])),
                module.conv.register_forward_pre_hook(lambda m, taken, n=name: keep(f"{n}.with time", taken[0])),
                module.norm.register_forward_pre_hook(lambda m, taken, n=name: keep(f"{n}.residual sum", taken[0])),
                module.norm.register_forward_hook(lambda m, taken, given, n=name: keep(f"{n}.norm", given)),
                module.act.register_forward_hook(lambda m, taken, given, n=name: keep(f"{n}.act", given)),
            ]
        elif name in ("in_project", "out_project"):
            hooks.append(module.register_forward_hook(lambda m, taken, given, n=name: keep(n, given)))
    try:
        model(x_t, torch.tensor([t], device=x_t.device))
    finally:
        for hook in hooks:
            hook.remove()
    return seen


@torch.no_grad()
def time_vectors(model: Denoiser, timesteps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the sinusoidal embedding (T, time_dim) and its projection (T, width) of timesteps (T,), float32."""
    device = model.in_project.weight.device
    embedding = sinusoidal_embedding(timesteps.to(device), model.config.time_dim)
    projected = model.time_project(embedding[:, :, None, None])[:, :, 0, 0]
    return embedding.cpu(), projected.float().cpu()


def strongest(channels: torch.Tensor, count: int) -> torch.Tensor:
    """Return the indices of the `count` channels of (channels, H, W) whose values vary most over the image."""
    return channels.flatten(1).std(dim=1).argsort(descending=True)[:count]
