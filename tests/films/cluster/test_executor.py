"""Which worker makes which film, against workers in this process that live, die and come as the test says."""

import asyncio
import contextlib
import dataclasses
import threading
import time

import pytest
import torch

from ddpm_demo.core.config import DemoError
from ddpm_demo.core.model import seeded_denoiser
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.films.cluster import executor as cluster
from ddpm_demo.films.cluster.executor import NOBODY, STARTING, ClusterExecutor
from ddpm_demo.films.cluster.film_worker import WorkerInfo, pack_step
from ddpm_demo.films.cluster.workers import WorkerLostError
from ddpm_demo.films.film_job import FilmJob, FilmWalk, code_version, film_alone
from ddpm_demo.machine.device import best_placement
from ddpm_demo.networks.loaded_networks import LoadedNetwork

STEPS = 12


@pytest.fixture
def networks(tiny, linear):
    worse = seeded_denoiser(tiny.config, seed=1).eval()
    return {
        name: LoadedNetwork(model, linear, best_placement(), None) for name, model in (("a", tiny.eval()), ("b", worse))
    }


class Hand:
    """A worker that takes a film's step when the test lets it: `steps` is how many it still may, None any number."""

    def __init__(self, name, networks, steps=None, code=None):
        self.name, self.networks, self.left, self.code = name, networks, steps, code or code_version()
        self.alive, self.begun, self.films, self.got = True, [], 0, []

    async def hello(self):
        if not self.alive:
            raise WorkerLostError(f"{self.name} has died")
        return WorkerInfo(self.code, torch.__version__, "cpu", 1)

    async def film(self, job, state, files):
        self.begun.append((job.seed, state.index))
        self.got.append(files)
        self.films += 1
        walk = FilmWalk(job, self.networks[job.network].schedule, state)
        try:
            while True:
                while self.alive and self.left == 0:
                    await asyncio.sleep(0.001)
                await asyncio.sleep(0)
                if not self.alive:
                    raise WorkerLostError(f"{self.name} has died")
                if self.left is not None:
                    self.left -= 1
                guide = self.networks[job.guide] if job.guide else None
                film_step = next(film_alone(self.networks[job.network], guide, walk))
                yield pack_step(dataclasses.replace(film_step, seconds=0.01), walk.state)
        finally:
            self.films -= 1


class HandPool:
    def __init__(self, *workers):
        self.all, self.shared = list(workers), []

    def workers(self):
        return list(self.all)

    def share(self, file):
        self.shared.append(file)
        return [file]


class Viewer:
    """Whoever wanted a film."""

    def __init__(self, walk):
        self.walk, self.steps, self.error, self.done = walk, [], None, threading.Event()

    def deliver(self, taken):
        self.steps.append(taken)
        if not self.walk.left:
            self.done.set()

    def fail(self, error):
        self.error = error
        self.done.set()


def until(condition):
    for _ in range(150_000):  # five minutes: a loaded machine is slow, not wrong
        if condition():
            return
        time.sleep(0.002)
    raise AssertionError("it did not come to be")


