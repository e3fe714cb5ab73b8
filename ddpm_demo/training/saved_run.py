"""A training run as one file: everything that training changes, written and read back to the last bit."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ddpm_demo.core.config import ConfigError, ModelConfig, check_number, check_whole, from_dict
from ddpm_demo.core.model import unfilled_denoiser
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.machine.device import Placement
from ddpm_demo.store.checkpoint import model_config
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.store.tensors import CheckpointError, Layout, TensorFile, layouts, read_metadata, short, write_tensors
from ddpm_demo.training.loop import TrainState, muon_weights
from ddpm_demo.training.optimizer import state_keys
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.words.sentence import say

RUN_FORMAT = "ddpm_demo run 1"


def save_run(
    path: Path,
    state: TrainState,
    config: TrainConfig,
    schedule: ScheduleConfig,
    grown_from: Provenance | None = None,
) -> None:
    """Write everything that `load_run` needs to go on as if nothing had happened, atomically."""
    tensors = {f"model.{name}": tensor for name, tensor in state.model.state_dict().items()}
    tensors |= {f"ema.{name}": tensor for name, tensor in state.ema.state_dict().items()}
    for name, parameter in state.model.named_parameters():
        for key, value in state.optimizer.state[parameter].items():
            tensors[f"optimizer.{key}.{name}"] = value
    tensors["generator"] = state.generator.get_state()
    metadata = {
        "model": asdict(state.model.config),
        "schedule": asdict(schedule),
        "train": asdict(config),
        "grown_from": grown_from.to_json() if grown_from else None,
        "progress": {"step": state.step, "seconds": state.seconds, "loss": state.loss},
    }
    write_tensors(path, tensors, RUN_FORMAT, metadata)


@dataclass(frozen=True)
class RunSettings:
    """What a saved run says of itself besides its tensors: its settings, and how far it is."""

    model: ModelConfig
    train: TrainConfig
    schedule: ScheduleConfig
    grown_from: Provenance | None
    step: int
    seconds: float
    loss: float


def read_settings(path: Path) -> RunSettings:
    """Read what a saved run says of itself, which is quick; raise CheckpointError as `load_run` does."""
    return _settings(path, read_metadata(path, RUN_FORMAT))


def load_run(path: Path, placement: Placement) -> tuple[TrainState, TrainConfig, ScheduleConfig]:
    """Read a saved run; raise CheckpointError when the file is missing, damaged or of another format.

    Nothing is made before the file is known to hold all of the run, and nothing of the file stays in use.
    """
    with TensorFile(path, RUN_FORMAT) as file:
        settings = _settings(path, file.metadata)
        expected, generator = _run_layouts(settings), file.shape("generator")
        tensors = file.read(expected | {"generator": Layout(generator[:1], ("U8",))})
    try:
        state = TrainState.fresh(settings.model, settings.train, placement)
        state.step, state.seconds, state.loss = settings.step, settings.seconds, settings.loss
        state.model.load_state_dict(_part(tensors, "model."))
        state.ema.load_state_dict(_part(tensors, "ema."))
        for name, parameter in state.model.named_parameters() if state.step else ():  # no optimiser state before step 1
            keys = state.optimizer.state_keys(parameter)
            state.optimizer.take_up(parameter, {key: tensors[f"optimizer.{key}.{name}"] for key in keys})
        state.generator.set_state(tensors["generator"])
    except (TypeError, ValueError, RuntimeError) as error:
        raise _broken(path, short(error)) from None
    return state, settings.train, settings.schedule


def _settings(path: Path, metadata: Mapping[str, Any]) -> RunSettings:
    try:
        step, seconds, loss = (metadata["progress"][name] for name in ("step", "seconds", "loss"))
        check_whole(say("its step"), step, low=0, high=10**12)
        check_number(say("its seconds"), seconds, low=0.0, high=1e12)
        check_number(say("its loss"), loss, low=0.0, high=1e12)
        grown_from = metadata.get("grown_from")
        return RunSettings(
            model_config(metadata["model"]),
            from_dict(TrainConfig, metadata["train"]),
            from_dict(ScheduleConfig, metadata["schedule"]),
            Provenance.from_json(grown_from) if grown_from is not None else None,
            step,
            seconds,
            loss,
        )
    except KeyError as error:
        raise _broken(path, say("it has no {name}", name=str(error))) from None
    except (ConfigError, TypeError, ValueError) as error:
        raise _broken(path, short(error)) from None


def _broken(path: Path, why: str) -> CheckpointError:
    return CheckpointError("{path} holds a run that cannot be resumed: {why}", path=path, why=why)


def _run_layouts(settings: RunSettings) -> dict[str, Layout]:
    """Return what the tensors of a saved run must be, all but the generator's state, which each device has its own."""
    model = unfilled_denoiser(settings.model)
    weights = layouts(model, ("F32",))
    expected = {f"{part}.{name}": layout for part in ("model", "ema") for name, layout in weights.items()}
    if settings.step:
        matrices = {id(weight) for weight in muon_weights(model, settings.train)}
        for name, parameter in model.named_parameters():
            for key in state_keys(matrix=id(parameter) in matrices):
                shape = () if key == "step" else tuple(parameter.shape)
                expected[f"optimizer.{key}.{name}"] = Layout(shape, ("F32",))
    return expected


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
