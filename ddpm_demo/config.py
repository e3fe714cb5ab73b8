"""Every setting of the project: frozen dataclasses that refuse wrong values when they are made."""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

ScheduleKind = Literal["linear", "cosine"]
SamplerKind = Literal["ddpm", "ddim", "dpmpp"]
Variance = Literal["beta", "posterior"]
FinalNoise = Literal["spec", "ho"]
Clip = Literal["none", "x0", "x_t"]
LossWeight = Literal["mse", "p2", "min_snr"]
Optimizer = Literal["adamw", "muon"]


class DemoError(Exception):
    """A fault that one sentence explains to the person in front of the program."""


class ConfigError(DemoError, ValueError):
    """A setting has a value that makes no sense; the message says what was expected."""


def spec_dilations(blocks: int) -> tuple[int, ...]:
    """Dilation of each residual block by the spec's formula 3^(i // 2): 1 1 3 3 9 9 27 27 for eight."""
    return tuple(3 ** (i // 2) for i in range(blocks))


def _one_of(name: str, value: object, allowed: Iterable[str]) -> None:
    known = tuple(allowed)
    if value not in known:
        raise ConfigError(f"{name} must be one of {', '.join(known)}, got {value!r}")


def _whole(name: str, value: object, *, low: int, high: int) -> None:
    # bool is an int to Python, but no student means `true` digits
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"{name} must be a whole number from {low} to {high}, got {value!r}")


def _number(name: str, value: object, *, low: float, high: float, open_ends: bool = False) -> None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
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
        _one_of("schedule", self.kind, ("linear", "cosine"))
        _whole("timesteps", self.timesteps, low=1, high=10_000)
        for name in ("beta_1", "beta_T"):
            _number(name, getattr(self, name), low=0.0, high=1.0, open_ends=True)
        if self.beta_1 > self.beta_T:
            raise ConfigError(f"beta_1 must not exceed beta_T, got {self.beta_1} > {self.beta_T}")


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
        _whole("image_channels", self.image_channels, low=1, high=4)
        _whole("hidden", self.hidden, low=1, high=1024)
        _whole("groups", self.groups, low=1, high=self.hidden)
        _whole("time_dim", self.time_dim, low=4, high=4096)
        if self.hidden % self.groups:
            raise ConfigError(f"hidden must be a multiple of groups ({self.groups}), got {self.hidden}")
        if self.time_dim % 2:
            raise ConfigError(f"time_dim must be even (a sine and a cosine each), got {self.time_dim}")
        if not 1 <= len(self.dilations) <= 32:
            raise ConfigError(f"dilations must name 1 to 32 blocks, got {len(self.dilations)}")
        for dilation in self.dilations:
            _whole("dilation", dilation, low=1, high=512)

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
        _one_of("sampler", self.kind, ("ddpm", "ddim", "dpmpp"))
        _whole("steps", self.steps, low=1, high=10_000)
        _one_of("variance", self.variance, ("beta", "posterior"))
        _one_of("final_noise", self.final_noise, ("spec", "ho"))
        _one_of("clip", self.clip, ("none", "x0", "x_t"))
        _number("eta", self.eta, low=0.0, high=1.0)


@dataclass(frozen=True)
class GuidanceConfig:
    """A worse network that guides a better one by its faults (Karras et al. 2024; `guidance.Guided`).

    `guide` is the name or path of its checkpoint; `weight` how far the answer goes from the guide's to the network's
    own: 0 is the guide alone, 1 the network alone, more goes on beyond it. Raises ConfigError on anything else.
    """

    guide: str
    weight: float = 2.0

    def __post_init__(self) -> None:
        """Refuse a guide without a name and a weight that only makes noise."""
        if not isinstance(self.guide, str) or not self.guide:
            raise ConfigError(f"the guide must be the name or path of a checkpoint, got {self.guide!r}")
        _number("the guidance weight", self.weight, low=0.0, high=10.0)


# The page's own. Of nine samplers at 5 to 50 steps (`ddpm-demo curves`, 200 digits a point, `lite`; the model card
# shows them) the ancestral rule with posterior variance, at 50, had the largest share of recognised digits: .64, and
# .62 with x0_hat clipped, which is no difference at that number; DPM-Solver++ comes to .60 in 10 steps. 100 steps of
# the ancestral rule were no better (500 digits, `ddpm-demo evaluate`). Clipped, because a young network needs it.
CHOSEN_SAMPLER = SamplerConfig(variance="posterior", clip="x0", steps=50)
# Of the guide's weights in the model card (500 digits each, `ddpm-demo evaluate`) lite's has the smallest Frechet
# distance; full's recognises as many digits as 3 does, .88, at 13.8 instead of 20.9 (2: .84 and 12.5). With its guide,
# lite had a larger Frechet distance in 20 and 100 steps, by DDIM and by DPM-Solver++ than in the 50 steps above.
GUIDE = "tiny"  # the shipped checkpoint that is there to guide
CHOSEN_GUIDANCE: Mapping[str, GuidanceConfig] = {
    "lite": GuidanceConfig(GUIDE, 3.0),
    "full": GuidanceConfig(GUIDE, 2.5),
}


@dataclass(frozen=True)
class TrainConfig:
    """How to train: how long, on what, and with which optimiser.

    Exactly one of `epochs`, `minutes` sets the length. The learning rate warms up over `warmup` steps and falls
    to zero by a cosine over the whole length. `loss_weight` is `mse` (the spec's and Ho's L_simple: every t
    counts alike); `p2`, (k + SNR_t)^-gamma, which counts the noisy timesteps, where shape is decided, more
    (Choi et al. 2022, "Perception Prioritized Training", equation 8; here with `p2_k`, `p2_gamma`); or `min_snr`,
    min(SNR_t, gamma) / SNR_t, which lets the cleanest timesteps count less (Hang et al. 2023, "Efficient Diffusion
    Training via Min-SNR Weighting Strategy", section 3.4, for a network that predicts eps; here with
    `min_snr_gamma`, 5 in the paper). All are scaled to a mean of 1 over t, so that one learning rate fits all.
    `middle` is the share of the timesteps drawn from the middle of the schedule, where a digit's shape is decided
    (`training.draw_timesteps`); the rest, all of them in the spec, are drawn uniformly.
    `optimizer` is `adamw` or `muon` (Jordan et al. 2024), which needs fewer digits to learn as much.
    `digits` trains on the first so many digits only (0: all), `classes` on those of these classes only (none named:
    all ten). Raises ConfigError on values out of range.
    """

    epochs: float | None = None
    minutes: float | None = None
    batch: int = 32
    lr: float = 1e-3
    warmup: int = 200
    ema_decay: float = 0.999
    grad_clip: float = 1.0
    loss_weight: LossWeight = "mse"
    p2_k: float = 1e-3
    p2_gamma: float = 0.4
    min_snr_gamma: float = 5.0
    middle: float = 0.0
    seed: int = 0
    digits: int = 0
    classes: tuple[int, ...] = ()
    compile: bool = False
    optimizer: Optimizer = "adamw"

    def __post_init__(self) -> None:
        """Refuse a training run that cannot end well."""
        if (self.epochs is None) == (self.minutes is None):
            raise ConfigError("give either epochs or minutes, not both and not neither")
        if self.epochs is not None:
            _number("epochs", self.epochs, low=0.0, high=100_000.0, open_ends=True)
        if self.minutes is not None:
            _number("minutes", self.minutes, low=0.0, high=100_000.0, open_ends=True)
        _whole("batch", self.batch, low=1, high=60_000)
        _number("lr", self.lr, low=0.0, high=1.0, open_ends=True)
        _whole("warmup", self.warmup, low=0, high=1_000_000)
        _number("ema_decay", self.ema_decay, low=0.0, high=1.0)
        _number("grad_clip", self.grad_clip, low=0.0, high=1e9, open_ends=True)
        _one_of("loss_weight", self.loss_weight, ("mse", "p2", "min_snr"))
        _one_of("optimizer", self.optimizer, ("adamw", "muon"))
        _number("p2_k", self.p2_k, low=0.0, high=1e6)
        _number("p2_gamma", self.p2_gamma, low=0.0, high=2.0)
        _number("min_snr_gamma", self.min_snr_gamma, low=0.0, high=1e6, open_ends=True)
        _number("middle", self.middle, low=0.0, high=1.0)
        _whole("seed", self.seed, low=0, high=2**31 - 1)
        _whole("digits", self.digits, low=0, high=60_000)
        for label in self.classes:
            _whole("a class", label, low=0, high=9)
        if len(set(self.classes)) < len(self.classes):
            raise ConfigError(f"classes must differ from each other, got {self.classes}")
        if 0 < self.digits < self.batch:
            raise ConfigError(f"a batch of {self.batch} needs at least as many digits, got {self.digits}")


PRESETS: Mapping[str, ModelConfig] = {"lite": ModelConfig(hidden=64), "full": ModelConfig()}

# Chosen for two CPU cores, on `lite`: after 24,000 digits the held-out loss (500 test digits) was 0.0305 with Muon at
# batch 32 and rate 3e-3, 0.0291 at rate 6e-3, and 0.0271 at batch 16 and rate 5e-3. Half an hour of the last reached
# 0.0229 (all test digits), where 75 minutes of AdamW had reached 0.0251. The weighting towards the noisy timesteps
# lets a short run draw whole digits: with plain MSE nearly all of the gradient is texture at small t.
TRAIN_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "lite": {"batch": 16, "lr": 5e-3, "warmup": 50, "loss_weight": "p2", "optimizer": "muon"},
    "full": {"batch": 16, "lr": 2e-3, "warmup": 100, "loss_weight": "p2", "optimizer": "muon"},
}


def preset(name: str) -> ModelConfig:
    """Return the model of that preset; raise ConfigError, with the list of the known ones, for any other name."""
    _one_of("preset", name, tuple(PRESETS))
    return PRESETS[name]


def train_config(preset_name: str, **settings: Any) -> TrainConfig:
    """Return the training recipe of a preset with `settings` over it; raise ConfigError for unknown ones."""
    _one_of("preset", preset_name, tuple(TRAIN_PRESETS))
    return from_dict(TrainConfig, {**TRAIN_PRESETS[preset_name], **settings})


Config = TypeVar("Config", bound=ScheduleConfig | ModelConfig | SamplerConfig | TrainConfig)


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
