"""A film as work: the sampler's own steps, in any company, after any journey; and a key for each film and no other."""

import dataclasses
import pickle
import threading

import pytest
import torch

from ddpm_demo.core.config import ALWAYS, ConfigError, DemoError, Interval
from ddpm_demo.core.guidance import Autoguidance
from ddpm_demo.core.model import seeded_denoiser
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample, start_noise, to_uint8
from ddpm_demo.films.executor import LocalExecutor
from ddpm_demo.films.film_job import FilmJob, FilmWalk, Prediction, film_alone, frame_indices
from ddpm_demo.machine.device import best_placement
from ddpm_demo.machine.scheduler import Scheduler
from ddpm_demo.networks.guidance_settings import DigitConfig
from ddpm_demo.networks.loaded_networks import LoadedNetwork

CONFIGS = [
    SamplerConfig(steps=7, variance="posterior", clip="x0"),
    SamplerConfig(kind="ddim", eta=0.5, steps=7),
    SamplerConfig(kind="dpmpp", steps=7, clip="x_t"),
    SamplerConfig(kind="heun", steps=7, clip="x0"),
]


@pytest.fixture
def networks(tiny, linear):
    """Two networks by their digests, in float32."""
    worse = seeded_denoiser(tiny.config, seed=1).eval()
    return {
        name: LoadedNetwork(model, linear, best_placement(), None) for name, model in (("a", tiny.eval()), ("b", worse))
    }


def by_the_sampler(networks, job):
    """What `sample` draws for this job."""
    generator = torch.Generator().manual_seed(job.seed)
    x_T = start_noise(job.n, 1, 28, generator)
    model = networks[job.network].model
    if job.guide:
        model = Autoguidance(model, networks[job.guide].model, job.weight, job.interval)
    return list(sample(model, networks[job.network].schedule, job.config, x_T, generator=generator))


def walked(walk, networks):
    """The steps of a film that is made alone."""
    guide = networks[walk.job.guide] if walk.job.guide else None
    for film_step in film_alone(networks[walk.job.network], guide, walk):
        yield film_step.step


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("guide", ["", "b"])
def test_a_walk_is_the_samplers_to_the_last_bit_wherever_it_goes_on(networks, linear, config, guide):
    job = FilmJob("a", config, 3, 5, guide, 2.5 if guide else 1.0)
    walk, made = FilmWalk(job, linear), []
    for step in walked(walk, networks):
        made.append(step)
        if len(made) == 3:
            break
    elsewhere = FilmWalk(job, linear, pickle.loads(pickle.dumps(walk.state)))  # another process knows nothing else
    made += walked(elsewhere, networks)
    expected = by_the_sampler(networks, job)
    assert len(made) == len(expected) == 7
    for step, other in zip(made, expected, strict=True):
        assert (step.index, step.t, step.s, step.std) == (other.index, other.t, other.s, other.std)
        for name in ("x_t", "eps_hat", "x0_hat", "z", "x_s"):
            assert torch.equal(getattr(step, name), getattr(other, name)), name


def test_a_state_is_small(linear):
    walk = FilmWalk(FilmJob("a", CONFIGS[2], 16, 0), linear)
    walk.take(torch.zeros(16, 1, 28, 28))
    assert len(pickle.dumps(walk.state)) < 120_000


def test_too_many_steps_are_refused(linear):
    with pytest.raises(ConfigError, match="steps must be from 1 to 1000"):
        FilmWalk(FilmJob("a", SamplerConfig(steps=1001), 1, 0), linear)


