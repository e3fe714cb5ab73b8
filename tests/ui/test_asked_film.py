"""A film that asks for a digit: what it sends, its link, its program, and that every way of making it is the same."""

import base64
import contextlib
import io
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.films.film_job import FilmWalk, predict
from ddpm_demo.networks.guidance_settings import DigitConfig, GuidanceConfig
from ddpm_demo.networks.loaded_networks import classifier_at, load_placed
from ddpm_demo.store.files import GUIDE
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.film.experiments import EXPERIMENTS
from ddpm_demo.ui.film.film_link import link_text, read_film_link
from ddpm_demo.ui.film.film_settings import FilmSettings, read_film_settings
from ddpm_demo.ui.film.films import Films
from ddpm_demo.ui.film.form_words import ANY_DIGIT, NO_GUIDE, settings_of_words, words_of_settings
from ddpm_demo.ui.film.inspector import inspect_step
from ddpm_demo.ui.film.race import race
from ddpm_demo.ui.film.stream import film_job
from ddpm_demo.ui.film.take_home import film_npz, take_home
from tests.ui.film_messages import film_messages

CLIP = "clip x̂₀ to [−1, 1]"


@pytest.fixture(scope="module")
def lite():
    return load_placed(find_checkpoint("lite"))


def settings(
    digit="7", asking=4, first=None, last=0, steps=6, count=2, guide=NO_GUIDE, weight=1, checkpoint="lite", too=False
):
    rule = {"sampler": "DDIM", "clip": CLIP, "steps": steps, "n": count, "seed": 3}
    guided = {"guide": guide, "guide_weight": weight, "limit_guide": too}
    asked = {"digit": digit, "digit_weight": asking, "first": first, "last": last}
    return read_film_settings(settings_of_words({"checkpoint": checkpoint, **rule, **guided, **asked}))


def film_of(lite, wanted, guide=None):
    films = Films()
    messages = list(film_messages(lite, wanted, films, guide=guide))
    return films, messages


def finished(films, messages):
    return films.get(messages[0]["run"]).finished


def test_the_film_shows_the_pull_and_each_digits_odds(lite):
    films, messages = film_of(lite, settings())
    film = films.get(messages[0]["run"])
    told = [message for message in messages if "odds" in message]
    odds = np.concatenate([np.frombuffer(base64.b64decode(m["odds"]), np.uint8).reshape(-1, 2, 10) for m in told])
    assert len(odds) == len(film.steps) == 6
    for shown, kept in zip(odds, film.steps, strict=True):
        np.testing.assert_allclose(shown / 255, kept.prediction.classifier_pull.probabilities.numpy(), atol=0.003)
        torch.testing.assert_close(kept.prediction.classifier_pull.probabilities.sum(1), torch.ones(2))
        assert float(kept.prediction.classifier_pull.pull.abs().max()) > 0
    assert all(message["pull"] for message in told)
    assert odds[-1, :, 7].mean() > odds[0, :, 7].mean()  # asked for, it becomes likelier


def test_asking_for_any_digit_sends_nothing_of_it(lite):
    _, messages = film_of(lite, settings(ANY_DIGIT))
    assert not any("odds" in message or "pull" in message for message in messages)


def test_a_weight_of_0_or_an_empty_interval_draws_what_comes_anyway(lite):
    anyway = finished(*film_of(lite, settings(ANY_DIGIT)))
    assert torch.equal(finished(*film_of(lite, settings(asking=0))), anyway)
    assert torch.equal(finished(*film_of(lite, settings(first=998, last=998))), anyway)  # between two of its steps


@pytest.mark.parametrize("too", [False, True])
def test_the_executors_way_is_the_same_film(lite, too):
    wanted = settings(guide=GUIDE, weight=3, first=700, last=300, too=too)
    guide = load_placed(find_checkpoint(GUIDE))
    films, messages = film_of(lite, wanted, guide)
    walk = FilmWalk(film_job(lite, wanted, guide), lite.schedule)
    classify = classifier_at(lite.schedule, lite.placement.device)
    while walk.left:
        (answer,) = predict(lite, guide, [walk], [classify])
        step = walk.take(answer.eps_hat)
    assert torch.equal(step.x_s, finished(films, messages))


def test_another_wish_is_another_film(lite):
    keys = {film_job(lite, settings(*wish)).key for wish in [(ANY_DIGIT,), ("7",), ("3",), ("7", 5), ("7", 4, 800)]}
    assert len(keys) == 5
    guide, held = load_placed(find_checkpoint(GUIDE)), {"first": 700, "guide": GUIDE, "weight": 3}
    assert len({film_job(lite, settings(too=too, **held), guide).key for too in (False, True)}) == 2
    whole = settings(first=999, guide=GUIDE, weight=3, too=True)  # no limit at all: the film that is there already
    assert film_job(lite, whole, guide).key == film_job(lite, settings(guide=GUIDE, weight=3), guide).key


def test_the_inspector_writes_the_pull_out(lite):
    films, messages = film_of(lite, settings())
    answer = inspect_step({"run": messages[0]["run"], "frame": 2, "digit": 1}, films)
    kept = films.get(messages[0]["run"]).steps[2]
    assert answer["asked"]["digit"] == 7
    assert answer["asked"]["weight"] == 4
    pull = np.frombuffer(base64.b64decode(answer["asked"]["pull"]), "<f4").reshape(28, 28)
    np.testing.assert_array_equal(pull, kept.prediction.classifier_pull.pull[1, 0].numpy())
    assert answer["asked"]["odds"] == pytest.approx(kept.prediction.classifier_pull.probabilities[1].tolist())


