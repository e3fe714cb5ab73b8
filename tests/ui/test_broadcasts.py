"""Films for many visitors: each made once, one a visitor, nothing for those who have gone, and nobody refused."""

import asyncio
import base64
import contextlib
import dataclasses
import json
import zlib
from urllib.parse import quote

import gradio as gr
import numpy as np
import pytest
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.films.film_job import FilmStep, predict
from ddpm_demo.machine.device import answering_placement
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_placed, loaded_as
from ddpm_demo.networks.recommended import RECOMMENDED_GUIDANCE, RECOMMENDED_SAMPLER
from ddpm_demo.store import checkpoint
from ddpm_demo.store.checkpoint import Checkpoint
from ddpm_demo.store.files import GUIDE
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.ui.film import broadcast as one_film
from ddpm_demo.ui.film import broadcasts as rooms
from ddpm_demo.ui.film.broadcasts import Broadcasts
from ddpm_demo.ui.film.event_stream import FilmStream, settings_of_film
from ddpm_demo.ui.film.film_settings import FilmSettings, recommended_settings
from ddpm_demo.ui.film.films import Films
from ddpm_demo.ui.film.form import build_film_form
from ddpm_demo.ui.film.form_words import settings_of_words
from ddpm_demo.ui.film.inspector import inspect_step
from ddpm_demo.ui.parts.bridge import UNEXPECTED
from tests.event_loop import in_loop
from tests.ui.film_messages import film_messages

SPEC = {"variance": "beta", "clip": "none"}  # to the letter; what the page recommends is something else


class ByHand:
    """An executor that takes a step of a film when it is told to."""

    def __init__(self, networks):
        self.networks, self.ring, self.begun = networks, [], 0
        self.closed = False

    def begin(self, walk, listener):
        self.begun += 1
        self.ring.append((walk, listener))

    def stop(self, walk):
        self.ring = [(each, listener) for each, listener in self.ring if each is not walk]

    def seconds_a_step(self, job):
        return 0.5

    def trouble(self):
        return "the roof is being mended" if self.closed else ""

    def step(self, count=1):
        """Take steps, of the films in turn; return how many there were to take."""
        for taken in range(count):
            if not self.ring:
                return taken
            walk, listener = self.ring.pop(0)
            (prediction,) = predict(self.networks[walk.job.network], None, [walk])
            step = walk.advance(prediction)
            if walk.left:
                self.ring.append((walk, listener))
            listener.deliver(FilmStep(step, prediction, 0.5))
        return count


@pytest.fixture
def small(tiny, linear):
    return LoadedNetwork(tiny.eval(), linear, answering_placement(), None, digest="a")


@pytest.fixture
def broadcasts(small, monkeypatch):
    monkeypatch.setattr("ddpm_demo.ui.film.stream.MESSAGES_PER_SECOND", 1e9)
    monkeypatch.setattr(rooms, "GRACE_SECONDS", 0.0)
    return Broadcasts(ByHand({"a": small, "b": small}), Films())


def settings(seed=0, steps=6, n=2):
    return FilmSettings("lite", steps=steps, n=n, seed=seed, **SPEC)


def everything(reader):
    text = b""
    while new := reader.read():
        text += new
    return text


def events(text):
    """The events of a stream: (name, number, data)."""
    found = []
    for block in text.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if "data" in fields:
            found.append((fields.get("event", "message"), fields.get("id"), json.loads(fields["data"])))
    return found


async def a_moment():
    """Let everything happen that is due."""
    for _ in range(5):
        await asyncio.sleep(0.001)


def made(message):
    """Return how far a film was when a message was sent, without how long that took."""
    return {**message["progress"], "seconds": 0, "left": 0}


@in_loop
async def test_a_broadcast_film_is_the_film_that_is_made_alone(broadcasts, small):
    reader = broadcasts.join(broadcasts.ask(small, settings(3)), "one")
    broadcasts.executor.step(100)
    got = [data for _, _, data in events(everything(reader))]
    alone = list(film_messages(small, settings(3), Films()))
    assert len(got) == len(alone) == 8
    for mine, theirs in zip(got, alone, strict=True):
        assert {**mine, "progress": made(mine)} == {**theirs, "progress": made(theirs)}
    assert reader.finished


