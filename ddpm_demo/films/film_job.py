"""A film as work: what it is made of, how far it is, and its next step; all of it small enough to travel."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

import ddpm_demo
from ddpm_demo.core.config import ALWAYS, Interval
from ddpm_demo.core.guidance import ClassifierGuidance, autoguided
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import EpsModel, Step, Walk, WalkState, start_noise
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.machine.device import Placement
from ddpm_demo.networks.guidance_settings import DigitConfig

SIZE = 28  # pixels
# a classifier of noisy pictures: the logits (N, 10) of x_t (N, C, H, W) at timesteps t (N,)
Classify = Callable[[Tensor, Tensor], Tensor]


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return this package's version and a digest of the code that decides a film's pixels."""
    package = Path(ddpm_demo.__file__).parent
    files = sorted(path for room in ("core", "machine", "films") for path in (package / room).glob("*.py"))
    code = b"".join(path.read_bytes() for path in files)
    return f"{ddpm_demo.__version__}-{hashlib.sha256(code).hexdigest()[:12]}"


@dataclass(frozen=True)
class FilmJob:
    """All that decides a film's pixels; equal jobs are equal films. Networks are named by the digests of their files.

    `guide` is empty without one, and takes part in `interval` only; `classifier` is empty unless a `digit` is
    asked for.
    """

    network: str
    config: SamplerConfig
    n: int
    seed: int
    guide: str = ""
    weight: float = 1.0
    channels: int = 1
    digit: DigitConfig | None = None
    classifier: str = ""
    interval: Interval = ALWAYS
    code: str = field(default_factory=code_version)

    @property
    def key(self) -> str:
        """A name for this film and no other."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class ClassifierPull:
    """What asking for a digit did to a step: `pull` (N, C, H, W) was taken from eps_hat; probabilities (N, 10)."""

    pull: Tensor
    probabilities: Tensor


@dataclass(frozen=True)
class Prediction:
    """What a film's walk is told: eps_hat; what network and guide said; what asking for a digit did.

    The last two are None where guide or classifier take no part, even if only at this timestep.
    """

    eps_hat: Tensor
    guidance_pair: tuple[Tensor, Tensor] | None = None
    classifier_pull: ClassifierPull | None = None


class FilmWalk(Walk):
    """The walk of a film: it begins at the job's own noise, and may stop, travel, and go on elsewhere."""

    prediction: Prediction | None = None  # what the step began with that it took last

    def __init__(self, job: FilmJob, schedule: Schedule, state: WalkState | None = None) -> None:
        """Begin a film, or go on with one; raise ConfigError when its steps exceed the schedule."""
        self.job = job
        generator = torch.Generator().manual_seed(job.seed)
        x_T = start_noise(job.n, job.channels, SIZE, generator) if state is None else state.x
        super().__init__(schedule, job.config, x_T, generator=generator)
        if state is not None:
            self.go_to(state)

    def advance(self, prediction: Prediction) -> Step | None:
        """Go on with a prediction; return the step that it completes, None if the rule wants another one for it."""
        if not self.asks_again:
            self.prediction = prediction
        return self.take(prediction.eps_hat)


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
class FilmStep:
    """A step of a film, the prediction that it began with, and how many seconds it took."""

    step: Step
    prediction: Prediction
    seconds: float


class PlacedNetwork(Protocol):
    """A network in its place, found by its digest."""

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


def predict(
    network: PlacedNetwork,
    guide: PlacedNetwork | None,
    walks: Sequence[FilmWalk],
    classifiers: Sequence[Classify | None] | None = None,
) -> list[Prediction]:
    """Ask the network, and the guide, once for all these films, and then the classifier of each that wants a digit."""
    device, sizes = network.placement.device, [walk.job.n for walk in walks]
    questions = [walk.question(device) for walk in walks]
    x_t, t = questions[0] if len(walks) == 1 else (torch.cat(parts) for parts in zip(*questions, strict=True))
    with torch.no_grad():
        eps_model = network.model(x_t, t).split(sizes)
        predictions = [Prediction(eps_hat) for eps_hat in eps_model]
        steered = [k for k, walk in enumerate(walks) if guide and walk.job.interval.holds_at(walk.t)]
        if guide and steered:
            if len(steered) < len(walks):
                x_t, t = (torch.cat([questions[k][part] for k in steered]) for part in (0, 1))
            for k, eps_guide in zip(steered, guide.model(x_t, t).split([sizes[k] for k in steered]), strict=True):
                eps_hat = autoguided(eps_model[k], eps_guide, walks[k].job.weight)
                predictions[k] = Prediction(eps_hat, (eps_model[k], eps_guide))
    return [
        prediction if classify is None else pulled(prediction, walk, classify, *question)
        for prediction, walk, classify, question in zip(
            predictions, walks, classifiers or [None] * len(walks), questions, strict=True
        )
    ]


def film_alone(
    network: PlacedNetwork, guide: PlacedNetwork | None, walk: FilmWalk, classify: Classify | None = None
) -> Iterator[FilmStep]:
    """Make a film here and now, with nobody else around, yielding every step once it is complete."""
    while walk.left:
        begun, step = time.perf_counter(), None
        while step is None:
            (prediction,) = predict(network, guide if walk.job.guide else None, [walk], [classify])
            step = walk.advance(prediction)
        assert walk.prediction is not None
        yield FilmStep(step, walk.prediction, time.perf_counter() - begun)


def pulled(prediction: Prediction, walk: FilmWalk, classify: Classify, x_t: Tensor, t: Tensor) -> Prediction:
    """Return a prediction pulled towards the digit that the film asks for: see `guidance.ClassifierGuidance`."""
    digit = walk.job.digit
    assert digit is not None
    steering = ClassifierGuidance(
        lambda *_: prediction.eps_hat, classify, walk.schedule, torch.tensor([digit.digit]), digit.weight, digit
    )
    with torch.no_grad():
        eps_hat = steering(x_t, t)
    return Prediction(eps_hat, prediction.guidance_pair, last_pull(steering))


def last_pull(steering: ClassifierGuidance) -> ClassifierPull | None:
    """Return what classifier guidance did at its last call; None where it took no part."""
    if steering.pull is None or steering.probabilities is None:
        return None
    return ClassifierPull(steering.pull, steering.probabilities)
