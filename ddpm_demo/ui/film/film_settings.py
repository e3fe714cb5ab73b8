"""What a visitor asks for with Generate: the settings of a film, read from the page's words and checked."""

from dataclasses import dataclass
from typing import Any

from ddpm_demo.core.config import ALWAYS, ConfigError, Interval
from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.networks.guidance_settings import DigitConfig, GuidanceConfig
from ddpm_demo.ui.parts.readers import MAX_SEED, flag, number, one_of, whole

# the page's words for a sampler, and the settings they stand for
SAMPLER_CHOICES: dict[str, dict[str, Any]] = {
    title: {"kind": kind, **settings}
    for kind, sampler in SAMPLERS.items()
    for title, settings in sampler.variants.items()
}
CLIPS = {"none": "none", "clip x̂₀ to [−1, 1]": "x0", "clamp x_t to [−1, 1]": "x_t"}
ANY_DIGIT = "any digit"
WISHES = (ANY_DIGIT, *(str(digit) for digit in range(10)))
MAX_ASKING = 20  # the weight of a wish
NO_GUIDE = "— none —"  # among the names of checkpoints; no run of the shelf can be called so
MAX_WEIGHT = 5
MAX_IMAGES = 64
MIN_STEPS = 5
MAX_STEPS = 1000


@dataclass(frozen=True)
class FilmSettings:
    """What a visitor asked for, checked; `sampler` and `clip` are the page's words."""

    checkpoint: str
    sampler: str
    clip: str
    config: SamplerConfig
    n: int
    seed: int
    guidance: GuidanceConfig | None = None
    digit: DigitConfig | None = None


def read_film_settings(
    checkpoint: str,
    sampler: object,
    clip: object,
    steps: object,
    eta: object,
    count: object,
    seed: object,
    guide: object = NO_GUIDE,
    weight: object = 1,
    digit: object = ANY_DIGIT,
    asking: object = DigitConfig.weight,
    first: object = None,
    last: object = 0,
    guide_too: object = False,
) -> FilmSettings:
    """Check what came from the page; raise ConfigError on settings that make no sense.

    A digit is asked for at timesteps from `first` (None: the very beginning) down to `last`; `guide_too` limits the
    guide to the same.
    """
    refusal = "choose one of the listed samplers and ways of clipping"
    sampler, clip = one_of(sampler, SAMPLER_CHOICES, refusal), one_of(clip, CLIPS, refusal)
    config = SamplerConfig(
        **SAMPLER_CHOICES[sampler],
        clip=CLIPS[clip],  # type: ignore[arg-type]
        steps=whole("steps", steps, MIN_STEPS, MAX_STEPS),
        eta=number("η", eta, 0, 1),
    )
    n = whole("the number of digits", count, 1, MAX_IMAGES)
    interval = read_interval(first, last)
    wish = read_wish(digit, asking, interval)
    limited = flag("whether the guide keeps to the interval", guide_too)
    guidance = read_guidance(checkpoint, guide, weight, interval if limited else ALWAYS)
    return FilmSettings(checkpoint, sampler, clip, config, n, whole("the seed", seed, 0, MAX_SEED), guidance, wish)


def read_interval(first: object, last: object) -> Interval:
    """Check the timesteps between which guidance is to hold; a `first` of None, or of the last t there is, is T - 1."""
    low = whole("the last timestep of the guidance", last, 0, MAX_STEPS - 1)
    if first in (None, MAX_STEPS - 1):
        return Interval(last=low)
    return Interval(first=whole("the first timestep of the guidance", first, low, MAX_STEPS - 1), last=low)


def interval_of(guidance: Interval | None) -> Interval:
    """Return when a guide, or the asking for a digit, has a part, and nothing else of it; `ALWAYS` without one."""
    return ALWAYS if guidance is None else Interval(first=guidance.first, last=guidance.last)


def read_wish(digit: object, weight: object, interval: Interval = ALWAYS) -> DigitConfig | None:
    """Check the page's words for a digit to ask for, `ANY_DIGIT` for none."""
    wanted = one_of(digit, WISHES, "choose any digit, or one from 0 to 9")
    if wanted == ANY_DIGIT:
        return None
    strength = number("the weight of the asking", weight, 0, MAX_ASKING)
    return DigitConfig(int(wanted), strength, first=interval.first, last=interval.last)


def read_guidance(checkpoint: str, guide: object, weight: object, interval: Interval = ALWAYS) -> GuidanceConfig | None:
    """Check the page's words for a guide, of which `NO_GUIDE` is one; raise ConfigError if they make no sense."""
    if guide == NO_GUIDE:
        return None
    if not isinstance(guide, str):
        raise ConfigError("choose one of the listed guides, or none")
    strength = number("the guidance weight", weight, 0, MAX_WEIGHT)
    guidance = GuidanceConfig(guide, strength, first=interval.first, last=interval.last)
    if guidance.guide == checkpoint:
        raise ConfigError("a network cannot guide itself: choose another guide, or none")
    return guidance


def heeds(sampler: object, setting: str) -> bool:
    """Return whether a sampler, in the page's words, heeds a setting of `SamplerConfig`."""
    choice = SAMPLER_CHOICES.get(sampler) if isinstance(sampler, str) else None
    return choice is not None and setting in SAMPLERS[choice["kind"]].settings


def words_of(config: SamplerConfig) -> tuple[str, str]:
    """Return a sampler and its way of clipping in the page's words."""
    rules = (name for name, rule in SAMPLER_CHOICES.items() if all(getattr(config, key) == rule[key] for key in rule))
    return next(rules), next(name for name, clip in CLIPS.items() if clip == config.clip)