@in_loop
async def test_five_hundred_on_one_link_cost_one_film_and_all_get_it_from_its_first_frame(broadcasts, small):
    readers = []
    for k in range(500):
        readers.append(broadcasts.join(broadcasts.ask(small, settings()), f"visitor {k}"))
        if k % 100 == 50:
            broadcasts.executor.step()
    broadcasts.executor.step(100)
    late = broadcasts.join(broadcasts.ask(small, settings()), "late")
    texts = {everything(reader) for reader in (*readers, late)}
    assert len(texts) == 1
    assert [data["first"] for _, _, data in events(texts.pop())] == [0, 0, 1, 2, 3, 4, 5, 6]
    assert broadcasts.executor.begun == 1
    assert broadcasts.numbers() | {"memory": 0, "writing_seconds": 0} == {
        "visitors": 501, "films": 0, "in_line": 0, "asked": 501, "joined": 499, "remembered": 1, "finished": 1,
        "steps": 6, "messages": 7, "memory": 0, "writing_seconds": 0,
    }  # fmt: skip


@in_loop
async def test_a_new_press_replaces_the_visitors_older_film_at_once(broadcasts, small):
    old = broadcasts.join(broadcasts.ask(small, settings(1)), "one")
    other = broadcasts.join(broadcasts.ask(small, settings(2)), "two")
    broadcasts.executor.step(2)
    new = broadcasts.join(broadcasts.ask(small, settings(3)), "one")
    everything(old)
    assert old.finished
    assert [walk.job.seed for walk, _ in broadcasts.executor.ring] == [2, 3]
    broadcasts.leave(old)  # its stream ends a little later: that must not end the new one
    broadcasts.executor.step(100)
    assert len(events(everything(new))) == len(events(everything(other))) == 8


@in_loop
async def test_a_film_that_another_visitor_watches_goes_on_without_the_first(broadcasts, small):
    first, second = (broadcasts.join(broadcasts.ask(small, settings()), name) for name in ("one", "two"))
    broadcasts.leave(first)
    await a_moment()
    assert broadcasts.executor.step(100) == 6
    assert len(events(everything(second))) == 8


@in_loop
async def test_who_has_gone_costs_nothing_and_comes_back_to_where_the_film_was(broadcasts, small):
    reader = broadcasts.join(broadcasts.ask(small, settings()), "one")
    broadcasts.executor.step(3)
    *_, (_, last, _) = events(everything(reader))
    broadcasts.leave(reader)
    assert broadcasts.executor.ring  # for a moment: a network may blink
    await a_moment()
    assert broadcasts.executor.ring == []
    back = broadcasts.join(broadcasts.ask(small, settings()), "one", last)
    assert broadcasts.executor.step(100) == 3
    assert [data["first"] for _, _, data in events(everything(back))] == [3, 4, 5, 6]


@in_loop
async def test_who_comes_back_within_the_grace_has_missed_nothing(broadcasts, small, monkeypatch):
    reader = broadcasts.join(broadcasts.ask(small, settings()), "one")
    broadcasts.leave(reader)
    back = broadcasts.join(broadcasts.ask(small, settings()), "one")
    await a_moment()
    broadcasts.executor.step(100)
    assert len(events(everything(back))) == 8
    assert broadcasts.executor.begun == 1


@in_loop
async def test_stop_ends_the_film_now(broadcasts, small):
    reader = broadcasts.join(broadcasts.ask(small, settings()), "one")
    broadcasts.executor.step(2)
    broadcasts.stop("one")
    broadcasts.stop("one")  # once more, and somebody who was never here
    assert broadcasts.executor.ring == []
    everything(reader)
    assert reader.finished


@in_loop
async def test_a_number_of_another_film_is_nothing_to_go_on_from(broadcasts, small):
    first = broadcasts.ask(small, settings(1))
    broadcasts.join(first, "one")
    broadcasts.executor.step(4)
    second = broadcasts.ask(small, settings(2))
    for number in (f"{first.mark}-2", "", "x", "-", f"{second.mark}-", f"{second.mark}-99", f"{second.mark}--1"):
        assert second.position_after(number) == 0
    assert first.position_after(f"{first.mark}-2") == 3


@in_loop
async def test_a_changed_file_is_another_film(broadcasts, small):
    first = broadcasts.ask(small, settings())
    assert broadcasts.ask(small, settings()) is first
    assert broadcasts.ask(dataclasses.replace(small, digest="b"), settings()) is not first
    assert broadcasts.ask(small, settings(seed=1)) is not first


