"""How long training would take here: a few real steps, timed."""

from dataclasses import dataclass, replace

from torch import Tensor

from ddpm_demo.core.config import ModelConfig
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.device import Placement
from ddpm_demo.machine.scheduler import Turn, at_once
from ddpm_demo.training.loop import TrainState, train
from ddpm_demo.training.recipes import TrainConfig
from ddpm_demo.training.training_set import training_pictures

WARM_STEPS = 2  # the first steps also set things up
MAX_STEPS = 40
SECONDS = 3.0


@dataclass(frozen=True)
class Estimate:
    """The pace that was measured, and what it means for the run that was asked for."""

    images_per_second: float
    measured_steps: int
    digits: int
    batch: int
    steps: float
    seconds: float

    @property
    def epochs(self) -> float:
        """How often every digit would be seen."""
        return self.steps / (self.digits // self.batch)


def estimate(
    model: ModelConfig,
    schedule: ScheduleConfig,
    config: TrainConfig,
    placement: Placement,
    turn: Turn = at_once,
    *,
    drawings: Tensor | None = None,
) -> Estimate:
    """Train a network that is thrown away for about SECONDS, each step in a `turn`, and count; raise DemoError."""
    digits = training_pictures(config, drawings)
    endless = replace(config, epochs=1000.0, minutes=None)
    steps = train(TrainState.fresh(model, endless, placement), Schedule.from_config(schedule), digits, endless)
    begun, done, passed = 0.0, 0, 0.0
    for k in range(WARM_STEPS + MAX_STEPS):
        progress = turn(lambda: next(steps))
        done = k + 1 - WARM_STEPS
        if done == 0:
            begun = progress.seconds
        passed = progress.seconds - begun
        if done > 0 and passed > SECONDS:
            break
    pace = done * config.batch / passed
    if config.minutes is not None:
        seconds = 60 * config.minutes
        total = seconds * pace / config.batch
    else:
        total = max(1.0, round((config.epochs or 0.0) * (len(digits) // config.batch)))
        seconds = total * config.batch / pace
    return Estimate(pace, done, len(digits), config.batch, total, seconds)
