"""What a worker does, without anything around it: networks by their digests, steps no faster than they are taken."""

import asyncio

import pytest
import torch

from ddpm_demo.core.config import DemoError
from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.films.cluster import film_worker
from ddpm_demo.films.cluster.film_worker import AHEAD, FilmWorker, unpack_step
from ddpm_demo.films.film_job import FilmJob, FilmWalk, code_version, film_alone
from ddpm_demo.machine.scheduler import Kind
from ddpm_demo.networks.guidance_settings import DigitConfig
from ddpm_demo.networks.loaded_networks import classifier_at, load_placed, steering_classifier
from ddpm_demo.store import checkpoint
from ddpm_demo.store.checkpoint import Checkpoint
from ddpm_demo.store.provenance import Provenance
from tests.event_loop import wait_for


class File:
    """A network's file that can be waited for, and counts how often it was."""

    def __init__(self, content):
        self.content, self.fetched = content, 0

    def __await__(self):
        self.fetched += 1
        yield from asyncio.sleep(0).__await__()
        return self.content


@pytest.fixture
def loaded(tiny, tmp_path):
    path = tmp_path / "own.safetensors"
    checkpoint.save(path, Checkpoint(tiny, ScheduleConfig(), Provenance()))
    return load_placed(path)


@pytest.fixture
def worker(monkeypatch):
    monkeypatch.setattr(film_worker, "take_processors", lambda: None)  # of the tests' own process
    return FilmWorker()


def film(worker, loaded, seed=0, steps=12, file=None, kind="ddpm", **wish):
    """A film by the worker, and the walk that its steps are unpacked into."""
    job = FilmJob(loaded.digest, SamplerConfig(kind=kind, steps=steps), 2, seed, **wish)
    walk = FilmWalk(job, loaded.schedule)
    return worker.film(job, walk.state, {loaded.digest: [file or File(loaded.file)]}), walk


async def taken(stream, walk):
    return [unpack_step(step, walk) async for step in stream]


def test_it_says_what_it_is(worker):
    hello = wait_for(worker.hello())
    assert (hello.code, hello.torch) == (code_version(), torch.__version__)


@pytest.mark.parametrize("digit", [None, 7])
def test_its_films_are_the_films_to_the_last_bit(worker, loaded, digit):
    wish = {} if digit is None else {"digit": DigitConfig(digit), "classifier": steering_classifier()[1]}
    stream, walk = film(worker, loaded, **wish)
    got, alone = wait_for(taken(stream, walk)), FilmWalk(walk.job, loaded.schedule)
    classify = classifier_at(loaded.schedule, loaded.placement.device) if digit else None
    for mine, other in zip(got, film_alone(loaded, None, alone, classify), strict=True):
        assert torch.equal(mine.step.x_s, other.step.x_s)
        pull, other_pull = mine.prediction.classifier_pull, other.prediction.classifier_pull
        assert (pull is None) == (other_pull is None)
        if pull and other_pull:
            assert torch.equal(pull.pull, other_pull.pull)
            assert torch.equal(pull.probabilities, other_pull.probabilities)
    assert len(got) == 12
    assert walk.left == 0


@pytest.mark.parametrize("kind", SAMPLERS)
def test_a_step_arrives_with_all_that_it_is_made_of(worker, loaded, kind):
    """Also what was guessed at s by a rule that asks twice, and the x0_hat before where the rule heeds it."""
    stream, walk = film(worker, loaded, kind=kind)
    alone = film_alone(loaded, None, FilmWalk(walk.job, loaded.schedule))
    for mine, other in zip(wait_for(taken(stream, walk)), alone, strict=True):
        assert torch.equal(mine.step.x_s, other.step.x_s)
        assert mine.step.t_before == other.step.t_before
        assert (mine.step.x0_before is None) == (other.step.x0_before is None)
        if mine.step.x0_before is not None:
            assert torch.equal(mine.step.x0_before, other.step.x0_before)
        for guess, same in zip(mine.step.later, other.step.later, strict=True):
            assert guess.t == same.t
            for name in ("x", "eps_hat", "x0_hat"):
                assert torch.equal(getattr(guess, name), getattr(same, name)), name


def test_a_network_comes_once(worker, loaded):
    file = File(loaded.file)

    async def three():
        await asyncio.gather(*(taken(*film(worker, loaded, seed, file=file)) for seed in range(3)))

    wait_for(three())
    assert file.fetched == 1


def test_another_file_than_its_digest_says_is_refused(worker, loaded, tiny, tmp_path):
    path = tmp_path / "other.safetensors"
    checkpoint.save(path, Checkpoint(tiny, ScheduleConfig(beta_T=0.03), Provenance()))
    with pytest.raises(DemoError, match="changed on its way to a worker in the cluster"):
        wait_for(taken(*film(worker, loaded, file=File(path.read_bytes()))))


def test_another_classifier_is_refused(worker, loaded):
    with pytest.raises(DemoError, match="a different digit classifier"):
        wait_for(taken(*film(worker, loaded, digit=DigitConfig(7), classifier="0" * 64)))


def test_a_film_runs_no_further_ahead_than_its_steps_are_taken(worker, loaded):
    scheduler = worker._executor._scheduler

    async def slow_reader():
        before = scheduler.turns[Kind.FILM]
        stream, walk = film(worker, loaded, steps=60)
        got = [unpack_step(await anext(stream), walk)]
        while worker._executor._jobs:  # until it rests
            await asyncio.sleep(0.001)
        await asyncio.to_thread(scheduler.turn, lambda: None)  # the step that was under way is over
        assert scheduler.turns[Kind.FILM] - before <= AHEAD + 3
        got += await taken(stream, walk)
        return got

    assert [each.step.index for each in wait_for(slow_reader())] == list(range(60))


def test_a_film_that_is_closed_takes_no_more_steps(worker, loaded):
    async def leave():
        stream, _ = film(worker, loaded, steps=60)
        await anext(stream)
        await stream.aclose()
        return worker._executor._jobs

    assert wait_for(leave()) == {}


def test_a_reader_that_goes_with_its_loop_leaves_the_worker_alive(worker, loaded):
    """The step that was under way when the loop closed has nobody to go to; the next film comes as ever."""
    outbox = []

    async def leave():
        stream, walk = film(worker, loaded, steps=60)
        await anext(stream)
        outbox.append(film_worker._Outbox(worker._executor, walk))

    wait_for(leave())
    outbox[0].fail(DemoError("too late"))
    assert len(wait_for(taken(*film(worker, loaded)))) == 12
