"""What a sampler's steps do to contrast, in the page's words: a pale digit need not be the network's fault."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.explaining.spread import gaussian_end
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.ui.film.film_settings import read_setting
from ddpm_demo.ui.film.form_words import settings_of_words
from ddpm_demo.words.sentence import say


def contrast(schedule: Schedule, config: SamplerConfig) -> float | None:
    """Return the standard deviation that N(0, 1) data end with, given exact answers; right is 1.

    None where x_t is clamped: that is not linear, and there is no exact figure. Raises ConfigError when config.steps
    exceeds the schedule.
    """
    return None if config.clip == "x_t" else gaussian_end(schedule, config)[1]


def contrast_words(schedule: Schedule, words: Mapping[str, Any]) -> str:
    """Return one sentence for the fields' values, by name and in the page's words; empty where they make no sense."""
    settings = settings_of_words(words)
    try:
        names = ("steps", "eta", "variance", "final_noise", "clip")
        config = SamplerConfig(
            read_setting("sampler", settings.get("sampler")),
            **{name: read_setting(name, settings[name]) for name in names if name in settings},
        )
        share = contrast(schedule, config)
    except ConfigError:  # half a number is no fault yet: Generate will say so
        return ""
    if share is None:
        return ""
    return say(
        "Given exact answers, {steps} step of this rule ends at **×{share:.2f}** of the right contrast.|"
        "Given exact answers, {steps} steps of this rule end at **×{share:.2f}** of the right contrast.",
        steps=config.steps,
        share=share,
    )


@cache
def training_grey() -> float:
    """Return the mean grey of MNIST's training digits, 0 paper to 255 ink."""
    return float(load_mnist(train=True)[0].double().mean())
