import dataclasses
import json

import pytest

from ddpm_demo.core.config import ConfigError, ModelConfig, from_dict, preset, spec_dilations
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.networks.guidance_settings import DigitConfig, GuidanceConfig
from ddpm_demo.training.recipes import TrainConfig, train_config


def test_spec_dilations():
    assert spec_dilations(8) == (1, 1, 3, 3, 9, 9, 27, 27)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ScheduleConfig(kind="quadratic"), "one of linear, cosine"),
        (lambda: ScheduleConfig(timesteps=0), "timesteps must be a whole number from 1"),
        (lambda: ScheduleConfig(beta_1=0.5, beta_T=0.1), "must not exceed"),
        (lambda: ScheduleConfig(beta_T=float("nan")), "beta_T must be a number"),
        (lambda: ScheduleConfig(beta_T=10**400), "beta_T must be a number"),
        (lambda: ScheduleConfig(beta_1=0.9, beta_T=0.9), "over 1000 timesteps leave 0"),
        (lambda: ScheduleConfig(beta_1=1e-17, beta_T=1e-17), "beta_1 must be at least 1e-12"),
        (lambda: ScheduleConfig(beta_1=0.99e-12), "beta_1 must be at least 1e-12"),
        (lambda: ScheduleConfig(beta_1=0.5, beta_T=0.5, timesteps=200), "1e-60 of the signal must remain"),
        (lambda: ModelConfig(hidden=10), "multiple of groups"),
        (lambda: ModelConfig(dilations=()), "1 to 32 blocks"),
        (lambda: ModelConfig(dilations=(1, 0)), "dilation must be"),
        (lambda: ModelConfig(time_dim=7), "even"),
        (lambda: SamplerConfig(kind="euler"), "one of ddpm, ddim"),
        (lambda: SamplerConfig(steps=True), "whole number"),
        (lambda: SamplerConfig(steps=3.7), "whole number"),
        (lambda: SamplerConfig(eta=1.5), "from 0 to 1"),
        (lambda: SamplerConfig(eta=float("nan")), "from 0 to 1"),
        (lambda: GuidanceConfig(""), "name or path of a checkpoint"),
        (lambda: GuidanceConfig(None), "name or path of a checkpoint"),
        (lambda: GuidanceConfig("tiny", -1), "guidance weight must be a number from 0 to 10"),
        (lambda: GuidanceConfig("tiny", float("inf")), "guidance weight must be a number from 0 to 10"),
        (lambda: GuidanceConfig("tiny", last=-1), "last timestep of the guidance must be a whole number from 0 to"),
        (lambda: GuidanceConfig("tiny", first=3, last=4), "first timestep of the guidance must be a whole number fro"),
        (lambda: DigitConfig(3, first=1.5), "first timestep of the guidance must be a whole number from 0 to"),
        (lambda: TrainConfig(), "either epochs or minutes"),
        (lambda: TrainConfig(epochs=1, minutes=1), "either epochs or minutes"),
        (lambda: TrainConfig(epochs=1, lr=0), "strictly between"),
        (lambda: TrainConfig(epochs=1, loss_weight="min_snr", min_snr_gamma=0), "min_snr_gamma must be a number"),
        (lambda: preset("huge"), "one of lite, full"),
        (lambda: train_config("lite", epochs=1, learning=1), "no learning"),
    ],
)
def test_wrong_values_are_refused_with_what_was_expected(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize(
    "config", [ScheduleConfig(kind="cosine"), ModelConfig(hidden=64), TrainConfig(epochs=2, seed=3)]
)
def test_a_config_survives_json(config):
    assert from_dict(type(config), json.loads(json.dumps(dataclasses.asdict(config)))) == config
