"""Who makes films: what an executor promises, and the one that computes in this process."""

import contextlib
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

import torch

from ddpm_demo.core.config import DemoError
from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.core.sampling import Step
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.films.film_job import Classify, FilmJob, FilmStep, FilmWalk, PlacedNetwork, predict
from ddpm_demo.machine.scheduler import NETWORK, Kind, Scheduler

FILMS_PER_CALL = (2, 4, 8, 16, 32)  # films in one call of the network that are tried, as long as more of them pay
PAYS = 0.8  # of the time a film, or less, is what makes sharing a call worth it
TYPICAL_DIGITS = 16  # of the films that are tried
TRIALS = 3
SMOOTH = 0.9  # how much of a step's usual time is kept from step to step


class StepListener(Protocol):
    """Whoever wants a film: gets its steps in order, each once, until it is complete or failed. Must not block."""

    def deliver(self, film_step: FilmStep, /) -> None:
        """Take in a step."""
        ...

    def fail(self, error: Exception, /) -> None:
        """Note that there will be no more."""
        ...


class Executor(Protocol):
    """Makes films, in this process or elsewhere."""

    def begin(self, walk: FilmWalk, listener: StepListener) -> None:
        """Go on with a film from where it stands; the walk is the executor's until the film is whole or stopped."""
        ...

    def stop(self, walk: FilmWalk) -> None:
        """Stop working on a film: at most a step that is under way is still delivered, and none after `begin`."""
        ...

    def seconds_a_step(self, job: FilmJob) -> float:
        """Return how much of this executor's time a step of such a film takes; 0 while nobody knows."""
        ...

    def paces(self) -> list[dict[str, Any]]:
        """Return what a step of every kind of film takes here, a row each."""
        ...

    def workers(self) -> list[dict[str, Any]]:
        """Return a row for each worker elsewhere; none for an executor that has none."""
        ...

    def trouble(self) -> str:
        """Return why films have to wait just now, in a sentence; nothing while they do not."""
        ...


class _FilmTurns:
    """A film among the scheduler's jobs."""

    def __init__(self, executor: "LocalExecutor", walk: FilmWalk, listener: StepListener) -> None:
        self.executor, self.walk, self.listener = executor, walk, listener
        self.over, self.prepared = walk.left == 0, False
        self.classify: Classify | None = None
        job = walk.job
        self.batch_key: Hashable = (job.network, job.guide, job.channels)
        self.films_per_call = executor.films_per_call.get((job.network, job.guide), 1)

    def step(self, batch: "Sequence[_FilmTurns]") -> None:
        turns = [turn for turn in batch if turn.prepare()]
        if turns:
            self.executor.step(turns)

    def prepare(self) -> bool:
        """Load what this film alone needs; return whether it has a step to take."""
        if self.walk.left and not self.prepared:
            try:
                self.classify, self.prepared = self.executor.classifier_for(self.walk), True
            except Exception as error:
                self.over = True
                self.fail(error)
                return False
        self.over |= self.walk.left == 0
        return not self.over

    def fail(self, error: BaseException) -> None:
        self.executor.forget(self)
        self.listener.fail(error if isinstance(error, Exception) else RuntimeError(repr(error)))


