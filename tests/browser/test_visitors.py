"""Many visitors, and experiments watched to their end: a quick network in the lite one's place, in this process.

In this process, so that a test can count the server's steps and hold them back. Nothing here depends on how long
anything takes.
"""

import base64
import threading
import time
import zlib
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from ddpm_demo.bench.files import bench_files
from ddpm_demo.bench.page import READY, load_time
from ddpm_demo.bench.watching import bench_watching
from ddpm_demo.core.config import ModelConfig
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.films import executor
from ddpm_demo.machine.device import best_placement
from ddpm_demo.machine.scheduler import NETWORK, at_once
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.store import checkpoint
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.training import shelf
from ddpm_demo.training.loop import TrainState, train
from ddpm_demo.training.recipes import train_config
from ddpm_demo.ui.app import FILM_ROUTES, build_app
from ddpm_demo.ui.film import broadcasts as rooms
from ddpm_demo.ui.film import completion, stream
from ddpm_demo.ui.film import race_tab as races
from ddpm_demo.ui.film.experiments import EXPERIMENTS
from ddpm_demo.ui.film.film_link import read_film_link
from ddpm_demo.ui.film.films import Films
from ddpm_demo.ui.film.race import race
from ddpm_demo.ui.parts.bridge import STATIC, static_url
from ddpm_demo.ui.server import launch
from ddpm_demo.ui.tabs import noise
from tests.browser.conftest import PATIENCE, open_context
from tests.browser.proxies import proxy
from tests.ui.film_messages import film_messages

FILM = "#generate-film canvas"
RACE = "#race-film [data-done]"
# Gradio's own, when it counts its visitors with a new pandas
pytestmark = pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting'")


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A checkpoint of a network that answers in a millisecond, trained for a second: its films end among the greys."""
    path = tmp_path_factory.mktemp("runs") / "quick.safetensors"
    config = train_config("lite", epochs=0.05)
    state = TrainState.fresh(ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16), config, best_placement())
    for _ in train(state, Schedule.from_config(ScheduleConfig()), load_mnist(train=True)[0], config):
        pass
    checkpoint.save(path, checkpoint.Checkpoint(state.model, ScheduleConfig(), Provenance()))
    return path


@pytest.fixture(scope="module")
def app(quick):
    demo = build_app(str(quick))
    yield demo, launch(demo)
    demo.close(verbose=False)


@pytest.fixture
def address(app):
    return app[1]


class Counted:
    """The network's answers for films: each needs a permit, and is counted with the seed that it was for."""

    def __init__(self, ask):
        self.ask, self.calls, self.permits = ask, [], threading.Semaphore(0)

    def __call__(self, network, guide, walks, *rest):
        self.permits.acquire()
        answers = self.ask(network, guide, walks, *rest)
        self.calls += [walk.job.seed for walk in walks]
        return answers


@pytest.fixture
def counted(monkeypatch):
    counted = Counted(executor.predict)
    monkeypatch.setattr(executor, "predict", counted)
    monkeypatch.setattr(executor.LocalExecutor, "_measure_films_per_call", lambda *_: 1)  # it would need permits, too
    monkeypatch.setattr(
        noise, "NETWORK", SimpleNamespace(turn=at_once)
    )  # or every page that opens would wait for a turn, too
    monkeypatch.setattr(stream, "MESSAGES_PER_SECOND", 1e9)  # a quick network's steps would be sent in bunches
    yield counted
    counted.permits.release(100_000)  # whatever a failed test has left waiting


