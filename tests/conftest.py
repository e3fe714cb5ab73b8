import pytest
import torch

from ddpm_demo.core.config import ModelConfig, ScheduleConfig
from ddpm_demo.core.model import Denoiser, seeded_denoiser
from ddpm_demo.core.schedule import Schedule


@pytest.fixture(scope="session")
def linear() -> Schedule:
    return Schedule.from_config(ScheduleConfig())


@pytest.fixture
def tiny() -> Denoiser:
    """A network that differs from the real ones in width and depth alone."""
    return seeded_denoiser(ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16), seed=0)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