class LocalExecutor:
    """Makes films in this process, in the turns of its scheduler, a step each at a time."""

    def __init__(
        self,
        networks: Callable[[str], PlacedNetwork],
        scheduler: Scheduler = NETWORK,
        *,
        classifier: Callable[[Schedule, torch.device], Classify] | None = None,
    ) -> None:
        """`networks` finds a network by the digest of its file, and raises DemoError if it is gone.

        `classifier` makes one for a schedule's noise, on a device, for films that ask for a digit.
        """
        self._networks, self._scheduler, self._classifier = networks, scheduler, classifier
        self._jobs: dict[int, _FilmTurns] = {}
        self._pace: dict[tuple[str, str, int], float] = {}
        self._devices: dict[str, str] = {}
        self.films_per_call: dict[tuple[str, str], int] = {}  # by network and guide, once it was measured

    def classifier_for(self, walk: FilmWalk) -> Classify | None:
        """Return what a film asks for its digit with; None for any digit."""
        if walk.job.digit is None or self._classifier is None:
            return None
        return self._classifier(walk.schedule, self._networks(walk.job.network).placement.device)

    def begin(self, walk: FilmWalk, listener: StepListener) -> None:
        """Put the film at the end of the ring."""
        self._jobs[id(walk)] = job = _FilmTurns(self, walk, listener)
        self._scheduler.add(job, Kind.FILM)

    def stop(self, walk: FilmWalk) -> None:
        """Take the film out of the ring."""
        job = self._jobs.pop(id(walk), None)
        if job is not None:
            self._scheduler.remove(job)

    def forget(self, turn: _FilmTurns) -> None:
        """Note that a film is over, unless somebody has begun with it again."""
        if self._jobs.get(id(turn.walk)) is turn:
            del self._jobs[id(turn.walk)]

    def seconds_a_step(self, job: FilmJob) -> float:
        """Return the usual time of a step of films like this one."""
        return self._pace.get((job.network, job.guide, job.n), 0.0) * SAMPLERS[job.config.kind].calls

    def workers(self) -> list[dict[str, Any]]:
        """Return none: this process does the work."""
        return []

    def trouble(self) -> str:
        """Return nothing: this process is there as long as anybody asks."""
        return ""

    def paces(self) -> list[dict[str, Any]]:
        """Return the usual step of every kind of film that was made here: digests are cut short."""
        return [
            {
                "network": network[:8],
                "guide": guide[:8],
                "digits": n,
                "device": self._devices.get(network, ""),
                "milliseconds": round(1000 * seconds, 2),
                "films_a_call": self.films_per_call.get((network, guide), 1),
            }
            for (network, guide, n), seconds in list(self._pace.items())
        ]

    def step(self, turns: Sequence[_FilmTurns]) -> None:
        """Take a step of each of these films; called by the scheduler, in its thread."""
        begun = time.perf_counter()
        job = turns[0].walk.job
        network, guide = self._networks(job.network), self._networks(job.guide) if job.guide else None
        self._devices[job.network] = str(network.placement.device)
        steps: dict[_FilmTurns, Step] = {}
        while asking := [turn for turn in turns if turn not in steps]:  # more than once where a rule asks again
            predictions = predict(network, guide, [t.walk for t in asking], [t.classify for t in asking])
            for turn, prediction in zip(asking, predictions, strict=True):
                if (step := turn.walk.advance(prediction)) is not None:
                    steps[turn] = step
        # waits for a GPU, so the time is its own
        finite = [bool(torch.isfinite(steps[turn].x_s).all()) for turn in turns]
        seconds = (time.perf_counter() - begun) / len(turns)
        for turn, fine in zip(turns, finite, strict=True):
            self._note_pace(turn.walk.job, seconds)
            turn.over |= turn.walk.left == 0 or not fine
            if turn.over:
                self.forget(turn)
            if fine:
                assert turn.walk.prediction is not None
                turn.listener.deliver(FilmStep(steps[turn], turn.walk.prediction, seconds))
            else:
                turn.fail(DemoError("the network's pictures are not finite numbers: these settings cannot make a film"))
        key = (job.network, job.guide)
        if key not in self.films_per_call and len(self._jobs) > 1:  # nobody who is alone waits for the measurement
            self.films_per_call[key] = self._measure_films_per_call(network, guide, job)
        for turn in turns:
            turn.films_per_call = self.films_per_call.get(key, 1)

    def _note_pace(self, job: FilmJob, seconds: float) -> None:
        kind, a_call = (job.network, job.guide, job.n), seconds / SAMPLERS[job.config.kind].calls
        usual = self._pace.get(kind, a_call)
        self._pace[kind] = SMOOTH * usual + (1 - SMOOTH) * a_call

    def _measure_films_per_call(self, network: PlacedNetwork, guide: PlacedNetwork | None, job: FilmJob) -> int:
        """Try how many films one call should be for, once the network is warm: two, and more while they pay."""

        def seconds(films: int) -> float:
            config = SamplerConfig(kind="ddim", steps=5)
            some = FilmJob(job.network, config, TYPICAL_DIGITS, 0, job.guide, job.weight, job.channels)
            walks = [FilmWalk(some, network.schedule) for _ in range(films)]
            times = []
            for _ in range(TRIALS):
                begun = time.perf_counter()
                float(predict(network, guide, walks)[0].eps_hat.sum())
                times.append(time.perf_counter() - begun)
            return min(times) / films

        best = 1
        # a batch too large for the memory is one that does not pay: the films of this step have theirs already
        with contextlib.suppress(MemoryError, RuntimeError):
            fastest = seconds(1)
            for films in FILMS_PER_CALL:
                if (mine := seconds(films)) > PAYS * fastest:
                    break
                best, fastest = films, mine
        return best
