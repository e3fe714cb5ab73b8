"""ddpm_demo: denoising diffusion (Ho et al. 2020) on MNIST, small enough to read in an evening.

The method is in `core`, plain PyTorch: schedule, model, sampling. Every other room stands on it, and none below knows
one above; CONTRIBUTING.md shows the house.
"""

__version__ = "0.1.0"