@pytest.mark.parametrize("wish", [("0", 4, None, 0), ("9", 0.5, 800, 200), (ANY_DIGIT, 6, 800, 200)])
@pytest.mark.parametrize(("guide", "weight", "too"), [(NO_GUIDE, 1, False), (GUIDE, 2.75, False), (GUIDE, 2.75, True)])
def test_a_link_brings_the_wish_back_and_when_guidance_has_a_part(wish, guide, weight, too):
    wanted = settings(*wish, guide=guide, weight=weight, too=too)
    held = {"first": wish[2], "last": wish[3]}
    assert wanted.wish == (None if wish[0] == ANY_DIGIT else DigitConfig(int(wish[0]), wish[1], **held))
    if guide == GUIDE:
        assert wanted.guidance == GuidanceConfig(GUIDE, weight, **(held if too else {}))
    assert read_film_link(link_text(wanted)) == wanted
    # what the page is set to makes the same film again
    assert read_film_settings(settings_of_words(words_of_settings(wanted))) == wanted


def shown(settings: FilmSettings):
    fields = words_of_settings(settings)
    return [fields[name] for name in ("digit", "digit_weight", "first", "last", "limit_guide")]


def test_links_from_before_leave_the_guide_on_all_the_way():
    wanted = read_film_link("2~1~50~0~16~5~lite~tiny~3~7~4~700~300")
    assert wanted.guidance == GuidanceConfig(GUIDE, 3.0)
    assert wanted.wish == DigitConfig(7, 4.0, first=700, last=300)
    assert shown(wanted) == ["7", 4.0, 700, 300, False]
    assert shown(read_film_link("2~1~50~0~16~5~lite~tiny~3"))[2:] == [999, 0, True]


def test_a_film_in_an_interval_says_at_each_step_what_has_a_part(lite):
    """Steps at t = 999, 799, 599, 400, 200, 0 or so: guide and asking only at the third and fourth."""
    guide, wanted = load_placed(find_checkpoint(GUIDE)), settings(first=700, last=300, guide=GUIDE, weight=3, too=True)
    films, messages = film_of(lite, wanted, guide)
    film = films.get(messages[0]["run"])
    inside = [300 <= kept.step.t <= 700 for kept in film.steps]
    assert inside == [False, False, True, True, False, False]
    assert [kept.prediction.guidance_pair is not None for kept in film.steps] == inside
    assert [kept.prediction.classifier_pull is not None for kept in film.steps] == inside
    shown = [m["first"] + k for m in messages for k in m.get("asked_at", [])]
    assert shown == [2, 3]
    run = messages[0]["run"]
    said = [inspect_step({"run": run, "frame": k, "digit": 0}, films) for k in (1, 2)]
    assert said[0]["guidance"] == {"guide": None, "first": 700, "last": 300}
    assert said[0]["asked"] == {"digit": 7, "pull": None, "first": 700, "last": 300}
    assert all(said[1][name] for name in ("guidance", "asked"))
    # and until there it is the film without guide or wish
    plain = film_of(lite, settings(ANY_DIGIT))
    free = plain[0].get(plain[1][0]["run"])
    assert all(torch.equal(a.step.x_t, b.step.x_t) for a, b in zip(film.steps[:3], free.steps[:3], strict=True))
    assert not torch.equal(film.steps[3].step.x_t, free.steps[3].step.x_t)
    made = json.loads(str(np.load(io.BytesIO(film_npz(film)))["settings"]))
    assert (made["first"], made["last"], made["limit_guide"]) == (700, 300, True)


def test_an_interval_that_the_schedule_does_not_have_is_refused(lite):
    short = replace(lite, schedule=Schedule.from_config(ScheduleConfig(timesteps=500)))
    with pytest.raises(ConfigError, match="must be from 0 to 499"):
        film_job(short, settings(first=700, last=300))
    for bad in ({"first": 200, "last": 300}, {"last": -1}, {"first": 1.5}, {"first": "x"}, {"too": 1}):
        with pytest.raises(ConfigError):
            settings(**bad)


def test_links_from_before_ask_for_no_digit():
    assert read_film_link("2~1~50~0~16~5~lite~tiny~3").wish is None
    assert read_film_link("2~1~50~0~16~5~lite").wish is None


@pytest.mark.parametrize(
    "tail", ["10~4~~0", "7~99~~0", "7~4~10~20", "7~4", "7~nan~~0", "x~4~~0", "7~4~~0~2", "7~4~~0~1~1"]
)
def test_nonsense_of_a_wish_in_a_link_is_refused(tail):
    with pytest.raises((ConfigError, ValueError)):
        read_film_link(f"2~1~50~0~16~5~lite~{NO_GUIDE}~1~{tail}")


def test_the_program_prints_the_digits_that_were_asked_for(lite):
    guide = load_placed(find_checkpoint(GUIDE))
    wanted = settings(steps=5, count=1, first=800, last=300, guide=GUIDE, weight=3, too=True)
    films, messages = film_of(lite, wanted, guide)
    text = take_home({"run": messages[0]["run"], "kind": "python"}, films)["text"]
    assert "Autoguidance(model, guide, 3, Interval(first=800, last=300))" in text
    assert "guide_to_digit(model, schedule, DigitConfig(first=800, last=300, digit=7, weight=4" in text
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
