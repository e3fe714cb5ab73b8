"""What a visitor asks the trainer for, checked field by field."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from ddpm_demo.core.config import PRESETS, ConfigError, ModelConfig
from ddpm_demo.core.schedule import SCHEDULES, ScheduleConfig
from ddpm_demo.machine.limits import max_minutes
from ddpm_demo.training import shelf
from ddpm_demo.training.recipes import TrainConfig, train_config
from ddpm_demo.ui.parts.readers import MAX_SEED, changed_in_words, number, one_of, parse_dilations, some_of, whole
from ddpm_demo.words.sentence import Sentence, plain, say

MAX_WIDTH = 512
MAX_BATCH = 512
MAX_EPOCHS = 1000
STEP_MEMORY = 6e9  # bytes that the activations of one training step may take
VALUES_PER_BLOCK = 6  # kept for the backward pass: what convolution, norm and activation read, and their like
FIRST_PRESET = "lite"
UNITS = (plain(say("minutes")), plain(say("epochs")))
CLASSES = tuple(str(label) for label in range(10))


@dataclass(frozen=True)
class RunRequest:
    """A run that can be started."""

    name: str
    model: ModelConfig
    schedule: ScheduleConfig
    config: TrainConfig


def preset_fields(preset: str) -> tuple[int, str, float, int, float]:
    """Return width, dilations, learning rate, batch and EMA of a preset, as the page's fields show them."""
    model, config = PRESETS[preset], train_config(preset, minutes=1)
    return model.hidden, " ".join(map(str, model.dilations)), config.lr, config.batch, config.ema_decay


def settings_in_words(
    preset: Any, width: Any, dilations: Any, schedule: Any, rate: Any, batch: Any, ema: Any, seed: Any, name: Any
) -> str:
    """Return in one line what differs from the settings that the page opens with, and from those of the preset."""
    usual = preset_fields(preset) if isinstance(preset, str) and preset in PRESETS else preset_fields(FIRST_PRESET)
    pairs = [
        (say("preset"), preset, FIRST_PRESET),
        (say("width"), width, usual[0]),
        (say("dilations"), dilations, usual[1]),
        (say("schedule"), schedule, "linear"),
        (say("learning rate"), rate, usual[2]),
        (say("batch"), batch, usual[3]),
        (say("EMA"), ema, usual[4]),
        (say("seed"), seed, 0),
        (say("name"), name or "", ""),
    ]
    return changed_in_words(pairs)


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
) -> RunRequest:
    """Check what came from the page; raise ConfigError on settings that make no sense or ask for too much."""
    preset = one_of(preset, PRESETS, say("preset must be one of {known}", known=", ".join(PRESETS)))
    hidden = whole(say("the width"), width, 8, MAX_WIDTH)
    if hidden % ModelConfig.groups:
        raise ConfigError(
            "the width must be a multiple of {groups}, got {width}", groups=ModelConfig.groups, width=hidden
        )
    model = dataclasses.replace(PRESETS[preset], hidden=hidden, dilations=parse_dilations(dilations))
    digits = whole(say("the batch"), batch, 1, MAX_BATCH)
    values = digits * hidden * 28 * 28 * VALUES_PER_BLOCK * len(model.dilations)
    if 4 * values > STEP_MEMORY:
        raise ConfigError(
            "one step would need about {size:.0f} GB of memory: choose a smaller batch or width", size=4 * values / 1e9
        )
    unit = one_of(unit, UNITS, say("the length must be in minutes or epochs"))
    limit = max_minutes() if unit == "minutes" else MAX_EPOCHS
    span = number(say("the length in {unit}", unit=Sentence(unit, {})), length, 0, limit, above=True)
    config = train_config(
        preset,
        lr=_rate(rate),
        batch=digits,
        ema_decay=number(say("EMA"), ema, 0, 1),
        seed=whole(say("the seed"), seed, 0, MAX_SEED),
        classes=_classes(classes),
        **{unit: span},
    )
    kind = one_of(schedule, SCHEDULES, say("schedule must be one of {known}", known=", ".join(SCHEDULES)))
    text = shelf.new_name(name) if isinstance(name, str) and name.strip() else ""
    return RunRequest(text, model, ScheduleConfig(kind=kind), config)


def _rate(value: Any) -> float:
    rate = number(say("the learning rate"), value)
    if not 0 < rate < 1:
        raise ConfigError("the learning rate must be more than 0 and less than 1")
    return rate


def _classes(ticked: Any) -> tuple[int, ...]:
    """Return the classes that were ticked, none for all ten."""
    refusal = say("tick at least one of the digits 0 to 9")
    chosen = tuple(sorted({int(label) for label in some_of(ticked, CLASSES, refusal)}))
    if not chosen:
        raise ConfigError(refusal)
    return () if len(chosen) == len(CLASSES) else chosen
