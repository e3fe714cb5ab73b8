"""A training run in a directory: started, saved every half-minute, resumed exactly, and finished.

The directory holds `run.safetensors`, everything that training changes, and `model.safetensors`, the averaged
weights as a checkpoint that every other command can use; of a run on the user's own drawings also those, in
`pictures.safetensors`.
"""

import datetime
import math
import platform
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import metadata as package_metadata
from pathlib import Path

from torch import Tensor

from ddpm_demo.core.config import PRESETS, ConfigError, ModelConfig
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.device import Placement, describe_hardware
from ddpm_demo.machine.scheduler import Turn, at_once
from ddpm_demo.store.checkpoint import Checkpoint, save
from ddpm_demo.store.drawings_file import DRAWINGS_FILE, read_drawings, write_drawings
from ddpm_demo.store.provenance import HeldOutRecord, Provenance
from ddpm_demo.store.tensors import CheckpointError
from ddpm_demo.training.growing import check_schedule, widened
from ddpm_demo.training.held_out import HeldOut, held_out_loss
from ddpm_demo.training.loop import Progress, TrainingError, TrainState, train
from ddpm_demo.training.processes import Ranks
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.recorder import record
from ddpm_demo.training.saved_run import load_run, read_settings, save_run
from ddpm_demo.training.training_set import FRESH, held_out_pictures, training_pictures
from ddpm_demo.words.sentence import sentence_in

TIMESTEPS_PER_DIGIT = 10  # of the held-out loss
SAVE_EVERY_SECONDS = 30.0  # a kill loses at most this much


