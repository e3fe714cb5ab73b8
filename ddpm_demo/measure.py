"""Measuring speed: seconds a call, the arithmetic of a network, and what the machine reaches at best."""

import time
from collections.abc import Callable

import torch

from ddpm_demo.device import Placement
from ddpm_demo.model import Denoiser
from ddpm_demo.receptive import live_taps

MATRIX = 1024


def time_a_step(step: Callable[[], object], seconds: float) -> float:
    """Return the seconds that one call takes, measured over `seconds` after one call to warm up."""
    step()
    begun, calls = time.perf_counter(), 0
    while (passed := time.perf_counter() - begun) < seconds or calls < 2:
        step()
        calls += 1
    return passed / calls


def multiply_adds(model: Denoiser) -> int:
    """Return the multiply-adds of one 28x28 image, dense: taps that fall in the padding counted too."""
    weights = sum(p.numel() for name, p in model.named_parameters() if p.ndim == 4 and not name.startswith("time"))
    return weights * 28 * 28


def live_multiply_adds(model: Denoiser) -> float:
    """Return the multiply-adds of one 28x28 image without the taps that read the padding, a mean over its pixels."""
    weights = [p for name, p in model.named_parameters() if p.ndim == 4 and not name.startswith("time")]
    kernels, dilations = model.config.kernels_and_dilations
    layers = zip(weights, kernels, dilations, strict=True)
    return sum(weight.numel() * 28 * 28 * live_taps(28, step, kernel) for weight, kernel, step in layers)


def matrix_rate(placement: Placement, *, seconds: float) -> float:
    """Return the floating-point operations a second of a square matrix product in the blocks' number format."""
    a = torch.randn(MATRIX, MATRIX, device=placement.device).to(placement.dtype)
    return 2 * MATRIX**3 / time_a_step(lambda: (a @ a)[0, 0].item(), seconds)
