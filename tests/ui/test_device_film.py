"""What the server gives a page that makes its films itself: the plan, and the weights of what it offers."""

import hashlib
import io
import json
from dataclasses import replace

import pytest
from PIL import Image, ImageSequence
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ddpm_demo.films.film_job import FilmJob
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.store.pictures import frame_time
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.ui.film import device
from ddpm_demo.ui.film.broadcasts import Broadcasts
from ddpm_demo.ui.film.device import device_routes
from ddpm_demo.ui.film.film_link import read_film_link
from ddpm_demo.ui.film.film_settings import read_film_settings
from ddpm_demo.ui.film.nearest import nearest_digits
from ddpm_demo.ui.parts.bridge import base64_of
from ddpm_demo.ui.parts.weights import KEPT_FILES, OfferedWeights

SETTINGS = {"checkpoint": "tiny", "sampler": "ddim", "clip": "none", "steps": 7, "n": 3, "seed": 5}


@pytest.fixture
def broadcasts():
    return Broadcasts()


@pytest.fixture
def client(broadcasts):
    with TestClient(Starlette(routes=device_routes(shipped_checkpoints(), broadcasts))) as client:
        yield client


def plan(client, settings):
    return client.get("/ddpm/plan", params={"settings": json.dumps(settings)}).json()


def test_a_plan_and_the_weights_that_it_names(client):
    settings = {**SETTINGS, "checkpoint": "lite", "guide": "tiny", "guide_weight": 2.5}
    film = plan(client, settings)
    assert [len(film["plan"]["steps"]), film["plan"]["guidance"]["weight"], film["only_server"]] == [7, 2.5, ""]
    assert film["frames"] == list(range(7))
    assert read_film_link(film["link"]) == read_film_settings(
        {**SETTINGS, "checkpoint": "lite", "guide": "tiny", "guide_weight": 2.5}
    )
    assert film["server"] == {"here": False, "seconds": None}
    for name, digest in (("lite", film["network"]), ("tiny", film["guide"])):
        answer = client.get(f"/ddpm/weights/{digest}")
        assert answer.content == shipped_checkpoints()[name].read_bytes()
        assert hashlib.sha256(answer.content).hexdigest() == digest
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({**SETTINGS, "checkpoint": "../tiny"}, "choose one of the listed checkpoints"),
        ({**SETTINGS, "guide": "/etc/passwd"}, "choose one of the listed guides"),
        ([1, 2], "a film needs its settings"),
    ],
)
def test_what_makes_no_sense_gets_a_sentence(client, settings, error):
    assert error in plan(client, settings)["error"]


def test_a_digit_is_asked_for_by_the_server_alone(client):
    film = plan(client, {**SETTINGS, "digit": 4})
    assert film["only_server"].startswith("a digit is asked for")


def test_weights_that_nobody_was_told_of_are_not_given(client, monkeypatch):
    monkeypatch.setattr(device, "WEIGHTS", OfferedWeights())  # other tests of this process may have been told
    digest = load_placed(shipped_checkpoints()["full"]).digest
    for name in (digest, "0" * 64, "..%2fapp.py"):
        assert client.get(f"/ddpm/weights/{name}").status_code == 404


def test_the_weights_told_of_longest_ago_go_first():
    tiny, offered = load_placed(shipped_checkpoints()["tiny"]), OfferedWeights()
    digests = [offered.offer(replace(tiny, digest=str(k))) for k in range(KEPT_FILES + 1)]
    assert offered.get(digests[0]) is None
    assert offered.get(digests[1]) == tiny.file


def test_how_long_the_server_would_take(broadcasts, monkeypatch):
    job = FilmJob("", read_film_settings(SETTINGS).config, 3, 5)
    monkeypatch.setattr(broadcasts.executor, "seconds_a_step", lambda job: 0.25)
    assert broadcasts.outlook(job, 7) == {"here": False, "seconds": 1.75}


def test_digits_of_the_device_find_the_training_digits_that_they_copy():
    digits = load_mnist(train=True)[0][[3, 71, 5]]
    answer = nearest_digits({"digits": base64_of(digits.numpy())})
    assert (answer["index"], answer["distance"], answer["decided"]) == ([3, 71, 5], [0, 0, 0], None)
    for nonsense in ("", "!", base64_of(digits.numpy()[0, 1:]), 7):
        assert "error" in nearest_digits({"digits": nonsense, "run": "x"})


@pytest.mark.parametrize(("steps", "count"), [(4, 5), (50, 51), (200, 51)])
def test_its_gif_has_the_frames_and_the_times_that_its_name_and_note_say(page, steps, count):
    """Equal pictures stay frames of their own, and the times are those of the server's GIF."""
    reply = page(
        """
        const { DeviceFilm } = await import("./static/film/device_film.js");
        const device = new DeviceFilm({ plan: { n: 1, seed: 3, steps: Array(given.steps) }, link: "", python: "" });
        const frames = Array.from({ length: given.steps + 1 },
            (_, k) => ({ x_t: new Uint8Array(784).fill(Math.min(k, given.steps - 2)) }));
        reply = await device.takeHome("gif", { frames });
        """,
        steps=steps,
    )
    time = frame_time(count)
    which = "one a step" if steps < 51 else "of a film of 200 steps"
    assert reply["name"] == f"ddpm-seed-3-{count}-frames.gif"
    assert reply["note"] == f"{count} frames, {which}, {time} ms each"
    with Image.open(io.BytesIO(bytes(reply["file"]))) as gif:
        times = [frame.info["duration"] for frame in ImageSequence.Iterator(gif)]
    assert times == [time] * (count - 1) + [1500]


def test_both_gifs_show_so_many_frames_equally_long(node):
    counts = list(range(1, 52))
    statements = """
        const { gifHundredths } = await import("./static/film/files.js");
        reply = given.counts.map((count) => 10 * gifHundredths(count));
        """
    assert node(statements, counts=counts) == [frame_time(count) for count in counts]
