"""The record of a training run, written between its steps, so that a page can follow it live or later.

Snapshots (digits from the same sixteen noises, the held-out loss, the weights) take a bounded share of the time; the
seconds that they took are part of the record.
"""

import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import torch
from torch import Tensor

from ddpm_demo.core.sampling import EpsModel
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.machine.scheduler import Turn, at_once
from ddpm_demo.training import snapshots
from ddpm_demo.training.held_out import held_out_loss
from ddpm_demo.training.history import History, Line
from ddpm_demo.training.loop import Progress, TrainState
from ddpm_demo.training.snapshots import Snapshot

SHARE = 0.02  # of the training time for the extras; what they cost is only known afterwards, and must stay below 3 %
LOAN_SECONDS = 2.0  # the first digits may come before they are earned, if they cost no more than this
FIRST_SNAPSHOT_SECONDS = 3.0
SNAPSHOT_EVERY_SECONDS = 30.0
LINE_EVERY_SECONDS = 0.5
TENTHS_EVERY_SECONDS = 3.0
WATCHED_DIGITS = 128
RECENT = 0.98  # how much of the loss per tenth is kept from step to step: about the last fifty steps count


def record(
    steps: Generator[Progress, None, None],
    *,
    state: TrainState,
    directory: Path,
    schedule: Schedule,
    digits: Tensor,
    turn: Turn = at_once,
) -> Generator[Progress, None, None]:
    """Hand on the `steps` of a training that changes `state`, and keep its history and snapshots in `directory`.

    `digits`, uint8 (N, 28, 28), are some that it does not train on. Every call of the network for a snapshot takes a
    `turn` of its own. Closing the iterator closes `steps`, and so does an error: DemoError when something cannot be
    written. The state in memory is then still whole, at the end of a step.
    """
    with closing(steps):
        snapshots.forget_after(directory, state.step)
        recorder = _Recorder(state, directory, schedule, digits[:WATCHED_DIGITS], turn)
        for progress in steps:
            recorder.note(progress)
            yield progress
    recorder.finish()


