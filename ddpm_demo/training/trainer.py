"""The one trainer of a server: a thread outside any page's event, that goes on when every page is closed."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ddpm_demo.core.config import DemoError
from ddpm_demo.machine.limits import max_minutes
from ddpm_demo.machine.scheduler import Turn, at_once
from ddpm_demo.training.loop import Progress, TrainingError
from ddpm_demo.training.notes import without_folder
from ddpm_demo.training.run import SAVE_EVERY_SECONDS, Run
from ddpm_demo.training.run_lock import RunLock
from ddpm_demo.words.sentence import say, sentence_in

Phase = Literal["idle", "starting", "training", "paused", "finishing"]
Wish = Literal["train", "pause", "stop"]
LOG = logging.getLogger(__name__)
FINAL_DIGITS = 100  # ten timesteps each, at the end of a run
MOST_PAUSE = 300  # seconds that a run may stand still while another waits for its place


@dataclass(frozen=True)
class Status:
    """What the trainer is doing, with which run, how far it is, and in one sentence what last went wrong."""

    phase: Phase
    run: str | None = None
    progress: Progress | None = None
    note: str = ""


class Trainer:
    """Trains one run at a time, in a thread of its own; `turn` is taken for every step, so that others have theirs."""

    def __init__(
        self,
        turn: Turn = at_once,
        *,
        save_every: float = SAVE_EVERY_SECONDS,
    ) -> None:
        self._turn, self._save_every = turn, save_every
        self._changed = threading.Condition()
        self._status = Status("idle")
        self._wish: Wish = "train"
        self._thread: threading.Thread | None = None
        self._freed: Callable[[], object] = lambda: None
        self._others_wait: Callable[[], bool] = lambda: False

    def when_free(self, call: Callable[[], object]) -> None:
        """Call this, in the trainer's own thread, each time a run has ended and another can start."""
        self._freed = call

    def give_way(self, others_wait: Callable[[], bool]) -> None:
        """From now on save and end a run that is paused for MOST_PAUSE seconds while this, which is quick, is true."""
        self._others_wait = others_wait

    @property
    def status(self) -> Status:
        """What it is doing now."""
        return self._status

    def start(self, directory: Path, make: Callable[[], Run]) -> None:
        """Train what `make` returns, in that directory; raise DemoError if another run is under way or it is locked.

        Errors of `make` itself end up in the status: it may take a while, and nobody waits for it.
        """
        with self._changed:
            self.must_be_free()
            lock = RunLock(directory)
            thread = threading.Thread(target=self._work, args=(directory, lock, make), name="trainer", daemon=True)
            try:
                thread.start()  # it waits for `_changed`
            except RuntimeError:
                lock.release()
                raise DemoError("this computer allows no more threads, so the run was not started") from None
            self._wish, self._status, self._thread = "train", Status("starting", directory.name), thread

    @property
    def busy(self) -> bool:
        """Whether it has a run, even a paused one."""
        return self._status.phase != "idle"

    def must_be_free(self) -> None:
        """Raise DemoError while it has a run."""
        if self.busy:
            raise DemoError("another run is training here, and only one can train at a time: stop it first")

    def pause(self) -> None:
        """Hold the run between two steps, saved, its state kept in memory."""
        self._tell("pause")

    def go_on(self) -> None:
        """Go on with a paused run."""
        self._tell("train")

    def stop(self) -> None:
        """Save the run and end its training here."""
        self._tell("stop")

    def wait(self, timeout: float | None = None) -> None:
        """Wait until training has ended, at most `timeout` seconds."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _tell(self, wish: Wish) -> None:
        with self._changed:
            if not self.busy:
                raise DemoError("no run is training here")
            if self._wish != "stop":
                self._wish = wish
            self._changed.notify_all()

    def _work(self, directory: Path, lock: RunLock, make: Callable[[], Run]) -> None:
        with self._changed:  # `start` is through
            note = ""
        try:
            with lock:
                run = self._turn(make)
                while True:
                    finished, note = self._train(run, lock)
                    if finished or self._told_to_stop():
                        break
                    with self._changed:  # told to pause, or the disk is full: the state is safe in memory
                        self._set("paused", note)
                        if not self._go_on_in_time():
                            note = say(
                                "it was paused for {minutes:g} minutes while another run waited: it was saved and "
                                "made way",
                                minutes=MOST_PAUSE / 60,
                            )
                            self._wish = "stop"
                        if self._told_to_stop():
                            run.save()  # it may be that the disk was full before
                            break
                        self._set("starting")
        except Exception as error:  # whatever it is, nobody else would hear of it
            note = _sentence(error)
            if not isinstance(error, DemoError):
                LOG.exception("training %s ended by an error", directory.name)
        except BaseException:
            note = say("the server ended the training")
            raise
        finally:
            self._set("idle", without_folder(note, directory.parent))
        self._freed()

    def _train(self, run: Run, lock: RunLock) -> tuple[bool, str]:
        """Train until it is done or told otherwise; return whether the run is over, and what went wrong."""
        limit = 60 * max_minutes()
        try:
            with closing(run.record(save_every=self._save_every, turn=self._turn)) as steps:
                while self._wish == "train":
                    if not lock.holds:  # before anything is written: a deleted run must not half come back
                        raise DemoError("deleted")
                    if run.state.seconds >= limit:
                        return True, say("stopped and saved at the limit of {minutes:g} minutes", minutes=limit / 60)
                    progress = next(steps, None)
                    if progress is None:
                        self._finish(run)
                        return True, ""
                    with self._changed:
                        self._status = Status("training", run.directory.name, progress)
            return False, ""
        except TrainingError as error:
            return True, sentence_in(error)
        except DemoError as error:
            if not lock.holds:
                return True, say("the run's directory was deleted during training, so the run was stopped")
            with self._changed:  # a Stop pressed meanwhile stands
                self._wish = "pause" if self._wish == "train" else self._wish
            why = without_folder(sentence_in(error), run.directory.parent)
            return False, say("{why}; what was learned is still in memory: free some disk space, then resume", why=why)

    def _go_on_in_time(self) -> bool:
        """Wait, holding `_changed`, until the pause is over; return False where it must end, since others wait."""
        begun = time.monotonic()
        while not self._changed.wait_for(lambda: self._wish != "pause", timeout=1):
            if self._others_wait() and time.monotonic() - begun >= MOST_PAUSE:
                return False
        return True

    def _finish(self, run: Run) -> None:
        self._set("finishing")
        batches = run.held_out(FINAL_DIGITS)
        while (measured := self._turn(lambda: next(batches, None))) is not None:
            result = measured
            if self._told_to_stop():
                return
        run.save(held_out=result)

    def _told_to_stop(self) -> bool:
        return self._wish == "stop"

    def _set(self, phase: Phase, note: str = "") -> None:
        with self._changed:
            self._status = Status(phase, self._status.run, self._status.progress, note)


def _sentence(error: BaseException) -> str:
    if isinstance(error, DemoError):
        return sentence_in(error)
    if isinstance(error, MemoryError) or "memory" in str(error).lower():
        return say("this computer does not have enough memory for these settings: choose a smaller batch or width")
    if isinstance(error, OSError) and error.strerror:
        return say("a system error ended the training: {why}", why=error.strerror)
    return say(
        "training stopped on an unexpected error ({kind}); the server's log has the details, and Resume continues from "
        "the last save",
        kind=type(error).__name__,
    )