@in_loop
async def test_memory_is_bounded_and_a_forgotten_film_still_reaches_its_readers(small, monkeypatch):
    monkeypatch.setattr("ddpm_demo.ui.film.stream.MESSAGES_PER_SECOND", 1e9)
    broadcasts = Broadcasts(ByHand({"a": small}), Films(memory=300_000))
    readers = [broadcasts.join(broadcasts.ask(small, settings(seed)), str(seed)) for seed in range(8)]
    texts = [b""] * 8
    while broadcasts.executor.step():
        await asyncio.sleep(0)
        for k, reader in enumerate(readers):
            texts[k] += everything(reader)
        assert broadcasts.films.bytes <= 300_000
    for seed, text in enumerate(texts):
        assert [data["first"] for _, _, data in events(text)] == [0, 0, 1, 2, 3, 4, 5, 6]
        *_, end = film_messages(small, settings(seed), Films())
        assert events(text)[-1][2]["x_t"] == end["x_t"]
    forgotten = [reader.broadcast.forgotten for reader in readers]
    assert any(forgotten)
    assert not all(forgotten)
    held = sum(len(b"".join(reader.broadcast.parts_from(reader.broadcast._dropped))) for reader in readers)
    assert held <= 300_000
    begun = broadcasts.executor.begun
    for seed, reader in enumerate(readers):
        again = broadcasts.ask(small, settings(seed))
        assert (again is reader.broadcast) != forgotten[seed]
    assert broadcasts.executor.begun == begun


@in_loop
async def test_who_does_not_read_is_not_waited_for_while_memory_is_short(small, monkeypatch):
    monkeypatch.setattr("ddpm_demo.ui.film.stream.MESSAGES_PER_SECOND", 1e9)
    monkeypatch.setattr(one_film, "BEHIND", 30_000)
    broadcasts = Broadcasts(ByHand({"a": small}), Films(memory=100_000))
    readers = [broadcasts.join(broadcasts.ask(small, settings(seed, steps=30)), str(seed)) for seed in range(4)]
    while broadcasts.executor.step():
        await asyncio.sleep(0)
        everything(readers[1])
    kept = [reader.broadcast.length - reader.broadcast._dropped for reader in readers if reader.broadcast.forgotten]
    assert len(kept) == 3
    assert max(kept) <= 12  # of 32
    assert [reader.dropped for reader in readers] == [True, False, True, False]
    assert [reader.broadcast.over for reader in readers] == [False, True, False, True]


@in_loop
async def test_the_place_counts_down_and_the_time_is_that_of_everybodys_steps(broadcasts, small):
    readers = [broadcasts.join(broadcasts.ask(small, settings(seed)), str(seed)) for seed in range(5)]
    last = readers[-1].broadcast
    assert broadcasts.position(last).before == 4
    assert broadcasts.position(last).films == 5
    broadcasts.executor.step(3)
    assert broadcasts.position(last).before == 1
    broadcasts.executor.step(2)
    broadcasts._left = (0.0, [])  # a second later
    broadcasts._passed = broadcasts._busy = 1.0  # nothing else takes any time
    place = broadcasts.position(last)
    assert place.before == 0
    assert place.seconds == pytest.approx(5 * 5 * 0.5)


@in_loop
async def test_an_error_of_the_executor_reaches_every_reader_as_a_sentence_and_is_not_remembered(broadcasts, small):
    film = broadcasts.ask(small, settings())
    reader = broadcasts.join(film, "one")
    broadcasts.executor.ring[0][1].fail(RuntimeError("the roof\nfell in"))
    everything(reader)
    assert reader.finished
    assert film.error == UNEXPECTED
    assert broadcasts.ask(small, settings()) is not film


@in_loop
async def test_past_five_hundred_everybody_gets_a_place_in_line_and_the_first_gets_the_room(
    broadcasts, small, monkeypatch
):
    monkeypatch.setattr(rooms, "MAX_VISITORS", 2)
    readers = [broadcasts.join(broadcasts.ask(small, settings(k)), str(k)) for k in range(2)]
    assert [broadcasts.admit(name) for name in ("1", "c", "d", "c", "e")] == [0, 1, 2, 1, 3]
    broadcasts.leave(readers[0])
    assert [broadcasts.admit(name) for name in ("e", "d", "c", "d")] == [3, 2, 0, 1]
    assert broadcasts.numbers()["in_line"] == 2
    broadcasts.give_up("c")
    assert [broadcasts.admit(name) for name in ("e", "d")] == [2, 0]


