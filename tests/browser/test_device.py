"""Films that the page makes itself, in its workers: they are the server's films, and everything around them works."""

import base64
import dataclasses
import json
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from ddpm_demo.core.sampling import sample, start_noise, to_uint8
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.explaining.plane import mnist_plane
from ddpm_demo.machine.device import answering_placement
from ddpm_demo.measuring.completion import known_mask
from ddpm_demo.networks.loaded_networks import load_guided, load_placed
from ddpm_demo.store import checkpoint
from ddpm_demo.store.shipped import find_checkpoint, shipped_checkpoints
from ddpm_demo.ui.film.branches import branches_run
from ddpm_demo.ui.film.completion import messages_of, read_completion
from ddpm_demo.ui.film.experiments import EXPERIMENTS, LANES
from ddpm_demo.ui.film.film_link import read_film_link
from ddpm_demo.ui.film.race import race
from ddpm_demo.ui.parts.bridge import base64_of

FILM = "#generate-film canvas"
STATUS = "#generate-film .ddpm-facts"
LINK = "1~1~12~0~4~3~lite~tiny~2.5"  # DDPM with posterior variance, clipped, with a guide


@pytest.fixture
def on_device(visit_to, address):
    return visit_to(address, place="device")


def generate(visit, link, done="1"):
    """Open a link to a film, which makes the film."""
    page = visit.page
    page.goto(f"{visit.address}?__theme=light&film={link}")
    page.wait_for_function(f"document.querySelector('{FILM}')?.dataset.done === '{done}'")
    page.wait_for_selector("#generate-start:not([disabled])")
    return page


def steps_of(link):
    """The steps of a link's film, by PyTorch."""
    settings = read_film_link(link)
    loaded = checkpoint.load(find_checkpoint(settings.checkpoint))
    schedule = Schedule.from_config(loaded.schedule)
    model = load_guided(loaded.model, schedule, settings.guidance, answering_placement())
    generator = torch.Generator().manual_seed(settings.seed)
    x_T = start_noise(settings.n, 1, 28, generator)
    return list(sample(model, schedule, settings.config, x_T, generator=generator))


def film_frames(page):
    """Every frame's grey levels as the page has them: (F, N, 28, 28)."""
    module = page.evaluate(
        "performance.getEntriesByType('resource').find(({ name }) => name.endsWith('film/film_state.js')).name"
    )
    frames = page.evaluate(
        "async (module) => (await import(module)).film.frames.map((frame) => Array.from(frame.x_t))", module
    )
    return np.reshape(frames, (len(frames), -1, 28, 28))


def test_a_film_of_the_device_is_the_servers_to_a_grey_level(on_device):
    page = generate(on_device, LINK)
    assert "made on your device" in page.text_content(STATUS)
    steps = steps_of(LINK)
    pictures = [*(step.x_t for step in steps), steps[-1].x_s]
    expected = np.stack([to_uint8(picture[:, 0]).numpy() for picture in pictures]).astype(int)
    apart = np.abs(film_frames(page) - expected)
    assert apart.max() <= 1
    assert (apart > 0).mean() < 2e-3
    assert not any("/ddpm/film" in url for url in on_device.requests)


@pytest.mark.parametrize(
    "link",
    [
        "0~1~15~0~4~3~lite",
        "2~0~15~0.5~4~3~tiny",
        "3~1~15~0~4~3~tiny",
        "2.checkpoint-tiny.sampler-heun.clip-none.steps-9.n-4.seed-3.end",
        LINK,
    ],
)
def test_the_inspectors_sum_is_the_next_frame(on_device, link):
    page = generate(on_device, link)
    canvas = page.locator(FILM).first
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] * 0.9, "y": box["height"] * 0.9})
    last = read_film_link(link).config.steps - 1
    for frame in (0, 3, last):
        on_device.set_slider("#generate-film", frame)
        page.wait_for_selector(f"#generate-film .ddpm-inspector[data-ready='{frame}']")
        large = page.locator("#generate-film .ddpm-inspector canvas").first
        size = large.bounding_box()
        large.hover(position={"x": size["width"] * 0.55, "y": size["height"] * 0.4})
        page.wait_for_selector("#generate-film .ddpm-inspector-sum[data-total]")
        shown = page.eval_on_selector("#generate-film .ddpm-inspector-sum", "element => ({...element.dataset})")
        assert float(shown["total"]) == pytest.approx(float(shown["actual"]), abs=2e-5)
        assert shown["level"] == shown["film"]
    assert not any("/ddpm/film" in url for url in on_device.requests)


