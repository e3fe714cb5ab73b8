"""The Generate tab's Python side: the film, the inspector, what is taken home, and what is refused."""

import base64
import contextlib
import io
import json
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.guidance import Autoguidance
from ddpm_demo.core.model import seeded_denoiser
from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.core.sampling import sample, start_noise, to_uint8
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.films.executor import LocalExecutor
from ddpm_demo.films.film_job import FilmWalk, film_alone
from ddpm_demo.machine.scheduler import NETWORK, Scheduler
from ddpm_demo.networks.guidance_settings import GuidanceConfig
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_guide, load_placed
from ddpm_demo.networks.recommended import RECOMMENDED_GUIDANCE
from ddpm_demo.store import checkpoint, pictures
from ddpm_demo.store.files import GUIDE
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.store.shipped import find_checkpoint, shipped_checkpoints
from ddpm_demo.ui.app import name_of
from ddpm_demo.ui.film.film_link import link_text, read_film_link
from ddpm_demo.ui.film.film_settings import MAX_IMAGES, SETTINGS, FilmSettings, read_film_settings
from ddpm_demo.ui.film.films import Films, film_bits, kept_steps
from ddpm_demo.ui.film.form_words import (
    ANY_DIGIT,
    NO_GUIDE,
    WORDS,
    guide_of,
    sampler_words,
    settings_of_words,
    steer,
    words_of_settings,
)
from ddpm_demo.ui.film.generate_tab import GenerateTab
from ddpm_demo.ui.film.inspector import inspect_step
from ddpm_demo.ui.film.stream import film_job
from ddpm_demo.ui.film.take_home import GIF_FRAMES, SHADES, take_home
from ddpm_demo.ui.parts.frames import grey_levels
from tests.ui.film_messages import film_messages

SETTINGS_ON_THE_PAGE = [name for name in SETTINGS if name not in ("variance", "final_noise")]  # the sampler's
SPEC, NO_CLIP = "DDPM, the spec's rule (σ² = β)", "none"


@pytest.fixture(scope="module")
def lite():
    return load_placed(find_checkpoint("lite"))


@pytest.fixture
def small(tiny, linear, lite):
    """A network that is quick, in the place of the real one."""
    return LoadedNetwork(tiny, linear, lite.placement, None)


def settings(sampler=SPEC, clip=NO_CLIP, steps=12, eta=0, count=3, seed=5, guide=NO_GUIDE, weight=1):
    rule = {"sampler": sampler, "clip": clip, "steps": steps, "eta": eta, "n": count, "seed": seed}
    words = {"checkpoint": "lite", **rule, "guide": guide, "guide_weight": weight}
    return read_film_settings(settings_of_words(words))


def film_of(loaded, wanted, films=None, guide=None):
    """All messages of a run, and its frames of each kind as levels (F, N, 28, 28), the last message apart."""
    films = Films() if films is None else films  # an empty one is false
    first, *messages, last = list(film_messages(loaded, wanted, films, guide=guide))
    return films, first, messages, last


def levels(message, name):
    content = np.frombuffer(zlib.decompress(base64.b64decode(message[name])), np.uint8)
    if message["bits"] == 4:
        content = np.stack([content >> 4, content & 15], axis=-1).ravel()
    return content.reshape(-1, message["n"], 28, 28)


def floats(text):
    return np.frombuffer(base64.b64decode(text), "<f4")


def test_the_film_holds_every_step_in_order(small):
    wanted = settings()
    _, first, messages, last = film_of(small, wanted)
    generator = torch.Generator().manual_seed(5)
    x_T = start_noise(3, 1, 28, generator)
    np.testing.assert_array_equal(levels(first, "x_t")[0], to_uint8(x_T[:, 0]).numpy())
    steps = list(sample(small.model, small.schedule, wanted.config, x_T, generator=generator))
    for name, reach in (("x_t", 1), ("x0_hat", 1), ("eps_hat", 3)):
        sent = np.concatenate([levels(message, name) for message in messages if message["steps"]])
        expected = np.stack([to_uint8(getattr(step, name)[:, 0] / reach).numpy() for step in steps])
        np.testing.assert_array_equal(sent, expected)
    np.testing.assert_array_equal(levels(last, "x_t")[0], to_uint8(steps[-1].x_s[:, 0]).numpy())
    assert [moment["t"] for message in messages for moment in message["steps"]] == [step.t for step in steps]
    assert [moment["sigma"] for message in messages for moment in message["steps"]] == [step.std for step in steps]
    assert last["steps"][0]["t"] == -1
    assert (last["first"], last["frames"], last["done"]) == (12, 13, 1)
    assert len({message["run"] for message in (first, *messages, last)}) == 1


