"""A film as work: what it is made of, how far it is, and its next step; all of it small enough to travel."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

import ddpm_demo
from ddpm_demo.core.config import ALWAYS, DigitConfig, Interval, SamplerConfig
from ddpm_demo.core.device import Placement
from ddpm_demo.core.guidance import AskedFor
from ddpm_demo.core.sampling import EpsModel, Step, reverse_step, start_noise
from ddpm_demo.core.schedule import Schedule

SIZE = 28  # pixels
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

    `guide` is empty without one, and has a part in `interval` only; `asker` (the classifier's file) is empty unless a
    digit is `asked` for.
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
    interval: Interval = ALWAYS
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
        self.go_to(state)

    def go_to(self, state: WalkState) -> None:
        """Stand where a step has brought it that was taken elsewhere."""
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


def frame_indices(schedule: Schedule, timesteps: Sequence[int], count: int) -> list[int]:
    """Choose at most `count` of a sampler's steps to show, evenly in log-SNR, the first and last always.

    Evenly in t would spend most frames on pictures that all look like pure noise.
    """
    if len(timesteps) <= count:
        return list(range(len(timesteps)))
    log_snr = schedule.snr[torch.tensor(timesteps)].log()  # increasing along the sampler's way
    wanted = torch.linspace(float(log_snr[0]), float(log_snr[-1]), count, dtype=torch.float64)
    nearest = (log_snr[None, :] - wanted[:, None]).abs().argmin(dim=1)
    return sorted(set(nearest.tolist()))


@dataclass(frozen=True)
class Asked:
    """What asking for a digit did to a step: `pull` (N, C, H, W) was taken from eps_hat; probabilities (N, 10)."""

    pull: Tensor
    probabilities: Tensor


@dataclass(frozen=True)
class Answer:
    """What a film is told: eps_hat; what network and guide said; what asking for a digit did.

    Of guide and asking None where they have no part, be it at this timestep only.
    """

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
        told = [Answer(eps_hat) for eps_hat in eps_model]
        now = [k for k, walk in enumerate(walks) if guide and walk.job.interval.holds_at(walk.timesteps[walk.index])]
        if guide and now:
            if len(now) < len(walks):
                x_t, t = (torch.cat([questions[k][part] for k in now]) for part in (0, 1))
            for k, theirs in zip(now, guide.model(x_t, t).split([sizes[k] for k in now]), strict=True):
                ours = eps_model[k]
                told[k] = Answer(theirs + walks[k].job.weight * (ours - theirs), (ours, theirs))
        return [
            answer if classify is None else pulled(answer, walk, classify, *question)
            for answer, walk, classify, question in zip(
                told, walks, classifiers or [None] * len(walks), questions, strict=True
            )
        ]


def pulled(answer: Answer, walk: Walk, classify: Classify, x_t: Tensor, t: Tensor) -> Answer:
    """Return an answer pulled towards the digit that the film asks for, at this timestep: see `guidance.AskedFor`."""
    wish = walk.job.asked
    assert wish is not None
    digits = torch.tensor([wish.digit])
    asking = AskedFor(lambda *_: answer.eps_hat, classify, walk.schedule, digits, wish.weight, wish)
    return Answer(asking(x_t, t), answer.answers, what_asking_did(asking))


def what_asking_did(asking: AskedFor | None) -> Asked | None:
    """Return the last pull and odds of a denoiser that is asked for a digit; None for one that was not."""
    if asking is None or asking.pull is None or asking.probabilities is None:
        return None
    return Asked(asking.pull, asking.probabilities)
