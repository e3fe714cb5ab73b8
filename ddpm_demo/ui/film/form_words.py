"""What the fields before a film show: the page's words for the settings, and what differs from the usual ones."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.networks.guidance_settings import GuidanceConfig
from ddpm_demo.networks.ideal_checkpoints import is_ideal
from ddpm_demo.store.files import GUIDE
from ddpm_demo.ui.film.film_settings import MAX_STEPS, FilmSettings, recommended_guide, recommended_settings
from ddpm_demo.ui.parts.readers import changed_in_words, flag
from ddpm_demo.words.sentence import Sentence, plain, say

# what the fields send, the same in every language
ANY_DIGIT = plain(say("any digit"))
# as `core` titles its samplers, which cannot mark them itself
SAMPLER_TITLES = (
    say("DDPM, the spec's rule (σ² = β)"),
    say("DDPM, posterior variance"),
    say("Heun (asks twice a step)"),
)
NO_GUIDE = plain(say("— none —"))  # among the names of checkpoints; no run of the shelf can be called so


def _sampler_settings(kind: str, variant: Mapping[str, Any]) -> dict[str, Any]:
    config = SamplerConfig(kind, **variant)
    return {"sampler": kind, "variance": config.variance, "final_noise": config.final_noise}


# The page's words in the fields that show others than the record holds, and the settings that they stand for.
WORDS: dict[str, dict[str, dict[str, Any]]] = {
    "sampler": {
        title: _sampler_settings(kind, variant)
        for kind, sampler in SAMPLERS.items()
        for title, variant in sampler.variants.items()
    },
    "clip": {
        plain(say("none")): {"clip": "none"},
        plain(say("clip x̂₀ to [−1, 1]")): {"clip": "x0"},
        plain(say("clamp xₜ to [−1, 1]")): {"clip": "x_t"},
    },
    "guide": {NO_GUIDE: {"guide": None}},
    "digit": {ANY_DIGIT: {"digit": None}, **{str(digit): {"digit": digit} for digit in range(10)}},
}
# what the fields under Settings are called in the line that says what differs
CHANGED_WORDS = {
    "checkpoint": say("checkpoint"),
    "sampler": say("sampler"),
    "steps": say("steps"),
    "clip": say("clipping"),
    "eta": say("η"),
    "guide": say("guide"),
    "guide_weight": say("guidance weight"),
    "digit_weight": say("digit weight"),
    "first": say("guidance from t"),
    "last": say("guidance down to t"),
    "limit_guide": say("guide only there"),
}


def said_sampler(title: str) -> str:
    """Return a sampler's title as it is said; one that is nothing but names is the same in every language."""
    return Sentence(title, {}) if title in SAMPLER_TITLES else title


def settings_of_words(words: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that the fields' values, by name and in the page's words, stand for; nothing is checked."""
    settings: dict[str, Any] = {}
    for name, value in words.items():
        known = WORDS.get(name, {}).get(value) if isinstance(value, str) else None
        settings.update(known or {name: value})
    return settings


def words_of_settings(settings: FilmSettings) -> dict[str, Any]:
    """Return what the fields show of these settings, by name; None for a sampler that the page has no words for."""
    words = asdict(settings)
    words["sampler"] = sampler_words(settings)
    for name in ("clip", "guide", "digit"):
        words[name] = next((word for word, known in WORDS[name].items() if known == {name: words[name]}), words[name])
    words["first"] = MAX_STEPS - 1 if settings.first is None else settings.first
    return words


def opening_words(checkpoint: str | None) -> dict[str, Any]:
    """Return what the fields show at first, with this checkpoint chosen, or none."""
    return words_of_settings(FilmSettings("") if checkpoint is None else recommended_settings(checkpoint))


def sampler_words(settings: FilmSettings) -> str | None:
    """Return the page's title of a sampler with the settings that it uses, None if the page has none."""
    heeded = ("sampler", *SAMPLERS[settings.sampler].settings)
    for title, known in WORDS["sampler"].items():
        if all(getattr(settings, name) == value for name, value in known.items() if name in heeded):
            return title
    return None


def guide_of(name: object) -> tuple[str, float]:
    """Return the guide that suits a checkpoint best, and its weight, for the page's fields."""
    suits = recommended_guide(name)
    return (suits.guide, suits.weight) if suits else (NO_GUIDE, GuidanceConfig.weight)


def steer(wanted: object, checkpoint: object) -> tuple[str, float]:
    """Return the guide and its weight when a student says whether a second network shall steer this checkpoint.

    Raises ConfigError where there is none to do it: of the shipped networks the guide itself is the weakest, and an
    ideal has no mistakes to keep away from.
    """
    if not flag(say("whether it is steered"), wanted):
        return NO_GUIDE, GuidanceConfig.weight
    guide, weight = guide_of(checkpoint)
    if guide != NO_GUIDE:
        return guide, weight
    if not isinstance(checkpoint, str) or checkpoint == GUIDE or is_ideal(checkpoint):
        raise ConfigError("there is no weaker network that could steer {checkpoint}", checkpoint=checkpoint)
    return GUIDE, GuidanceConfig.weight


def differences_in_words(first: str | None, values: Mapping[str, Any]) -> str:
    """Return in one line what differs from the settings that the page opens with; `first` is their checkpoint.

    `values` are the fields' in the page's words, by name. The guide and its weight are compared with those that suit
    the checkpoint; what takes no part in the film is left out.
    """
    usual = opening_words(first)
    usual["guide"], usual["guide_weight"] = guide_of(values["checkpoint"])
    kind = settings_of_words({"sampler": values["sampler"]})["sampler"]
    idle = {"guide_weight", "limit_guide"} if values["guide"] == NO_GUIDE else set[str]()
    if not (isinstance(kind, str) and kind in SAMPLERS and "eta" in SAMPLERS[kind].settings):
        idle.add("eta")
    names = [name for name in CHANGED_WORDS if name not in idle]
    return changed_in_words([(CHANGED_WORDS[name], values[name], usual[name]) for name in names])
