"""Settings, as frozen dataclasses that refuse wrong values when they are made, and the errors that say so.

The settings of a schedule and of a sampler live beside their tables, in `schedule.py` and `samplers.py`.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Variance = Literal["beta", "posterior"]  # of a reverse step's noise: see `schedule.Schedule.reverse_std`


class DemoError(Exception):
    """An error that one sentence explains to the user: `DemoError("{count} digits are too many", count=9)`."""

    def __init__(self, sentence: str = "", /, **values: Any) -> None:
        super().__init__(sentence.format(**values) if values else sentence)
        self.template, self.values = sentence, values  # to say it in another language


class ConfigError(DemoError, ValueError):
    """A setting has a value that makes no sense; the message says what was expected."""


def spec_dilations(blocks: int) -> tuple[int, ...]:
    """Dilation of each residual block by the spec's formula 3^(i // 2): 1 1 3 3 9 9 27 27 for eight."""
    return tuple(3 ** (i // 2) for i in range(blocks))


def check_choice(name: str, value: object, allowed: Iterable[str]) -> None:
    """Raise ConfigError unless the value is one of the allowed words."""
    known = tuple(allowed)
    if value not in known:
        raise ConfigError(
            "{name} must be one of {known}, got {got}", name=name, known=", ".join(known), got=repr(value)
        )


def check_whole(name: str, value: object, *, low: int, high: int) -> None:
    """Raise ConfigError unless the value is an int from low to high."""
    # bool is an int to Python, but no student means `true` digits
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        values = {"name": name, "low": low, "high": high, "got": repr(value)}
        raise ConfigError("{name} must be a whole number from {low} to {high}, got {got}", **values)


def check_number(name: str, value: object, *, low: float, high: float, open_ends: bool = False) -> None:
    """Raise ConfigError unless the value is a finite number from low to high, both excluded with `open_ends`."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf
    values = {"name": name, "low": low, "high": high, "got": repr(value)}
    if open_ends and not (good and low < value < high):  # type: ignore[operator]
        raise ConfigError("{name} must be a number strictly between {low:g} and {high:g}, got {got}", **values)
    if not (good and low <= value <= high):  # type: ignore[operator]
        raise ConfigError("{name} must be a number from {low:g} to {high:g}, got {got}", **values)


@dataclass(frozen=True)
class ModelConfig:
    """The denoiser: a 7x7 convolution in, dilated 3x3 residual blocks of constant width, a 3x3 convolution out.

    The defaults are the spec's network, 4,871,425 parameters. Raises ConfigError on values out of range.
    """

    image_channels: int = 1
    hidden: int = 256
    dilations: tuple[int, ...] = field(default_factory=lambda: spec_dilations(8))
    groups: int = 8
    time_dim: int = 256

    def __post_init__(self) -> None:
        """Refuse a network that cannot be built."""
        check_whole("image_channels", self.image_channels, low=1, high=4)
        check_whole("hidden", self.hidden, low=1, high=1024)
        check_whole("groups", self.groups, low=1, high=self.hidden)
        check_whole("time_dim", self.time_dim, low=4, high=4096)
        if self.hidden % self.groups:
            raise ConfigError("hidden must be a multiple of groups ({groups}), got {hidden}", **vars(self))
        if self.time_dim % 2:
            raise ConfigError("time_dim must be even (a sine and a cosine each), got {time_dim}", **vars(self))
        if not 1 <= len(self.dilations) <= 32:
            raise ConfigError("dilations must list 1 to 32 blocks, got {count}", count=len(self.dilations))
        for dilation in self.dilations:
            check_whole("dilation", dilation, low=1, high=512)

    @property
    def kernels_and_dilations(self) -> tuple[list[int], list[int]]:
        """Kernel size and dilation of every convolution on the image's path, from in to out."""
        blocks = len(self.dilations)
        return [7] + [3] * blocks + [3], [1, *self.dilations, 1]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """The timesteps at which guidance takes part: `first` >= t >= `last`; a `first` of None is the very beginning.

    Kynkaanniemi et al. 2024, "Applying Guidance in a Limited Interval". Raises ConfigError if it is not an interval.
    """

    first: int | None = None
    last: int = 0

    def __post_init__(self) -> None:
        """Refuse anything that is not an interval."""
        check_whole("the last timestep of the guidance", self.last, low=0, high=9_999)
        if self.first is not None:
            check_whole("the first timestep of the guidance", self.first, low=self.last, high=9_999)

    def holds_at(self, t: int) -> bool:
        """Return whether t lies in it."""
        return self.last <= t and (self.first is None or t <= self.first)


ALWAYS = Interval()


PRESETS: Mapping[str, ModelConfig] = {"lite": ModelConfig(hidden=64), "full": ModelConfig()}


def preset(name: str) -> ModelConfig:
    """Return the model of that preset; raise ConfigError, listing the known ones, for any other name."""
    check_choice("preset", name, tuple(PRESETS))
    return PRESETS[name]


Config = TypeVar("Config", bound="DataclassInstance")  # any frozen dataclass of settings


def from_dict(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """Build a config from parsed JSON, the reverse of `dataclasses.asdict`; raise ConfigError if it does not fit."""
    if not isinstance(values, Mapping):
        raise ConfigError("{kind} needs named values, got {got}", kind=kind.__name__, got=repr(values))
    known = [entry.name for entry in dataclasses.fields(kind)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        names = {"unknown": ", ".join(unknown), "known": ", ".join(known)}
        raise ConfigError("{kind} has no {unknown}; it has {known}", kind=kind.__name__, **names)
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return kind(**plain)