class Browser:
    """One request to the stream, as a server passes it on."""

    def __init__(self, stream, wanted=None, visitor="me", method="GET", **headers):
        query = f"visitor={visitor}" + (f"&settings={quote(wanted)}" if wanted is not None else "")
        self.scope = {
            "type": "http", "method": method, "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        self.status, self.text, self.gone, self.ended = None, b"", asyncio.Event(), False
        self.task = asyncio.ensure_future(stream(self.scope, self.receive, self.send))

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.text += message["body"]
            self.ended = not message.get("more_body")

    def names(self):
        return [name for name, _, _ in events(self.text)]


@pytest.fixture
def stream(broadcasts, tiny, tmp_path, linear):

    checkpoint.save(tmp_path / "own.safetensors", Checkpoint(tiny, ScheduleConfig(), Provenance()))

    class Found:
        def __getitem__(self, digest):
            return loaded_as(digest)

    broadcasts.executor.networks = Found()
    return FilmStream({"own": tmp_path / "own.safetensors"}, broadcasts)


def wanted_json(checkpoint="own", **more):
    return json.dumps({"checkpoint": checkpoint, "steps": 6, "n": 2, "seed": 7, **SPEC, **more})


WANTED = wanted_json(guide=None, guide_weight=1)


async def until(condition):
    for _ in range(150_000):  # five minutes: a loaded machine is slow, not wrong
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it did not come to be")


@in_loop
async def test_a_visitor_sees_x_t_and_place_at_once_and_then_the_film_to_its_end(stream, broadcasts):
    browser = Browser(stream, WANTED)
    await until(lambda: browser.names() == ["here", "message", "place"])
    _, (_, _, first), (_, _, place) = events(browser.text)
    x_T = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(7))
    shown = np.frombuffer(zlib.decompress(base64.b64decode(first["x_t"])), np.uint8).reshape(2, 28, 28)
    np.testing.assert_array_equal(shown, ((x_T[:, 0].clamp(-1, 1) + 1) * 127.5).round().byte().numpy())
    assert (place["before"], place["trouble"]) == (0, "")
    while broadcasts.executor.step():
        await asyncio.sleep(0)
    await until(lambda: browser.ended)
    assert browser.names() == ["here", "message", "place", *["message"] * 7, "over"]
    assert browser.headers[b"content-type"].startswith(b"text/event-stream")
    assert "error" not in inspect_step({"run": first["run"], "frame": 2, "digit": 1}, broadcasts.films)
    again = Browser(stream, WANTED, "another")
    await until(lambda: again.ended)
    assert again.names() == ["here", "source", *["message"] * 8, "over"]
    assert events(again.text)[1][2]["from"] == "memory"


@in_loop
async def test_a_closed_stream_costs_nothing(stream, broadcasts):
    browser = Browser(stream, WANTED)
    await until(lambda: "place" in browser.names())
    broadcasts.executor.step(2)
    browser.gone.set()
    await browser.task
    await until(lambda: broadcasts.executor.ring == [])
    assert broadcasts.numbers()["visitors"] == 0


@in_loop
async def test_a_browser_goes_on_after_the_message_that_it_had_last(stream, broadcasts):
    browser = Browser(stream, WANTED)
    await until(lambda: "place" in browser.names())
    broadcasts.executor.step(3)
    await until(lambda: len(events(browser.text)) == 6)
    number = events(browser.text)[4][1]
    back = Browser(stream, WANTED, last_event_id=number)
    await until(lambda: browser.ended)  # it is the same visitor
    assert browser.names()[-1] == "over"
    broadcasts.executor.step(100)
    await until(lambda: back.ended)
    assert [data["first"] for name, _, data in events(back.text) if name == "message"] == [2, 3, 4, 5, 6]
    assert "source" not in back.names()  # nobody else watches it


