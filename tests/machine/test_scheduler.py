"""One thread for all networks: fair turns, what keeps its share, the caller's gradients and errors."""

import threading
import time
from collections import Counter

import pytest
import torch

from ddpm_demo.machine.scheduler import KEPT_SHARE, InTurn, Kind, Scheduler


class Steps:
    """A job of so many steps, that notes each of them; a clock of its own tells how long they take."""

    def __init__(self, name, count, notes, batch_key=None, films_per_call=1):
        self.name, self.left, self.notes, self.over = name, count, notes, False
        self.batch_key, self.films_per_call, self.error = batch_key, films_per_call, None

    def step(self, jobs):
        for job in jobs:
            job.left -= 1
            job.over = job.left == 0
        self.notes.append("".join(job.name for job in jobs))

    def fail(self, error):
        self.error = error


class Held:
    """A scheduler whose thread is held back until everything that the test wants stands in line."""

    def __init__(self, scheduler):
        self.scheduler, self.go, held = scheduler, threading.Event(), threading.Event()
        threading.Thread(target=scheduler.turn, args=(lambda: (held.set(), self.go.wait()),)).start()
        held.wait()

    def finish(self):
        """Let it work, until nothing is left to do."""
        self.go.set()
        while self.scheduler.waiting:
            time.sleep(0.001)
        self.scheduler.turn(lambda: None)


def test_turns_are_given_in_the_order_of_asking():
    scheduler, order = Scheduler(), []
    held, threads = Held(scheduler), []
    for name in range(8):
        threads.append(threading.Thread(target=scheduler.turn, args=(lambda name=name: order.append(name),)))
        threads[-1].start()
        while scheduler.waiting <= name:
            time.sleep(0.001)
    held.finish()
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_jobs_of_a_kind_take_a_step_each_in_turn():
    scheduler, notes = Scheduler(), []
    held = Held(scheduler)
    for name, count in (("a", 3), ("b", 3), ("c", 1)):
        scheduler.add(Steps(name, count, notes))
    held.finish()
    assert notes == ["a", "b", "c", "a", "b", "a", "b"]


def test_company_shares_a_step_and_no_seat_stays_empty():
    scheduler, notes = Scheduler(), []
    held = Held(scheduler)
    for name, batch_key in (("a", 1), ("b", 2), ("c", 1), ("d", 1), ("e", 2)):
        scheduler.add(Steps(name, 2, notes, batch_key, films_per_call=2))
    held.finish()
    assert notes == ["ac", "be", "da", "cd", "be"]


def test_a_removed_job_takes_no_more_steps():
    scheduler, notes = Scheduler(), []
    held = Held(scheduler)
    jobs = [Steps(name, 2, notes) for name in "ab"]
    for job in jobs:
        scheduler.add(job)
    scheduler.remove(jobs[0])
    held.finish()
    assert notes == ["b", "b"]
    assert jobs[0].over


def test_the_error_of_a_step_ends_its_jobs_and_nothing_else():
    scheduler, notes = Scheduler(), []
    held = Held(scheduler)

    class Broken(Steps):
        def step(self, jobs):
            raise ZeroDivisionError

    broken = [Broken(name, 5, notes, batch_key="x", films_per_call=2) for name in "ab"]
    for job in (*broken, Steps("c", 2, notes)):
        scheduler.add(job)
    held.finish()
    assert [type(job.error) for job in broken] == [ZeroDivisionError] * 2
    assert notes == ["c", "c"]


def test_a_job_that_cannot_even_be_told_of_its_error_takes_nobody_elses_turns(capsys):
    """The one thread of all networks must not end: everybody would wait for ever."""

    class Gone(Steps):
        def step(self, jobs):
            raise RuntimeError("a spoilt step")

        def fail(self, error):
            raise RuntimeError("nobody is there")

    scheduler = Scheduler()
    scheduler.add(Gone("a", 3, []))
    while scheduler.waiting:
        time.sleep(0.001)
    assert scheduler.turn(lambda: 7) == 7
    assert "nobody is there" in capsys.readouterr().err


def test_the_more_urgent_kind_comes_first():
    scheduler, notes = Scheduler(), []
    scheduler._pay = lambda *_: None  # without the shares that are kept
    held = Held(scheduler)
    for kind in (Kind.TRAINING, Kind.FILM, Kind.INTERACTIVE):
        scheduler.add(Steps(kind.name[0], 2, notes), kind)
    held.finish()
    assert notes == ["I", "I", "F", "F", "T", "T"]


@pytest.mark.parametrize(
    ("kinds", "shares"),
    [
        ("FT", {"F": 1 - KEPT_SHARE, "T": KEPT_SHARE}),
        ("IT", {"I": 1 - KEPT_SHARE, "T": KEPT_SHARE}),
        ("IF", {"I": 1 - KEPT_SHARE, "F": KEPT_SHARE}),
        ("IFT", {"I": 1 - 2 * KEPT_SHARE, "F": KEPT_SHARE, "T": KEPT_SHARE}),
        ("T", {"T": 1}),
    ],
)
@pytest.mark.parametrize("lengths", [(1, 1, 1), (1, 5, 40)])
def test_films_and_training_keep_a_quarter_of_the_time(monkeypatch, kinds, shares, lengths):
    """By a clock of the test's own, so that nothing depends on how long anything takes."""
    clock, spent, done = [0.0], Counter(), threading.Event()
    monkeypatch.setattr("ddpm_demo.machine.scheduler.time.perf_counter", lambda: clock[0])
    seconds = dict(zip("IFT", lengths, strict=True))

    class Endless(Steps):
        def step(self, jobs):
            clock[0] += seconds[self.name]
            spent[self.name] += seconds[self.name]
            if clock[0] > 4000:
                self.over = True
                done.set()

    scheduler = Scheduler()
    held = Held(scheduler)
    for kind in Kind:
        if kind.name[0] in kinds:
            scheduler.add(Endless(kind.name[0], 1, []), kind)
    held.go.set()
    done.wait(20)
    assert sum(shares.values()) == 1
    for name, share in shares.items():
        assert spent[name] / sum(spent.values()) == pytest.approx(share, abs=0.03)


def test_all_work_is_done_in_one_thread_and_its_result_and_error_come_back():
    scheduler = Scheduler()
    names = {scheduler.turn(lambda: threading.current_thread().name) for _ in range(3)}
    assert len(names) == 1
    assert names != {threading.current_thread().name}
    with pytest.raises(ZeroDivisionError):
        scheduler.turn(lambda: 1 // 0)
    assert scheduler.training_turn(lambda: 5) == 5
    assert scheduler.turns == {Kind.INTERACTIVE: 4, Kind.FILM: 0, Kind.TRAINING: 1}


def test_whether_gradients_are_wanted_is_the_callers_word():
    scheduler, x = Scheduler(), torch.ones(1, requires_grad=True)
    network = InTurn(lambda x_t, t: x_t * 2, scheduler.film_turn)
    assert network(x, x).requires_grad
    with torch.no_grad():
        assert not network(x, x).requires_grad
    assert network(x, x).requires_grad
