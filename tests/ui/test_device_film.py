"""What the server gives a page that makes its films itself: the plan, and the weights of what it offers."""

import hashlib
import json
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ddpm_demo.films.film_job import FilmJob
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.store.shipped import shipped_checkpoints
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


def test_weights_that_nobody_was_told_of_are_not_given(client):
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
