"""Checkpoints ready to use: loaded once for all visitors, their network in place."""

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from weakref import WeakValueDictionary

import torch

from ddpm_demo.core.config import ALWAYS, ConfigError, Interval
from ddpm_demo.core.guidance import Autoguidance, check_within
from ddpm_demo.core.model import Denoiser
from ddpm_demo.core.sampling import EpsModel
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.device import Placement, answering_placement
from ddpm_demo.machine.placement import place
from ddpm_demo.networks.guidance_settings import GuidanceConfig
from ddpm_demo.networks.ideal_checkpoints import ideal_file, is_ideal, load_ideal, named_in_file
from ddpm_demo.networks.noisy_classifier import AtEqualNoise, NoisyDigitClassifier, load_classifier, shipped_classifier
from ddpm_demo.store import checkpoint
from ddpm_demo.store.files import file_stamp
from ddpm_demo.store.shipped import find_checkpoint, known_as


@dataclass(frozen=True)
class LoadedNetwork:
    """A network in its place, its schedule, and its held-out loss per tenth of the timesteps if it was measured.

    `known_as` is what `checkpoint.find` finds it by, `file` its file as it was read, for workers elsewhere, and
    `digest` that one's SHA-256; all are empty for a network that is in no file.
    """

    model: EpsModel
    schedule: Schedule
    placement: Placement
    held_out: tuple[float | None, ...] | None
    held_out_digits: int = 0
    known_as: str = ""
    digest: str = ""
    file: bytes = field(default=b"", repr=False)

    @property
    def denoiser(self) -> Denoiser:
        """The trained network; raise ConfigError for an ideal, which has no layers to look into."""
        if not isinstance(self.model, Denoiser):
            raise ConfigError(
                "{name} is computed from the training digits: choose a trained network", name=self.known_as
            )
        return self.model

    @property
    def channels(self) -> int:
        """How many channels its pictures have."""
        return channels_of(self.model)

    def guided_by(self, guide: "LoadedNetwork | None", weight: float, interval: Interval = ALWAYS) -> EpsModel:
        """Return the network with its guide, as `guided` does; raise ConfigError if it cannot be."""
        make = None if guide is None else lambda: (guide.model, guide.schedule)
        return guided(self.model, self.schedule, make, weight, interval)


_LOADED: WeakValueDictionary[str, LoadedNetwork] = (
    WeakValueDictionary()
)  # by digest; whoever makes a film holds its networks
_GUARD = threading.Lock()  # a class that comes at once loads a network once


def load_placed(path: Path) -> LoadedNetwork:
    """Load a checkpoint, again if its file has changed: a run in training rewrites it every half-minute.

    The name of an ideal (`ideal_checkpoints`) is a path without a file. Raises CheckpointError if it is neither, and
    ConfigError for an ideal that cannot be.
    """
    with _GUARD:
        return _load(path, file_stamp(path))


def load_named(name_or_path: str) -> LoadedNetwork:
    """Load an ideal, a shipped checkpoint, or a file; raise CheckpointError or ConfigError if there is none."""
    return load_placed(Path(name_or_path) if is_ideal(name_or_path) else find_checkpoint(name_or_path))


def checkpoint_file(name_or_path: str) -> dict[str, Path]:
    """Return the file behind a checkpoint as an input of a command, none for an ideal; raise as `load_named` does."""
    return {} if is_ideal(name_or_path) else {"--checkpoint": find_checkpoint(name_or_path)}


def channels_of(model: EpsModel) -> int:
    """Return how many channels a denoiser's pictures have: digits, which an ideal's always are, have one."""
    return model.config.image_channels if isinstance(model, Denoiser) else 1


def loaded_as(digest: str) -> LoadedNetwork:
    """Return a network that is in use, by the digest of its file; raise ConfigError if it no longer is."""
    try:
        return _LOADED[digest]
    except KeyError:
        raise ConfigError("this film's network is no longer in memory: press Generate again") from None


def load_guide(checkpoints: Mapping[str, Path], guidance: GuidanceConfig | None) -> LoadedNetwork | None:
    """Load the guide, if there is to be one; raise ConfigError unless it is one of those offered."""
    if guidance is None:
        return None
    if guidance.guide not in checkpoints:  # a visitor sends a name, never a path
        raise ConfigError("choose one of the listed guides")
    return load_placed(checkpoints[guidance.guide])


@lru_cache(maxsize=1)
def steering_classifier() -> tuple[NoisyDigitClassifier, str]:
    """Return the classifier by which a digit is asked for, and its file's SHA-256; raise CheckpointError if missing."""
    classifier = load_classifier()  # says what is wrong with the file
    return classifier, hashlib.sha256(shipped_classifier().read_bytes()).hexdigest()


def classifier_at(schedule: Schedule, device: torch.device) -> AtEqualNoise:
    """Return that classifier for the noise of a schedule, on a device."""
    return AtEqualNoise(steering_classifier()[0], schedule, device)


@lru_cache(maxsize=4)
def _load(path: Path, stamp: tuple[int, int]) -> LoadedNetwork:
    try:
        file = ideal_file(str(path)) if is_ideal(str(path)) else path.read_bytes()
    except OSError:
        file = b""  # loading it says why
    digest = hashlib.sha256(file).hexdigest() if file else ""
    placement, ideal = answering_placement(), named_in_file(file)
    if ideal is not None:
        schedule = Schedule.from_config(ScheduleConfig())
        model = load_ideal(ideal, schedule, placement.device)
        placed = LoadedNetwork(model, schedule, placement, None, known_as=ideal, digest=digest, file=file)
        _LOADED[digest] = placed
        return placed
    loaded = checkpoint.load(path)
    measured = loaded.provenance.held_out
    held_out = measured.by_tenth if measured else None
    digits = (measured.digits or 10_000) if measured else 0  # the first files did not say: it was all of them
    placed = LoadedNetwork(
        place(loaded.model, placement),
        Schedule.from_config(loaded.schedule),
        placement,
        held_out,
        digits,
        known_as(path),
        digest,
        file,
    )
    _LOADED[digest] = placed
    return placed


def load_guided(model: EpsModel, schedule: Schedule, guidance: GuidanceConfig | None, placement: Placement) -> EpsModel:
    """Return a model with its guide, loaded and put in its place; without guidance, or at weight 1, the model alone.

    Raises CheckpointError when the guide cannot be loaded, and ConfigError when it cannot guide this model.
    """
    if guidance is None:
        return model

    def guide() -> tuple[EpsModel, Schedule]:
        loaded = checkpoint.load(find_checkpoint(guidance.guide))
        return place(loaded.model, placement), Schedule.from_config(loaded.schedule)

    return guided(model, schedule, guide, guidance.weight, guidance)


def guided(
    model: EpsModel,
    schedule: Schedule,
    guide: Callable[[], tuple[EpsModel, Schedule]] | None,
    weight: float,
    interval: Interval = ALWAYS,
) -> EpsModel:
    """Return the model with its guide; without one, or at a weight of 1, where a guide has no effect, the model alone.

    `guide` is called only where it is needed. Raises ConfigError when it cannot guide this model, or at no timestep.
    """
    if guide is None or weight == 1:
        return model
    check_within(interval, schedule)
    network, its_schedule = guide()
    if not torch.equal(schedule.alpha_bar, its_schedule.alpha_bar):
        raise ConfigError("the guide was trained on a different noise schedule, so it cannot guide this network")
    if channels_of(model) != channels_of(network):
        raise ConfigError(
            "the guide was trained on pictures with a different number of channels, so it cannot guide this network"
        )
    return Autoguidance(model, network, weight, interval)
