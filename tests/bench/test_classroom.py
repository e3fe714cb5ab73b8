"""The class's bench: what its visitors notice, against servers that do wrong, and a row with the real one."""

import asyncio
import base64
import dataclasses
import json
import zlib

import numpy as np
import pytest

from ddpm_demo.bench import classroom
from ddpm_demo.bench.classroom import ClassVisit, bench_class, class_row, read_status
from ddpm_demo.bench.device_class import press_at_once
from ddpm_demo.commands.bench import read_visitors
from ddpm_demo.core.config import ConfigError
from ddpm_demo.networks.recommended import RECOMMENDED_SAMPLER
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.film.event_stream import settings_of_film
from ddpm_demo.ui.film.film_settings import FilmSettings, recommended_settings
from ddpm_demo.ui.parts.server_events import sent_event
from tests.event_loop import wait_for

GREYS = np.arange(2 * 784, dtype=np.uint16).astype(np.uint8)


def message(run, t):
    levels = base64.b64encode(zlib.compress(GREYS.tobytes())).decode()
    return sent_event({"run": run, "n": 2, "steps": [{"t": t}], "x_t": levels})


def seen(status, *parts, asked=None):
    """What a visitor saw of a server that sends these parts and closes; the heads of its questions go to `asked`."""

    async def answer(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        if asked is not None:
            asked.append(head.decode())
        writer.write(f"HTTP/1.1 {status} X\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for part in parts:
            writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        writer.close()

    async def visit():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        (one,), _ = await classroom.visit_class(
            0, f"http://127.0.0.1:{port}", [(FilmSettings("lite", seed=3), "mine")], 20.0
        )
        server.close()
        return one

    return wait_for(visit())


def test_a_whole_film_is_seen_whatever_pieces_it_comes_in():
    text = b"retry: 1000\n\n" + message("mine", 999) + sent_event({"before": 2}, "place") + message("mine", -1)
    for size in (7, 1000, len(text)):
        visit = seen(200, *(text[k : k + size] for k in range(0, len(text), size)))
        assert (visit.refused, visit.mixed, visit.messages, visit.bytes) == (False, False, 2, len(text))
        assert 0 < visit.first <= visit.place <= visit.end
        np.testing.assert_array_equal(visit.finals[0], GREYS.reshape(2, 28, 28))


def test_what_a_server_does_wrong_is_seen():
    assert seen(503).refused
    assert seen(200, sent_event({"error": "no"}, "refused")).refused
    assert seen(200, sent_event({"place": 3}, "full")).refused
    assert seen(200, message("another's", 999), message("mine", -1)).mixed
    cut = seen(200, message("mine", 999))
    assert cut == ClassVisit(3, first=cut.first, bytes=cut.bytes, messages=1)


def test_a_visitor_of_the_bench_asks_for_a_stream_to_the_letter():
    """As the page does: behind a Jupyter hub any other Accept gets the film when it is over (findings/jupyter_*.sh)."""
    asked = []
    seen(200, message("mine", -1), asked=asked)
    assert [line for line in asked[0].split("\r\n") if line.startswith("Accept")] == ["Accept: text/event-stream"]


def test_the_class_asks_for_the_pages_first_film():
    settings = recommended_settings("lite", seed=7, steps=RECOMMENDED_SAMPLER.steps, n=16)
    assert settings.config == RECOMMENDED_SAMPLER
    assert (settings.seed, settings.n, settings.guidance.guide) == (7, 16, "tiny")
    assert settings_of_film(json.dumps(dataclasses.asdict(settings))) == settings


def test_a_class_and_a_class_with_one_link_at_a_real_server(monkeypatch):
    monkeypatch.setattr(classroom, "SETTLED_SECONDS", 0.0)
    with classroom.server() as (process, address):
        alone, link = (class_row(process, address, "lite", seeds, 5, 1) for seeds in ([0, 1, 2], [3, 3, 3]))
        made = read_status(address)["steps"]
        presses = press_at_once(address, dataclasses.asdict(recommended_settings("lite", n=4)), 3)
        assert read_status(address)["steps"] == made  # these students' devices make their films
    files = [find_checkpoint(name).stat().st_size for name in ("lite", "tiny")]
    assert len(presses) == 3
    assert all(press.bytes > sum(files) for press in presses)
    for row, films in ((alone, 3), (link, 1)):
        assert (row["visitors"], row["refused"], row["mixed"], row["cut"]) == (3, 0, 0, 0)
        assert row["films"] == films
        assert row["first"][1] <= row["end"][0]
        assert min(row["ideal"], row["front_ms"], row["megabytes"]) > 0
    assert alone["fairness"] >= 1


@pytest.mark.parametrize("text", ["", "1,", "many", "1;8", "1.5"])
def test_sizes_that_make_no_sense_are_refused(text):
    with pytest.raises(ConfigError, match="must be whole numbers"):
        read_visitors(text)


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_a_class_is_bounded(count):
    with pytest.raises(ConfigError, match="1 to 1000"):
        next(bench_class(visitors=(count,)))
