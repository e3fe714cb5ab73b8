"""The lab in Firefox: from a disk, in a sandboxed frame of a page with a strict policy, as wide as a phone."""

import base64
import copy
import datetime
import json
import shutil

import numpy as np
import pytest
import torch

from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import to_uint8
from ddpm_demo.films.film_job import FilmJob, FilmWalk, film_alone
from ddpm_demo.films.plan import film_plan
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.lab.page import lab_page
from tests.browser.conftest import there
from tests.browser.firefox import FirefoxPage, started_firefox

COURSE = """<!doctype html><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; frame-src file:">
<iframe sandbox="allow-scripts" src="lab.html" style="width: 100%; height: 800px; border: none"></iframe>"""
FILM = "document.querySelector('#generate-film .ddpm-film-row canvas[data-name=x_t]')"
DRAW = """(() => {
    document.querySelector("#tab-generate-button").click();
    const digits = document.querySelector(".lab-form input[type=range]");
    digits.value = 1;
    digits.dispatchEvent(new Event("input"));
    document.querySelector("#generate-start").click();
})()"""
# by every build of the network that this Firefox takes
WALK = """(async ([plan, network, builds]) => {
    const {fileBytes} = modules["lab/facts.js"], {makeWorker} = modules["lab/network_files.js"];
    const {Crew} = modules["net/crew.js"], {greyLevels} = modules["net/walk.js"], {encodeBytes} = modules["bytes.js"];
    const made = {};
    for (const build of builds) {
        const bytes = await fileBytes(build);
        if (!WebAssembly.validate(bytes)) continue;
        const crew = new Crew(new WebAssembly.Module(bytes), makeWorker, 1);
        await crew.load(network, () => fileBytes(network));
        await crew.film(plan, {name: network, guide: null}, ({x_s}) => { made[build] = encodeBytes(greyLevels(x_s)); });
    }
    return made;
})"""


@pytest.fixture
def lab_in_firefox(tmp_path):
    path = there(shutil.which("firefox-esr") or shutil.which("firefox"), "Firefox")
    (tmp_path / "lab.html").write_bytes(lab_page("lite", datetime.date(2026, 3, 1)))
    (tmp_path / "course.html").write_text(COURSE)
    profile = tmp_path / "profile"
    profile.mkdir()
    with started_firefox(path, profile) as firefox:
        page = FirefoxPage(firefox, (tmp_path / "course.html").as_uri(), 390, 844)
        page.open()
        page.wait("document.querySelector('iframe')")
        (frame,) = firefox.ask("browsingContext.getTree", root=page.context)["contexts"][0]["children"]
        inside = copy.copy(page)
        inside.context = frame["context"]
        yield inside
        page.close()
        assert page.faults == []


def test_it_draws_pythons_digits_and_fits(lab_in_firefox):
    page, network = lab_in_firefox, load_placed(find_checkpoint("lite"))
    page.wait("document.querySelector('#noise-view canvas[data-name=x_t]')")
    page.evaluate(DRAW)
    page.wait(f"{FILM}.dataset.done === '1'")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    job = FilmJob("lite", SamplerConfig(kind="dpmpp", clip="x0", steps=5), n=1, seed=7)
    *_, last = film_alone(network, None, FilmWalk(job, network.schedule))
    expected = to_uint8(last.step.x_s.float().cpu()).numpy().ravel().astype(int)
    assert torch.tensor(expected).unique().numel() > 2
    asked = [film_plan(job, network.schedule), network.digest, ["net.wasm", "net_relaxed.wasm"]]
    made = page.evaluate(f"{WALK}({json.dumps(asked)})")
    assert "net.wasm" in made
    for build, text in made.items():
        apart = np.abs(np.frombuffer(base64.b64decode(text), np.uint8).astype(int) - expected)
        assert apart.max() <= 1, build
        assert (apart > 0).mean() < 5e-3, build
