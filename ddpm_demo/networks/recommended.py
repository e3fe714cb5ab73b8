"""What the page, `evaluate` and `complete` draw with unless told otherwise."""

from collections.abc import Mapping

from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.networks.guidance_settings import GuidanceConfig
from ddpm_demo.store.files import GUIDE

# How the page and `evaluate` draw; chosen by the curves and tables of the model card (assets/checkpoints/README.md).
RECOMMENDED_SAMPLER = SamplerConfig(variance="posterior", clip="x0", steps=50)
RECOMMENDED_GUIDANCE: Mapping[str, GuidanceConfig] = {
    "lite": GuidanceConfig(GUIDE, 2.5),
    "full": GuidanceConfig(GUIDE, 1.6),
}
