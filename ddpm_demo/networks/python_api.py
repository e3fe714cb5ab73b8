"""What `from ddpm_demo import ...` gives: a checkpoint by its name, digits drawn with it, and what they are made of."""

from pathlib import Path

import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError, preset
from ddpm_demo.core.model import Denoiser, seeded_denoiser
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.networks.drawing_digits import draw_digits
from ddpm_demo.networks.guidance_settings import DigitConfig, GuidanceConfig
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_guided, load_placed
from ddpm_demo.networks.noisy_classifier import guide_to_digit, load_classifier
from ddpm_demo.networks.recommended import RECOMMENDED_GUIDANCE, RECOMMENDED_SAMPLER
from ddpm_demo.store import pictures
from ddpm_demo.store.files import write_file
from ddpm_demo.store.shipped import find_checkpoint


def load(name_or_path: str | Path) -> LoadedNetwork:
    """Load a trained network: a shipped one by its name (`lite`, `full`, `tiny`), or a file that `train` wrote.

    It comes with `model`, the `Denoiser`, whose call takes x_t (B, 1, 28, 28) in [-1, 1] and t (B,) and returns
    eps_hat, of x_t's shape; and `schedule`, the `Schedule` that it was trained for. It is in eval mode, on the GPU if
    there is one. Raises CheckpointError, one sentence, if it is neither a name nor a checkpoint.
    """
    return load_placed(find_checkpoint(str(name_or_path)))


def sample(
    network: LoadedNetwork,
    n: int = 16,
    *,
    seed: int = 0,
    digit: int | None = None,
    sampler: SamplerConfig = RECOMMENDED_SAMPLER,
    guide: str = "recommended",
    guidance: float | None = None,
) -> Tensor:
    """Draw n digits from noise: uint8 (n, 28, 28), 0 black and 255 white, on the CPU.

    The same seed and settings give the same digits, here and by `ddpm-demo sample`, whose own defaults differ: the
    spec's thousand steps without a guide. Here they are the page's: 50 steps, and for a shipped network its guide, a
    weaker network (`guide` is a name or path, or `none`; `guidance` its weight). `digit`, 0 to 9, asks for one by
    classifier guidance. Raises ConfigError, one sentence, on settings that make no sense.
    """
    placement = network.placement
    usual = RECOMMENDED_GUIDANCE.get(network.known_as) if guide == "recommended" else None
    config = usual if guide in ("recommended", "none") else GuidanceConfig(guide)
    if guidance is not None:
        if config is None:
            raise ConfigError("a guidance weight needs a guide")
        config = GuidanceConfig(config.guide, guidance)
    model = load_guided(network.model, network.schedule, config, placement)
    if digit is not None:
        model = guide_to_digit(model, network.schedule, DigitConfig(digit), load_classifier(), placement.device)
    for drawn in draw_digits(model, network.schedule, sampler, n=n, seed=seed, device=placement.device):
        images = drawn.images
    assert images is not None  # the last record has them
    return images


def schedule(kind: str = "linear", *, timesteps: int = 1000, beta_1: float = 1e-4, beta_T: float = 0.02) -> Schedule:
    """Return a noise schedule, a kind in `core.schedule.SCHEDULES`: float64 tables `beta`, `alpha_bar`, `snr` (T,).

    `add_noise(x0, t, eps)` is x_t (Ho et al. 2020, equation 4); `predict_x0` and `predict_eps` go back. Raises
    ConfigError if there is no such schedule.
    """
    return Schedule.from_config(ScheduleConfig(kind, timesteps, beta_1, beta_T))


def denoiser(name: str = "lite", *, seed: int = 0) -> Denoiser:
    """Return an untrained network of a preset's shape, `lite` or `full`, with weights drawn from the seed."""
    return seeded_denoiser(preset(name), seed)


def save_picture(digits: Tensor, path: str | Path) -> None:
    """Write digits uint8 (N, 28, 28) as one picture, a PNG; raise DemoError if it cannot be written."""
    write_file(Path(path), pictures.grid_png(digits.to(torch.uint8).numpy()))
