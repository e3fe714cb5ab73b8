"""What the page asks the perfect network, and whether a film copied."""

import base64

import numpy as np
import pytest
import torch

from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.explaining.flow import film_flow
from ddpm_demo.measuring.copying import nearest
from ddpm_demo.networks.ideal_checkpoints import IDEAL_LABELS, ideal_of_run
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_named
from ddpm_demo.store.drawings_file import DRAWINGS_FILE, write_drawings
from ddpm_demo.store.files import CACHE_VARIABLE
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.store.shipped import shipped_checkpoints
from ddpm_demo.ui.app import build_app, listed
from ddpm_demo.ui.film.film_link import link_text, read_film_link
from ddpm_demo.ui.film.film_settings import FilmSettings
from ddpm_demo.ui.film.films import Films
from ddpm_demo.ui.film.flow import flow_of_film
from ddpm_demo.ui.film.form_words import NO_GUIDE
from ddpm_demo.ui.film.nearest import nearest_digits
from ddpm_demo.ui.film.take_home import program
from ddpm_demo.ui.parts.bridge import base64_of
from ddpm_demo.ui.parts.ideal import HEAVIEST, LOOKED_UP, ideal_answer
from ddpm_demo.ui.tabs.train_desk import Desk
from tests.ui.film_messages import film_messages

SCHEDULE = Schedule.from_config(ScheduleConfig())
FIFTY = "ideal:count=50"


def question(x0, t, seed=0):
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(seed))
    x_t = SCHEDULE.add_noise(x0, t, eps)
    return {"x_t": base64_of(x_t.numpy()), "alpha_bar": SCHEDULE.alpha_bar_at(t)}


def floats(text):
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(28, 28)


def test_a_training_digit_with_little_noise_is_recognised_and_given_back():
    digits, labels = load_mnist(train=True)
    answer = ideal_answer(question(to_x0(digits[4242]), 50))
    assert answer["index"][0] == 4242
    assert answer["label"][0] == int(labels[4242])
    assert answer["share"][0] == pytest.approx(1)
    assert len(answer["share"]) == HEAVIEST
    np.testing.assert_allclose(floats(answer["x0_hat"]), to_x0(digits[4242])[0, 0].numpy(), atol=1e-5)
    pictures = np.frombuffer(base64.b64decode(answer["pictures"]), np.uint8).reshape(-1, 28, 28)
    np.testing.assert_array_equal(pictures, digits[answer["index"]].numpy())
    assert (answer["t"], answer["digits"], answer["mean"]) == (50, 60_000, None)
    # docs/ideal.md has 0.90 at t = 300 and 0.45 at t = 400, for 64 test digits
    assert 300 < answer["half"] < 420
    x0 = to_x0(load_mnist(train=False)[0][:LOOKED_UP])
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
    ideal = load_named("ideal").model
    for t, most in ((answer["half"], True), (answer["half"] + 1, False)):
        shares = ideal.weights(SCHEDULE.add_noise(x0, t, eps), torch.full((LOOKED_UP,), t)).amax(dim=1)
        assert (float(shares.median()) > 0.5) is most


def test_of_pure_noise_the_answer_is_the_mean_digit():
    digits, _ = load_mnist(train=True)
    answer = ideal_answer(question(to_x0(digits[0]), 999))
    assert answer["share"][0] < 0.01
    mean = to_x0(digits).mean(dim=0)[0].numpy()
    alike = np.corrcoef(floats(answer["x0_hat"]).ravel(), mean.ravel())[0, 1]
    assert alike > 0.99
    assert answer["mean"] == pytest.approx(alike, abs=1e-5)
    asked, loaded = question(to_x0(digits[0]), 999), load_named("lite")
    x_t = torch.from_numpy(floats(asked["x_t"]).copy()).view(1, 1, 28, 28)
    with torch.no_grad():
        beside = loaded.schedule.predict_x0(x_t, 999, loaded.model(x_t, torch.tensor([999])).float())
    assert answer["beside_mean"] == pytest.approx(np.corrcoef(beside.ravel(), mean.ravel())[0, 1], abs=1e-3)
    assert 0.2 < answer["beside_mean"] < answer["mean"]


def test_a_picture_that_is_none_is_refused_in_a_sentence():
    assert "alpha_bar" in ideal_answer({"x_t": "", "alpha_bar": 2})["error"]


def film(loaded, name, **more):
    films = Films()
    wanted = FilmSettings(name, sampler="ddim", clip="none", steps=10, n=3, seed=1, **more)
    *_, last = film_messages(loaded, wanted, films)
    return films, last["run"]


