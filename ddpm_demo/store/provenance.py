"""How a checkpoint came to be: one record, checked when it is read, that every file and every table uses."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ddpm_demo.core.config import PRESETS, ConfigError, check_number, check_whole
from ddpm_demo.words.sentence import say

GENERATIONS = 16  # at most, of networks that grew one from the other
LONGEST = 500  # characters of a text
MANY = 10**15  # more than anybody counts


@dataclass(frozen=True)
class HeldOutRecord:
    """A held-out loss: over all t, over each tenth of them (None where none fell), and on so many digits.

    Raises ConfigError on anything else.
    """

    loss: float
    by_tenth: tuple[float | None, ...] | None = None
    digits: int | None = None

    def __post_init__(self) -> None:
        """Refuse anything but losses."""
        check_number(say("the held-out loss"), self.loss, low=0.0, high=MANY)
        if self.by_tenth is not None:
            if not isinstance(self.by_tenth, tuple) or len(self.by_tenth) != 10:
                raise ConfigError("the held-out loss by tenth of t must have ten numbers")
            for tenth in self.by_tenth:
                if tenth is not None:
                    check_number(say("the held-out loss of a tenth of t"), tenth, low=0.0, high=MANY)
        if self.digits is not None:
            check_whole(say("the held-out loss's number of digits"), self.digits, low=1, high=MANY)


@dataclass(frozen=True)
class Provenance:
    """How and on what weights were trained. None, or empty: the file does not say; older files say less.

    `pictures` counts the user's own drawings, with which `classes` of MNIST are mixed; `width` counts the
    channels (`hidden` said so of a network that was grown from, before there was a `width`); `grown_from` is the story
    of the network that the weights began as, as wide or narrower; `other` is what else a file says, which nothing here
    depends on. Raises ConfigError, in one sentence, on values that make no sense.
    """

    preset: str | None = None
    width: int | None = None
    data: str | None = None
    classes: tuple[int, ...] = ()
    pictures: int | None = None
    seed: int | None = None
    grown_from: "Provenance | None" = None
    steps: int | None = None
    images_seen: int | None = None
    batch: int | None = None
    lr: float | None = None
    lr_schedule: str | None = None
    optimizer: str | None = None
    grad_clip: float | None = None
    ema_decay: float | None = None
    loss_weight: str | None = None
    p2_k: float | None = None
    p2_gamma: float | None = None
    min_snr_gamma: float | None = None
    middle: float | None = None
    length: str | None = None
    hardware: str | None = None
    wall_seconds: float | None = None
    final_loss: float | None = None
    held_out: HeldOutRecord | None = None
    saved: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    hidden: int | None = None
    other: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        for name in ("preset", "data", "lr_schedule", "optimizer", "loss_weight", "length", "hardware", "saved"):
            _check_text(name, getattr(self, name))
        for name in ("width", "hidden", "pictures", "seed", "steps", "images_seen", "batch"):
            if getattr(self, name) is not None:
                check_whole(name, getattr(self, name), low=0, high=MANY)
        for name in (*_NUMBERS, "wall_seconds", "final_loss"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), low=0.0, high=MANY)
        if not isinstance(self.classes, tuple):
            raise ConfigError("classes must be a list of digits, got {got}", got=repr(self.classes))
        for label in self.classes:
            check_whole(say("a class"), label, low=0, high=9)
        if not isinstance(self.versions, Mapping):
            raise ConfigError("versions must have names, got {got}", got=repr(self.versions))
        for name, version in self.versions.items():
            _check_text(say("the version of {name}", name=name), version)

    @classmethod
    def from_json(cls, value: Any, *, generations: int = GENERATIONS) -> "Provenance":
        """Read what `to_json` returned, or another program wrote; raise ConfigError if a value makes no sense."""
        if not isinstance(value, Mapping):
            raise ConfigError("a provenance needs named values, got {got}", got=repr(value))
        if generations < 1:
            raise ConfigError("a network cannot have grown more than {count} times", count=GENERATIONS)
        known = {entry.name for entry in dataclasses.fields(cls)} - {"other"}
        # null is the same as nothing: a file says so of a held-out loss that was not measured
        facts = {name: fact for name, fact in value.items() if name in known and fact is not None}
        if facts.get("final_loss", 0.0) != facts.get("final_loss", 0.0):
            del facts["final_loss"]  # NaN, which a training that failed at its first step wrote
        if "classes" in facts:
            facts["classes"] = _tuple("classes", facts["classes"])
        if "held_out" in facts:
            facts["held_out"] = _held_out_record(facts["held_out"])
        if "grown_from" in facts:
            facts["grown_from"] = cls.from_json(facts["grown_from"], generations=generations - 1)
        return cls(**facts, other={name: facts for name, facts in value.items() if name not in known})

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values, only what is known; of trained weights also that no loss was measured."""
        story: dict[str, Any] = {}
        for entry in dataclasses.fields(self):
            value = getattr(self, entry.name)
            if entry.name == "held_out":
                if value is not None or self.steps is not None:
                    story["held_out"] = None if value is None else _told(dataclasses.asdict(value))
            elif isinstance(value, Provenance):
                story[entry.name] = value.to_json()
            elif entry.name != "other" and value is not None and value not in ((), {}):
                story[entry.name] = list(value) if isinstance(value, tuple) else value
        return {**story, **self.other}

    @property
    def channels(self) -> int | None:
        """The width of the network: as the file says, or by its preset."""
        named = PRESETS.get(self.preset or "")
        return self.width or self.hidden or (named.hidden if named else None)


_NUMBERS = ("lr", "grad_clip", "ema_decay", "p2_k", "p2_gamma", "min_snr_gamma", "middle")


def _held_out_record(value: Any) -> HeldOutRecord:
    if not isinstance(value, Mapping) or value.get("loss") is None:
        raise ConfigError("a held-out loss needs a loss, got {got}", got=repr(value))
    by_tenth = value.get("by_tenth")
    if by_tenth is not None:
        # NaN is how older files say that no timestep fell there
        by_tenth = tuple(None if tenth != tenth else tenth for tenth in _tuple("by_tenth", by_tenth))
    return HeldOutRecord(value["loss"], by_tenth, value.get("digits"))


def _told(record: dict[str, Any]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in record.items() if value is not None
    }


def _tuple(name: str, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ConfigError("{name} must be a list, got {got}", name=name, got=repr(value))
    return tuple(value)


def _check_text(name: str, value: object) -> None:
    if value is not None and (not isinstance(value, str) or len(value) > LONGEST or not value.isprintable()):
        raise ConfigError(
            "{name} must be a line of at most {most} characters, got {got}", name=name, most=LONGEST, got=repr(value)
        )
