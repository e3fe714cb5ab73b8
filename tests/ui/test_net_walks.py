"""Walks that begin at a picture, go back, or keep a known part: the browser's, run under node, against core/."""

import base64
import itertools

import numpy as np
import pytest
import torch

from ddpm_demo.core.inpainting import complete
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample, start_noise, to_uint8
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.films.film_job import FilmJob
from ddpm_demo.films.plan import Way, completion_steps, film_plan, known_part, planned_steps
from ddpm_demo.measuring.completion import MASKS, known_mask
from ddpm_demo.store import checkpoint
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.store.shipped import find_checkpoint
from tests.ui.test_net_walk import WALK, kinds, pictures, placed

PLANNED = f"""{WALK}
import {{ unpackedPlan }} from "./static/net/plan.js";
reply = given.plans.map((plan) => film(unpackedPlan(plan), given.part));
"""


def made_by_node(node, network, plans, *, guide=None, build="net.wasm", part=None):
    """What the browser's walk makes of plans: x_t of every step, and the digits as floats and as grey levels."""
    replies = node(
        PLANNED,
        build=build,
        network=str(network),
        guide=guide and str(guide),
        plans=plans,
        part=part or {},
    )
    for reply in replies:
        yield (
            [pictures(text) for text in reply["x_t"]],
            np.frombuffer(base64.b64decode(reply["grey"]), np.uint8).reshape(-1, 28, 28),
        )


@pytest.fixture
def small(small_network):
    return small_network, checkpoint.load(small_network).model


@pytest.fixture(scope="module")
def schedule():
    return Schedule.from_config(ScheduleConfig())


def generator_of(way):
    """The noise on the way, as Python draws it."""
    generator = torch.Generator().manual_seed(way.seed)
    if way.drawn:
        torch.randn(way.drawn, generator=generator)
    return generator


def check(here, there):
    """Digits are Python's to one grey level, in all but one pixel of a thousand."""
    apart = np.abs(np.concatenate(here).astype(int) - np.concatenate(there))
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-3


def ways_of_walking():
    """Every sampler, odd numbers of steps; that all of them clip in each way is known of films."""
    for number, (kind, clip) in enumerate(zip(kinds(), itertools.cycle(("x0", "none", "x_t")), strict=False)):
        yield SamplerConfig(**kind, clip=clip, steps=5 + number % 5)


def test_walks_from_given_pictures_with_noise_of_their_own(node, small, schedule):
    """As a lane of a race: n pictures; and as branches of a digit: one picture for all, at a t in the middle."""
    (path, model), plans, there, starts = small, [], [], []
    for seed, config in enumerate(ways_of_walking()):
        start = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(seed))
        way, t = Way(seed + 100, drawn=784 * (seed % 3)), None
        if seed % 2:
            start, t = start[:1], 200 + 37 * seed
        job = FilmJob("", config, n=2, seed=seed)
        plans.append(film_plan(job, schedule, steps=planned_steps(schedule, config, t), start=start, way=way))
        x_T = start.expand(2, -1, -1, -1)
        *_, last = sample(model, schedule, config, x_T, generator=generator_of(way), start=t)
        there.append(to_uint8(last.x_s[:, 0]).numpy())
        starts.append(x_T[:, 0].numpy())
    made = list(made_by_node(node, path, plans))
    for (x_t, _), start in zip(made, starts, strict=True):
        np.testing.assert_array_equal(x_t[0], start)
    check([grey for _, grey in made], there)


def completion_plan(job, schedule, jumps, x0, known):
    steps = completion_steps(schedule, job.config, jumps)
    return film_plan(job, schedule, steps=steps, known=known_part(x0, known))


def completion(model, job, schedule, jumps, x0, known):
    """The pictures after every step, by Python."""
    generator = torch.Generator().manual_seed(job.seed)
    x_T = start_noise(job.n, 1, 28, generator)
    with_noise = {"x0": x0, "known": known, "jumps": jumps, "generator": generator}
    return [step.x_s[:, 0].numpy() for step in complete(model, schedule, job.config, x_T, **with_noise)]


def test_completions_are_pythons(node, small, schedule):
    """Every sampler and way of clipping, other masks, with and without jumps; the known part is exactly as given."""
    digits = to_x0(load_mnist(train=False)[0][:40])
    (path, model), plans, there, given = small, [], [], []
    for k, (config, mask) in enumerate(zip(ways_of_walking(), itertools.cycle(MASKS), strict=False)):
        job, jumps = FilmJob("", config, n=1 + k % 2, seed=k), k % 3
        what = (job, schedule, jumps, digits[k : k + 1], known_mask(mask))
        plans.append(completion_plan(*what))
        there.append(to_uint8(torch.from_numpy(completion(model, *what)[-1])).numpy())
        given.append((digits[k, 0].numpy(), known_mask(mask)[0, 0].numpy()))
    made = [grey for _, grey in made_by_node(node, path, plans)]
    check(made, there)
    for completions, (x0, known) in zip(made, given, strict=True):
        for picture in completions:
            np.testing.assert_array_equal(picture[known], np.round((x0[known] + 1) * 127.5))


def test_a_guided_completion_in_parts_is_pythons_at_every_step(node):
    lite, tiny, jumps = placed("lite"), placed("tiny"), 1
    x0, known = to_x0(load_mnist(train=False)[0][3:4]), known_mask("lower half")
    config = SamplerConfig(variance="posterior", clip="x0", steps=5)
    job = FilmJob("lite", config, n=3, seed=11, guide="tiny", weight=2.5)
    plan = completion_plan(job, lite.schedule, jumps, x0, known)
    there = completion(lite.guided_by(tiny, 2.5), job, lite.schedule, jumps, x0, known)
    made = []
    for build, part in (("net.wasm", {"from": 0, "count": 1}), ("net_relaxed.wasm", {"from": 1, "count": 2})):
        paths = {"network": find_checkpoint("lite"), "guide": find_checkpoint("tiny")}
        made += made_by_node(node, plans=[plan], **paths, build=build, part=part)
    x_t = [np.concatenate(parts) for parts in zip(*[x_t for x_t, _ in made], strict=True)]
    # where a step goes on, it begins with the picture before it; one that is taken again has noise in between
    goes_on = [k for k, step in enumerate(plan["steps"]) if k and "back" not in step]
    assert len(goes_on) == len(there) - 1
    for k, expected in zip(goes_on, there[:-1], strict=True):
        np.testing.assert_allclose(x_t[k], expected, rtol=0, atol=1e-3)
    check([np.concatenate([grey for _, grey in made])], [to_uint8(torch.from_numpy(there[-1])).numpy()])
