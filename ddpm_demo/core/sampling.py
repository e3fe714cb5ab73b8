"""The reverse process: a walk that asks for guesses, and a generator of its steps over a network.

The caller owns the progress bar, the pictures and the stopping. The rules are `samplers.SAMPLERS`.
"""

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor, nn

from ddpm_demo.core.samplers import SAMPLERS, Coefficients, SamplerConfig
from ddpm_demo.core.schedule import Schedule


class EpsModel(Protocol):
    """Anything that predicts noise: the network, or an exact answer in the tests."""

    def __call__(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return eps_hat (B, C, H, W) for images x_t (B, C, H, W) at timesteps t (B,)."""
        ...


@dataclass(frozen=True)
class Guess:
    """What the network was asked, a picture x (B, C, H, W) at timestep t, and the answer.

    `eps_hat` is what it said; `x0_hat` the clean image that this implies, after clipping if that was asked for.
    """

    x: Tensor
    t: int
    eps_hat: Tensor
    x0_hat: Tensor


@dataclass(frozen=True)
class Step:
    """One whole reverse step from t to s; all images (B, C, H, W).

    `index` counts from 0, and s = -1 is the finished image. `eps_hat` and `x0_hat` are the first guess, about x_t at t;
    `later` are the other guesses of a rule that asks more than once. `x0_before`, at `t_before`, is the x0_hat of the
    step before, where the rule makes use of it. x_s = mean + std * z.
    """

    index: int
    t: int
    s: int
    x_t: Tensor
    eps_hat: Tensor
    x0_hat: Tensor
    z: Tensor
    std: float
    x_s: Tensor
    later: tuple[Guess, ...] = ()
    x0_before: Tensor | None = None
    t_before: int | None = None


@dataclass(frozen=True)
class WalkState:
    """How far a walk has got: all that its next step needs, on the CPU, small enough to be sent.

    `index` steps are done; `x` is the picture (B, C, H, W); `generator` the state of the noise, uint8; `x0_before`, at
    `t_before`, the x0_hat of the step before.
    """

    index: int
    x: Tensor
    generator: Tensor
    x0_before: Tensor | None = None
    t_before: int | None = None


class Walk:
    """The reverse process, to be driven by whoever has a network: guess the noise, take a step, guess again.

        while walk.left:
            x, t = walk.question()
            step = walk.take(model(x, t))    # None while the rule asks again, for the same step

    It computes where the answers are, draws its noise on the CPU, so that every device draws the same, and can stop
    between two steps, be sent as its `state`, and go on elsewhere. Changing `x` between two steps, as RePaint does,
    makes the walk go on from there.
    """

    def __init__(
        self,
        schedule: Schedule,
        config: SamplerConfig,
        x_T: Tensor,
        *,
        generator: torch.Generator,
        timesteps: Sequence[int] | None = None,
    ) -> None:
        """Start at x_T (B, C, H, W), before the first of `timesteps`, strictly decreasing: the config's if None.

        Raises ConfigError when config.steps exceeds the schedule.
        """
        self.schedule, self.config, self.generator = schedule, config, generator
        self.timesteps = schedule.timesteps(config.steps) if timesteps is None else list(timesteps)
        self.index, self.x, self._guesses = 0, x_T, list[Guess]()
        self._x0_before: Tensor | None = None
        self._t_before: int | None = None

    @property
    def left(self) -> int:
        """How many steps it still has to take."""
        return len(self.timesteps) - self.index

    @property
    def asks_again(self) -> bool:
        """Whether the next answer continues a step that has begun."""
        return bool(self._guesses)

    @property
    def t(self) -> int:
        """The timestep that the network is asked about next."""
        return self.s if self._guesses else self.timesteps[self.index]

    @property
    def s(self) -> int:
        """The timestep that the next step goes to."""
        return self.timesteps[self.index + 1] if self.left > 1 else -1

    def question(self, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
        """Return what the network is asked next: a picture (B, C, H, W) and its timesteps (B,), on the device."""
        x = self.x if device is None else self.x.to(device)
        return x, torch.full((len(x),), self.t, device=x.device)

    @torch.no_grad()
    def take(self, eps_hat: Tensor) -> Step | None:
        """Go on with the network's answer (B, C, H, W): return the step that it completes, None if it needs another."""
        x, t, s = self.x.to(eps_hat.device), self.timesteps[self.index], self.s
        guess = Guess(x, self.t, eps_hat, self.schedule.predict_x0(x, self.t, eps_hat))
        eps = eps_hat
        if self.config.clip == "x0":
            # clipping x0_hat changes the noise that goes with it, and the rules get both
            guess = replace(guess, x0_hat=guess.x0_hat.clamp(-1, 1))
            eps = self.schedule.predict_eps(x, self.t, guess.x0_hat)
        first = self._guesses[0] if self._guesses else guess
        before = self._guesses[-1].x0_hat if self._guesses else self._x0_before
        before = None if before is None else before.to(x.device)
        rule = SAMPLERS[self.config.kind].coefficients(self.schedule, self.config, t, s, self._t_before)
        factors = rule[len(self._guesses)]
        self._guesses.append(guess)

        x_s = weighted_sum(factors, (first.x, eps, guess.x0_hat, before))
        if len(self._guesses) < len(rule):
            self.x = x_s
            return None
        z = self.noise().to(x.device) if factors.std > 0 else torch.zeros_like(x)
        x_s = x_s + factors.std * z
        if self.config.clip == "x_t":
            x_s = x_s.clamp(-1, 1)
        earlier = rule[0].x0_before != 0
        step = Step(
            index=self.index,
            t=t,
            s=s,
            x_t=first.x,
            eps_hat=first.eps_hat,
            x0_hat=first.x0_hat,
            z=z,
            std=factors.std,
            x_s=x_s,
            later=tuple(self._guesses[1:]),
            x0_before=self._x0_before if earlier else None,
            t_before=self._t_before if earlier else None,
        )
        self.index, self.x, self._x0_before, self._t_before = self.index + 1, x_s, guess.x0_hat, guess.t
        self._guesses = []
        return step

    def jump_back(self) -> None:
        """Noise the picture from s back to the t of the last step, which is then taken again.

        q(x_t | x_s) is N(sqrt(1 - beta) x_s, beta): Lugmayr et al. 2022, "RePaint", Algorithm 1.
        """
        t, s = self.timesteps[self.index - 1], self.timesteps[self.index]
        beta = self.schedule.step_beta(t, s)
        self.x = math.sqrt(1 - beta) * self.x + math.sqrt(beta) * self.noise()
        self.index, self._x0_before, self._t_before = self.index - 1, None, None

    def noise(self) -> Tensor:
        """Draw noise like the picture (B, C, H, W), on the CPU, and bring it to the picture's device."""
        return torch.randn(self.x.shape, generator=self.generator, dtype=self.x.dtype).to(self.x.device)

    @property
    def state(self) -> WalkState:
        """Where it is, between two steps; a half-finished step starts over."""
        x = self._guesses[0].x if self._guesses else self.x
        before = None if self._x0_before is None else self._x0_before.cpu()
        return WalkState(self.index, x.cpu(), self.generator.get_state(), before, self._t_before)

    def go_to(self, state: WalkState) -> None:
        """Move to where a step taken elsewhere has brought it."""
        self.generator.set_state(state.generator)
        self.index, self.x, self._guesses = state.index, state.x, []
        self._x0_before, self._t_before = state.x0_before, state.t_before


def weighted_sum(factors: Coefficients, pictures: Sequence[Tensor | None]) -> Tensor:
    """Return a rule's mean: the sum over x_t, eps_hat, x0_hat and x0_before, each (B, C, H, W), without the noise."""
    numbers = (factors.x_t, factors.eps_hat, factors.x0_hat, factors.x0_before)
    terms = [n * picture for n, picture in zip(numbers, pictures, strict=True) if n and picture is not None]
    return sum(terms[1:], start=terms[0]) / factors.divisor


@torch.no_grad()
def sample(
    model: EpsModel,
    schedule: Schedule,
    config: SamplerConfig,
    x_T: Tensor,
    *,
    generator: torch.Generator,
    start: int | None = None,
) -> Iterator[Step]:
    """Walk from noise x_T (B, C, H, W) to clean images, yielding every step once it is complete.

    With `start` the walk begins there instead of at T - 1, and x_T is an x_t of that timestep: SDEdit (Meng et al.
    2022) adds noise to a picture up to there and walks back. Noise comes from `generator`, on the CPU. Closing the
    iterator stops between two steps and restores the model's train or eval mode. Raises ConfigError when config.steps
    exceeds the schedule.
    """
    walk = Walk(schedule, config, x_T, generator=generator, timesteps=schedule.timesteps(config.steps, start))
    with evaluating(model):
        while walk.left:
            yield next_step(walk, model)


def next_step(walk: Walk, model: EpsModel) -> Step:
    """Take one whole step of a walk, asking the model as often as the rule wants."""
    step = None
    while step is None:
        step = walk.take(model(*walk.question()))
    return step


@contextlib.contextmanager
def evaluating(model: EpsModel) -> Iterator[None]:
    """Put a network into eval mode for a while, then restore the mode that it was in."""
    if not isinstance(model, nn.Module):
        yield
        return
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def start_noise(n: int, channels: int, size: int, generator: torch.Generator) -> Tensor:
    """Draw x_T ~ N(0, I), (n, channels, size, size), float32, on the CPU: a seed means one picture, to within 3e-6."""
    return torch.randn(n, channels, size, size, generator=generator)


def to_uint8(x: Tensor) -> Tensor:
    """Map images from [-1, 1] to 0..255, rounded, everything outside clipped: uint8 on the CPU, same shape."""
    return ((x.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu()