@pytest.fixture
def worse(tiny, linear, lite):
    """Another network of the same kind, to guide the small one."""
    return LoadedNetwork(seeded_denoiser(tiny.config, seed=1), linear, lite.placement, None, digest="worse")


def test_a_guided_film_is_that_of_both_networks(small, worse):
    wanted = settings(steps=8, guide=GUIDE, weight=2.5)
    films, first, _, last = film_of(small, wanted, guide=worse)
    generator = torch.Generator().manual_seed(5)
    x_T = start_noise(3, 1, 28, generator)
    guided = Autoguidance(small.model, worse.model, 2.5)
    *_, end = sample(guided, small.schedule, wanted.config, x_T, generator=generator)
    np.testing.assert_array_equal(levels(last, "x_t")[0], to_uint8(end.x_s[:, 0]).numpy())
    _, _, _, alone = film_of(small, settings(steps=8))
    assert (levels(last, "x_t") != levels(alone, "x_t")).any()
    # the inspector shows how the two answers made one
    answer = inspect_step({"run": first["run"], "frame": 3, "digit": 1}, films)
    said = answer["guidance"]
    total = floats(said["guide"]) + said["weight"] * (floats(said["model"]) - floats(said["guide"]))
    assert said["weight"] == 2.5
    np.testing.assert_allclose(total, floats(answer["eps_hat"]), atol=1e-5)
    # and without a guide there is nothing of it to show
    films, first, *_ = film_of(small, settings(steps=8, guide=GUIDE, weight=1), guide=worse)
    assert inspect_step({"run": first["run"], "frame": 3, "digit": 1}, films)["guidance"] is None


def test_only_a_listed_guide_of_the_same_noise_can_guide(small, worse):
    known = {"lite": find_checkpoint("lite")}
    assert load_guide(known, None) is None
    for name in ("../../x", str(find_checkpoint("full")), "full"):
        with pytest.raises(ConfigError, match="listed guides"):
            load_guide(known, GuidanceConfig(name))
    other = LoadedNetwork(worse.model, Schedule.from_config(ScheduleConfig(kind="cosine")), worse.placement, None)
    with pytest.raises(ConfigError, match="different noise schedule"):
        next(film_messages(small, settings(guide=GUIDE, weight=2), Films(), guide=other))


def test_every_shipped_network_but_the_guide_has_its_guide():
    for name in shipped_checkpoints():
        guide, weight = guide_of(name)
        assert (guide != NO_GUIDE) == (name in RECOMMENDED_GUIDANCE) == (name != GUIDE)
        if guide != NO_GUIDE:
            read_film_settings({"checkpoint": name, "guide": guide, "guide_weight": weight})
    assert guide_of("a run of one's own") == (NO_GUIDE, 2.0)


def test_a_long_film_is_bounded_and_keeps_both_ends(small):
    films, _, messages, last = film_of(small, settings(steps=1000, count=1))
    times = [moment["t"] for message in messages for moment in message["steps"]]
    assert len(times) <= kept_steps(1) == 200
    assert (times[0], times[-1]) == (999, 0)
    assert last["frames"] == len(times) + 1
    assert len(films.get(last["run"]).steps) == len(times)


def test_the_default_film_of_sixteen_digits_keeps_every_one_of_its_two_hundred_steps():
    assert kept_steps(16) == 200
    assert kept_steps(64) == 50
    assert film_bits(16, 50) == 8
    assert film_bits(16, 200) == film_bits(64, 50) == 4


def test_sixty_four_digits_in_fifty_steps_stay_small_on_the_way_and_as_a_gif():
    """A trained network's film: random pictures of one that learnt nothing would pack better or worse."""
    trained = load_placed(find_checkpoint("tiny"))  # the quickest of them
    films, first, *rest = film_of(trained, settings("DDIM", steps=50, count=64))
    assert sum(len(json.dumps(message)) for message in [first, *rest]) < 4_000_000
    answer = take_home({"run": first["run"], "kind": "gif"}, films)
    assert len(base64.b64decode(answer["file"])) < 1_000_000


