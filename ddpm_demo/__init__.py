"""ddpm_demo: denoising diffusion (Ho et al. 2020) on MNIST, small enough to read in an evening.

    from ddpm_demo import load, sample, save_picture
    save_picture(sample(load("lite"), n=16, seed=0), "digits.png")

The method is in `core`, plain PyTorch: schedule, model, samplers. Every other package builds on it, and none imports
one above; CONTRIBUTING.md lists them.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ddpm_demo.core.model import Denoiser
    from ddpm_demo.core.samplers import SamplerConfig
    from ddpm_demo.core.schedule import Schedule
    from ddpm_demo.networks.python_api import denoiser, load, sample, save_picture, schedule

__all__ = ["Denoiser", "SamplerConfig", "Schedule", "denoiser", "load", "sample", "save_picture", "schedule"]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: `import ddpm_demo` alone must not wait for PyTorch (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ddpm_demo.networks import python_api

    return getattr(python_api, name)