def until(visit, condition):
    """Wait, while the browser goes on, until something is so."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be"
        visit.page.wait_for_timeout(20)


def last_picture(message):
    """The last frame of a message, (N, 28, 28)."""
    return np.frombuffer(zlib.decompress(base64.b64decode(message["x_t"])), np.uint8).reshape(-1, 28, 28)


def run_experiment(visit, title):
    visit.open()
    visit.tab("Generate")
    visit.page.wait_for_selector(FILM)
    field = visit.page.get_by_role("spinbutton", name="number input for Number in each lane")
    field.fill("1")
    field.press("Tab")
    visit.page.get_by_role("button", name=title).click()
    visit.page.wait_for_function(f"document.querySelector('{RACE}')?.dataset.done === '1'")
    visit.wait_for_text("#race-words", EXPERIMENTS[title].look[:40])
    visit.wait_for_text("#race-words", "Source:")
    return visit.page.text_content("#race-film")


def finals(path, title):
    """What Python draws in every lane of an experiment: one digit of seed 0."""
    pictures = {}
    for message in race(load_placed(path), EXPERIMENTS[title].lanes, count=1, seed=0):
        if message["t"]:
            pictures[message["lane"]] = last_picture(message)[-1]
    return [pictures[lane] for lane in sorted(pictures)]


def test_a_thousand_fifty_and_ten_steps_to_the_end(visit, quick):
    title = "1000, 50 and 10 steps"
    said = run_experiment(visit, title)
    for name, calls in (("DDPM, 1000 steps", 1000), ("DDPM, 50", 50), ("DDIM, 50", 50), ("DDIM, 10", 10)):
        assert f"{calls} network calls, " in said.split(name)[1][:40]
    for lane, expected in enumerate(finals(quick, title)):
        shown = visit.pixels(f"#race-film .ddpm-lane:nth-child({lane + 1}) canvas")
        np.testing.assert_array_equal(np.reshape(shown, (28, 28)), expected)
    assert visit.page.locator("#race-film canvas[data-name=difference]").is_hidden()  # it is for two lanes


def test_noise_at_the_last_step_to_the_end(visit, quick):
    title = "Noise at the last step or not"
    said = run_experiment(visit, title)
    spec, ho = (picture.astype(int) for picture in finals(quick, title))
    apart = np.abs(spec - ho)
    most = int(apart.max())
    assert 1 <= most <= 8  # sigma is 1.4 grey levels there
    assert f"at most {most} of 255 grey levels, shown {255 / most:.0f} times as strong" in said
    shown = np.reshape(visit.pixels("#race-film canvas[data-name=difference]"), (28, 28))
    np.testing.assert_array_equal(shown, 255 * apart // most)
    for _ in range(2):  # at t = 0 the noise of t = 1 is in, and at t = 1 it is not yet
        visit.page.locator("#race-film").get_by_role("button", name="one step back").click()
    assert visit.page.get_attribute("#race-film canvas[data-name=difference]", "data-most") == "0"


@pytest.fixture
def broadcasts(app):
    return getattr(app[0], FILM_ROUTES)[0].app.broadcasts


def test_a_closed_tab_costs_nothing_after_a_moment(browser, visit, counted, broadcasts, monkeypatch):
    monkeypatch.setattr(rooms, "GRACE_SECONDS", 0.0)
    leaver = open_context(browser).new_page()
    leaver.goto(f"{visit.address}?film=2~1~200~0~1~0~quick")
    counted.permits.release(4)
    leaver.wait_for_function(f"Number(document.querySelector('{FILM}')?.dataset.received) === 4")
    assert broadcasts.numbers()["films"] == 1
    leaver.context.close()
    until(visit, lambda: broadcasts.numbers()["visitors"] == 0)  # the fifth step is under way, and waits
    visit.page.wait_for_timeout(100)
    counted.permits.release(500)
    until(visit, lambda: NETWORK.turn(lambda: True))
    assert counted.calls == [0] * 5


def test_five_visitors_at_once_get_five_films_in_fair_turns(browser, visit, quick, counted, broadcasts):
    links = [f"2~1~6~0~1~{seed}~quick" for seed in range(5)]
    pages = []
    for k, link in enumerate(links):
        pages.append(open_context(browser).new_page())
        pages[-1].goto(f"{visit.address}?film={link}", wait_until="commit")
        until(visit, lambda k=k: broadcasts.numbers()["films"] == k + 1)
    for page in pages:  # everybody sees x_T, and knows how many share the processor, before anybody has had a step
        page.wait_for_function(f"document.querySelector('{FILM}')?.dataset.received === '1'")
        page.wait_for_function(
            "document.querySelector('#generate-film .ddpm-facts').textContent.includes(' take turns')"
        )
    counted.permits.release(30)
    for page in pages:
        page.wait_for_function(f"document.querySelector('{FILM}').dataset.done === '1'")
    assert sorted(counted.calls) == sorted([*range(5)] * 6)
    turns = [counted.calls[k : k + 5] for k in range(0, 30, 5)]
    assert [sorted(turn) for turn in turns] == [list(range(5))] * 6
    for page, link in zip(pages, links, strict=True):
        *_, last = film_messages(load_placed(quick), read_film_link(link), Films())
        shown = type(visit)(page, visit.address).pixels(FILM)
        np.testing.assert_array_equal(np.reshape(shown, (28, 28)), last_picture(last)[0])
        page.context.close()


def test_with_six_films_under_way_a_seventh_page_of_the_browser_opens(browser, visit, counted, broadcasts):
    """A browser has six connections to a server: six streams would leave none for the seventh page."""
    context = open_context(browser)
    first = context.new_page()
    with first.expect_request(lambda request: "/ddpm/film?" in request.url) as asked:
        first.goto(f"{visit.address}?film=2~1~6~0~1~100~quick")
    (settings,) = parse_qs(urlsplit(asked.value.url).query)["settings"]
    module = static_url(STATIC / "film" / "film_stream.js")
    for _ in range(5):  # pages that have the film and nothing else
        page = context.new_page()
        page.goto(f"{visit.address}/theme.css")
        page.evaluate(
            """async ([module, settings]) => {
                const { openServerFilm: openFilm } = await import(module);
                openFilm(JSON.parse(settings), { say() {}, ended() { document.title = "ended"; } });
            }""",
            [module, settings],
        )
    until(visit, lambda: broadcasts.numbers()["visitors"] == 6)
    seventh = context.new_page()
    seventh.goto(f"{visit.address}?film=2~1~6~0~1~101~quick", wait_until="commit")
    seventh.wait_for_function(f"document.querySelector('{FILM}')?.dataset.received === '1'")
    counted.permits.release(100)
    for page in (first, seventh):
        page.wait_for_function(f"document.querySelector('{FILM}').dataset.done === '1'")
    for page in context.pages[1:6]:
        page.wait_for_function("document.title === 'ended'")
    context.close()


def test_a_film_arrives_though_its_stream_is_held_back(browser, visit, counted):
    context = open_context(browser)
    page = context.new_page()
    held = []  # nothing of these ever comes
    page.route(lambda url: "/ddpm/film" in url and "poll=" not in url, lambda route: held.append(route))
    page.goto(f"{visit.address}?film=2~1~6~0~1~200~quick")
    counted.permits.release(3)
    page.wait_for_function(f"document.querySelector('{FILM}')?.dataset.received === '3'")
    assert len(held) == 1
    assert "others are watching" not in page.text_content("#generate-film .ddpm-facts")
    counted.permits.release(100)
    page.wait_for_function(f"document.querySelector('{FILM}').dataset.done === '1'")
    page.wait_for_function("!document.querySelector('#generate-start').disabled")
    page.unroute_all(behavior="ignoreErrors")
    context.close()


# what a hub, a cloud's editor and a local editor do with the addresses that they show a page under
SHOWN = {
    "JupyterHub": ("/user/x/ddpm-demo/", {"x-forwarded-prefix": "/user/x/ddpm-demo", "x-forwarded-proto": "https"}),
    "Binder": ("/user/ada-diffusion-3v9k/proxy/7860/", {"host": "hub.mybinder.org", "x-forwarded-proto": "https,http"}),
    "Codespaces": (
        "/",
        {
            "host": "localhost:7860",
            "x-forwarded-host": "upgraded-fish-7860.app.github.dev",
            "x-forwarded-proto": "https",
        },
    ),
    "VS Code": ("/proxy/7860/", {"host": "127.0.0.1:7860"}),
}


@pytest.mark.parametrize("where", SHOWN)
def test_the_page_finds_by_itself_where_a_proxy_shows_it(visit_to, app, where):
    """Whatever the proxy says of itself, or does not: the visitor's browser knows, and asks nobody else."""
    path, headers = SHOWN[where]
    with proxy(app[1], path, headers) as shown:
        visit = visit_to(shown)
        visit.page.goto(f"{shown}?film=2~1~6~0~1~300~quick#part")
        visit.page.wait_for_function(f"document.querySelector('{FILM}')?.dataset.done === '1'")
        assert {urlsplit(request).netloc for request in visit.requests} == {urlsplit(shown).netloc}
        assert [request for request in visit.requests if not urlsplit(request).path.startswith(path)] == []
        visit.page.close()


