"""Snapshots of a training run: sixteen digits, always from the same noise, and the averaged weights at that step.

A snapshot is one file of pictures and, while there is room, one of weights, in the run's directory. Both are bounded:
when there are too many, the one closest to its neighbours is deleted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ddpm_demo.core.config import ModelConfig
from ddpm_demo.core.model import Denoiser, unfilled_denoiser
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import EpsModel, sample, start_noise, to_uint8
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.store.tensors import CheckpointError, Layout, TensorFile, read_metadata, write_tensors

FOLDER = "moments"
SNAPSHOT_FORMAT = "ddpm_demo moment 1"
DIGITS = 16
SAMPLER = SamplerConfig(kind="dpmpp", steps=10, clip="x0")
SEED = 0  # of x_T, and of what is drawn on the way
MAX_PICTURES = 200  # 25 kB each
MAX_WEIGHTS = 40
WEIGHTS_BYTES = 96 * 2**20  # for the weights of all snapshots of a run


@dataclass(frozen=True)
class Snapshot:
    """A point in a run, after `step` steps and `seconds` of training; `weights`: whether its weights are kept."""

    step: int
    seconds: float
    weights: bool


def sixteen_noises() -> Tensor:
    """Return x_T of every snapshot of every run, float32 (16, 1, 28, 28)."""
    return start_noise(DIGITS, 1, 28, torch.Generator().manual_seed(SEED))


def draw(model: EpsModel, schedule: Schedule, device: torch.device) -> Tensor:
    """Return the digits that a network draws out of the sixteen noises, uint8 (16, 28, 28)."""
    x_T = sixteen_noises().to(device)
    config = replace(SAMPLER, steps=min(SAMPLER.steps, len(schedule)))
    *_, last = sample(model, schedule, config, x_T, generator=torch.Generator().manual_seed(SEED))
    return to_uint8(last.x_s[:, 0])


def keep(directory: Path, snapshot: Snapshot, ema_digits: Tensor, plain_digits: Tensor, ema: Denoiser) -> None:
    """Write a snapshot and delete others beyond the bounds; raise CheckpointError when it cannot be written."""
    about = {"step": snapshot.step, "seconds": snapshot.seconds}
    tensors = {"ema": ema_digits, "plain": plain_digits}
    weights = {name: tensor.half() for name, tensor in ema.state_dict().items()}
    try:
        (directory / FOLDER).mkdir(exist_ok=True)
    except OSError as error:
        raise CheckpointError("cannot write {path}: {why}", path=directory, why=error.strerror) from None
    write_tensors(_weights(directory, snapshot.step), weights, SNAPSHOT_FORMAT, about)
    write_tensors(_pictures(directory, snapshot.step), tensors, SNAPSHOT_FORMAT, about)  # last: what it names is there
    size = sum(tensor.numel() * 2 for tensor in weights.values())
    _bound(directory, "pictures", MAX_PICTURES)
    _bound(directory, "weights", max(2, min(MAX_WEIGHTS, WEIGHTS_BYTES // size)))


def listed(directory: Path) -> list[Snapshot]:
    """Return the snapshots of a run in order, without damaged ones."""
    found = []
    for path in sorted((directory / FOLDER).glob("*.pictures.safetensors")):
        try:
            about = read_metadata(path, SNAPSHOT_FORMAT)
            step, seconds = int(about["step"]), float(about["seconds"])
        except (CheckpointError, KeyError, TypeError, ValueError):
            continue
        found.append(Snapshot(step, seconds, _weights(directory, step).is_file()))
    return sorted(found, key=lambda snapshot: snapshot.step)


def steps_kept(directory: Path) -> tuple[list[int], list[int]]:
    """Return the steps whose pictures and those whose weights are there, by the files' names alone, which is quick."""
    found: dict[str, list[int]] = {"pictures": [], "weights": []}
    for path in (directory / FOLDER).glob("[!.]*.safetensors"):
        found.setdefault(path.name.split(".")[1], []).append(_step(path))
    return sorted(found["pictures"]), sorted(found["weights"])


def pictures(directory: Path, step: int) -> tuple[Tensor, Tensor]:
    """Return a snapshot's digits, with EMA and without, both uint8 (16, 28, 28); raise CheckpointError if not there."""
    expected = Layout((DIGITS, 28, 28), ("U8",))
    with TensorFile(_pictures(directory, step), SNAPSHOT_FORMAT) as file:
        tensors = file.read({"ema": expected, "plain": expected})
    return tensors["ema"], tensors["plain"]


def network(directory: Path, step: int, config: ModelConfig) -> Denoiser:
    """Return the averaged network of a snapshot, float32, in eval mode; raise CheckpointError if it is not there."""
    model = unfilled_denoiser(config)
    with TensorFile(_weights(directory, step), SNAPSHOT_FORMAT) as file:
        file.fill(model)
    return model.eval()


def forget_after(directory: Path, step: int) -> None:
    """Delete the snapshots after a step, to which a kill has set the run back."""
    for path in (directory / FOLDER).glob("*.safetensors"):
        if not path.name.startswith(".") and _step(path) > step:
            path.unlink(missing_ok=True)
    for path in (directory / FOLDER).glob(".*.safetensors.*"):  # half written
        path.unlink(missing_ok=True)


def most_crowded(steps: Sequence[int]) -> int:
    """Return which of at least three increasing steps lies closest between its neighbours; never the first or last.

    Distances are of square roots, because more happens in a step early in training.
    """
    roots = [math.sqrt(step) for step in steps]
    gaps = [after - before for before, after in zip(roots[:-2], roots[2:], strict=True)]
    return steps[1 + min(range(len(gaps)), key=gaps.__getitem__)]


def _bound(directory: Path, kind: str, limit: int) -> None:
    steps = sorted(_step(path) for path in (directory / FOLDER).glob(f"[!.]*.{kind}.safetensors"))
    while len(steps) > limit:
        step = most_crowded(steps) if len(steps) > 2 else steps[0]
        (_weights if kind == "weights" else _pictures)(directory, step).unlink(missing_ok=True)
        steps.remove(step)


def _pictures(directory: Path, step: int) -> Path:
    return directory / FOLDER / f"{step:09d}.pictures.safetensors"


def _weights(directory: Path, step: int) -> Path:
    return directory / FOLDER / f"{step:09d}.weights.safetensors"


def _step(path: Path) -> int:
    text = path.name.split(".")[0]
    return int(text) if text.isdecimal() else -1