def test_sixteen_grey_levels_are_the_nearest(generator):
    pictures = torch.randn(2, 28, 28, generator=generator)
    packed = np.frombuffer(grey_levels(pictures, reach=1.0, bits=4), np.uint8)
    unpacked = np.stack([packed >> 4, packed & 15], axis=-1).reshape(2, 28, 28)
    assert np.abs(unpacked / 7.5 - 1 - pictures.clamp(-1, 1).numpy()).max() <= 1 / 15 + 1e-6


def test_the_page_draws_what_the_command_line_draws(lite, tmp_path, capsys):
    from ddpm_demo.commands.parser import main

    *_, last = film_messages(lite, settings(steps=8, count=4, seed=11), Films())
    out = tmp_path / "s.npz"
    assert main(["sample", "--n", "4", "--steps", "8", "--seed", "11", "--out", str(out)]) == 0
    np.testing.assert_array_equal(np.load(out)["images"], levels(last, "x_t")[0])


@pytest.mark.parametrize("sampler", WORDS["sampler"])
@pytest.mark.parametrize("clip", WORDS["clip"])
def test_the_inspectors_sum_is_the_films_next_frame(small, sampler, clip):
    films, first, messages, last = film_of(small, settings(sampler, clip, steps=8, eta=0.5))
    frames = np.concatenate([levels(message, "x_t") for message in (*messages, last) if message["steps"]])
    for frame in (0, 1, 6, 7):
        answer = inspect_step({"run": first["run"], "frame": frame, "digit": 2}, films)
        total = sum(term["coefficient"] * floats(term["values"]).astype(np.float64) for term in answer["terms"])
        if answer["clamped"]:
            total = total.clip(-1, 1)
        np.testing.assert_allclose(total, floats(answer["x_s"]), rtol=1e-5, atol=2e-5)
        shown = to_uint8(torch.from_numpy(total)).numpy().reshape(28, 28).astype(int)
        # a value that stands on the edge between two grey levels may fall to either side
        difference = np.abs(shown - frames[frame + 1, 2].astype(int))
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.01


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "x",
        {},
        {"run": "nobody's", "frame": 0, "digit": 0},
        {"run": [], "frame": 0, "digit": 0},
        *({"run": "RUN", "frame": wrong, "digit": 0} for wrong in (-1, 8, None, "1", float("nan"), True)),
        *({"run": "RUN", "frame": 0, "digit": wrong} for wrong in (-1, 3, None, "1", 0.5)),
    ],
)
def test_questions_past_the_interface_get_a_sentence(small, bad):
    films, first, *_ = film_of(small, settings(steps=8))
    if isinstance(bad, dict) and bad.get("run") == "RUN":
        bad = {**bad, "run": first["run"]}
    assert set(inspect_step(bad, films)) == {"error"}
    assert set(take_home(bad, films)) == {"error"}


def test_old_films_are_forgotten_and_memory_stays_bounded(small):
    films = Films(memory=3 * 784 * 4 * (4 * 8 + 1) * 5 // 2)  # two films of eight steps, not three
    runs = [film_of(small, settings(steps=8, seed=seed), films)[1]["run"] for seed in range(5)]
    assert films.bytes <= films.memory
    assert "press Generate again" in inspect_step({"run": runs[0], "frame": 0, "digit": 0}, films)["error"]
    assert "error" not in inspect_step({"run": runs[-1], "frame": 0, "digit": 0}, films)


def test_memory_is_counted_as_films_come_go_and_come_again(small):
    films = Films(memory=3 * 784 * 4 * (4 * 8 + 1) * 5 // 2)
    for seed in (0, 1, 1, 2, 0, 0):
        run = film_of(small, settings(steps=8, seed=seed), films)[1]["run"]
        films.note_message(run, 1000)
        films.note_message("nobody's", 1000)
        assert films.bytes == sum(film.bytes for film in films._films.values()) > 0
    films.forget_all()
    assert films.bytes == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"sampler": "Euler"},
        {"sampler": None},
        {"sampler": ["DDIM"]},
        {"clip": "sometimes"},
        *({"steps": bad} for bad in (0, 4, -3, 1001, float("nan"), "10", True, 10.5)),
        *({"eta": bad} for bad in (1.5, -0.1, None, float("nan"), "0")),
        *({"count": bad} for bad in (MAX_IMAGES + 1, 0, 1e12, "many")),
        *({"seed": bad} for bad in (-3, 2**40, None)),
        *({"guide": bad, "weight": 2} for bad in ("lite", "", False, 3, ["full"])),
        *({"guide": "full", "weight": bad} for bad in (-1, 5.5, float("nan"), "2", None, True)),
    ],
)
def test_settings_past_the_interface_are_refused(wrong):
    with pytest.raises(ConfigError):
        settings(**wrong)


