"""The bench of the browser: what its rows say of a goal, and that ways take turns; what it measures is the page's."""

import os

import pytest

from ddpm_demo.bench.browser import GoalRow, best_of_turns
from ddpm_demo.bench.device_class import bench_device_class, processor_seconds
from ddpm_demo.commands.bench import goal_words
from ddpm_demo.core.config import ConfigError


@pytest.mark.parametrize(
    ("goal", "missed_by"),
    [
        ({"at_most": 0.5}, 2.0),
        ({"at_most": 1.0}, None),
        ({"at_least": 1.0}, None),
        ({"at_least": 4.0}, 4.0),
        ({}, None),
    ],
)
def test_by_how_much_a_goal_is_missed(goal, missed_by):
    assert GoalRow("it", 1.0, "s", **goal).missed_by == missed_by


def test_what_a_row_says():
    row = GoalRow("a film", 1.5, "times", at_most=1.0, ours=3.0, beside=2.0, each="s").as_row()
    assert goal_words(row) == "a film: 1.5 times (3 s beside 2 s); goal at most 1: missed by 1.50 times"
    reached = GoalRow("a drag", 61.0, "a second", at_least=60.0).as_row()
    assert goal_words(reached) == "a drag: 61 a second; goal at least 60: reached"


def test_ways_take_turns_and_the_best_counts():
    turns = []

    def way(name, *seconds):
        left = iter(seconds)
        return lambda: (turns.append(name), next(left))[1]

    assert best_of_turns({"a": way("a", 3, 1, 2), "b": way("b", 4, 6, 5)}, 3) == {"a": 1, "b": 4}
    assert turns == ["a", "b"] * 3


def test_a_class_of_devices_is_bounded():
    with pytest.raises(ConfigError, match="3 to 1000"):
        next(bench_device_class(visitors=(2,)))


def test_the_processors_time_is_the_systems():
    before = processor_seconds(os.getpid())
    times = os.times()
    assert before - 0.05 <= times.user + times.system <= processor_seconds(os.getpid()) + 0.05
