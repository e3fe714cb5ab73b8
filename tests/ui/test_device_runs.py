"""Races, branches and completions that the page makes itself, its modules and workers under node: as the server's."""

import base64
import json
import zlib

import numpy as np
import pytest

from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.measuring import classifier
from ddpm_demo.measuring.completion import known_mask
from ddpm_demo.networks.guidance_settings import DigitConfig
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.film.branches import branches_run
from ddpm_demo.ui.film.broadcasts import Broadcasts
from ddpm_demo.ui.film.completion import COMPLETIONS, completion_plan, messages_of, read_completion
from ddpm_demo.ui.film.device import device_run
from ddpm_demo.ui.film.experiments import EXPERIMENTS, Lane
from ddpm_demo.ui.film.race import race, race_plan
from ddpm_demo.ui.film.reading import read_digits
from ddpm_demo.ui.parts.bridge import base64_of
from ddpm_demo.ui.parts.shared_runs import SharedRuns

MADE = """
import { endWorkers, makeDevice } from "./fake_device.js";
const asked = makeDevice(given);
const { openRunSomewhere } = await import("./static/film/device_run.js");
const { makeRace } = await import("./static/film/device_race.js");
const { makeBranches } = await import("./static/film/device_branches.js");
const { makeCompletion } = await import("./static/film/device_completion.js");
const read = async (digits) => ({ classes: [digits.length / 784], of_x0: 3, accuracy: 0.5 });
const makers = { race: makeRace, branches: makeBranches(read), completion: makeCompletion(read) };
/** Its messages, what is said of where it is made, and how it ends. */
const made = (run, kind) => new Promise((resolve) => {
    const messages = [], said = [];
    openRunSomewhere(run, makers[kind], {
        take: (message) => messages.push(message),
        say: () => {},
        source: (text) => said.push(text),
        ended: (error) => resolve({ messages, said, error, asked }),
    });
});
"""


@pytest.fixture
def small(small_network):
    return load_placed(small_network)


@pytest.fixture
def runs():
    return SharedRuns()


def on_device(page, runs, kind, run, *networks):
    """What the page has of a run in the end that it makes itself."""
    plan = device_run(Broadcasts(), run.name, runs)
    files = {load_placed(path).digest: str(path) for path in networks}
    statements = f'{MADE} reply = await made("it", given.kind); endWorkers();'
    reply = page(statements, kind=kind, plans={"it": json.loads(json.dumps(plan))}, files=files)
    assert reply["error"] == ""
    assert reply["said"][0] == "being made on your device"
    assert reply["said"][1].startswith("made on your device, ")
    assert reply["said"][1].endswith(" s")
    assert not any("/ddpm/run" in path for path in reply["asked"])
    return reply["messages"]


def levels(text):
    content = zlib.decompress(base64.b64decode(text)) if isinstance(text, str) else bytes(text)
    return np.frombuffer(content, np.uint8).reshape(-1, 28, 28).astype(int)


def check(here, there, share=1e-3):
    """Pictures are the server's to one grey level, and but for so small a share of pixels they are equal."""
    apart = np.abs(levels(here) - levels(there))
    assert apart.max() <= 1
    assert (apart > 0).mean() < share


def lanes_of(messages):
    """Of every lane its timesteps, its frames one after the other, and its last message."""
    lanes = {}
    for message in messages:
        times, frames, _ = lanes.get(message["lane"], ([], b"", None))
        assert message["first"] == len(times)
        pictures = levels(message["x_t"]).astype(np.uint8).tobytes() if message["t"] else b""
        lanes[message["lane"]] = (times + message["t"], frames + pictures, message)
    return lanes


def ask_race(runs, loaded, lanes, *, n, seed, interpolate=False, guide=None):
    settings = {"seed": seed, "interpolate": interpolate, "ten": False, "guide": guide}
    begin = lambda: race(loaded, lanes, count=n, **settings)  # noqa: E731
    return runs.ask(repr(lanes), begin, lambda: race_plan(loaded, lanes, n=n, **settings))


