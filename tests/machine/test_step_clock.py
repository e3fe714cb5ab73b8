"""The clock that stands still while nothing runs, by a clock of the test's own."""

import pytest

from ddpm_demo.machine.step_clock import StepClock


class Time:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


def steps(clock, time, *lengths):
    for length in lengths:
        time.now += length
        clock.tick()
    return clock.seconds


def test_what_is_awake_counts_whole(time):
    clock = StepClock(7.0, now=time)
    assert steps(clock, time, 60.0, 0.5, 0.5, 4.9, 0.5) == pytest.approx(7.0 + 66.4)  # the first one compiled


@pytest.mark.parametrize("asleep", [6.0, 30.0, 8 * 3600.0])
def test_time_asleep_counts_as_one_usual_step(time, asleep):
    clock = StepClock(now=time)
    assert steps(clock, time, 0.5, 0.5, 0.5, 0.5 + asleep, 0.5) == pytest.approx(2.5)
    assert steps(clock, time, 0.5 + asleep, 0.5 + asleep) == pytest.approx(3.5)


def test_a_slow_machine_is_not_taken_for_one_asleep(time):
    clock = StepClock(now=time)
    assert steps(clock, time, *[20.0] * 5, 90.0, 20.0) == pytest.approx(210.0)
    assert steps(clock, time, 3600.0) < 240.0
