"""Whole films in the browser's own walk, run under node, against core/sampling.py."""

import base64
import itertools

import numpy as np
import pytest
import torch

from ddpm_demo.core.config import ALWAYS, Interval
from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.core.sampling import to_uint8
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.films.film_job import FilmJob, FilmWalk, film_alone
from ddpm_demo.films.plan import film_plan
from ddpm_demo.machine.device import best_placement
from ddpm_demo.networks.loaded_networks import LoadedNetwork
from ddpm_demo.store import checkpoint
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.parts.bridge import base64_of
from ddpm_demo.ui.parts.frames import grey_levels

WALK = """
import fs from "fs";
import { encodeBytes, encodeFloat32 } from "./static/bytes.js";
import { readCheckpoint } from "./static/net/checkpoint.js";
import { Network } from "./static/net/network.js";
import { asked, greyLevels, walk } from "./static/net/walk.js";
const module = new WebAssembly.Module(fs.readFileSync("static/net/" + given.build));
const open = (path) =>
    path && new Network(module, readCheckpoint(new Uint8Array(fs.readFileSync(path)).buffer));
const model = open(given.network), guide = open(given.guide);
const film = (plan, part) => {
    const steps = [...walk(plan, asked(model, guide, plan.guidance), part)];
    return { t: steps.map((step) => plan.steps[step.index].t), x_t: steps.map((step) => encodeFloat32(step.x_t)),
        x_s: encodeFloat32(steps.at(-1).x_s), grey: encodeBytes(greyLevels(steps.at(-1).x_s)) };
};
"""


def placed(name):
    loaded = checkpoint.load(find_checkpoint(name))
    return LoadedNetwork(loaded.model, Schedule.from_config(loaded.schedule), best_placement(), None, known_as=name)


@pytest.fixture(scope="module")
def lite():
    return placed("lite")


@pytest.fixture(scope="module")
def guide():
    return placed("tiny")


def kinds():
    for kind, sampler in SAMPLERS.items():
        for settings in sampler.variants.values():
            yield {"kind": kind, **settings}
        if "eta" in sampler.settings:
            yield {"kind": kind, "eta": 1.0}


def pictures(text):
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(-1, 28, 28)


def films_apart(node, network, guide, jobs, build="net.wasm"):
    """Make films here and under node; return of each the grey levels of its digits, one way and the other."""
    schedule = network.schedule
    replies = node(
        f"{WALK} reply = given.plans.map((plan) => film(plan));",
        build=build,
        network=str(find_checkpoint(network.known_as)),
        guide=str(find_checkpoint(guide.known_as)) if guide else None,
        plans=[film_plan(job, schedule) for job in jobs],
    )
    for job, reply in zip(jobs, replies, strict=True):
        steps = [made.step for made in film_alone(network, guide, FilmWalk(job, schedule))]
        assert reply["t"] == [step.t for step in steps]
        for step, text in zip(steps, reply["x_t"], strict=True):
            np.testing.assert_allclose(pictures(text), step.x_t[:, 0].numpy(), rtol=0, atol=1e-3)
        yield np.frombuffer(base64.b64decode(reply["grey"]), np.uint8), to_uint8(steps[-1].x_s).numpy().ravel()


def test_films_are_pythons_to_a_grey_level(node, guide):
    """Every sampler, every way of clipping; of the pixels that differ, by one grey level, there are hardly any."""
    configs = [
        SamplerConfig(**kind, clip=clip, steps=6) for kind, clip in itertools.product(kinds(), ("none", "x0", "x_t"))
    ]
    jobs = [FilmJob("tiny", config, n=1, seed=40 + k) for k, config in enumerate(configs)]
    here, there = (np.concatenate(every) for every in zip(*films_apart(node, guide, None, jobs), strict=True))
    apart = np.abs(here.astype(int) - there)
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-3


@pytest.mark.parametrize(
    ("interval", "build"), [(ALWAYS, "net.wasm"), (Interval(first=800, last=200), "net_relaxed.wasm")]
)
def test_guided_films_are_pythons_to_a_grey_level(node, lite, guide, interval, build):
    jobs = [
        FilmJob("lite", SamplerConfig(variance="posterior", clip="x0", steps=8), 2, 3, "tiny", 2.5, interval=interval),
        FilmJob("lite", SamplerConfig(kind="dpmpp", steps=6), 2, 3, "tiny", 0.5, interval=interval),
    ]
    here, there = (np.concatenate(every) for every in zip(*films_apart(node, lite, guide, jobs, build), strict=True))
    apart = np.abs(here.astype(int) - there)
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-3


def test_it_does_not_matter_who_walks_which_images(node, lite):
    plan = film_plan(FilmJob("lite", SamplerConfig(steps=5), n=5, seed=1), lite.schedule)
    whole, *parts = node(
        f"{WALK} reply = given.parts.map((part) => film(given.plan, part).x_s);",
        build="net.wasm",
        network=str(find_checkpoint("tiny")),
        guide=None,
        plan=plan,
        parts=[{}, {"from": 0, "count": 2}, {"from": 2, "count": 3}],
    )
    np.testing.assert_array_equal(pictures(whole), np.concatenate([pictures(part) for part in parts]))


@pytest.mark.parametrize("reach", [1.0, 3.0])
def test_grey_levels_are_pythons(node, reach):
    """Halves between two levels among them, where rounding goes to the even one."""
    halves = (torch.arange(-5, 260, 0.5) / 127.5 - 1) * reach
    values = torch.cat([halves, 2 * reach * torch.randn(784, generator=torch.Generator().manual_seed(2))])
    reply = node(
        """
        import { decodeFloat32, encodeBytes } from "./static/bytes.js";
        import { greyLevels } from "./static/net/walk.js";
        reply = encodeBytes(greyLevels(decodeFloat32(given.values), given.reach));
        """,
        values=base64_of(values.numpy()),
        reach=reach,
    )
    assert base64.b64decode(reply) == grey_levels(values, reach=reach, bits=8)
