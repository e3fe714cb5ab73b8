"""Races and branches for many: each computed once, for everybody, from the first message on."""

import asyncio
import json
import threading
from urllib.parse import urlencode

import gradio as gr
import pytest

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.machine.scheduler import NETWORK, Kind
from ddpm_demo.store import checkpoint
from ddpm_demo.store.checkpoint import Checkpoint
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.ui.film.race_tab import build_race
from ddpm_demo.ui.parts import run_stream, shared_runs
from ddpm_demo.ui.parts.run_stream import GONE, RunStream
from ddpm_demo.ui.parts.shared_runs import RUNS, SharedRun, SharedRuns, origin
from tests.event_loop import in_loop


@pytest.fixture
def run_chosen(tiny, tmp_path):
    """What the button of a race of one's own calls."""
    path = tmp_path / "own.safetensors"
    checkpoint.save(path, Checkpoint(tiny, ScheduleConfig(), Provenance()))
    with gr.Blocks() as demo:
        build_race({"own": path}, gr.Dropdown(["own"]), gr.Slider(), gr.Dropdown())
    return next(entry.fn for entry in demo.fns.values() if entry.name == "run_chosen")


def test_a_race_is_computed_once_and_says_so(run_chosen):
    wanted = ("own", ["DDIM, 10 steps", "DDPM, 10 steps"], 2, 3)
    words, first = run_chosen(*wanted)
    messages = list(RUNS.get(first["run"]).read())
    turns = NETWORK.turns[Kind.FILM]
    words_again, again = run_chosen(*wanted)
    assert list(RUNS.get(again["run"]).read()) == messages
    assert NETWORK.turns[Kind.FILM] == turns
    assert first["press"] != again["press"]  # the page begins each of them
    assert words == words_again == "### A race of your own"
    assert again["origin"].startswith("From memory: computed here at ")
    list(RUNS.get(run_chosen(*wanted[:3], 4)[1]["run"]).read())
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
    threads = [threading.Thread(target=lambda: got.append(list(run.read()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [[{"k": k} for k in range(50)]] * 8
    assert source.made == 50


def test_a_run_that_nobody_reads_rests_and_goes_on_for_the_next():
    source = Source(5)
    run = SharedRun(source.begin())
    first = run.read()
    assert [next(first)["k"], next(first)["k"]] == [0, 1]
    first.close()
    assert source.made == 2
    assert origin(run) == "Already under way: it is computed once for everybody."
    assert [message["k"] for message in run.read()] == [0, 1, 2, 3, 4]
    assert source.made == 5
    assert origin(run).startswith("From memory: computed here at ")
    assert run.over


def test_an_error_reaches_its_readers_and_is_not_remembered():
    runs, source = SharedRuns(), Source(1, ZeroDivisionError())
    run = runs.ask("a", source.begin)
    assert origin(run) == ""
    for _ in range(2):  # everybody who reads it is told
        with pytest.raises(ZeroDivisionError):
            list(run.read())
    again = runs.ask("a", Source(2).begin)
    assert again is not run
    assert len(list(again.read())) == 2
    assert runs.ask("a", source.begin) is again


def test_only_so_many_are_kept_and_the_one_that_was_not_used_goes(monkeypatch):
    monkeypatch.setattr(shared_runs, "KEPT_RUNS", 2)
    runs = SharedRuns()
    first, second = (runs.ask(key, Source(1).begin) for key in "ab")
    assert runs.ask("a", Source(1).begin) is first
    runs.ask("c", Source(1).begin)
    assert runs.ask("a", Source(1).begin) is first
    assert runs.ask("b", Source(1).begin) is not second


def test_a_run_of_ones_own_is_found_by_its_name_and_forgotten_when_nobody_asks(monkeypatch):
    runs = SharedRuns()
    mine, ours = runs.begin(Source(1).begin()), runs.ask("a", Source(1).begin)
    assert (runs.get(mine.name), runs.get(ours.name)) == (mine, ours)
    assert [runs.get(name) for name in (None, "", "a", ["a"], {})] == [None] * 5
    monkeypatch.setattr(shared_runs, "FORGET_SECONDS", 0.0)
    assert (runs.get(mine.name), runs.get(ours.name)) == (None, ours)


def events_of(text):
    """The events of a stream: (name, number, data) each."""
    fields = [dict(line.split(": ", 1) for line in block.split("\n")) for block in text.decode().split("\n\n") if block]
    return [(f.get("event", "message"), f.get("id"), json.loads(f["data"])) for f in fields if "data" in f]


async def answer_to(runs, query, sent=None, **headers):
    """The events that a page gets whose visitor stays to the end; they are added to `sent` as they come."""
    sent = [] if sent is None else sent

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    await RunStream(runs)({"query_string": urlencode(query).encode(), "headers": named}, receive, send)
    return events_of(b"".join(message.get("body", b"") for message in sent))


@in_loop
async def test_a_stream_brings_the_whole_run_and_goes_on_where_it_was_cut():
    runs = SharedRuns()
    run = runs.begin(Source(4).begin())
    expected = [("message", str(k), {"k": k}) for k in range(4)]
    assert await answer_to(runs, {"run": run.name}) == [("here", None, {}), *expected, ("over", None, {})]
    rest = await answer_to(runs, {"run": run.name}, last_event_id="1")
    assert rest == [("here", None, {}), *expected[2:], ("over", None, {})]
    assert (await answer_to(runs, {"run": run.name, "after": "²"}))[1:5] == expected  # what is no number is none


@in_loop
async def test_short_questions_bring_what_there_is_and_nobody_makes_more_between_them(monkeypatch):
    monkeypatch.setattr(run_stream, "POLL_SECONDS", 0.0)
    runs, source = SharedRuns(), Source(3)
    run = runs.begin(source.begin())
    assert await answer_to(runs, {"run": run.name, "poll": "1"}) == [("here", None, {})]
    assert source.made == 0
    run.make(0)
    run.make(1)
    got = await answer_to(runs, {"run": run.name, "poll": "1", "after": "0"})
    assert got == [("here", None, {}), ("message", "1", {"k": 1})]
    monkeypatch.setattr(run_stream, "POLL_SECONDS", 60.0)
    got = await answer_to(runs, {"run": run.name, "poll": "1", "after": "1"})
    assert got == [("here", None, {}), ("message", "2", {"k": 2}), ("over", None, {})]


@in_loop
async def test_a_message_that_takes_long_gives_signs_of_life_and_is_made_once(monkeypatch):
    monkeypatch.setattr(run_stream, "SIGN_SECONDS", 0.01)
    runs, go, made = SharedRuns(), threading.Event(), []

    def slow():
        made.append(True)
        go.wait()
        yield {"k": 0}

    run = runs.begin(slow())
    sent = []
    answer = asyncio.ensure_future(answer_to(runs, {"run": run.name}, sent))
    monkeypatch.setattr(run_stream, "POLL_SECONDS", 0.05)
    for _ in range(3):
        assert {name for name, _, _ in await answer_to(runs, {"run": run.name, "poll": "1"})} == {"here"}
    while len(sent) < 6:  # the head, and signs of life
        await asyncio.sleep(0.01)
    go.set()
    got = await answer
    assert got[-2:] == [("message", "0", {"k": 0}), ("over", None, {})]
    assert {name for name, _, _ in got[:-2]} == {"here"}
    assert len(got) > 4
    assert made == [True]


@in_loop
async def test_what_goes_wrong_is_one_sentence_and_what_is_not_remembered_too():
    runs = SharedRuns()
    run = runs.begin(Source(1, ConfigError("too many")).begin())
    for _ in range(2):
        got = await answer_to(runs, {"run": run.name})
        assert got[1:] == [("message", "0", {"k": 0}), ("refused", None, {"error": "too many"}), ("over", None, {})]
    for query in ({"run": "gone"}, {}):
        assert (await answer_to(runs, query))[1:] == [("refused", None, {"error": GONE}), ("over", None, {})]