@dataclass
class Run:
    """A training run and the directory it lives in; `grown_from` is the provenance of the network it began with.

    `drawings`, uint8 (N, 28, 28), are the user's own drawings that it learns, if any.
    """

    directory: Path
    state: TrainState
    config: TrainConfig
    schedule: ScheduleConfig
    placement: Placement
    grown_from: Provenance | None = None
    drawings: Tensor | None = None
    saved: bool = False  # to this directory, by this program
    ranks: Ranks = field(default_factory=Ranks)  # of several processes that train it together only the first writes

    def __post_init__(self) -> None:
        """Note what it is trained on here and now: another thread may be allowed fewer processors."""
        self.hardware = describe_hardware(self.placement)

    @property
    def state_path(self) -> Path:
        """The file that a resumption reads."""
        return self.directory / "run.safetensors"

    @property
    def checkpoint_path(self) -> Path:
        """The checkpoint that sampling reads."""
        return self.directory / "model.safetensors"

    @property
    def drawings_path(self) -> Path:
        """The user's own drawings, which are part of no other file."""
        return self.directory / DRAWINGS_FILE

    @cached_property
    def training_pictures(self) -> Tensor:
        """What it learns from, uint8 (N, 28, 28)."""
        return training_pictures(self.config, self.drawings)

    @cached_property
    def held_out_pictures(self) -> Tensor:
        """What it is measured on, uint8 (N, 28, 28)."""
        return held_out_pictures(self.config, self.drawings)

    @classmethod
    def begin(
        cls,
        directory: Path,
        model: ModelConfig,
        config: TrainConfig,
        placement: Placement,
        schedule: ScheduleConfig | None = None,
        *,
        first: Checkpoint | None = None,
        drawings: Tensor | None = None,
    ) -> "Run":
        """Begin a run in a directory: with fresh weights, or with those of the network `first`.

        A narrower `first` is widened (`growing`); either way the optimiser begins afresh. With `drawings` uint8
        (N, 28, 28) it learns these, and `config.pictures` becomes N. Raises ConfigError if a run is there already, so
        that none is ever overwritten, or if `first` or the number of drawings does not fit.
        """
        config = replace(config, pictures=0 if drawings is None else len(drawings))
        state = TrainState.fresh(model, config, placement)
        run = cls(directory, state, config, schedule or ScheduleConfig(), placement, drawings=drawings)
        if first is not None:
            check_schedule(first.schedule, run.schedule)
            same = first.model.config == model
            weights = (first.model if same else widened(first.model, model, seed=config.seed)).state_dict()
            state.model.load_state_dict(weights)
            state.ema.load_state_dict(weights)
            run.grown_from = replace(first.provenance, width=first.model.config.hidden)
        if run.state_path.exists():
            raise ConfigError(f"{directory} already holds a run: add --resume to continue it, or choose another --out")
        return run

    @classmethod
    def resume(cls, directory: Path, placement: Placement) -> "Run":
        """Resume a run where it was last saved; raise CheckpointError if there is none or it is damaged."""
        path = directory / "run.safetensors"
        if not path.exists():
            raise CheckpointError("{folder} holds no run to resume", folder=directory)
        state, config, schedule = load_run(path, placement)
        for leftover in directory.glob(".*.safetensors.*"):  # a kill in the middle of a save
            leftover.unlink(missing_ok=True)
        run = cls(directory, state, config, schedule, placement, read_settings(path).grown_from, saved=True)
        if config.pictures:
            run.drawings = read_drawings(run.drawings_path, config.pictures)
        return run

    def train(self, *, save_every: float = SAVE_EVERY_SECONDS, turn: Turn = at_once) -> Generator[Progress, None, None]:
        """Train to the end, each step in a `turn`; save every `save_every` seconds and when the iterator is closed.

        Files are written between two turns: the state then stands still, at the end of a step, and nobody else who
        asks for a turn waits for the disk. Raises TrainingError, the weights from before that step saved.
        """
        pictures, schedule = self.training_pictures, Schedule.from_config(self.schedule)
        self.save()  # finds out now, not in half a minute, that the directory cannot be written
        saved = time.monotonic()
        steps = train(self.state, schedule, pictures, self.config, ranks=self.ranks)
        try:
            while (progress := turn(lambda: next(steps, None))) is not None:
                if time.monotonic() - saved >= save_every:
                    self.save()
                    saved = time.monotonic()
                yield progress
        except GeneratorExit:  # closed by the caller
            self.save()
            raise
        except TrainingError as error:
            try:
                self.save()
            except CheckpointError as failure:
                raise CheckpointError(
                    "{error}; then {failure}", error=sentence_in(error), failure=sentence_in(failure)
                ) from None
            raise TrainingError(
                "{error}; the weights from before that step are kept", error=sentence_in(error)
            ) from None
        self.save()

    def record(
        self, *, save_every: float = SAVE_EVERY_SECONDS, turn: Turn = at_once
    ) -> Generator[Progress, None, None]:
        """Train as `train` does, and keep the run's history and snapshots beside it (`recorder.record`)."""
        return record(
            self.train(save_every=save_every, turn=turn),
            state=self.state,
            directory=self.directory,
            schedule=Schedule.from_config(self.schedule),
            digits=self.held_out_pictures,
            turn=turn,
        )

    def held_out(self, count: int) -> Iterator[HeldOut]:
        """Measure the averaged weights on the first `count` of `held_out_pictures`, ten timesteps each."""
        digits = self.held_out_pictures
        device = self.placement.device
        schedule = Schedule.from_config(self.schedule)
        yield from held_out_loss(self.state.ema, schedule, digits[:count], per_digit=TIMESTEPS_PER_DIGIT, device=device)

    def save(self, held_out: HeldOut | None = None) -> None:
        """Write the state and the checkpoint, each atomically; `held_out` goes into the checkpoint's provenance.

        Raises CheckpointError when that fails, or when the run was deleted after an earlier save: it stays deleted.
        """
        if not self.ranks.first:
            return
        if self.saved and not self.directory.is_dir():
            raise CheckpointError("{folder} was deleted while its run was training", folder=self.directory)
        if not self.saved:
            try:
                self.directory.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise CheckpointError("cannot write {path}: {why}", path=self.directory, why=error.strerror) from None
        if self.drawings is not None and not self.saved:  # first: a run without them could not go on
            write_drawings(self.drawings_path, self.drawings)
        save_run(self.state_path, self.state, self.config, self.schedule, self.grown_from)
        save(self.checkpoint_path, Checkpoint(self.state.ema, self.schedule, self.provenance(held_out)))
        self.saved = True

    def provenance(self, held_out: HeldOut | None = None) -> Provenance:
        """Return how and on what these weights were trained."""
        config, state = self.config, self.state
        model = state.model.config
        return Provenance(
            preset=next((name for name, known in PRESETS.items() if known == model), "custom"),
            width=model.hidden,
            data=self._data(),
            classes=config.classes,
            pictures=config.pictures or None,
            seed=config.seed,
            grown_from=self.grown_from,
            steps=state.step,
            images_seen=state.step * config.batch,
            batch=config.batch,
            lr=config.lr,
            lr_schedule=f"linear warm-up over {config.warmup} steps, cosine to zero over the run",
            optimizer={
                "adamw": "AdamW, betas 0.9 and 0.999, no weight decay",
                "muon": "Muon, momentum 0.95, for the blocks' convolutions; AdamW, betas 0.9 and 0.999, for the rest",
            }[config.optimizer],
            grad_clip=config.grad_clip,
            ema_decay=config.ema_decay,
            loss_weight=config.loss_weight,
            p2_k=config.p2_k if config.loss_weight == "p2" else None,
            p2_gamma=config.p2_gamma if config.loss_weight == "p2" else None,
            min_snr_gamma=config.min_snr_gamma if config.loss_weight == "min_snr" else None,
            middle=config.middle or None,
            length=f"{config.epochs} epochs" if config.epochs is not None else f"{config.minutes} minutes",
            hardware=self.hardware,
            wall_seconds=round(state.seconds, 1),
            final_loss=_finite(state.loss),
            held_out=_held_out_record(held_out) if held_out else None,
            saved=datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
            versions={
                "python": platform.python_version(),
                **{name: package_metadata.version(name) for name in ("torch", "torchvision", "safetensors")},
            },
        )

    def _data(self) -> str:
        """Say what it learns from, and what it is measured on where that is not MNIST's test set."""
        if self.drawings is None:
            return f"MNIST training set, {len(self.training_pictures)} digits"
        mixed = f" and MNIST's {' '.join(map(str, self.config.classes))}" if self.config.classes else ""
        return (
            f"{len(self.drawings)} hand-made drawings with their variations{mixed}, "
            f"{len(self.training_pictures)} pictures; held out are {FRESH} other variations of the same drawings"
            + (f", and test digits{mixed.replace(' and MNIST', ' of MNIST')}" if mixed else "")
        )


def _held_out_record(held_out: HeldOut) -> HeldOutRecord | None:
    if _finite(held_out.loss) is None:
        return None
    by_tenth = tuple(map(_finite, held_out.by_tenth))
    return HeldOutRecord(held_out.loss, by_tenth, held_out.total // TIMESTEPS_PER_DIGIT)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