def test_an_ideals_film_is_of_copies_and_tells_when_they_were_decided():
    films, run = film(load_named(FIFTY), FIFTY)
    answer = nearest_digits({"run": run}, films)
    assert answer["distance"] == [0, 0, 0]
    assert max(answer["index"]) < 50
    assert 0 < answer["decided"] < 999
    ideal, decided = load_named(FIFTY).model, answer["decided"]
    shares = {
        kept.step.t: float(ideal.weights(kept.step.x_t, torch.full((3,), kept.step.t)).amax(dim=1).median())
        for kept in films.get(run).steps
    }
    assert shares[decided] > 0.5
    assert all(share <= 0.5 for t, share in shares.items() if t > decided)


def test_a_film_by_the_ideal_of_own_drawings_is_of_these(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    run = tmp_path / "runs" / "20260101-000000-own"
    run.mkdir(parents=True)
    drawings = load_mnist(train=False)[0][:6]  # no training digits
    write_drawings(run / DRAWINGS_FILE, drawings)
    name = ideal_of_run(run.name)
    films, made = film(load_named(name), name)
    answer = nearest_digits({"run": made}, films)
    assert (answer["distance"], answer["drawings"], answer["unseen"]) == ([0, 0, 0], 6, None)
    shown = np.frombuffer(base64.b64decode(answer["pictures"]), np.uint8).reshape(-1, 28, 28)
    np.testing.assert_array_equal(shown, drawings[answer["index"]].numpy())
    assert answer["decided"] > 0


def test_another_films_digits_are_as_far_as_they_are(tiny, linear):
    loaded = LoadedNetwork(tiny, linear, load_named(FIFTY).placement, None)
    films, run = film(loaded, "lite")
    answer = nearest_digits({"run": run}, films)
    images = torch.from_numpy(films.get(run).frames()[-1])
    digits = load_mnist(train=True)[0]
    index, distance = nearest(images, digits[answer["index"]])
    assert index.tolist() == [0, 1, 2]
    assert answer["distance"] == pytest.approx(distance.tolist())
    assert min(answer["distance"]) > 1
    assert answer["decided"] is None
    assert 3 < answer["unseen"] < 6
    assert "no longer" in nearest_digits({"run": "gone"}, films)["error"]


def test_a_films_flow_is_that_of_its_steps(tiny, linear):
    loaded = LoadedNetwork(tiny, linear, load_named(FIFTY).placement, None)
    films, run = film(loaded, "lite")
    answer, flow = flow_of_film({"run": run}, films), film_flow(linear, [kept.step for kept in films.get(run).steps])
    assert answer["times"] == flow.times.tolist()
    assert (answer["turn"], answer["detour"]) == (flow.turn.tolist(), flow.detour.tolist())
    assert answer["flow_detour"] == flow.flow_detour.tolist()
    assert answer["off_euler"] == flow.off_euler < 1e-3
    assert answer["whole"]
    films.get(run).steps.pop(4)  # as of a long film, whose frames are fewer than its steps
    assert not flow_of_film({"run": run}, films)["whole"]
    assert "no longer" in flow_of_film({"run": "gone"}, films)["error"]


def test_the_ideals_stand_in_the_lists_of_denoisers_but_not_where_a_network_is_needed():
    checkpoints = {**shipped_checkpoints(), **{name: name for name in IDEAL_LABELS}}
    which, network, guide, details = listed(Desk(checkpoints, allowed=False))
    names = [[name for _, name in box["options"]] for box in (which, network, guide)]
    for name, label in IDEAL_LABELS.items():
        assert [label, name] in which["options"]
        assert details["checkpoints"][name] == label
        assert name not in names[1]
        assert name not in names[2]
    assert names[2][0] == NO_GUIDE


def test_the_page_can_open_with_an_ideal_of_its_own():
    assert build_app("ideal:count=20,digit=3", training=False)


def test_a_film_of_an_ideal_has_a_link_and_a_program():
    wanted = FilmSettings(FIFTY, sampler="ddim", clip="none", steps=10, n=1, seed=1)
    assert read_film_link(link_text(wanted)) == wanted
    text = program(wanted, FIFTY)
    space = {}
    exec(compile(text, "film.py", "exec"), space)
    films = Films()
    *_, last = film_messages(load_named(FIFTY), wanted, films)
    drawn = space["to_uint8"](space["step"].x_s[:, 0]).numpy()
    np.testing.assert_array_equal(drawn, films.get(last["run"]).frames()[-1])
