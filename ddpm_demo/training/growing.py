"""The first weights of a run out of another network: the same shape as it is, or wider with the same answers."""

import math

import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError, ModelConfig
from ddpm_demo.core.model import Denoiser, seeded_denoiser
from ddpm_demo.core.schedule import ScheduleConfig


def widened(narrow: Denoiser, config: ModelConfig, *, seed: int) -> Denoiser:
    """Return a network of `config`, float32, with the answers of `narrow`: Net2WiderNet (Chen et al. 2016).

    Every channel occurs `config.hidden / narrow.config.hidden` times in the wide network, in the group of GroupNorm
    that it was in, and what reads it takes an equal part of each copy. Equal copies would learn equally for ever, so
    the parts are made unequal by noise as large as a fresh network's weights, which cancels over the copies of a
    channel: the answers stay the same. Raises ConfigError as `copies_of` does.
    """
    copies = copies_of(narrow.config, config)
    generator = torch.Generator().manual_seed(seed)
    source = _sources(narrow.config.hidden, copies, config.groups)
    wide = seeded_denoiser(config, seed)
    weights = {name: tensor.float().cpu() for name, tensor in narrow.state_dict().items()}
    for name, target in wide.state_dict().items():
        tensor = weights[name]
        if target.shape[0] != tensor.shape[0]:  # what it gives, it gives in copies
            tensor = tensor[source]
        if target.ndim > 1 and target.shape[1] != tensor.shape[1]:  # what it takes, it takes in parts
            tensor = tensor[:, source] / copies + _cancelling(target.shape, source, generator)
        target.copy_(tensor)
    return wide.eval()


def check_schedule(trained_for: ScheduleConfig, wanted: ScheduleConfig) -> None:
    """Raise ConfigError for a network that knows the noise of another schedule than the run's."""
    if trained_for != wanted:
        raise ConfigError("a run can only start from a network that was trained on the same schedule")


def check_same_shape(first: ModelConfig, model: ModelConfig) -> None:
    """Raise ConfigError unless a run's network can take the weights of another one as they are."""
    if first != model:
        raise ConfigError(
            f"--from needs a network of the run's own shape, but that one has {first.hidden} channels and dilations "
            f"{' '.join(map(str, first.dilations))}, the run {model.hidden} and {' '.join(map(str, model.dilations))}: "
            "give its --preset and --hidden, or widen a narrower one with --grow-from"
        )


def copies_of(narrow: ModelConfig, wide: ModelConfig) -> int:
    """Return how often a narrow network goes into a wide one; raise ConfigError unless width is all that differs."""
    copies, rest = divmod(wide.hidden, narrow.hidden)
    same = ("image_channels", "dilations", "groups", "time_dim")
    if any(getattr(wide, name) != getattr(narrow, name) for name in same) or rest or copies < 2:
        raise ConfigError(
            "only a network that differs in width alone can be grown, and the new width must be a multiple of the "
            "old one, at least twice as wide; here they are {wide} and {narrow} channels",
            wide=wide.hidden,
            narrow=narrow.hidden,
        )
    return copies


def _sources(width: int, copies: int, groups: int) -> Tensor:
    """Return for each wide channel the narrow one that it copies, (width * copies,): the groups stay together."""
    channels = torch.arange(width).view(groups, 1, -1)
    return channels.expand(groups, copies, -1).flatten()


def _cancelling(shape: torch.Size, source: Tensor, generator: torch.Generator) -> Tensor:
    """Return noise for weights (out, in, K, K) whose sum over the copies of each input channel is zero."""
    fan_in = shape[1:].numel()
    noise = torch.randn(shape, generator=generator) / math.sqrt(3 * fan_in)  # as large as PyTorch's own first weights
    counts = torch.bincount(source)
    sums = torch.zeros(shape[0], len(counts), *shape[2:]).index_add_(1, source, noise)
    return noise - (sums / counts.view(1, -1, 1, 1))[:, source]
