"""Weights on disk: safetensors with the configuration and the provenance inside, written atomically."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError, DemoError, ModelConfig, ScheduleConfig, from_dict
from ddpm_demo.core.model import Denoiser
from ddpm_demo.store.files import write_atomically

FORMAT = "ddpm_demo checkpoint 1"


class CheckpointError(DemoError):
    """A file is not a checkpoint that this program can use; the message names the file and says why."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained denoiser, the schedule it was trained for, and how it came to be (plain JSON values)."""

    model: Denoiser
    schedule: ScheduleConfig
    provenance: Mapping[str, Any]


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, atomically, its weights in float16: half the size, and finer than the bfloat16 of inference.

    Raises CheckpointError when the file cannot be written.
    """
    weights = {name: tensor.half() for name, tensor in checkpoint.model.state_dict().items()}
    metadata = {
        "model": asdict(checkpoint.model.config),
        "schedule": asdict(checkpoint.schedule),
        "provenance": dict(checkpoint.provenance),
    }
    write_tensors(path, weights, FORMAT, metadata)


def load(path: Path, device: torch.device | str = "cpu") -> Checkpoint:
    """Read a checkpoint; the model comes back in float32, in eval mode, on `device`.

    Raises CheckpointError when the file is missing, no checkpoint, truncated, of another format version, when its
    weights do not fit its configuration, or when they are not all finite.
    """
    weights, metadata = read_tensors(path, FORMAT)
    try:
        config = from_dict(ModelConfig, metadata["model"])
        schedule = from_dict(ScheduleConfig, metadata["schedule"])
        provenance = dict(metadata["provenance"])
    except (ConfigError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} holds a configuration that makes no sense: {error}") from None
    model = Denoiser(config)
    load_weights(model, {name: tensor.float() for name, tensor in weights.items()}, path)
    return Checkpoint(model.to(device).eval(), schedule, provenance)


def load_weights(model: torch.nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Put weights read from `path` into a model; raise CheckpointError unless every one fits and is finite."""
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    if expected != found:
        wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        raise CheckpointError(f"{path} holds weights that do not fit its own configuration: {wrong[0]}")
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path} holds weights that are not finite numbers: {name}")
    model.load_state_dict(dict(weights))


def write_tensors(path: Path, tensors: Mapping[str, Tensor], form: str, metadata: Mapping[str, Any]) -> None:
    """Write tensors and JSON metadata to a safetensors file, atomically; raise CheckpointError if that fails.

    The folder must be there: a run that somebody has deleted must not come back by halves.
    """
    text = {"format": form, **{name: json.dumps(value) for name, value in metadata.items()}}
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        write_atomically(path, safetensors.torch.save(plain, metadata=text))
    except OSError as error:
        raise CheckpointError(f"cannot write {path}: {error.strerror}") from None


def read_tensors(path: Path, form: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a file that `write_tensors` wrote in that format; raise CheckpointError, naming the file, otherwise."""
    metadata = read_metadata(path, form)
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not a checkpoint, or only a part of one: {error}") from None


def read_metadata(path: Path, form: str) -> dict[str, Any]:
    """Read only the JSON metadata of such a file, which is quick; raise CheckpointError as `read_tensors` does."""
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint file {path}")
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            text = file.metadata() or {}
        found = text.pop("format", None)
        if found != form:
            other = f"its format is {found!r}, not {form!r}" if found else "it was not written by ddpm_demo"
            raise CheckpointError(f"{path} cannot be used: {other}")
        return {name: json.loads(value) for name, value in text.items()}
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not a checkpoint, or only a part of one: {error}") from None