@in_loop
async def test_delete_stops_a_visitors_film(stream, broadcasts):
    browser = Browser(stream, WANTED)
    await until(lambda: "place" in browser.names())
    delete = Browser(stream, method="DELETE")
    await delete.task
    assert delete.status == 204
    assert broadcasts.executor.ring == []
    await until(lambda: browser.ended)


@in_loop
async def test_others_are_named_only_while_there_are_some(stream, broadcasts, monkeypatch):
    monkeypatch.setattr(rooms, "GRACE_SECONDS", 60.0)
    first = Browser(stream, WANTED, "first")
    await until(lambda: "place" in first.names())
    second = Browser(stream, WANTED, "second")
    await until(lambda: "place" in second.names())
    assert "source" not in first.names()
    assert [data["from"] for name, _, data in events(second.text) if name == "source"] == ["joined"]
    first.gone.set()
    second.gone.set()
    await until(lambda: broadcasts.numbers()["visitors"] == 0)
    reloaded = Browser(stream, WANTED, "third")
    await until(lambda: "place" in reloaded.names())
    assert [data["from"] for name, _, data in events(reloaded.text) if name == "source"] == ["earlier"]
    reloaded.gone.set()
    await reloaded.task


async def glance(stream, after="", visitor="me", wanted=WANTED):
    """One short question: its events, and the number of the last message that is known after it."""
    browser = Browser(stream, wanted, f"{visitor}&poll=1&after={after}")
    await until(lambda: browser.ended)
    await browser.task
    numbers = [number for _, number, _ in events(browser.text) if number]
    return events(browser.text), (numbers or [after])[-1]


@in_loop
async def test_short_questions_bring_the_film_that_a_stream_brings(stream, broadcasts, monkeypatch):
    monkeypatch.setattr(rooms, "GRACE_SECONDS", 60.0)
    answer, after = await glance(stream)
    assert [name for name, _, _ in answer] == ["here", "message"]
    again, _ = await glance(stream, after)
    assert [name for name, _, _ in again] == ["here", "place"]  # nothing new, but how long it will take
    assert (broadcasts.numbers()["visitors"], broadcasts.executor.begun, len(broadcasts.executor.ring)) == (1, 1, 1)
    messages = [data for name, _, data in answer if name == "message"]
    while broadcasts.executor.step(2):
        answer, after = await glance(stream, after)
        messages += [data for name, _, data in answer if name == "message"]
        assert "source" not in [name for name, _, _ in answer]
    answer, _ = await glance(stream, after)
    assert [name for name, _, _ in answer] == ["here", "over"]
    assert broadcasts.numbers()["visitors"] == 0
    whole = Browser(stream, WANTED, "another")
    await until(lambda: whole.ended)
    assert messages == [data for name, _, data in events(whole.text) if name == "message"]


@in_loop
async def test_who_asks_no_more_costs_nothing_a_moment_later(stream, broadcasts, monkeypatch):
    monkeypatch.setattr(rooms, "GRACE_SECONDS", 0.05)
    await glance(stream)
    await until(lambda: broadcasts.executor.ring == [])
    assert broadcasts.numbers()["visitors"] == 0


@in_loop
async def test_a_question_takes_the_place_of_the_visitors_stream_and_the_film_goes_on(stream, broadcasts, monkeypatch):
    """What holds a stream back is found out by the page, which then asks; the stream that nobody reads ends."""
    monkeypatch.setattr(rooms, "GRACE_SECONDS", 60.0)
    held = Browser(stream, WANTED)
    await until(lambda: "place" in held.names())
    answer, _ = await glance(stream)
    assert [name for name, _, _ in answer] == ["here", "message"]  # it is this visitor's own film
    await until(lambda: held.ended)
    assert (broadcasts.numbers()["visitors"], len(broadcasts.executor.ring)) == (1, 1)


@in_loop
async def test_a_short_question_is_refused_and_put_in_line_as_a_stream_is(stream, broadcasts, monkeypatch):
    answer, _ = await glance(stream, wanted="[]")
    assert [name for name, _, _ in answer] == ["refused", "over"]
    monkeypatch.setattr(rooms, "MAX_VISITORS", 0)
    answer, _ = await glance(stream)
    assert [name for name, _, _ in answer] == ["full"]