def test_taking_the_film_home(small):
    films, first, messages, last = film_of(small, settings(steps=8))
    question = {"run": first["run"]}

    def file(kind):
        return io.BytesIO(base64.b64decode(take_home({**question, "kind": kind}, films)["file"]))

    with Image.open(file("gif")) as gif:
        assert gif.n_frames == 9
    answer = take_home({**question, "kind": "gif"}, films)
    assert answer["name"] == f"ddpm-seed-{films.get(first['run']).settings.seed}-9-frames.gif"
    assert answer["note"] == "9 frames, one a step, 440 ms each"
    with Image.open(file("png")) as png:
        assert png.mode == "L"
        digits = levels(last, "x_t")[0]
        np.testing.assert_array_equal(np.asarray(png), pictures.tile(digits, scale=3))  # exact to the level
    content = np.load(file("npz"))
    assert content["t"].dtype == np.int32
    step = films.get(first["run"]).steps[2].step
    np.testing.assert_array_equal(content["eps_hat"][2], step.eps_hat[:, 0].numpy())  # and to the bit
    np.testing.assert_array_equal(content["images"], levels(last, "x_t")[0])
    assert content["x_t"].shape == (8, 3, 28, 28)
    assert content["t"].tolist() == [moment["t"] for message in messages for moment in message["steps"]]


def test_a_stopped_film_can_be_taken_home(small):
    films = Films()
    messages = film_messages(small, settings(steps=1000), films)
    run = next(messages)["run"]
    for _ in range(3):
        last = next(messages)
    messages.close()
    kept = films.get(run).steps
    assert len(kept) == last["first"] + len(last["steps"])

    def file(kind):
        return io.BytesIO(base64.b64decode(take_home({"run": run, "kind": kind}, films)["file"]))

    content = np.load(file("npz"))
    np.testing.assert_array_equal(content["images"], to_uint8(kept[-1].step.x_s[:, 0]).numpy())
    assert content["t"].tolist() == [each.step.t for each in kept]
    with Image.open(file("gif")) as gif:
        assert gif.n_frames == min(len(kept), GIF_FRAMES) + 1


