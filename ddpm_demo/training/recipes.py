"""How a network is trained: the settings, and those that the presets bring."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ddpm_demo.core.config import ConfigError, check_choice, check_number, check_whole, from_dict
from ddpm_demo.drawings.picture_set import MAX_PICTURES
from ddpm_demo.words.sentence import say

LossWeight = Literal["mse", "p2", "min_snr"]
Optimizer = Literal["adamw", "muon"]
LEAST_PICTURES = 5  # fewer are no set


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
    `optimizer` is `adamw` or `muon` (Jordan et al. 2024), which needs fewer digits to learn as much. Not every
    direction gets the same step: of 256 whose strengths span four powers of ten 49 % come out at 0.7 to 1.2, the
    faintest at 0.013.
    `digits` trains on the first so many digits only (0: all), `classes` on those of these classes only (none named:
    all ten). `pictures` is how many the user's own drawings the run learns instead (0: none); then `classes` are those
    of MNIST mixed in, none named: none. Raises ConfigError on values out of range.
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
    pictures: int = 0

    def __post_init__(self) -> None:
        """Refuse a training run that cannot end well."""
        if (self.epochs is None) == (self.minutes is None):
            raise ConfigError("give either epochs or minutes, and only one of them")
        if self.epochs is not None:
            check_number("epochs", self.epochs, low=0.0, high=100_000.0, open_ends=True)
        if self.minutes is not None:
            check_number("minutes", self.minutes, low=0.0, high=100_000.0, open_ends=True)
        check_whole("batch", self.batch, low=1, high=60_000)
        check_number("lr", self.lr, low=0.0, high=1.0, open_ends=True)
        check_whole("warmup", self.warmup, low=0, high=1_000_000)
        check_number("ema_decay", self.ema_decay, low=0.0, high=1.0)
        check_number("grad_clip", self.grad_clip, low=0.0, high=1e9, open_ends=True)
        check_choice("loss_weight", self.loss_weight, ("mse", "p2", "min_snr"))
        check_choice("optimizer", self.optimizer, ("adamw", "muon"))
        check_number("p2_k", self.p2_k, low=0.0, high=1e6)
        check_number("p2_gamma", self.p2_gamma, low=0.0, high=2.0)
        check_number("min_snr_gamma", self.min_snr_gamma, low=0.0, high=1e6, open_ends=True)
        check_number("middle", self.middle, low=0.0, high=1.0)
        check_whole("seed", self.seed, low=0, high=2**31 - 1)
        check_whole("digits", self.digits, low=0, high=60_000)
        for label in self.classes:
            check_whole(say("a class"), label, low=0, high=9)
        if len(set(self.classes)) < len(self.classes):
            raise ConfigError("classes must differ from each other, got {got}", got=str(self.classes))
        check_whole("pictures", self.pictures, low=0, high=MAX_PICTURES)
        if 0 < self.pictures < LEAST_PICTURES:
            raise ConfigError(
                "at least {least} pictures of your own are needed, got {got}", least=LEAST_PICTURES, got=self.pictures
            )
        if self.pictures and self.digits:
            raise ConfigError("digits counts MNIST's digits, and none of those are used with pictures of your own")
        if 0 < self.digits < self.batch:
            raise ConfigError(
                "a batch of {batch} needs at least as many digits, got {got}", batch=self.batch, got=self.digits
            )


# Chosen for two CPU cores, on `lite`: after 24,000 digits the held-out loss (500 test digits) was 0.0305 with Muon at
# batch 32 and rate 3e-3, 0.0291 at rate 6e-3, and 0.0271 at batch 16 and rate 5e-3. Half an hour of the last reached
# 0.0229 (all test digits), where 75 minutes of AdamW had reached 0.0251. The weighting towards the noisy timesteps
# lets a short run draw whole digits: with plain MSE nearly all of the gradient is texture at small t.
TRAIN_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "lite": {"batch": 16, "lr": 5e-3, "warmup": 50, "loss_weight": "p2", "optimizer": "muon"},
    "full": {"batch": 16, "lr": 2e-3, "warmup": 100, "loss_weight": "p2", "optimizer": "muon"},
}


def train_config(preset_name: str, **settings: Any) -> TrainConfig:
    """Return the training recipe of a preset with `settings` over it; raise ConfigError for unknown ones."""
    check_choice("preset", preset_name, tuple(TRAIN_PRESETS))
    return from_dict(TrainConfig, {**TRAIN_PRESETS[preset_name], **settings})
