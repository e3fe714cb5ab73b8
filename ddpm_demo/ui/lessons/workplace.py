"""What a truth is, and what it is computed with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from ddpm_demo.core.config import ConfigError
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_placed

OFFERED_FIRST = "first"  # the checkpoint that the page offers first


@dataclass(frozen=True)
class Truth:
    """What is true: the right choice, number, order or curve; the values for the words; pictures (N, 1, 28, 28)."""

    right: str | float | list[str] | list[float]
    values: Mapping[str, float] = field(default_factory=dict)
    pictures: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Workplace:
    """What a truth is computed with: the page's checkpoints by name, and whom to tell how much is done.

    Without `own_drawings` no truth is about the drawings of whoever works here.
    """

    checkpoints: Mapping[str, Path]
    report: Callable[[float], None] = lambda done: None
    own_drawings: bool = True

    def path(self, name: str) -> Path:
        """Return a checkpoint's file; raise ConfigError if the page has none of that name."""
        if name == OFFERED_FIRST and self.checkpoints:
            return next(iter(self.checkpoints.values()))
        if name not in self.checkpoints:
            raise ConfigError("this lesson asks for the checkpoint {name}, which is not here", name=name)
        return self.checkpoints[name]

    def load(self, name: str) -> LoadedNetwork:
        """Load a checkpoint; raise ConfigError or CheckpointError if that cannot be."""
        return load_placed(self.path(name))