def test_the_program_prints_the_films_digits(lite):
    films, first, _, last = film_of(lite, settings("DPM-Solver++(2M)", "clip x̂₀ to [−1, 1]", steps=6, count=2))
    text = take_home({"run": first["run"], "kind": "python"}, films)["text"]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(text, "program.py", "exec"), {})
    rows = levels(last, "x_t")[0].reshape(-1, 28)
    expected = ["".join(SHADES[int(grey) * 9 // 255] * 2 for grey in row) for row in rows]
    assert printed.getvalue().splitlines() == expected


@pytest.mark.parametrize("weight", [1, 3])
def test_the_program_of_a_guided_film_prints_its_digits(lite, weight):
    guide = load_placed(find_checkpoint(GUIDE))
    films, first, _, last = film_of(lite, settings("DDIM", steps=5, count=1, guide=GUIDE, weight=weight), guide=guide)
    text = take_home({"run": first["run"], "kind": "python"}, films)["text"]
    assert ("Autoguidance" in text) == (weight != 1)  # at 1 the film is the network's alone
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(text, "program.py", "exec"), {})
    expected = ["".join(SHADES[int(grey) * 9 // 255] * 2 for grey in row) for row in levels(last, "x_t")[0, 0]]
    assert printed.getvalue().splitlines() == expected


def test_the_program_of_a_network_of_ones_own_runs_in_any_directory(tiny, tmp_path, monkeypatch):
    """As `--checkpoint runs/own.safetensors` gives it to the app: a short name on the page, the file in the program."""
    (tmp_path / "runs").mkdir()
    path = tmp_path / "runs" / "own.safetensors"
    checkpoint.save(path, checkpoint.Checkpoint(tiny, ScheduleConfig(), Provenance()))
    monkeypatch.chdir(tmp_path)
    own = Path("runs/own.safetensors")
    assert name_of(own) == "own"
    wanted = FilmSettings(name_of(own), sampler="ddim", steps=5, n=1)
    assert "checkpoint-own." in link_text(wanted)
    films, first, _, last = film_of(load_placed(own), wanted)
    text = take_home({"run": first["run"], "kind": "python"}, films)["text"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shown = subprocess.run([sys.executable, "-c", text], cwd=elsewhere, capture_output=True, text=True, check=True)
    expected = ["".join(SHADES[int(grey) * 9 // 255] * 2 for grey in row) for row in levels(last, "x_t")[0, 0]]
    assert shown.stdout.splitlines() == expected


def test_names_of_checkpoints_are_files_names_without_their_ending(tmp_path):
    assert name_of(find_checkpoint("lite")) == "lite"
    assert name_of(tmp_path / "mine.safetensors") == "mine"
    assert name_of(tmp_path / "lite.safetensors") == "lite.safetensors"  # another network than the shipped one


@pytest.mark.parametrize("sampler", WORDS["sampler"])
@pytest.mark.parametrize("clip", WORDS["clip"])
def test_a_link_brings_the_settings_back(sampler, clip):
    wanted = settings(sampler, clip, steps=77, eta=0.35, count=9, seed=2**31 - 1)
    assert read_film_link(link_text(wanted)) == wanted
    tab = GenerateTab(dict.fromkeys(SETTINGS_ON_THE_PAGE), None, {"lite": None}, None)
    answers = tab.restore_film(SimpleNamespace(query_params={"film": link_text(wanted)}))
    *film, weight, digit, asking, first, last, too, note, press = answers
    assert film == ["lite", sampler, clip, 77, 0.35, 9, 2**31 - 1, NO_GUIDE]
    assert digit == ANY_DIGIT
    assert all(field["__type__"] == "update" for field in (weight, asking))
    assert (first, last, too) == (999, 0, True)
    assert "drawn again" in note
    assert press == {"open": True, "press": True}


def test_a_link_brings_the_guide_back():
    wanted = settings(guide=GUIDE, weight=2.75)
    assert read_film_link(link_text(wanted)) == wanted
    models = {"lite": None, GUIDE: None}
    tab = GenerateTab(dict.fromkeys(SETTINGS_ON_THE_PAGE), None, models, None)
    *_, guide, weight, _, _, _, _, _, _, press = tab.restore_film(
        SimpleNamespace(query_params={"film": link_text(wanted)})
    )
    assert (guide, weight, press) == (GUIDE, 2.75, {"open": True, "press": True})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "0~0~50",
        "9~0~50~0~1~0~lite",
        "-1~0~50~0~1~0~lite",
        "0~0~50~nan~1~0~lite",
        "0~0~5000~0~1~0~lite",
        "0~0~50~0~1~0~../../etc/passwd",
        "0~0~50~0~1~0~/etc/passwd",
        "0~0~50~0~1~0~lite~/etc/passwd~2",
        "0~0~50~0~1~0~lite~full~2",  # not among those of this page
        "0~0~50~0~1~0~lite~lite~2",
        "0~0~50~0~1~0~lite~full~nan",
        "0~0~50~0~1~0~lite~full",
    ],
)
def test_nonsense_in_a_link_changes_nothing(text):
    tab = GenerateTab(dict.fromkeys(SETTINGS_ON_THE_PAGE), None, {"lite": None}, None)
    *answers, note, press = tab.restore_film(SimpleNamespace(query_params={"film": text}))
    assert all(isinstance(answer, dict) and answer["__type__"] == "update" for answer in answers)
    assert press == {"open": True}  # the tab that shows the note, and no film
    assert "was ignored" in note


def test_ten_films_at_once_are_ten_different_films_in_fair_turns(small):
    """Each visitor gets the film that its seed gives alone, and nobody is more than one step ahead of another."""
    wanted, calls = {seed: settings(steps=6, seed=seed) for seed in range(10)}, []

    class Seen:
        config = small.model.config

        def __init__(self, seed):
            self.seed = seed

        def __call__(self, x_t, t):
            calls.append(self.seed)
            time.sleep(0.01)  # the others come to ask meanwhile
            return small.model(x_t, t)

    class Viewer:
        def __init__(self):
            self.steps, self.done = [], threading.Event()

        def deliver(self, film_step):
            self.steps.append(film_step.step)
            if film_step.step.s < 0:
                self.done.set()

        def fail(self, error):
            raise error

    networks = {
        str(seed): LoadedNetwork(Seen(seed), small.schedule, small.placement, None, digest=str(seed)) for seed in wanted
    }
    executor, viewers = LocalExecutor(networks.__getitem__, Scheduler()), {seed: Viewer() for seed in wanted}
    executor.films_per_call = dict.fromkeys(((name, "") for name in networks), 1)  # known: nobody measures meanwhile
    for seed, viewer in viewers.items():
        executor.begin(FilmWalk(film_job(networks[str(seed)], wanted[seed]), small.schedule), viewer)
    for seed, viewer in viewers.items():
        assert viewer.done.wait(60)
        *_, alone = film_alone(small, None, FilmWalk(film_job(small, wanted[seed]), small.schedule))
        assert torch.equal(viewer.steps[-1].x_s, alone.step.x_s)
    assert sorted(calls) == sorted(list(range(10)) * 6)
    # in the middle, when all have come and none has left, ten calls in a row are ten visitors
    assert all(len(set(calls[k : k + 10])) >= 8 for k in range(15, 35))


def test_a_film_asks_the_network_only_while_somebody_waits_for_its_next_frame(small):
    calls = []
    small.model.register_forward_hook(lambda *_: calls.append(NETWORK.waiting))
    messages = film_messages(small, settings(steps=1000), Films())
    next(messages)
    assert calls == []
    next(messages)
    asked = len(calls)
    assert asked > 0
    for _ in range(3):  # whatever the film had asked for meanwhile would have its turn before this
        NETWORK.turn(lambda: None)
    assert len(calls) == asked
    messages.close()
    NETWORK.turn(lambda: None)
    assert len(calls) == asked


def test_the_pages_words_for_a_sampler_lead_back_to_it():
    titles = [(title, kind, variant) for kind in SAMPLERS for title, variant in SAMPLERS[kind].variants.items()]
    assert [title for title, *_ in titles] == list(WORDS["sampler"])
    for title, kind, variant in titles:
        for clip_words, clip in (("none", "none"), ("clip x̂₀ to [−1, 1]", "x0"), ("clamp xₜ to [−1, 1]", "x_t")):
            wanted = settings(title, clip_words, steps=20)
            assert wanted.config == SamplerConfig(kind, **variant, clip=clip, steps=20)
            words = words_of_settings(wanted)
            assert (words["sampler"], words["clip"]) == (title, clip_words)


def test_a_sampler_without_words_on_the_page_is_not_shown_as_another_one():
    """Ho et al.'s noise at the last step has no button: a link that names it must not press the spec's."""
    wanted = FilmSettings("lite", final_noise="ho", variance="beta")
    assert sampler_words(wanted) is None
    assert sampler_words(FilmSettings("lite", sampler="ddim", final_noise="ho")) == "DDIM"  # which heeds none of it
    tab = GenerateTab(dict.fromkeys(SETTINGS_ON_THE_PAGE), None, {"lite": None}, None)
    *_, note, press = tab.restore_film(SimpleNamespace(query_params={"film": link_text(wanted)}))
    assert "no such sampler" in note
    assert press == {"open": True}


def test_a_link_brings_the_wish_for_a_digit_back():
    wanted = FilmSettings("lite", n=4, seed=1, digit=7, digit_weight=5.5, first=800, last=200)
    tab = GenerateTab(dict.fromkeys(SETTINGS_ON_THE_PAGE), None, {"lite": None}, None)
    *_, digit, asking, first, last, too, _, press = tab.restore_film(
        SimpleNamespace(query_params={"film": link_text(wanted)})
    )
    assert (digit, asking, first, last, too, press) == ("7", 5.5, 800, 200, True, {"open": True, "press": True})


def test_the_switch_of_steering_finds_the_guide_that_suits():
    assert steer(True, "lite") == guide_of("lite") == (GUIDE, RECOMMENDED_GUIDANCE["lite"].weight)
    assert steer(False, "lite") == (NO_GUIDE, GuidanceConfig.weight)
    assert steer(True, "a run of the shelf") == (GUIDE, GuidanceConfig.weight)
    for checkpoint_name in (GUIDE, "ideal", "ideal:patch=9", None):
        assert steer(False, checkpoint_name)[0] == NO_GUIDE
        with pytest.raises(ConfigError, match="no weaker network"):
            steer(True, checkpoint_name)
    with pytest.raises(ConfigError, match="true or false"):
        steer("yes", "lite")
