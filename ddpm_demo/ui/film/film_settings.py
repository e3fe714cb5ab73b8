"""The settings of a film: one record, by name, from the page's fields, a link or the stream's address to the job."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from ddpm_demo.core.config import ALWAYS, ConfigError, Interval
from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.networks.guidance_settings import DigitConfig, GuidanceConfig
from ddpm_demo.networks.recommended import RECOMMENDED_GUIDANCE, RECOMMENDED_SAMPLER
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.ui.parts.readers import MAX_SEED, flag, named_values, number, one_of, whole
from ddpm_demo.words.markdown import joined
from ddpm_demo.words.sentence import say

CLIPS = ("none", "x0", "x_t")
MAX_DIGIT_WEIGHT = 20
MAX_GUIDE_WEIGHT = 5
MAX_IMAGES = 64
MIN_STEPS = 5
MAX_STEPS = 1000
FIRST_COUNT = 16
FIRST_SEED = 0


@dataclass(frozen=True)
class FilmSettings:
    """What a visitor asks for with Generate; `read_film_settings` makes one of what a page sends, checked.

    - `checkpoint`, `guide`: names that the page offers; a guide of None means none.
    - `sampler`, `variance`, `final_noise`, `clip`, `steps`, `eta`: as in `SamplerConfig`.
    - `n`: how many digits.
    - `guide_weight`: 0 is the guide alone, 1 the network alone.
    - `digit`, `digit_weight`: the digit asked for, None for any, and how strongly.
    - `first`, `last`: the timesteps at which the digit is asked for; a `first` of None is the very beginning.
    - `limit_guide`: whether the guide, too, takes part only there.
    """

    checkpoint: str
    sampler: str = RECOMMENDED_SAMPLER.kind
    variance: str = RECOMMENDED_SAMPLER.variance
    final_noise: str = RECOMMENDED_SAMPLER.final_noise
    clip: str = RECOMMENDED_SAMPLER.clip
    steps: int = RECOMMENDED_SAMPLER.steps
    eta: float = RECOMMENDED_SAMPLER.eta
    n: int = FIRST_COUNT
    seed: int = FIRST_SEED
    guide: str | None = None
    guide_weight: float = GuidanceConfig.weight
    digit: int | None = None
    digit_weight: float = DigitConfig.weight
    first: int | None = None
    last: int = 0
    limit_guide: bool = True

    @property
    def config(self) -> SamplerConfig:
        """The sampler's part of it."""
        return SamplerConfig(
            self.sampler,
            steps=self.steps,
            variance=self.variance,  # type: ignore[arg-type]
            final_noise=self.final_noise,  # type: ignore[arg-type]
            clip=self.clip,  # type: ignore[arg-type]
            eta=self.eta,
        )

    @property
    def interval(self) -> Interval:
        """The timesteps from `first` down to `last`."""
        return Interval(first=self.first, last=self.last)

    @property
    def guidance(self) -> GuidanceConfig | None:
        """The guide and when it takes part, None without one."""
        if self.guide is None:
            return None
        held = self.interval if self.limit_guide else ALWAYS
        return GuidanceConfig(self.guide, self.guide_weight, first=held.first, last=held.last)

    @property
    def wish(self) -> DigitConfig | None:
        """The digit that is asked for and when, None for any digit."""
        if self.digit is None:
            return None
        return DigitConfig(self.digit, self.digit_weight, first=self.first, last=self.last)


