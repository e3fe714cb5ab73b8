"""Races and branches for many: each computed once, for everybody, from the first message on."""

import threading

import gradio as gr
import pytest

from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.machine.scheduler import NETWORK, Kind
from ddpm_demo.store import checkpoint
from ddpm_demo.store.checkpoint import Checkpoint
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.ui.film import shared_runs
from ddpm_demo.ui.film.race import build_race
from ddpm_demo.ui.film.shared_runs import SharedRun, SharedRuns, origin


@pytest.fixture
def run_chosen(tiny, tmp_path):
    """What the button of a race of one's own calls."""
    path = tmp_path / "own.safetensors"
    checkpoint.save(path, Checkpoint(tiny, ScheduleConfig(), Provenance()))
    with gr.Blocks() as demo:
        build_race({"own": path}, gr.Dropdown(["own"]), gr.Slider(), gr.Dropdown())
    return next(entry.fn for entry in demo.fns.values() if entry.name == "run_chosen")


def test_a_race_is_computed_once_and_says_so(run_chosen, monkeypatch):
    monkeypatch.setattr(shared_runs, "REPLAY_SECONDS", 0.0)
    wanted = ("own", ["DDIM, 10 steps", "DDPM, 10 steps"], 2, 3)
    first = list(run_chosen(*wanted))
    turns = NETWORK.turns[Kind.FILM]
    again = list(run_chosen(*wanted))
    assert NETWORK.turns[Kind.FILM] == turns
    assert [{**value, "run": ""} for _, value in again] == [{**value, "run": ""} for _, value in first]
    assert len({value["run"] for _, value in (*first, *again)}) == 2  # the page begins each of them
    assert first[0][0] == "### A race of your own"
    assert "From memory: computed here at " in again[0][0]
    list(run_chosen(*wanted[:3], 4))
    assert NETWORK.turns[Kind.FILM] == turns + 20


class Source:
    """Messages that are counted as they are made."""

    def __init__(self, count, error=None):
        self.count, self.error, self.made = count, error, 0

    def begin(self):
        for k in range(self.count):
            self.made += 1
            yield {"k": k}
        if self.error:
            raise self.error


def test_many_readers_get_all_messages_and_each_is_made_once():
    source, got = Source(50), []
    run = SharedRun(source.begin())
    threads = [threading.Thread(target=lambda: got.append(list(run.read(0)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [[{"k": k} for k in range(50)]] * 8
    assert source.made == 50


def test_a_run_that_nobody_reads_rests_and_goes_on_for_the_next():
    source = Source(5)
    run = SharedRun(source.begin())
    first = run.read(0)
    assert [next(first)["k"], next(first)["k"]] == [0, 1]
    first.close()
    assert source.made == 2
    assert origin(run) == "Already under way: it is computed once for everybody."
    assert [message["k"] for message in run.read(0)] == [0, 1, 2, 3, 4]
    assert source.made == 5
    assert origin(run).startswith("From memory: computed here at ")
    assert run.source is None


def test_an_error_reaches_its_reader_and_is_not_remembered():
    runs, source = SharedRuns(), Source(1, ZeroDivisionError())
    run = runs.ask("a", source.begin)
    assert origin(run) == ""
    with pytest.raises(ZeroDivisionError):
        list(run.read(0))
    again = runs.ask("a", Source(2).begin)
    assert again is not run
    assert len(list(again.read(0))) == 2
    assert runs.ask("a", source.begin) is again


def test_only_so_many_are_kept_and_the_one_that_was_not_used_goes(monkeypatch):
    monkeypatch.setattr(shared_runs, "KEPT_RUNS", 2)
    runs = SharedRuns()
    first, second = (runs.ask(key, Source(1).begin) for key in "ab")
    assert runs.ask("a", Source(1).begin) is first
    runs.ask("c", Source(1).begin)
    assert runs.ask("a", Source(1).begin) is first
    assert runs.ask("b", Source(1).begin) is not second