def test_a_race_of_the_device_is_the_servers(page, runs, small, small_network):
    """Every sampler, odd numbers of steps, other noise on the way, a guide in some lanes."""
    guide_path = find_checkpoint("tiny")
    lanes = (
        Lane("ddpm", SamplerConfig(variance="posterior", clip="x0", steps=47), z_offset=1),
        Lane("ddim", SamplerConfig(kind="ddim", eta=0.7, clip="none", steps=7), weight=1.7),
        Lane("dpmpp", SamplerConfig(kind="dpmpp", clip="x_t", steps=9)),
        Lane("heun", SamplerConfig(kind="heun", clip="x0", steps=5), weight=0.0),
    )
    run = ask_race(runs, small, lanes, n=2, seed=2**31 - 1, guide=load_placed(guide_path))
    here, there = on_device(page, runs, "race", run, small_network, guide_path), list(run.read())
    same = ("n", "size", "in_a_row", "grey", "lanes")
    assert {name: here[0][name] for name in same} == {name: there[0][name] for name in same}
    assert here[-1]["done"] == 1
    made, expected = lanes_of(here), lanes_of(there)
    for k, (times, frames, last) in expected.items():
        assert made[k][0] == times
        check(made[k][1], frames, share=3e-3)  # of all frames; a network that was never taught magnifies roundings
        assert made[k][2]["calls"] == last["calls"] == lanes[k].calls
        assert made[k][2]["lane_grey"] == pytest.approx(last["lane_grey"], abs=0.01)


def test_digits_from_one_noise_to_another_are_the_servers(page, runs, small, small_network):
    lanes = (Lane("ancestral", SamplerConfig(clip="x0", steps=6)),)  # it draws on, after the noises at both ends
    run = ask_race(runs, small, lanes, n=5, seed=8, interpolate=True)
    here = lanes_of(on_device(page, runs, "race", run, small_network))
    check(here[0][1], lanes_of(run.read())[0][1])


@pytest.mark.parametrize("t", [0, 1, 311, 999])
def test_branches_of_the_device_are_the_servers(page, monkeypatch, small_network, t):
    runs = SharedRuns()
    monkeypatch.setattr("ddpm_demo.ui.film.branches.RUNS", runs)
    x0 = to_x0(load_mnist(train=False)[0][9])
    run = branches_run(small_network, {"x0": base64_of(x0.numpy()), "t": t, "seed": 21})
    (here,), (there,) = on_device(page, runs, "branches", run, small_network), run.read()
    assert {name: here[name] for name in ("t", "n", "calls")} == {name: there[name] for name in ("t", "n", "calls")}
    check(here["x_t"], there["x_t"])
    check(here["branches"], there["branches"])
    assert here["classes"] == [there["n"]]  # all of them were given to be read


@pytest.mark.parametrize(("name", "jumps"), [("small", 0), ("small", 3), ("lite", 1)])
def test_a_completion_of_the_device_is_the_servers(page, runs, small_network, name, jumps):
    """`lite` comes with its guide."""
    paths = {"small": small_network, "lite": find_checkpoint("lite"), "tiny": find_checkpoint("tiny")}
    x0, known = to_x0(load_mnist(train=False)[0][4]), known_mask("lower half")
    question = {"x0": base64_of(x0.numpy()), "known": base64_of(known.numpy().astype("u1")), "jumps": jumps, "seed": 6}
    wanted = read_completion(paths, name, question)
    run = runs.begin(messages_of(wanted), lambda: completion_plan(wanted))
    (*here, reading), (*there, _) = on_device(page, runs, "completion", run, *paths.values()), run.read()
    assert reading["classes"] == [COMPLETIONS]
    assert len(here) == len(there)
    for message, expected in zip(here, there, strict=True):
        check(message.pop("x_t"), expected.pop("x_t"))
        del message["seconds"], expected["seconds"]
        assert message == {**expected, "done": pytest.approx(expected["done"], abs=0.02)}
    assert here[-1]["difference"] == 0


