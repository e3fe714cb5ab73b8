"""A film as work: what it is made of, how far it is, and who makes it; all of it small enough to travel."""

import hashlib
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

import ddpm_demo
from ddpm_demo.core.config import DemoError, DigitConfig, SamplerConfig
from ddpm_demo.core.device import Placement
from ddpm_demo.core.guidance import AskedFor
from ddpm_demo.core.sampling import EpsModel, Step, reverse_step, start_noise
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.machine.scheduler import NETWORK, Kind, Scheduler

SIZE = 28  # pixels
SEATS = (2, 4, 8, 16, 32)  # films in one call of the network that are tried, as long as more of them pay
PAYS = 0.8  # of the time a film, or less, is what makes sharing a call worth it
TYPICAL_DIGITS = 16  # of the films that are tried
TRIALS = 3
SMOOTH = 0.9  # how much of a step's usual time is kept from step to step
# a classifier of noisy pictures: the logits (N, 10) of x_t (N, C, H, W) at timesteps t (N,)
Classify = Callable[[Tensor, Tensor], Tensor]


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return this package's version and a digest of the code that decides a film's pixels."""
    package = Path(ddpm_demo.__file__).parent
    files = sorted(path for room in ("core", "machine") for path in (package / room).glob("*.py"))
    code = b"".join(path.read_bytes() for path in files)
    return f"{ddpm_demo.__version__}-{hashlib.sha256(code).hexdigest()[:12]}"


@dataclass(frozen=True)
class FilmJob:
    """All that decides a film's pixels; equal jobs are equal films. Networks are named by the digests of their files.

    `guide` is empty without one, `asker` (the classifier's file) unless a digit is `asked` for.
    """

    network: str
    config: SamplerConfig
    n: int
    seed: int
    guide: str = ""
    weight: float = 1.0
    channels: int = 1
    asked: DigitConfig | None = None
    asker: str = ""
    code: str = field(default_factory=code_version)

    @property
    def key(self) -> str:
        """A name for this film and no other."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class WalkState:
    """How far a film is: everything that its next step needs, on the CPU.

    `index` steps are done. `x_t` is (N, C, H, W), `generator` the state of its noise, uint8; `x0_before` is the x0_hat
    of the step before.
    """

    index: int
    x_t: Tensor
    generator: Tensor
    x0_before: Tensor | None = None


class Walk:
    """The reverse process a step at a time, as `sampling.sample` takes it; it may stop, travel, and go on elsewhere."""

    def __init__(self, job: FilmJob, schedule: Schedule, state: WalkState | None = None) -> None:
        """Begin a film, or go on with one; raise ConfigError when its steps exceed the schedule."""
        self.job, self.schedule = job, schedule
        self.timesteps = schedule.timesteps(job.config.steps)
        self._generator = torch.Generator()
        if state is None:
            self._generator.manual_seed(job.seed)
            x_T = start_noise(job.n, job.channels, SIZE, self._generator)
            state = WalkState(0, x_T, self._generator.get_state())
        self._generator.set_state(state.generator)
        self.index, self.x_t, self._x0_before = state.index, state.x_t, state.x0_before

    @property
    def state(self) -> WalkState:
        """Where it stands now."""
        before = None if self._x0_before is None else self._x0_before.cpu()
        return WalkState(self.index, self.x_t.cpu(), self._generator.get_state(), before)

    @property
    def left(self) -> int:
        """How many steps it still has to take."""
        return len(self.timesteps) - self.index

    def question(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return what the network is asked next: x_t (N, C, H, W) and its timesteps (N,), on the device."""
        return self.x_t.to(device), torch.full((self.job.n,), self.timesteps[self.index], device=device)

    @torch.no_grad()
    def take(self, eps_hat: Tensor) -> Step:
        """Take a step with the network's answer (N, C, H, W), and return it."""
        index, times = self.index, [*self.timesteps, -1]
        step = reverse_step(
            self.schedule,
            self.job.config,
            index=index,
            t=times[index],
            s=times[index + 1],
            x_t=self.x_t.to(eps_hat.device),
            eps_hat=eps_hat,
            generator=self._generator,
            x0_before=None if self._x0_before is None else self._x0_before.to(eps_hat.device),
            t_before=None if index == 0 else times[index - 1],
        )
        self.index, self.x_t, self._x0_before = index + 1, step.x_s, step.x0_hat
        return step


@dataclass(frozen=True)
class Asked:
    """What asking for a digit did to a step: `pull` (N, C, H, W) was taken from eps_hat; probabilities (N, 10)."""

    pull: Tensor
    probabilities: Tensor


@dataclass(frozen=True)
class Answer:
    """What a film is told: eps_hat; what network and guide said, without a guide None; what asking did, if any."""

    eps_hat: Tensor
    answers: tuple[Tensor, Tensor] | None = None
    asked: Asked | None = None


@dataclass(frozen=True)
class Taken:
    """A step of a film, what network and guide said (None without a guide), how long it took, and what asking did."""

    step: Step
    answers: tuple[Tensor, Tensor] | None
    seconds: float
    asked: Asked | None = None


class Placed(Protocol):
    """A network in its place, as its digest brings it."""

    @property
    def model(self) -> EpsModel:
        """The network."""
        ...

    @property
    def schedule(self) -> Schedule:
        """The schedule it was trained for."""
        ...

    @property
    def placement(self) -> Placement:
        """Where it computes."""
        ...


class Customer(Protocol):
    """Who wants a film: gets its steps in order, each once, until it is whole or failed. Must not wait for anything."""

    def deliver(self, taken: Taken, /) -> None:
        """Take in a step."""
        ...

    def fail(self, error: Exception, /) -> None:
        """Take notice that there will be no more."""
        ...


class Executor(Protocol):
    """Makes films, in this process or elsewhere."""

    def begin(self, walk: Walk, customer: Customer) -> None:
        """Go on with a film from where it stands; the walk is the executor's until the film is whole or stopped."""
        ...

    def stop(self, walk: Walk) -> None:
        """Work no longer on a film: at most a step that is under way is still delivered, and none after `begin`."""
        ...

    def seconds_a_step(self, job: FilmJob) -> float:
        """Return how much of this executor's time a step of such a film takes; 0 while nobody knows."""
        ...


def ask(
    network: Placed, guide: Placed | None, walks: Sequence[Walk], classifiers: Sequence[Classify | None] | None = None
) -> list[Answer]:
    """Ask the network, and the guide, once for all these films, and then the classifier of each that wants a digit.

    Karras et al. 2024, section 3: eps_hat = eps_guide + weight (eps_model - eps_guide), each film with its weight.
    """
    device, sizes = network.placement.device, [walk.job.n for walk in walks]
    questions = [walk.question(device) for walk in walks]
    x_t, t = questions[0] if len(walks) == 1 else (torch.cat(parts) for parts in zip(*questions, strict=True))
    with torch.no_grad():
        eps_model = network.model(x_t, t).split(sizes)
        if guide is None:
            told = [Answer(eps_hat) for eps_hat in eps_model]
        else:
            eps_guide = guide.model(x_t, t).split(sizes)
            told = [
                Answer(theirs + walk.job.weight * (ours - theirs), (ours, theirs))
                for walk, ours, theirs in zip(walks, eps_model, eps_guide, strict=True)
            ]
        return [
            answer if classify is None else pulled(answer, walk, classify, *question)
            for answer, walk, classify, question in zip(
                told, walks, classifiers or [None] * len(walks), questions, strict=True
            )
        ]


def pulled(answer: Answer, walk: Walk, classify: Classify, x_t: Tensor, t: Tensor) -> Answer:
    """Return an answer pulled towards the digit that the film asks for: see `guidance.AskedFor`."""
    wish = walk.job.asked
    assert wish is not None
    asking = AskedFor(
        lambda *_: answer.eps_hat,
        classify,
        walk.schedule,
        torch.tensor([wish.digit]),
        wish.weight,
        first=wish.first,
        last=wish.last,
    )
    eps_hat = asking(x_t, t)
    assert asking.pull is not None
    assert asking.probabilities is not None
    return Answer(eps_hat, answer.answers, Asked(asking.pull, asking.probabilities))


class _FilmTurns:
    """A film among the scheduler's jobs."""

    def __init__(self, executor: "LocalExecutor", walk: Walk, customer: Customer) -> None:
        self.executor, self.walk, self.customer = executor, walk, customer
        self.over = walk.left == 0
        job = walk.job
        self.classify = executor.classifier_for(walk)
        self.company: Hashable = (job.network, job.guide, job.channels)
        self.seats = executor.seats.get((job.network, job.guide), 1)

    def step(self, company: "Sequence[_FilmTurns]") -> None:
        self.executor.step(company)

    def fail(self, error: BaseException) -> None:
        self.customer.fail(error if isinstance(error, Exception) else RuntimeError(repr(error)))


class LocalExecutor:
    """Makes films in this process, in the turns of its scheduler, a step each at a time."""

    def __init__(
        self,
        networks: Callable[[str], Placed],
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
        self.seats: dict[tuple[str, str], int] = {}  # films in one call, by network and guide, once it was measured

    def classifier_for(self, walk: Walk) -> Classify | None:
        """Return what a film asks for its digit with; None for any digit."""
        if walk.job.asked is None or self._classifier is None:
            return None
        return self._classifier(walk.schedule, self._networks(walk.job.network).placement.device)

    def begin(self, walk: Walk, customer: Customer) -> None:
        """Put the film at the end of the ring."""
        self._jobs[id(walk)] = job = _FilmTurns(self, walk, customer)
        self._scheduler.add(job, Kind.FILM)

    def stop(self, walk: Walk) -> None:
        """Take the film out of the ring."""
        job = self._jobs.pop(id(walk), None)
        if job is not None:
            self._scheduler.remove(job)

    def seconds_a_step(self, job: FilmJob) -> float:
        """Return the usual time of a step of films like this one."""
        return self._pace.get((job.network, job.guide, job.n), 0.0)

    def paces(self) -> list[dict[str, object]]:
        """Return the usual step of every kind of film that was made here: digests are cut short."""
        return [
            {
                "network": network[:8],
                "guide": guide[:8],
                "digits": n,
                "device": self._devices.get(network, ""),
                "milliseconds": round(1000 * seconds, 2),
                "films_a_call": self.seats.get((network, guide), 1),
            }
            for (network, guide, n), seconds in list(self._pace.items())
        ]

    def step(self, turns: Sequence[_FilmTurns]) -> None:
        """Take a step of each of these films; called by the scheduler, in its thread."""
        begun = time.perf_counter()
        job = turns[0].walk.job
        network, guide = self._networks(job.network), self._networks(job.guide) if job.guide else None
        self._devices[job.network] = str(network.placement.device)
        walks = [turn.walk for turn in turns]
        told = ask(network, guide, walks, [turn.classify for turn in turns])
        steps = [walk.take(answer.eps_hat) for walk, answer in zip(walks, told, strict=True)]
        finite = [bool(torch.isfinite(step.x_s).all()) for step in steps]  # waits for a GPU, so the time is its own
        seconds = (time.perf_counter() - begun) / len(turns)
        for turn, step, answer, fine in zip(turns, steps, told, finite, strict=True):
            self._note_pace(turn.walk.job, seconds)
            turn.over |= turn.walk.left == 0 or not fine
            if turn.over and self._jobs.get(id(turn.walk)) is turn:
                del self._jobs[id(turn.walk)]
            if fine:
                turn.customer.deliver(Taken(step, answer.answers, seconds, answer.asked))
            else:
                turn.fail(DemoError("the network's pictures are not finite numbers: these settings make no film"))
        key = (job.network, job.guide)
        if key not in self.seats and len(self._jobs) > 1:  # nobody who is alone waits for the measurement
            self.seats[key] = self._measure_seats(network, guide, job)
        for turn in turns:
            turn.seats = self.seats.get(key, 1)

    def _note_pace(self, job: FilmJob, seconds: float) -> None:
        kind = (job.network, job.guide, job.n)
        usual = self._pace.get(kind, seconds)
        self._pace[kind] = SMOOTH * usual + (1 - SMOOTH) * seconds

    def _measure_seats(self, network: Placed, guide: Placed | None, job: FilmJob) -> int:
        """Try how many films one call should be for, once the network is warm: two, and more while they pay."""

        def seconds(films: int) -> float:
            config = SamplerConfig(kind="ddim", steps=5)
            some = FilmJob(job.network, config, TYPICAL_DIGITS, 0, job.guide, job.weight, job.channels)
            walks = [Walk(some, network.schedule) for _ in range(films)]
            times = []
            for _ in range(TRIALS):
                begun = time.perf_counter()
                float(ask(network, guide, walks)[0].eps_hat.sum())
                times.append(time.perf_counter() - begun)
            return min(times) / films

        best, fastest = 1, seconds(1)
        for films in SEATS:
            if (mine := seconds(films)) > PAYS * fastest:
                break
            best, fastest = films, mine
        return best