def test_a_proxy_that_passes_nothing_on_before_its_end_holds_no_film_back(visit_to, app, counted):
    """As jupyter-server-proxy 4.1.2 does, and an nginx that eats X-Accel-Buffering still does."""
    with proxy(app[1], *SHOWN["JupyterHub"], holds=True) as shown:
        visit = visit_to(shown)
        visit.page.goto(f"{shown}?film=2~1~6~0~1~301~quick")
        counted.permits.release(3)
        visit.page.wait_for_function(f"document.querySelector('{FILM}')?.dataset.received === '3'")
        assert "others are watching" not in visit.page.text_content("#generate-film .ddpm-facts")
        counted.permits.release(100)
        visit.page.wait_for_function(f"document.querySelector('{FILM}').dataset.done === '1'")
        visit.page.close()


def gated(permits, source):
    """A generator's function whose messages each need a permit."""

    def messages(*arguments, **named):
        for message in source(*arguments, **named):
            permits.acquire()
            yield message

    return messages


def test_what_is_watched_besides_films_comes_through_such_a_proxy_and_can_be_stopped(visit_to, app, monkeypatch):
    permits = threading.Semaphore(0)
    monkeypatch.setattr(races, "race", gated(permits, race))
    monkeypatch.setattr(completion, "messages_of", gated(permits, completion.messages_of))
    with proxy(app[1], *SHOWN["JupyterHub"], holds=True) as shown:
        visit = visit_to(shown)
        page = visit.page
        visit.open()
        visit.tab("Generate")
        page.locator("#race-start").click()
        permits.release(2)
        page.wait_for_function(f"Number(document.querySelector('{RACE}')?.dataset.done) > 0")
        assert float(page.get_attribute(RACE, "data-done")) < 1
        page.locator("#race-stop").click()
        page.locator("#race-start").click()  # it rested, and goes on for whoever asks next
        visit.wait_for_text("#race-film", "Already under way")
        permits.release(1000)
        page.wait_for_function(f"document.querySelector('{RACE}').dataset.done === '1'")

        while permits.acquire(blocking=False):
            pass
        go, stop, note = (f"#completion {part}" for part in ("[data-name=go]", "[data-name=stop]", "[role=status]"))
        page.locator(go).click()
        permits.release(3)
        way = "#completion canvas[data-name=completion-0]"
        page.wait_for_function(f"Number(document.querySelector('{way}').dataset.t) > 0")
        assert page.locator(go).is_disabled()
        page.locator(stop).click()
        assert page.text_content(note) == "Stopped."
        permits.release(1000)
        page.locator(go).click()
        visit.wait_for_text(note, "differs from what was given in no pixel")
        page.close()


