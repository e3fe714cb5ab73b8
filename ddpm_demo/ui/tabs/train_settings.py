"""What a visitor asks the trainer for, checked field by field."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ddpm_demo.core.config import PRESETS, ConfigError, ModelConfig, ScheduleConfig
from ddpm_demo.machine.limits import max_minutes
from ddpm_demo.training import shelf
from ddpm_demo.training.recipes import TrainConfig, train_config
from ddpm_demo.ui.bridge import MAX_SEED, whole
from ddpm_demo.ui.tabs.receptive import parse_dilations

MAX_WIDTH = 512
MAX_BATCH = 512
MAX_EPOCHS = 1000
STEP_MEMORY = 6e9  # bytes that the activations of one training step may take
VALUES_PER_BLOCK = 6  # kept for the backward pass: what convolution, norm and activation read, and their like
UNITS = ("minutes", "epochs")
CLASSES = tuple(str(label) for label in range(10))


@dataclass(frozen=True)
class RunSettings:
    """A run that can be begun."""

    name: str
    model: ModelConfig
    schedule: ScheduleConfig
    config: TrainConfig


def preset_fields(preset: str) -> tuple[int, str, float, int, float]:
    """Return width, dilations, learning rate, batch and EMA of a preset, as the page's fields show them."""
    model, config = PRESETS[preset], train_config(preset, minutes=1)
    return model.hidden, " ".join(map(str, model.dilations)), config.lr, config.batch, config.ema_decay


def read_run_settings(
    preset: Any,
    width: Any,
    dilations: Any,
    schedule: Any,
    rate: Any,
    batch: Any,
    ema: Any,
    unit: Any,
    length: Any,
    seed: Any,
    classes: Any,
    name: Any,
) -> RunSettings:
    """Check what came from the page; raise ConfigError on settings that make no sense or ask for too much."""
    if not isinstance(preset, str) or preset not in PRESETS:
        raise ConfigError(f"preset must be one of {', '.join(PRESETS)}")
    hidden = whole("the width", width, 8, MAX_WIDTH)
    model = dataclasses.replace(PRESETS[preset], hidden=hidden, dilations=parse_dilations(dilations))
    number = whole("the batch", batch, 1, MAX_BATCH)
    values = number * hidden * 28 * 28 * VALUES_PER_BLOCK * len(model.dilations)
    if 4 * values > STEP_MEMORY:
        raise ConfigError(
            f"one step would need about {4 * values / 1e9:.0f} GB of memory: take a smaller batch or width"
        )
    if not isinstance(unit, str) or unit not in UNITS:
        raise ConfigError(f"the length must be in {' or '.join(UNITS)}")
    limit = max_minutes() if unit == "minutes" else MAX_EPOCHS
    if isinstance(length, bool) or not isinstance(length, int | float) or not 0 < length <= limit:
        raise ConfigError(f"the length must be more than 0 and at most {limit:g} {unit}")
    config = train_config(
        preset,
        lr=_number("the learning rate", rate),
        batch=number,
        ema_decay=_number("EMA", ema),
        seed=whole("the seed", seed, 0, MAX_SEED),
        classes=_classes(classes),
        **{unit: float(length)},
    )
    if not isinstance(schedule, str):
        raise ConfigError("schedule must be one of linear, cosine")
    text = shelf.new_name(name) if isinstance(name, str) and name.strip() else ""
    return RunSettings(text, model, ScheduleConfig(kind=schedule), config)  # type: ignore[arg-type]


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"{name} must be a number")
    return float(value)


def _classes(ticked: Any) -> tuple[int, ...]:
    """Return the classes that were ticked, none for all ten."""
    if not isinstance(ticked, Sequence) or not ticked or any(label not in CLASSES for label in ticked):
        raise ConfigError("tick at least one of the digits 0 to 9")
    chosen = tuple(sorted({int(label) for label in ticked}))
    return () if len(chosen) == len(CLASSES) else chosen