def test_every_setting_has_a_part_in_the_key():
    job = FilmJob("a", CONFIGS[0], 3, 5)
    others = [
        dataclasses.replace(job, **{name: value})
        for name, value in [
            ("network", "b"), ("n", 4), ("seed", 6), ("guide", "b"), ("weight", 2.0), ("channels", 3), ("code", "x"),
            ("interval", Interval(first=600)), ("interval", Interval(last=1)), ("digit", DigitConfig(7)),
            ("digit", DigitConfig(7, first=600)), ("digit", DigitConfig(7, last=1)), ("classifier", "x"),
        ]
    ]  # fmt: skip
    others += [dataclasses.replace(job, config=config) for config in CONFIGS[1:]]
    for field, value in {"steps": 8, "clip": "none", "variance": "beta", "final_noise": "ho", "eta": 0.5}.items():
        others.append(dataclasses.replace(job, config=dataclasses.replace(job.config, **{field: value})))
    assert len({other.key for other in (job, *others)}) == 1 + len(others)
    assert FilmJob("a", CONFIGS[0], 3, 5).key == job.key


class Viewer:
    """Whoever wanted a film."""

    def __init__(self, steps):
        self.steps, self.left, self.error, self.done = [], steps, None, threading.Event()

    def deliver(self, taken):
        self.steps.append(taken.step)
        if len(self.steps) == self.left:
            self.done.set()

    def fail(self, error):
        self.error = error
        self.done.set()


def made_together(networks, linear, jobs, films_per_call):
    """All these films by one executor, `seats` of them in a call."""
    executor, viewers = LocalExecutor(networks.__getitem__, Scheduler()), []
    executor.films_per_call = {(job.network, job.guide): films_per_call for job in jobs}
    for job in jobs:
        viewers.append(Viewer(job.config.steps))
        executor.begin(FilmWalk(job, linear), viewers[-1])
    for viewer in viewers:
        assert viewer.done.wait(60)
    assert all(executor.seconds_a_step(job) > 0 for job in jobs)
    return viewers


def company_of_four(guide):
    """Films of one network and, with a guide, weights and intervals of their own."""
    held = (ALWAYS, Interval(first=700, last=300), Interval(last=500), Interval(first=200))
    return [
        FilmJob("a", CONFIGS[k % 3], 1 + k, k, guide, 1.5 + k if guide else 1.0, interval=held[k]) for k in range(4)
    ]


@pytest.mark.parametrize("guide", ["", "b"])
def test_a_film_has_the_same_bits_with_and_without_others(networks, linear, guide):
    jobs = company_of_four(guide)
    for job, viewer in zip(jobs, made_together(networks, linear, jobs, films_per_call=1), strict=True):
        for step, other in zip(viewer.steps, by_the_sampler(networks, job), strict=True):
            assert torch.equal(step.x_s, other.x_s)


@pytest.mark.parametrize("guide", ["", "b"])
def test_films_that_share_calls_are_within_a_grey_level(networks, linear, guide):
    """Different samplers, numbers, timesteps and weights in one call: the convolution may sum in another order."""
    jobs = company_of_four(guide)
    for job, viewer in zip(jobs, made_together(networks, linear, jobs, films_per_call=3), strict=True):
        for step, other in zip(viewer.steps, by_the_sampler(networks, job), strict=True):
            assert (to_uint8(step.x_s).int() - to_uint8(other.x_s).int()).abs().max() <= 1


def test_a_network_that_answers_nonsense_ends_its_film_with_a_sentence(networks, linear, tiny):
    broken = seeded_denoiser(tiny.config, seed=0).eval()
    torch.nn.init.constant_(next(broken.parameters()), float("nan"))
    networks["c"] = LoadedNetwork(broken, linear, best_placement(), None)
    jobs = [FilmJob(name, CONFIGS[0], 1, 0) for name in ("c", "a")]
    broken_one, fine = made_together(networks, linear, jobs[:1], 1)[0], made_together(networks, linear, jobs[1:], 1)[0]
    assert isinstance(broken_one.error, DemoError)
    assert len(fine.steps) == 7