@in_loop
async def test_no_room_is_a_sentence_and_a_moment_to_come_back(stream, broadcasts, monkeypatch):
    monkeypatch.setattr(rooms, "MAX_VISITORS", 0)
    browser = Browser(stream, WANTED)
    await browser.task
    assert (browser.status, browser.names()) == (200, ["full"])
    assert "Your place in line is 1" in events(browser.text)[0][2]["note"]
    assert browser.text.startswith(b"retry: 5000\n\n")


BAD = [
    (None, "a film needs its settings"),
    ("", "a film needs its settings"),
    ("[" * 100_000, "a film needs its settings"),
    ("{}", "a film needs the name of its checkpoint"),
    ("null", "a film needs its settings"),
    ('["own", "DDIM", "none", 6, 0, 2, 7]', "reload the page"),  # as pages sent them before
    ("[1, 2]", "a film needs its settings"),
    (wanted_json("../own"), "one of the listed checkpoints"),
    (wanted_json(["own"]), "one of the listed checkpoints"),
    (wanted_json(guide="own"), "cannot guide itself"),
    (wanted_json(guide="full"), "one of the listed guides"),
    (wanted_json(steps=1e9), "steps must be a whole number"),
    (wanted_json(sampler="Euler"), "one of the listed samplers: ddpm, ddim"),
    (wanted_json(stps=6, colour="red"), "a film has no stps, colour; its settings are checkpoint, sampler"),
]


@pytest.mark.parametrize(("wanted", "sentence"), BAD)
@in_loop
async def test_what_makes_no_film_gets_a_sentence(stream, broadcasts, wanted, sentence):
    browser = Browser(stream, wanted)
    await until(lambda: browser.ended)
    *first, refused, over = events(browser.text)
    assert [name for name, _, _ in first] in ([], ["here"])
    assert (refused[0], over[0]) == ("refused", "over")
    assert sentence in refused[2]["error"]
    assert broadcasts.numbers()["visitors"] == 0


@in_loop
async def test_another_site_cannot_have_films_made(stream, broadcasts):
    browser = Browser(stream, WANTED, sec_fetch_site="cross-site")
    await until(lambda: browser.ended)
    assert browser.names() == ["refused", "over"]
    assert broadcasts.executor.begun == 0


def test_settings_may_come_without_a_guide():
    assert settings_of_film(wanted_json()).guidance is None
    with gr.Blocks():
        form = build_film_form(["lite", GUIDE])
    fields = form.by_name([field.value for field in form.inputs])
    opened = settings_of_film(json.dumps(settings_of_words(fields)))  # what the page sends as it opens
    assert opened == recommended_settings("lite")
    assert opened.guidance == RECOMMENDED_GUIDANCE["lite"]
    assert opened.config == RECOMMENDED_SAMPLER
    limited = settings_of_words({**fields, "first": 700, "last": 300, "limit_guide": True})
    chosen = dataclasses.replace(RECOMMENDED_GUIDANCE["lite"], first=700, last=300)
    assert settings_of_film(json.dumps(limited)).guidance == chosen


def test_a_network_is_found_by_its_digest_as_long_as_somebody_uses_it(tiny, tmp_path, linear):

    path = tmp_path / "own.safetensors"
    checkpoint.save(path, Checkpoint(tiny, ScheduleConfig(), Provenance()))
    loaded = load_placed(path)
    assert loaded_as(loaded.digest) is loaded
    with pytest.raises(ConfigError, match="no longer in memory"):
        loaded_as("0" * 64)
    with contextlib.suppress(ConfigError):
        loaded_as("")


@in_loop
async def test_a_film_whose_message_cannot_be_written_is_no_longer_computed(broadcasts, small, monkeypatch, capsys):
    film = broadcasts.ask(small, settings())
    reader = broadcasts.join(film, "one")
    broadcasts.executor.step()

    def broken(*_):
        raise RuntimeError("a picture that cannot be packed")

    monkeypatch.setattr(film._messages, "take", broken)
    assert broadcasts.executor.step(100) == 1  # then there is nothing left to take
    assert (film.error, film.over, film.walk.left) == (UNEXPECTED, True, 4)
    film.deliver(None)  # a step that was under way
    everything(reader)
    assert reader.finished
    assert capsys.readouterr().err.count("Traceback") == 1
    again = broadcasts.ask(small, settings())  # whoever asks once more gets it made anew
    assert again is not film
    broadcasts.join(again, "one")
    assert broadcasts.executor.step(100) == 6
    assert not again.error