def test_files_of_a_film_of_the_device(on_device, tmp_path):
    link = "2~0~9~0.5~5~3~tiny"
    page = generate(on_device, link)
    paths = {}
    for kind, label in (("gif", "GIF of the film"), ("png", "PNG of the digits"), ("npz", "npz of the numbers")):
        with page.expect_download() as download:
            page.get_by_role("button", name=label).click()
        paths[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(paths[kind])
    steps = steps_of(link)
    with np.load(paths["npz"]) as file:
        np.testing.assert_allclose(file["x_t"], np.stack([step.x_t[:, 0] for step in steps]), atol=1e-3)
        np.testing.assert_allclose(file["x0_hat"], np.stack([step.x0_hat[:, 0] for step in steps]), atol=2e-3)
        np.testing.assert_allclose(file["eps_hat"], np.stack([step.eps_hat[:, 0] for step in steps]), atol=1e-3)
        assert file["t"].tolist() == [step.t for step in steps]
        assert json.loads(str(file["settings"])) == dataclasses.asdict(read_film_link(link))
        images = file["images"]
    frames = film_frames(page)
    np.testing.assert_array_equal(images, frames[-1])
    with Image.open(paths["png"]) as png:
        assert np.array_equal(np.asarray(png.convert("L"))[:28, :28], images[0])
    with Image.open(paths["gif"]) as gif:
        shown = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(gif)]
    assert len(shown) == len(frames)
    assert paths["gif"].name == f"ddpm-seed-3-{len(frames)}-frames.gif"
    for picture, frame in zip(shown, frames, strict=True):
        assert np.array_equal(picture[:28, :28], frame[0] // 16 * 17)
        assert np.array_equal(picture[30:58, 30:58], frame[4] // 16 * 17)


def test_it_stops_and_begins_anew(on_device):
    page = on_device.page
    page.goto(f"{on_device.address}?__theme=light&film=0~1~1000~0~4~3~lite")
    page.wait_for_function(f"Number(document.querySelector('{FILM}')?.dataset.received) > 3")
    page.locator("#generate-stop").click()
    page.wait_for_selector("#generate-start:not([disabled])")
    received = page.get_attribute(FILM, "data-received")
    page.wait_for_timeout(500)
    assert page.get_attribute(FILM, "data-received") == received
    assert float(page.get_attribute(FILM, "data-done")) < 1
    page.locator("#generate-start").click()
    page.wait_for_function(f"Number(document.querySelector('{FILM}')?.dataset.received) > 0")
    page.locator("#generate-stop").click()


def test_what_only_the_server_can_goes_there_and_says_so(on_device):
    page = generate(on_device, "2~1~8~0~2~3~tiny~— none —~1~7~16~~0")
    assert "made by the server: a digit is asked for" in page.text_content(STATUS)


def test_a_browser_without_webassembly_asks_the_server(visit_to, address):
    visit = visit_to(address, place="device")
    visit.page.add_init_script("delete globalThis.WebAssembly")
    page = generate(visit, "2~1~8~0~2~3~tiny")
    assert "made by the server: your device cannot (this browser has no WebAssembly)" in page.text_content(STATUS)


def test_a_device_that_refuses_memory_asks_the_server(visit_to, address):
    visit = visit_to(address, place="device")
    visit.page.route(
        "**/net/worker.js",
        lambda route: route.fulfill(
            content_type="text/javascript",
            body="onmessage = ({ data }) => postMessage({ task: data.task, error: 'no memory' })",
        ),
    )
    page = generate(visit, "2~1~8~0~2~3~tiny")
    said = "made by the server: your device cannot (no memory)"
    assert said in page.text_content(STATUS)


def test_the_path_of_a_film_of_the_device(on_device):
    link = "2~0~9~0~3~3~tiny"
    page = generate(on_device, link)
    page.locator("#path").scroll_into_view_if_needed()
    page.wait_for_selector("#path [data-frame='9']")
    plane, _, _ = mnist_plane()
    steps = steps_of(link)
    expected = plane.project(steps[-1].x_s.flatten(1).numpy())
    shown = page.evaluate(
        """() => {
            const { data } = document.querySelector('#path .js-plotly-plot');
            const { x, y } = data.find((trace) => trace.name === 'the film');
            return [Array.from(x), Array.from(y)];
        }"""
    )
    np.testing.assert_allclose(np.transpose(shown), expected, atol=2e-3)


def test_the_network_answers_every_drag_without_a_request(on_device):
    page = on_device.open().page
    on_device.wait_for_text("[data-name='network']", "answered in")
    assert "/ddpm/weights/" not in " ".join(on_device.requests)  # they are for who drags, not for who passes by
    on_device.set_slider("#noise-view", 500)
    on_device.wait_for_text("[data-name='network']", "on your device")
    before = len(on_device.requests)
    page.evaluate(
        """async () => {
            const slider = document.querySelector("#noise-view input[type=range]"), next = () =>
                new Promise((resolve) => requestAnimationFrame(resolve));
            for (const t of [100, 200, 300, 400]) {
                const panel = document.querySelector(".ddpm-network"), seen = panel.dataset.answers;
                slider.value = t;
                slider.dispatchEvent(new Event("input", { bubbles: true }));
                while (panel.dataset.answers === seen) await next();
            }
        }"""
    )
    on_device.wait_for_text("[data-name='network']", "on your device")
    page.wait_for_timeout(500)
    asked = on_device.requests[before:]
    assert [request for request in asked if not request.endswith("/icon.svg")] == []  # that one whenever it likes
    loaded = checkpoint.load(find_checkpoint("lite"))
    schedule = Schedule.from_config(loaded.schedule)
    state = page.evaluate(
        """async () => {
            const named = (name) => performance.getEntriesByType("resource").find((e) => e.name.endsWith(name)).name;
            const { mixture, state } = await import(named("static/state.js"));
            return { x_t: Array.from(mixture()), t: state.t };
        }"""
    )
    assert state["t"] == 400
    x_t = torch.tensor(state["x_t"]).view(1, 1, 28, 28)
    with torch.no_grad():
        x0_hat = schedule.predict_x0(x_t, 400, loaded.model(x_t, torch.tensor([400])))
    shown = np.array(on_device.pixels("#noise-view canvas[data-name='x0_hat']"))
    assert np.abs(shown - to_uint8(x0_hat).numpy().ravel().astype(int)).max() <= 1


def grid_of(visit, selector, n, columns):
    """The digits of a canvas: (n, 28, 28), two pixels apart."""
    width = 30 * columns - 2
    canvas = np.array(visit.pixels(selector)).reshape(-1, width)
    corners = [(30 * (k // columns), 30 * (k % columns)) for k in range(n)]
    return np.stack([canvas[row : row + 28, column : column + 28] for row, column in corners])


def finished(messages, name="x_t"):
    """The last pictures of a run's messages: (N, 28, 28)."""
    text = [message[name] for message in messages if message.get(name)][-1]
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(-1, 28, 28)


def test_a_race_of_the_device(on_device):
    """One's own, an experiment, one that is stopped, and one that only the server can make."""
    page = on_device.open().page
    on_device.tab("Generate")
    lite = load_placed(find_checkpoint("lite"))
    page.locator("#race-start").click()
    on_device.wait_for_text("#race-film [role=status]", "made on your device, ")
    for k, name in enumerate(("DDIM, 10 steps", "DPM-Solver++(2M), 10 steps")):
        expected = finished(race(lite, [LANES[name]], count=4, seed=0))[-4:]
        shown = grid_of(on_device, f"#race-film figure:nth-child({k + 1}) canvas", 4, 2)
        assert np.abs(shown - expected.astype(int)).max() <= 1
    assert page.get_attribute("#race-film [data-done]", "data-done") == "1"
    page.get_by_role("button", name="From one noise to another").click()
    on_device.wait_for_text("#race-film figcaption b", "DDIM between two x_T")
    on_device.wait_for_text("#race-film [role=status]", "made on your device, ")
    lanes = EXPERIMENTS["From one noise to another"].lanes
    expected = finished(race(lite, lanes, count=8, seed=0, interpolate=True))[-8:]
    apart = np.abs(grid_of(on_device, "#race-film canvas", 8, 8) - expected.astype(int))
    assert apart.max() <= 1
    assert (apart > 0).mean() < 2e-3

    page.get_by_role("button", name="Noise at the last step or not").click()
    on_device.wait_for_text("#race-film figcaption", "of 1000 network calls")
    page.locator("#race-stop").click()
    page.wait_for_timeout(300)
    done = page.get_attribute("#race-film [data-done]", "data-done")
    page.wait_for_timeout(700)
    assert page.get_attribute("#race-film [data-done]", "data-done") == done != "1"
    assert not any("/ddpm/run" in url for url in on_device.requests)

    page.get_by_role("button", name="When is it decided which digit it will be?").click()
    on_device.wait_for_text("#race-film [role=status]", "made by the server: a digit is asked for")
    on_device.wait_for_text("#race-film figcaption", "of 50 network calls")
    page.locator("#race-stop").click()


def test_branches_and_a_completion_of_the_device(on_device):
    page = on_device.open().page
    on_device.tab("Generate")
    page.locator("#branches [data-name='one']").click()
    on_device.wait_for_text("#branches .ddpm-facts", "Made on your device, ")
    module = "performance.getEntriesByType('resource').find(({ name }) => name.endsWith('static/state.js')).name"
    state = page.evaluate(
        f"async () => {{ const {{ state }} = await import({module});"
        " return { x0: Array.from(state.digit.x0), seed: state.noise.seed }; }"
    )
    x0 = base64_of(np.array(state["x0"], "<f4"))
    question = {"x0": x0, "t": 500, "seed": state["seed"]}
    (answer,) = branches_run(find_checkpoint("lite"), question).read()
    shown = grid_of(on_device, "#branches canvas[data-name='branches']", 12, 4)
    assert np.abs(shown - finished([answer], "branches").astype(int)).max() <= 1
    row = [int(cell) if cell != "·" else 0 for cell in page.locator("#branches td").all_text_contents()]
    assert row == np.bincount(answer["classes"], minlength=10).tolist()

    page.locator("#completion [data-mask='left half']").click()
    on_device.set_slider("#completion .ddpm-completion > .ddpm-slider", 1)
    page.locator("#completion [data-name='go']").click()
    on_device.wait_for_text("#completion .ddpm-facts", "Made on your device, ")
    on_device.wait_for_text("#completion .ddpm-facts", "The judge reads ")
    known = base64_of(known_mask("left half").numpy().astype("u1"))
    question = {"x0": x0, "known": known, "jumps": 1, "seed": 0}
    *walk, reading = messages_of(read_completion(shipped_checkpoints(), "lite", question))
    for k, expected in enumerate(finished(walk)):
        canvas = f"#completion canvas[data-name='completion-{k}']"
        assert np.abs(np.array(on_device.pixels(canvas)).reshape(28, 28) - expected.astype(int)).max() <= 1
        said = page.text_content(f"#completion figure:has(canvas[data-name='completion-{k}']) figcaption")
        assert said == f"read as a {reading['classes'][k]}"
    assert not any("/ddpm/run" in url for url in on_device.requests)
