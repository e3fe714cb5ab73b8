"""A clock that stands still while nothing is done: a suspended process, a closed laptop, a paused container."""

import time
from collections.abc import Callable

AWAKE = 5.0  # seconds from one step to the next that always count
TIMES_USUAL = 10  # and so many times the usual step: more than that was no step
SMOOTH = 0.9  # share of the usual step kept from step to step


class StepClock:
    """Counts the seconds in which steps were taken.

    From one step to the next everything counts, also what is done between them, unless it is far longer than a step
    takes: then nothing was running, and a usual step counts instead. The first step may take as long as it likes, it
    may compile.
    """

    def __init__(self, seconds: float = 0.0, *, now: Callable[[], float] = time.perf_counter) -> None:
        """Begin with the seconds that count already."""
        self.seconds, self._now = seconds, now
        self._last, self._usual, self._steps = now(), 0.0, 0

    def tick(self) -> float:
        """Note that a step has been taken, and return the seconds so far."""
        now = self._now()
        passed, self._last = now - self._last, now
        if self._steps > 1 and passed > max(AWAKE, TIMES_USUAL * self._usual):
            passed = self._usual
        # what the first step sets up is not usual
        self._usual = passed if self._steps < 2 else SMOOTH * self._usual + (1 - SMOOTH) * passed
        self._steps += 1
        self.seconds += passed
        return self.seconds