def test_a_stopped_film_takes_no_more_steps_and_goes_on_later(networks, linear):
    scheduler, job = Scheduler(), FilmJob("a", CONFIGS[0], 1, 0)
    executor, walk, viewer = LocalExecutor(networks.__getitem__, scheduler), FilmWalk(job, linear), Viewer(7)
    gate = threading.Event()
    threading.Thread(target=scheduler.turn, args=(gate.wait,)).start()
    executor.begin(walk, viewer)
    executor.stop(walk)
    gate.set()
    scheduler.turn(lambda: None)
    assert (viewer.steps, scheduler.waiting) == ([], 0)
    executor.begin(walk, viewer)
    assert viewer.done.wait(60)
    assert torch.equal(viewer.steps[-1].x_s, by_the_sampler(networks, job)[-1].x_s)


def test_a_films_classifier_is_loaded_in_the_networks_thread_and_its_fault_ends_that_film_alone(networks, linear):
    threads = []

    def broken(schedule, device):
        threads.append(threading.current_thread().name)
        raise DemoError("the classifier is gone")

    executor = LocalExecutor(networks.__getitem__, Scheduler(), classifier=broken)
    executor.films_per_call[("a", "")] = 2  # they would share every call
    asking, plain = FilmJob("a", CONFIGS[0], 1, 0, digit=DigitConfig(7), classifier="x"), FilmJob("a", CONFIGS[0], 1, 1)
    viewers = [Viewer(7), Viewer(7)]
    for job, viewer in zip((asking, plain), viewers, strict=True):
        executor.begin(FilmWalk(job, linear), viewer)
    assert all(viewer.done.wait(60) for viewer in viewers)
    assert str(viewers[0].error) == "the classifier is gone"
    assert (viewers[1].error, len(viewers[1].steps)) == (None, 7)
    assert threads == ["network"]
    assert executor._jobs == {}


def test_how_many_films_share_a_call_is_measured_once_there_are_two(networks, linear, monkeypatch):
    tried = []
    monkeypatch.setattr(
        LocalExecutor, "_measure_films_per_call", lambda self, network, guide, job: tried.append(job) or 2
    )
    executor = LocalExecutor(networks.__getitem__, Scheduler())
    jobs = [FilmJob("a", CONFIGS[0], 1, seed) for seed in range(3)]
    first = Viewer(7)
    executor.begin(FilmWalk(jobs[0], linear), first)
    assert first.done.wait(60)
    assert not tried
    viewers = [Viewer(7) for _ in jobs]
    for job, viewer in zip(jobs, viewers, strict=True):
        executor.begin(FilmWalk(job, linear), viewer)
    assert all(viewer.done.wait(60) for viewer in viewers)
    assert len(tried) == 1
    assert executor.films_per_call == {("a", ""): 2}


@pytest.mark.parametrize(("exponent", "expected"), [(1.0, 1), (1.2, 1), (0.0, 32), (0.5, 32)])
def test_films_share_a_call_where_that_pays(networks, monkeypatch, exponent, expected):
    """By a clock that a call of n films moves on by n to some power: 1 is a full processor, 0 a GPU that is bored."""
    clock = [0.0]

    def answer(network, guide, walks):
        clock[0] += len(walks) ** exponent
        return [Prediction(torch.zeros(1))]

    monkeypatch.setattr("ddpm_demo.films.executor.predict", answer)
    monkeypatch.setattr("ddpm_demo.films.executor.time.perf_counter", lambda: clock[0])
    executor = LocalExecutor(networks.__getitem__, Scheduler())
    assert executor._measure_films_per_call(networks["a"], None, FilmJob("a", CONFIGS[0], 1, 0)) == expected


def test_frames_are_bounded_and_keep_both_ends(linear):
    timesteps = linear.timesteps(1000)
    shown = frame_indices(linear, timesteps, 60)
    assert shown[0] == 0
    assert shown[-1] == 999
    assert len(shown) <= 60
    # even in log-SNR: most of the schedule's last half is one long fog, and gets less than half of the frames
    assert sum(timesteps[i] > 500 for i in shown) < len(shown) / 2
    assert frame_indices(linear, linear.timesteps(10), 60) == list(range(10))
