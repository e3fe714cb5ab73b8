"""A film that asks for a digit: what it sends, its link, its program, and that every way of making it is the same."""

import base64
import contextlib
import io
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from ddpm_demo.core.config import GUIDE, ConfigError, DigitConfig
from ddpm_demo.machine.film_job import Walk, ask
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.film.experiments import EXPERIMENTS
from ddpm_demo.ui.film.films import ANY_DIGIT, NO_GUIDE, Films, read_film_settings
from ddpm_demo.ui.film.inspector import inspect_step
from ddpm_demo.ui.film.race import race
from ddpm_demo.ui.film.stream import film_job, generate
from ddpm_demo.ui.film.take_home import link_settings, link_text, take_home
from ddpm_demo.ui.networks import classifier_at, load_placed

CLIP = "clip x̂₀ to [−1, 1]"


@pytest.fixture(scope="module")
def lite():
    return load_placed(find_checkpoint("lite"))


def settings(digit="7", asking=4, first=None, last=0, steps=6, count=2, guide=NO_GUIDE, weight=1, checkpoint="lite"):
    rule = ("DDIM", CLIP, steps, 0, count, 3, guide, weight)
    return read_film_settings(checkpoint, *rule, digit, asking, first, last)


def film_of(lite, wanted, guide=None):
    films = Films()
    messages = list(generate(lite, wanted, films, guide=guide))
    return films, messages


def finished(films, messages):
    return films.get(messages[0]["run"]).finished


def test_the_film_shows_the_pull_and_each_digits_odds(lite):
    films, messages = film_of(lite, settings())
    film = films.get(messages[0]["run"])
    told = [message for message in messages if "odds" in message]
    odds = np.concatenate([np.frombuffer(base64.b64decode(m["odds"]), np.uint8).reshape(-1, 2, 10) for m in told])
    assert len(odds) == len(film.kept) == 6
    for shown, kept in zip(odds, film.kept, strict=True):
        np.testing.assert_allclose(shown / 255, kept.asked.probabilities.numpy(), atol=0.003)
        torch.testing.assert_close(kept.asked.probabilities.sum(1), torch.ones(2))
        assert float(kept.asked.pull.abs().max()) > 0
    assert all(message["pull"] for message in told)
    assert odds[-1, :, 7].mean() > odds[0, :, 7].mean()  # asked for, it becomes likelier


def test_asking_for_any_digit_sends_nothing_of_it(lite):
    _, messages = film_of(lite, settings(ANY_DIGIT))
    assert not any("odds" in message or "pull" in message for message in messages)


def test_a_weight_of_0_or_an_empty_interval_draws_what_comes_anyway(lite):
    anyway = finished(*film_of(lite, settings(ANY_DIGIT)))
    assert torch.equal(finished(*film_of(lite, settings(asking=0))), anyway)
    assert torch.equal(finished(*film_of(lite, settings(first=998, last=998))), anyway)  # between two of its steps


def test_the_executors_way_is_the_same_film(lite):
    wanted = settings(guide=GUIDE, weight=3)
    guide = load_placed(find_checkpoint(GUIDE))
    films, messages = film_of(lite, wanted, guide)
    walk = Walk(film_job(lite, wanted, guide), lite.schedule)
    classify = classifier_at(lite.schedule, lite.placement.device)
    while walk.left:
        (answer,) = ask(lite, guide, [walk], [classify])
        step = walk.take(answer.eps_hat)
    assert torch.equal(step.x_s, finished(films, messages))


def test_another_wish_is_another_film(lite):
    keys = {film_job(lite, settings(*wish)).key for wish in [(ANY_DIGIT,), ("7",), ("3",), ("7", 5), ("7", 4, 800)]}
    assert len(keys) == 5


