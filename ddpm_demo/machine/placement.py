"""A network put where it computes: on its device, in its number format, with the quick layers of this machine."""

import torch

from ddpm_demo.core.model import Denoiser
from ddpm_demo.machine.device import Placement
from ddpm_demo.machine.fast_layers import swap_in_fast_blocks


def place(model: Denoiser, placement: Placement, *, keep_float32_weights: bool = False) -> Denoiser:
    """Move a model to its place, in channels_last and with fast blocks, and return it.

    `keep_float32_weights` is for training: the blocks still compute in `placement.dtype`.
    """
    swap_in_fast_blocks(model)
    model = model.to(placement.device).to(memory_format=torch.channels_last)
    model.blocks_dtype = placement.dtype
    if not keep_float32_weights:
        model.blocks.to(placement.dtype)
    return model