def test_what_the_judge_reads_on_the_device_is_what_it_reads_on_the_server():
    digits = load_mnist(train=False)[0][:6]
    x0 = to_x0(digits[5])
    answer = read_digits({"digits": base64_of(digits.numpy()), "x0": base64_of(x0.numpy())})
    judge = classifier.load_judge()
    assert answer["classes"] == judge.model.classes(to_x0(digits)).tolist()
    assert (answer["of_x0"], answer["accuracy"]) == (answer["classes"][5], judge.accuracy)
    for nonsense in ({}, {"digits": "!", "x0": base64_of(x0.numpy())}, {"digits": base64_of(digits.numpy())}):
        assert set(read_digits(nonsense)) == {"error"}


@pytest.mark.parametrize(
    ("lane", "why"),
    [
        (Lane("asked", SamplerConfig(steps=5), wish=DigitConfig(3)), "a digit is asked for"),
        (EXPERIMENTS["Beside a perfect network"].lanes[1], "a perfect network takes part"),
    ],
)
def test_what_only_the_server_can_stays_there_and_says_why(runs, small, lane, why):
    run = ask_race(runs, small, (lane, lane), n=1, seed=0)
    assert device_run(Broadcasts(), run.name, runs)["only_server"].startswith(why)


def test_who_makes_it_and_what_is_said_of_that(page, runs, small, small_network):
    """The server, where the browser was told so, or it is there already, or no worker can be had, or one fails."""
    lanes = (Lane("ddim", SamplerConfig(kind="ddim", steps=5)),) * 2
    run = ask_race(runs, small, lanes, n=1, seed=0)
    broadcasts = Broadcasts()
    plan = device_run(broadcasts, run.name, runs)
    assert plan["server"] == {"here": False, "seconds": None}
    broadcasts.executor.seconds_a_step = lambda job: 0.25
    assert device_run(broadcasts, run.name, runs)["server"]["seconds"] == 2.5
    next(run.read())
    assert device_run(broadcasts, run.name, runs)["server"]["here"] is True
    files = {small.digest: str(small_network)}

    def said(where, **changes):
        """What was said, and whether the server was asked to make it."""
        here = {"plans": {"it": {**plan, **changes}}, "files": files, "place": where}
        reply = page(
            f"""{MADE}
            {given_up}
            globalThis.BroadcastChannel = undefined; // it would keep node waiting for other pages
            globalThis.EventSource = class {{
                constructor(address) {{ asked.push(address); setTimeout(() => this.onmessage?.({{}}), 0); }}
                addEventListener(name, run) {{ if (name === "over") setTimeout(() => run({{ data: "{{}}" }}), 0); }}
                close() {{}}
            }};
            reply = await made("it", "race");
            endWorkers();
            """,
            **here,
        )
        return reply["said"][-1], any("/ddpm/run" in path for path in reply["asked"])

    given_up = ""
    soon, late = ({"server": {"here": False, "seconds": seconds}} for seconds in (0.0, 1e6))
    assert said("server") == ("", True)
    assert said("automatic", server={"here": True, "seconds": None}) == ("", True)
    assert said("automatic", **soon) == ("", True)
    assert said("automatic", **late)[0].startswith("made on your device, ")
    assert said("device", only_server="it is hard") == ("made by the server: it is hard", True)
    given_up = "globalThis.Worker = undefined;"
    assert said("device") == ("made by the server: your device cannot (this browser has no WebAssembly)", True)
    refusing = "postMessage({ task }) { setTimeout(() => this.onmessage({ data: { task, error: 'no memory' } })); }"
    given_up = f"globalThis.Worker = class {{ {refusing} terminate() {{}} }};"
    assert said("device") == ("made by the server: your device cannot (no memory)", True)
    given_up = "makers.race = async () => { throw new Error('out of breath'); };"
    assert said("device") == ("your device could not make it (out of breath): the server makes it", True)
