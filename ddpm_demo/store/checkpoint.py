"""Weights on disk: safetensors with the configuration and the provenance inside, written atomically."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ddpm_demo.core.config import ConfigError, ModelConfig, from_dict
from ddpm_demo.core.model import Denoiser, unfilled_denoiser
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.store.tensors import CheckpointError, TensorFile, read_metadata, short, write_tensors
from ddpm_demo.words.sentence import say

FORMAT = "ddpm_demo checkpoint 1"


@dataclass(frozen=True)
class Checkpoint:
    """A trained denoiser, the schedule it was trained for, and how it came to be."""

    model: Denoiser
    schedule: ScheduleConfig
    provenance: Provenance


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, atomically, its weights in float16: half the size, and finer than the bfloat16 of inference.

    Raises CheckpointError when the file cannot be written.
    """
    weights = {name: tensor.half() for name, tensor in checkpoint.model.state_dict().items()}
    metadata = {
        "model": asdict(checkpoint.model.config),
        "schedule": asdict(checkpoint.schedule),
        "provenance": checkpoint.provenance.to_json(),
    }
    write_tensors(path, weights, FORMAT, metadata)


def load(path: Path, device: torch.device | str = "cpu") -> Checkpoint:
    """Read a checkpoint; the model comes back in float32, in eval mode, on `device`.

    Raises CheckpointError when the file is missing, not a checkpoint, truncated, of another format version, when its
    configuration makes no sense or is of no network for digits, when its weights do not fit it, or when they are not
    all finite.
    """
    with TensorFile(path, FORMAT) as file:
        model, schedule, provenance = _described(path, file.metadata)
        network = unfilled_denoiser(model)
        file.fill(network)
    return Checkpoint(network.to(device).eval(), schedule, provenance)


def describe(path: Path) -> tuple[ModelConfig, ScheduleConfig, Provenance]:
    """Read what a checkpoint says of itself, without its weights; raise CheckpointError as `load` does."""
    return _described(path, read_metadata(path, FORMAT))


def model_config(values: Any) -> ModelConfig:
    """Read the settings of a network for digits from parsed JSON; raise ConfigError if they are of none."""
    config = from_dict(ModelConfig, values)
    if config.image_channels != 1:
        raise ConfigError("its pictures have {count} channels, but digits have one", count=config.image_channels)
    return config


def _described(path: Path, metadata: Mapping[str, Any]) -> tuple[ModelConfig, ScheduleConfig, Provenance]:
    try:
        return (
            model_config(metadata["model"]),
            from_dict(ScheduleConfig, metadata["schedule"]),
            Provenance.from_json(metadata["provenance"]),
        )
    except KeyError as error:
        raise _senseless(path, say("it has no {name}", name=str(error))) from None
    except (ConfigError, TypeError, ValueError) as error:
        raise _senseless(path, short(error)) from None


def _senseless(path: Path, why: str) -> CheckpointError:
    return CheckpointError("{path} holds a configuration that makes no sense: {why}", path=path, why=why)
