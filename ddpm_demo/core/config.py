"""Every setting of the project: frozen dataclasses that refuse wrong values when they are made."""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ScheduleKind = Literal["linear", "cosine"]
SamplerKind = Literal["ddpm", "ddim", "dpmpp"]
Variance = Literal["beta", "posterior"]
FinalNoise = Literal["spec", "ho"]
Clip = Literal["none", "x0", "x_t"]

FAINTEST_NOISE = 1e-12  # of 1 - alpha_bar at t = 0: float64's 1 - beta still holds four digits of it
FAINTEST_SIGNAL = 1e-60  # of alpha_bar at T - 1: a float32 image can be divided by its root and stay finite


class DemoError(Exception):
    """A fault that one sentence explains to the person in front of the program."""


class ConfigError(DemoError, ValueError):
    """A setting has a value that makes no sense; the message says what was expected."""


def spec_dilations(blocks: int) -> tuple[int, ...]:
    """Dilation of each residual block by the spec's formula 3^(i // 2): 1 1 3 3 9 9 27 27 for eight."""
    return tuple(3 ** (i // 2) for i in range(blocks))


def check_choice(name: str, value: object, allowed: Iterable[str]) -> None:
    """Raise ConfigError unless the value is one of the allowed words."""
    known = tuple(allowed)
    if value not in known:
        raise ConfigError(f"{name} must be one of {', '.join(known)}, got {value!r}")


def check_whole(name: str, value: object, *, low: int, high: int) -> None:
    """Raise ConfigError unless the value is an int from low to high."""
    # bool is an int to Python, but no student means `true` digits
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"{name} must be a whole number from {low} to {high}, got {value!r}")


def check_number(name: str, value: object, *, low: float, high: float, open_ends: bool = False) -> None:
    """Raise ConfigError unless the value is a finite number from low to high, both excluded with `open_ends`."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf
    if good and open_ends:
        good = low < value < high  # type: ignore[operator]
    elif good:
        good = low <= value <= high  # type: ignore[operator]
    if not good:
        between = "strictly between" if open_ends else "from"
        raise ConfigError(
            f"{name} must be a number {between} {low:g} {'and' if open_ends else 'to'} {high:g}, got {value!r}"
        )


@dataclass(frozen=True)
class ScheduleConfig:
    """The noise schedule: how much of the image is left at each of `timesteps` steps.

    `linear` runs from `beta_1` to `beta_T` (Ho et al. 2020, section 4); `cosine` is Nichol & Dhariwal 2021,
    equation 17, and takes neither. Raises ConfigError on values out of range.
    """

    kind: ScheduleKind = "linear"
    timesteps: int = 1000
    beta_1: float = 1e-4
    beta_T: float = 0.02

    def __post_init__(self) -> None:
        """Refuse a schedule that is not a diffusion."""
        check_choice("schedule", self.kind, ("linear", "cosine"))
        check_whole("timesteps", self.timesteps, low=1, high=10_000)
        for name in ("beta_1", "beta_T"):
            check_number(name, getattr(self, name), low=0.0, high=1.0, open_ends=True)
        if self.beta_1 > self.beta_T:
            raise ConfigError(f"beta_1 must not exceed beta_T, got {self.beta_1} > {self.beta_T}")
        if self.kind == "linear":  # at both ends a sampler divides
            rise = (self.beta_T - self.beta_1) / max(1, self.timesteps - 1)
            left = math.prod(1 - self.beta_1 - rise * t for t in range(self.timesteps))
            if self.beta_1 < FAINTEST_NOISE or left < FAINTEST_SIGNAL:
                raise ConfigError(
                    f"beta_1 must be at least {FAINTEST_NOISE:g}, and {FAINTEST_SIGNAL:g} of the signal must be left; "
                    f"{self.beta_1:g} to {self.beta_T:g} over {self.timesteps} timesteps leave {left:g}"
                )


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
            raise ConfigError(f"hidden must be a multiple of groups ({self.groups}), got {self.hidden}")
        if self.time_dim % 2:
            raise ConfigError(f"time_dim must be even (a sine and a cosine each), got {self.time_dim}")
        if not 1 <= len(self.dilations) <= 32:
            raise ConfigError(f"dilations must name 1 to 32 blocks, got {len(self.dilations)}")
        for dilation in self.dilations:
            check_whole("dilation", dilation, low=1, high=512)

    @property
    def kernels_and_dilations(self) -> tuple[list[int], list[int]]:
        """Kernel size and dilation of every convolution on the image's path, from in to out."""
        blocks = len(self.dilations)
        return [7] + [3] * blocks + [3], [1, *self.dilations, 1]


@dataclass(frozen=True)
class SamplerConfig:
    """One way to walk from noise to a digit; the defaults are the spec's rule to the letter.

    - `kind`: `ddpm`, the ancestral rule (Ho et al. 2020, Algorithm 2); `ddim` (Song et al. 2021, equation 12); or
      `dpmpp`, DPM-Solver++(2M) (Lu et al. 2022, Algorithm 2), which also uses the step before.
    - `steps`: how many network calls, 1 to T; fewer than T skips timesteps evenly.
    - `variance`: of the ancestral noise: `beta` (the spec's) or `posterior` (Ho et al., equation 7).
    - `final_noise`: `spec` adds none at zero-based t <= 1; `ho` (Algorithm 2) only leaves out t = 0.
    - `clip`: `none`; `x0` clamps the implied clean image to [-1, 1]; `x_t` clamps the picture itself.
    - `eta`: DDIM's noise, 0 (none) to 1 (as much as the ancestral rule with posterior variance).

    Raises ConfigError on anything else.
    """

    kind: SamplerKind = "ddpm"
    steps: int = 1000
    variance: Variance = "beta"
    final_noise: FinalNoise = "spec"
    clip: Clip = "none"
    eta: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a sampler that does not exist."""
        check_choice("sampler", self.kind, ("ddpm", "ddim", "dpmpp"))
        check_whole("steps", self.steps, low=1, high=10_000)
        check_choice("variance", self.variance, ("beta", "posterior"))
        check_choice("final_noise", self.final_noise, ("spec", "ho"))
        check_choice("clip", self.clip, ("none", "x0", "x_t"))
        check_number("eta", self.eta, low=0.0, high=1.0)


@dataclass(frozen=True, kw_only=True)
class Interval:
    """The timesteps at which guidance has a part: `first` >= t >= `last`; a `first` of None is the very beginning.

    Kynkaanniemi et al. 2024, "Applying Guidance in a Limited Interval". Raises ConfigError on what is no interval.
    """

    first: int | None = None
    last: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no interval."""
        check_whole("the last timestep of the guidance", self.last, low=0, high=9_999)
        if self.first is not None:
            check_whole("the first timestep of the guidance", self.first, low=self.last, high=9_999)

    def holds_at(self, t: int) -> bool:
        """Return whether t lies in it."""
        return self.last <= t and (self.first is None or t <= self.first)


ALWAYS = Interval()


@dataclass(frozen=True)
class GuidanceConfig(Interval):
    """A worse network that guides a better one by its faults (Karras et al. 2024; `guidance.Guided`), and when.

    `guide` is the name or path of its checkpoint; `weight` how far the answer goes from the guide's to the network's
    own: 0 is the guide alone, 1 the network alone, more goes on beyond it. Raises ConfigError on anything else.
    """

    guide: str
    weight: float = 2.0

    def __post_init__(self) -> None:
        """Refuse a guide without a name and a weight that only makes noise."""
        super().__post_init__()
        if not isinstance(self.guide, str) or not self.guide:
            raise ConfigError(f"the guide must be the name or path of a checkpoint, got {self.guide!r}")
        check_number("the guidance weight", self.weight, low=0.0, high=10.0)


@dataclass(frozen=True)
class DigitConfig(Interval):
    """A digit that the network is asked for (`guidance.AskedFor`): which, how strongly, and when.

    Raises ConfigError on anything else.
    """

    digit: int
    weight: float = 16.0  # recognised as asked in 97 of 100; less leaves more variety (assets/classifiers/README.md)

    def __post_init__(self) -> None:
        """Refuse what is no digit."""
        super().__post_init__()
        check_whole("the digit that is asked for", self.digit, low=0, high=9)
        check_number("the weight of the asking", self.weight, low=0.0, high=20.0)


# How the page and `evaluate` draw; chosen by the curves and tables of the model card (assets/checkpoints/README.md).
CHOSEN_SAMPLER = SamplerConfig(variance="posterior", clip="x0", steps=50)
GUIDE = "tiny"  # the shipped checkpoint that is there to guide
CHOSEN_GUIDANCE: Mapping[str, GuidanceConfig] = {
    "lite": GuidanceConfig(GUIDE, 2.5),
    "full": GuidanceConfig(GUIDE, 1.6),
}


PRESETS: Mapping[str, ModelConfig] = {"lite": ModelConfig(hidden=64), "full": ModelConfig()}


def preset(name: str) -> ModelConfig:
    """Return the model of that preset; raise ConfigError, with the list of the known ones, for any other name."""
    check_choice("preset", name, tuple(PRESETS))
    return PRESETS[name]


Config = TypeVar("Config", bound="DataclassInstance")  # any frozen dataclass of settings


def from_dict(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """Build a config from parsed JSON, the reverse of `dataclasses.asdict`; raise ConfigError if it does not fit."""
    if not isinstance(values, Mapping):
        raise ConfigError(f"{kind.__name__} needs named values, got {values!r}")
    known = [entry.name for entry in dataclasses.fields(kind)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(f"{kind.__name__} has no {', '.join(unknown)}; it has {', '.join(known)}")
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return kind(**plain)
