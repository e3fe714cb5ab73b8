"""Pictures as the page receives them: grey levels, deflated, in base64."""

import base64
import zlib

import numpy as np
import torch
from torch import Tensor


def grey_levels(pictures: Tensor, *, reach: float, bits: int) -> bytes:
    """Return pictures as grey levels of 8 bits, or of 4, two a byte, -`reach` black and `reach` white."""
    top = 2**bits - 1
    scaled = (pictures.float().clamp(-reach, reach) / reach + 1) * (top / 2)
    levels: np.ndarray = scaled.round().to(torch.uint8).flatten().numpy()
    if bits == 4:
        levels = levels[0::2] * 16 + levels[1::2]
    return levels.tobytes()


def packed(pictures: list[Tensor], bits: int, reach: float = 1.0) -> str:
    """Return pictures (N, C, H, W) as grey levels, deflated, in base64; nothing for none."""
    levels = b"".join(grey_levels(picture[:, 0].cpu(), reach=reach, bits=bits) for picture in pictures)
    if not levels:
        return ""
    # noise has no repetitions to look for, only the paper around a digit has: smaller than level 9, faster than level 1
    deflate = zlib.compressobj(strategy=zlib.Z_RLE)
    return base64.b64encode(deflate.compress(levels) + deflate.flush()).decode("ascii")