def test_the_inspector_writes_the_pull_out(lite):
    films, messages = film_of(lite, settings())
    answer = inspect_step({"run": messages[0]["run"], "frame": 2, "digit": 1}, films)
    kept = films.get(messages[0]["run"]).kept[2]
    assert answer["asked"]["digit"] == 7
    assert answer["asked"]["weight"] == 4
    pull = np.frombuffer(base64.b64decode(answer["asked"]["pull"]), "<f4").reshape(28, 28)
    np.testing.assert_array_equal(pull, kept.asked.pull[1, 0].numpy())
    assert answer["asked"]["odds"] == pytest.approx(kept.asked.probabilities[1].tolist())


@pytest.mark.parametrize("wish", [("0", 4, None, 0), ("9", 0.5, 800, 200)])
@pytest.mark.parametrize(("guide", "weight"), [(NO_GUIDE, 1), (GUIDE, 2.75)])
def test_a_link_brings_the_wish_back(wish, guide, weight):
    wanted = settings(*wish, guide=guide, weight=weight)
    assert wanted.asked == DigitConfig(int(wish[0]), *wish[1:])
    assert link_settings(link_text(wanted)) == wanted


def test_links_from_before_ask_for_no_digit():
    assert link_settings("2~1~50~0~16~5~lite~tiny~3").asked is None
    assert link_settings("2~1~50~0~16~5~lite").asked is None


@pytest.mark.parametrize("tail", ["10~4~~0", "7~99~~0", "7~4~10~20", "7~4", "7~nan~~0", "x~4~~0"])
def test_nonsense_of_a_wish_in_a_link_is_refused(tail):
    with pytest.raises((ConfigError, ValueError)):
        link_settings(f"2~1~50~0~16~5~lite~{NO_GUIDE}~1~{tail}")


def test_the_program_prints_the_digits_that_were_asked_for(lite):
    films, messages = film_of(lite, settings(steps=5, count=1))
    text = take_home({"run": messages[0]["run"], "kind": "python"}, films)["text"]
    assert "ask_for(model, schedule, DigitConfig(digit=7, weight=4" in text
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(text, "program.py", "exec"), {})
    rows = films.get(messages[0]["run"]).frames()[-1][0]
    expected = ["".join(" .:-=+*#%@"[int(grey) * 9 // 255] * 2 for grey in row) for row in rows]
    assert printed.getvalue().splitlines() == expected


def test_ten_digits_in_a_row_come_from_one_noise(lite):
    experiment = EXPERIMENTS["The same noise, asked for ten digits"]
    (lane,) = experiment.lanes
    quick = replace(lane, config=replace(lane.config, steps=10))
    messages = list(race(lite, [quick], count=4, seed=1, ten=True))
    assert messages[0]["n"] == 10
    assert messages[0]["in_a_row"] is True
    frames = np.frombuffer(zlib.decompress(base64.b64decode(messages[0]["x_t"])), np.uint8).reshape(-1, 10, 28, 28)
    assert all(np.array_equal(frames[0, 0], other) for other in frames[0])
    last = np.frombuffer(zlib.decompress(base64.b64decode(messages[-1]["x_t"])), np.uint8).reshape(-1, 10, 28, 28)[-1]
    assert len(np.unique(last.reshape(10, -1), axis=0)) == 10


def test_asked_for_in_a_part_of_the_way_only_that_part_differs(lite):
    lanes = EXPERIMENTS["When is it decided which digit it will be?"].lanes
    quick = [replace(lane, config=replace(lane.config, steps=10)) for lane in lanes]
    seen = {k: [] for k in range(4)}
    for message in race(lite, quick, count=1, seed=1):
        frames = np.frombuffer(zlib.decompress(base64.b64decode(message["x_t"])), np.uint8).reshape(-1, 28, 28)
        seen[message["lane"]] += list(zip(message["t"], frames, strict=True))
    whole, early, _, late = ([frame for _, frame in seen[k]] for k in range(4))
    times = [t for t, _ in seen[0]]
    begin = next(k for k, t in enumerate(times) if t < 700)
    assert all(np.array_equal(a, b) for a, b in zip(whole[: begin + 1], early[: begin + 1], strict=True))
    asked_late = next(k for k, t in enumerate(times) if t < 300)
    assert not np.array_equal(whole[asked_late], late[asked_late])