class _PatientModel:
    """A network that takes a turn for every call, and adds up how long it has waited for turns."""

    def __init__(self, model: EpsModel, turn: Turn) -> None:
        self.model, self.turn, self.waited = model, turn, 0.0

    def __call__(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return eps_hat, as the network does."""
        asked = time.perf_counter()

        def answer() -> Tensor:
            self.waited += time.perf_counter() - asked
            return self.model(x_t, t)

        return self.turn(answer)


class _Recorder:
    """Decides what is written when."""

    def __init__(self, state: TrainState, directory: Path, schedule: Schedule, digits: Tensor, turn: Turn) -> None:
        self.turn, self.waited = turn, 0.0  # seconds waited for turns: others worked then
        self.state, self.directory, self.schedule, self.held_out_digits = state, directory, schedule, digits
        self.history = History(directory, step=state.step)
        before = [line["extras"] for line in self.history.lines if "extras" in line]
        self.extras = float(before[-1]) if before else 0.0  # seconds, over all sittings
        made = snapshots.listed(directory)
        self.last_snapshot = made[-1].seconds if made else 0.0
        self.last_step = 0  # of a snapshot of this sitting
        self.cost: float | None = None  # seconds of one snapshot
        self.last_line = self.last_tenths = float("-inf")
        self.progress: Progress | None = None
        self.line_step, self.line_seconds = state.step, state.seconds
        self.sums, self.counts = torch.zeros(10, dtype=torch.float64), torch.zeros(10, dtype=torch.float64)

    def note(self, progress: Progress) -> None:
        """Note a step, and write what is due."""
        began, waited = time.perf_counter(), self.waited
        self._add_tenths(progress)
        self.progress = progress
        seconds = progress.seconds
        if seconds - self.last_line >= max(LINE_EVERY_SECONDS, seconds / 1000):  # a long run has no more lines to read
            self._write_loss(progress)
        if seconds - self.last_tenths >= max(TENTHS_EVERY_SECONDS, seconds / 100):
            self.last_tenths = seconds
            self._write("tenths", tenths=_rounded((self.sums / self.counts).tolist()))
        if self._snapshot_is_due(progress):
            self.snapshot()
        self.extras += time.perf_counter() - began - (self.waited - waited)

    def finish(self) -> None:
        """Write the end of the history: training is over, so the last snapshot takes no time from it."""
        if self.progress is not None and self.progress.seconds > self.last_line:
            self._write_loss(self.progress)
        self.snapshot()
        self._write("end", total=self.state.step)

    def snapshot(self) -> None:
        """Draw the sixteen digits with both sets of weights, measure the held-out loss, and keep the averaged ones."""
        began, state = time.perf_counter(), self.state
        device = next(state.model.parameters()).device
        if state.step == self.last_step:  # none, or the last step of all has its snapshot already
            return
        models = [_PatientModel(model, self.turn) for model in (state.model, state.ema)]
        plain, ema = (snapshots.draw(model, self.schedule, device) for model in models)
        snapshot = Snapshot(state.step, state.seconds, True)
        snapshots.keep(self.directory, snapshot, ema, plain, state.ema)
        *_, held = held_out_loss(models[1], self.schedule, self.held_out_digits, per_digit=1, batch=64, device=device)
        self._write("held_out", loss=round(held.loss, 6), tenths=_rounded(held.by_tenth))
        self.last_snapshot, self.last_step = state.seconds, state.step
        waited = sum(model.waited for model in models)
        self.waited += waited
        self.cost = time.perf_counter() - began - waited

    def _snapshot_is_due(self, progress: Progress) -> bool:
        seconds = progress.seconds
        # more often at first, when more happens
        if seconds - self.last_snapshot < min(SNAPSHOT_EVERY_SECONDS, max(FIRST_SNAPSHOT_SECONDS, seconds / 4)):
            return False
        cost = self.cost if self.cost is not None else self._guessed_cost(progress)
        allowed = SHARE * seconds
        if self.last_snapshot == 0.0:
            allowed = max(allowed, LOAN_SECONDS)
        return self.extras + cost <= allowed

    def _guessed_cost(self, progress: Progress) -> float:
        """Guess from the pace of training, where a digit costs about three times what it costs the network alone."""
        one = progress.seconds / progress.images / 3
        return one * (2 * snapshots.DIGITS * snapshots.SAMPLER.steps + WATCHED_DIGITS)

    def _add_tenths(self, progress: Progress) -> None:
        tenth = (progress.t * 10 // len(self.schedule)).cpu()
        self.sums.mul_(RECENT).index_add_(0, tenth, progress.error.double().cpu())
        self.counts.mul_(RECENT).index_add_(0, tenth, torch.ones(len(tenth), dtype=torch.float64))

    def _write_loss(self, progress: Progress) -> None:
        passed = progress.seconds - self.line_seconds
        batch = progress.images / progress.step
        rate = batch * (progress.step - self.line_step) / passed if passed > 0 else 0.0
        self.last_line = self.line_seconds = progress.seconds
        self.line_step = progress.step
        self._write(
            "loss",
            loss=round(progress.loss, 6),
            mean=round(self.state.loss, 6),
            lr=float(f"{progress.lr:.4g}"),
            rate=round(rate, 1),
            total=progress.total,
            extras=round(self.extras, 3),
        )

    def _write(self, kind: str, **values: object) -> None:
        line: Line = {"kind": kind, "step": self.state.step, "seconds": round(self.state.seconds, 3), **values}
        self.history.add(line)


def _rounded(values: "tuple[float, ...] | list[float]") -> list[float | None]:
    """Return numbers as JSON can hold them: None for NaN, where no digit fell into a tenth."""
    return [round(value, 6) if value == value else None for value in values]