def test_a_stream_that_is_cut_again_and_again_goes_on_where_it_was(visit_to, app, counted):
    with proxy(app[1], cuts=400_000) as shown:  # a page's largest file passes, a film of 64 digits does not
        visit = visit_to(shown)
        visit.page.goto(f"{shown}?film=2~1~30~0~64~302~quick")
        counted.permits.release(100)
        visit.page.wait_for_function(f"document.querySelector('{FILM}')?.dataset.done === '1'")
        assert "others are watching" not in visit.page.text_content("#generate-film .ddpm-facts")
        visit.page.close()


def test_one_link_for_a_class_is_one_film_and_the_page_says_where_it_is_from(browser, visit, counted):
    pages = [open_context(browser).new_page() for _ in range(3)]
    link = f"{visit.address}?film=2~1~6~0~1~77~quick"
    pages[0].goto(link)
    counted.permits.release(2)
    pages[0].wait_for_function(f"document.querySelector('{FILM}')?.dataset.received === '2'")
    pages[1].goto(link)
    pages[1].wait_for_function(f"document.querySelector('{FILM}')?.dataset.received === '2'")
    counted.permits.release(100)
    for page in pages[:2]:
        page.wait_for_function(f"document.querySelector('{FILM}').dataset.done === '1'")
    pages[2].goto(link)
    pages[2].wait_for_function(f"document.querySelector('{FILM}')?.dataset.frame === '6'")  # played to its end
    assert counted.calls == [77] * 6
    facts = [page.text_content("#generate-film .ddpm-facts") for page in pages]
    assert "others are watching the same film" in facts[1]
    assert "from memory: computed here at" in facts[2]
    shown = {tuple(type(visit)(page, visit.address).pixels(FILM)) for page in pages}
    assert len(shown) == 1
    for page in pages:
        page.context.close()


def test_what_a_watching_page_costs_is_measured_and_leaves_no_run_behind(visit, browser):
    before = [known.id for known in shelf.entries()]
    row = bench_watching(browser, visit.address, settle=1.0, opening=1.5, window=4.0, turns=1)
    assert row["cost"] == pytest.approx(1 - row["watched_images_per_s"] / row["alone_images_per_s"])
    assert [known.id for known in shelf.entries()] == before


def test_what_the_page_takes_to_load_is_measured(app, browser):
    _, address = app
    assert [load_time(browser, address, element) > 0 for element in READY.values()] == [True, True]
    row = bench_files(browser, address)
    assert row["files"] > 80  # all of them, not only what the first screen needs
    assert min(row["ready_seconds"], row["gradio_seconds"]) > 0