@pytest.fixture
def start(monkeypatch):
    """Start an executor with these workers; it is closed when the test is over."""
    monkeypatch.setattr(cluster, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(cluster, "AGAIN_SECONDS", 0.01)
    with contextlib.ExitStack() as stack:

        def started(*workers, **options):
            pool = HandPool(*workers)
            executor = ClusterExecutor(pool, lambda digest: f"file of {digest}".encode(), **options)
            stack.callback(executor.close)
            return executor, pool

        yield started


def begin(executor, linear, seed=0, guide=""):
    config = SamplerConfig(kind="dpmpp" if seed % 2 else "ddpm", variance="posterior", clip="x0", steps=STEPS)
    walk = FilmWalk(FilmJob("a", config, 2, seed, guide, 2.0 if guide else 1.0), linear)
    viewer = Viewer(walk)
    executor.begin(walk, viewer)
    return viewer


def check(viewer, networks, linear):
    """The viewer got the very film that is made here by one walk."""
    assert viewer.done.wait(20)
    assert viewer.error is None
    job = viewer.walk.job
    walk = FilmWalk(job, linear)
    assert [taken.step.index for taken in viewer.steps] == list(range(STEPS))
    alone = film_alone(networks["a"], networks[job.guide] if job.guide else None, walk)
    for taken, expected in zip(viewer.steps, alone, strict=True):
        step = expected.step
        assert (taken.step.t, taken.step.s, taken.step.std) == (step.t, step.s, step.std)
        for name in ("x_t", "eps_hat", "x0_hat", "z", "x_s"):
            assert torch.equal(getattr(taken.step, name), getattr(step, name)), name
        pair, other_pair = taken.prediction.guidance_pair, expected.prediction.guidance_pair
        assert (pair is None) == (other_pair is None)
        for mine, other in zip(pair or (), other_pair or (), strict=True):
            assert torch.equal(mine, other)


@pytest.mark.parametrize("guide", ["", "b"])
def test_films_of_workers_are_those_that_are_made_here_to_the_last_bit(start, networks, linear, guide):
    executor, pool = start(*(Hand(name, networks) for name in "xy"))
    until(lambda: all(row["ready"] for row in executor.workers()) and len(executor.workers()) == 2)
    for viewer in [begin(executor, linear, seed, guide) for seed in range(4)]:
        check(viewer, networks, linear)
    assert sorted(seed for worker in pool.all for seed, _ in worker.begun) == [0, 1, 2, 3]
    assert {len(worker.begun) for worker in pool.all} == {2}
    assert sorted(pool.shared) == [f"file of {name}".encode() for name in ("a", *guide)]  # each once
    assert pool.all[0].got[0] == {name: [f"file of {name}".encode()] for name in ("a", *guide)}
    assert executor.seconds_a_step(viewer.walk.job) == pytest.approx(0.01 / 2)
    assert executor.trouble() == ""


def test_a_film_goes_on_from_where_it_stood_when_its_worker_dies(start, networks, linear):
    first, second = Hand("first", networks, steps=5), Hand("second", networks)
    executor, pool = start(first)
    viewer = begin(executor, linear, seed=1)
    until(lambda: len(viewer.steps) == 5)
    first.alive = False
    until(lambda: executor.trouble() == NOBODY)
    assert not viewer.done.wait(0.05)  # it waits
    pool.all.append(second)
    check(viewer, networks, linear)
    assert second.begun == [(1, 5)]


def test_a_worker_that_comes_back_gets_films_again(start, networks, linear):
    worker = Hand("x", networks, steps=3)
    executor, _ = start(worker)
    viewer = begin(executor, linear)
    until(lambda: len(viewer.steps) == 3)
    worker.alive = False
    until(lambda: executor.trouble())
    worker.left, worker.alive = None, True
    check(viewer, networks, linear)
    assert worker.begun == [(0, 0), (0, 3)]


def test_a_worker_that_is_added_takes_its_share_at_once(start, networks, linear):
    first, second = Hand("first", networks, steps=24), Hand("second", networks, steps=0)
    executor, pool = start(first)
    viewers = [begin(executor, linear, seed) for seed in range(8)]
    until(lambda: first.films == 8)
    pool.all.append(second)
    first.left = None
    until(lambda: second.films >= 3 or all(viewer.done.is_set() for viewer in viewers))
    assert len(second.begun) >= 3
    second.left = None
    for viewer in viewers:
        check(viewer, networks, linear)


def test_the_quicker_worker_gets_more(start, networks, linear):
    executor, _ = start(*(Hand(name, networks, steps=0) for name in "xy"))
    until(lambda: sum(handle.ready for handle in executor._handles.values()) == 2)
    quick, slow = executor._handles.values()
    quick.seconds, slow.seconds = 0.01, 0.03
    for seed in range(8):
        begin(executor, linear, seed)
    until(lambda: len(quick.films) + len(slow.films) == 8)
    assert (len(quick.films), len(slow.films)) == (6, 2)


def test_a_film_that_kills_every_worker_ends_with_a_sentence(start, networks, linear):
    class Mortal(Hand):
        async def film(self, job, state, files):
            self.begun.append((job.seed, state.index))
            raise WorkerLostError("out of memory")
            yield

    worker = Mortal("x", networks)
    executor, _ = start(worker)
    viewer = begin(executor, linear)
    assert viewer.done.wait(20)
    assert isinstance(viewer.error, DemoError)
    assert "out of memory" in str(viewer.error)
    assert worker.begun == [(0, 0)] * cluster.DEATHS


def test_what_ends_a_film_reaches_its_viewer_and_nobody_else(start, networks, linear):
    class Picky(Hand):
        async def film(self, job, state, files):
            if job.seed == 1:
                raise DemoError("not this one")
            async for step in super().film(job, state, files):
                yield step

    executor, _ = start(Picky("x", networks))
    refused, fine = begin(executor, linear, 1), begin(executor, linear, 2)
    assert refused.done.wait(20)
    assert str(refused.error) == "not this one"
    check(fine, networks, linear)
    assert executor.workers()[0]["ready"]


def test_a_worker_with_other_code_makes_no_films_and_the_page_says_why(start, networks, linear, capsys):
    other = Hand("other", networks, code="0.0.1-abc")
    executor, pool = start(other)
    viewer = begin(executor, linear)
    assert executor.trouble() == STARTING
    told = []
    until(lambda: told.append(capsys.readouterr().err) or any(told))
    assert "worker other makes no films here: it runs ddpm_demo 0.0.1-abc" in "".join(told)
    pool.all.append(Hand("right", networks))
    check(viewer, networks, linear)
    assert other.begun == []
    assert "other" not in capsys.readouterr().err  # once is enough


def test_a_stopped_film_costs_nothing_and_goes_on_later(start, networks, linear):
    worker = Hand("x", networks, steps=4)
    executor, _ = start(worker)
    viewer = begin(executor, linear)
    until(lambda: len(viewer.steps) == 4)
    executor.stop(viewer.walk)
    executor.stop(viewer.walk)
    until(lambda: worker.films == 0)
    worker.left = None
    executor.begin(viewer.walk, viewer)
    check(viewer, networks, linear)
    assert worker.begun == [(0, 0), (0, 4)]


def test_this_process_makes_films_while_no_worker_answers_if_it_is_told_to(start, networks, linear):
    class Here:
        def __init__(self):
            self.begun, self.stopped = [], []

        def begin(self, walk, listener):
            self.begun.append(walk)
            listener.deliver(next(film_alone(networks["a"], None, walk)))

        def stop(self, walk):
            self.stopped.append(walk)

    executor, pool = start(Hand("x", networks, steps=2), otherwise=(here := Here()))
    until(lambda: not executor.trouble())
    viewer = begin(executor, linear)
    until(lambda: len(viewer.steps) == 2)
    pool.all[0].alive = False
    until(lambda: [taken.step.index for taken in viewer.steps] == [0, 1, 2])
    assert here.begun == [viewer.walk]
    executor.stop(viewer.walk)
    until(lambda: here.stopped == [viewer.walk])


def test_a_machine_that_has_left_is_forgotten(start, networks, linear):
    executor, pool = start(*(Hand(name, networks) for name in "xy"))
    until(lambda: len(executor.workers()) == 2)
    del pool.all[0]
    until(lambda: [row["name"] for row in executor.workers()] == ["y"])
    check(begin(executor, linear), networks, linear)


def test_a_cluster_that_cannot_be_asked_keeps_the_workers_that_it_has(start, networks, linear, capsys):
    executor, pool = start(Hand("x", networks))
    until(lambda: not executor.trouble())
    pool.workers = lambda: 1 // 0
    told = []
    until(lambda: told.append(capsys.readouterr().err) or any(told))
    assert "the cluster cannot list its workers" in "".join(told)
    check(begin(executor, linear), networks, linear)