def _text(refusal: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if isinstance(value, str) and value:
            return value
        raise ConfigError(refusal)

    return read


def _choice(things: str, names: tuple[str, ...]) -> Callable[[object], str]:
    refusal = say("choose one of the listed {things}: {names}", things=things, names=joined(names, ", "))
    return lambda value: one_of(value, names, refusal)


def _optional(read: Callable[[object], Any]) -> Callable[[object], Any]:
    return lambda value: None if value is None else read(value)


# how each setting is read: each takes any JSON value and returns what the record holds, or raises ConfigError
_READERS: dict[str, Callable[[object], Any]] = {
    "checkpoint": _text(say("choose one of the listed checkpoints")),
    "sampler": lambda value: _choice(say("samplers"), tuple(SAMPLERS))(value),  # whatever the table holds by then
    "variance": _choice(say("variances"), ("beta", "posterior")),
    "final_noise": _choice(say("ways of the last steps' noise"), ("spec", "ho")),
    "clip": _choice(say("ways of clipping"), CLIPS),
    "steps": lambda value: whole(say("the number of steps"), value, MIN_STEPS, MAX_STEPS),
    "eta": lambda value: number("η", value, 0, 1),
    "n": lambda value: whole(say("the number of digits"), value, 1, MAX_IMAGES),
    "seed": lambda value: whole(say("the seed"), value, 0, MAX_SEED),
    "guide": _optional(_text(say("choose one of the listed guides, or none"))),
    "guide_weight": lambda value: number(say("the guidance weight"), value, 0, MAX_GUIDE_WEIGHT),
    "digit": _optional(lambda value: whole(say("the digit asked for"), value, 0, 9)),
    "digit_weight": lambda value: number(say("the digit weight"), value, 0, MAX_DIGIT_WEIGHT),
    # the last t that a field can be set to stands for the very beginning, whatever the schedule
    "first": lambda value: (
        None
        if value in (None, MAX_STEPS - 1)
        else whole(say("the first timestep of the guidance"), value, 0, MAX_STEPS - 1)
    ),
    "last": lambda value: whole(say("the last timestep of the guidance"), value, 0, MAX_STEPS - 1),
    "limit_guide": lambda value: flag(say("whether the guide keeps to the interval"), value),
}
SETTINGS = tuple(entry.name for entry in fields(FilmSettings))


def read_setting(name: str, value: object) -> Any:
    """Return one setting, checked on its own; raise ConfigError if it makes no sense or there is no such setting."""
    if name not in _READERS:
        raise ConfigError(
            "a film has no setting called {name}; it has {names}", name=name[:40], names=joined(SETTINGS, ", ")
        )
    return _READERS[name](value)


def read_film_settings(values: object) -> FilmSettings:
    """Return the settings that a page sent by name; raise ConfigError if they make no sense.

    What is left out is as recommended. What takes no part in the film, such as the weight of a guide that is not there,
    becomes as recommended too: settings that are equal make the same film.
    """
    named = named_values(values, say("the settings of a film by name"))
    unknown = [str(name) for name in named if name not in _READERS]
    if unknown:
        raise ConfigError(
            "a film has no {unknown}; its settings are {names}",
            unknown=", ".join(unknown)[:80],
            names=joined(SETTINGS, ", "),
        )
    if "checkpoint" not in named:
        raise ConfigError("a film needs the name of its checkpoint")
    return _checked(FilmSettings(**{name: read_setting(name, value) for name, value in named.items()}))


def _checked(settings: FilmSettings) -> FilmSettings:
    if settings.guide == settings.checkpoint:
        raise ConfigError("a network cannot guide itself: choose another guide, or none")
    if settings.first is not None and settings.first < settings.last:
        raise ConfigError("the guidance must start at a timestep no lower than its last one")
    idle: dict[str, Any] = {}
    if settings.digit is None:
        idle["digit_weight"] = FilmSettings.digit_weight
    if settings.guide is None:
        idle |= {"guide_weight": FilmSettings.guide_weight, "limit_guide": FilmSettings.limit_guide}
    if settings.digit is None and not (settings.guide and settings.limit_guide):
        idle |= {"first": None, "last": 0}
    settings = replace(settings, **idle)
    return settings if settings.interval != ALWAYS else replace(settings, limit_guide=FilmSettings.limit_guide)


def recommended_guide(checkpoint: object) -> GuidanceConfig | None:
    """Return the guide that suits a checkpoint best, None if none does or it is not here."""
    chosen = RECOMMENDED_GUIDANCE.get(checkpoint) if isinstance(checkpoint, str) else None
    return chosen if chosen and chosen.guide in shipped_checkpoints() else None


def recommended_settings(checkpoint: str, **changes: Any) -> FilmSettings:
    """Return the settings that the page opens with for a checkpoint, with these changes; raise ConfigError."""
    suits = recommended_guide(checkpoint)
    guide = {"guide": suits.guide, "guide_weight": suits.weight} if suits else {}
    return read_film_settings({"checkpoint": checkpoint, **guide, **changes})


def interval_of(guidance: Interval | None) -> Interval:
    """Return only when a guide, or the request for a digit, takes part; `ALWAYS` without one."""
    return ALWAYS if guidance is None else Interval(first=guidance.first, last=guidance.last)
