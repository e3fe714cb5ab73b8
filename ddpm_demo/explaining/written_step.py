"""One reverse step written out: x_s as a sum of pictures, each times a number."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ddpm_demo.core.samplers import SAMPLERS, Coefficients, SamplerConfig
from ddpm_demo.core.sampling import Step
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.words.sentence import say


@dataclass(frozen=True)
class Term:
    """One summand of x_s: `coefficient` times the picture `values` (B, C, H, W), called `name`."""

    name: str
    coefficient: float
    values: Tensor


@dataclass(frozen=True)
class WrittenStep:
    """A reverse step as arithmetic: x_s is the sum of `terms`, clamped to [-1, 1] if `clamped`.

    `rule` says in one line how the sampler makes x_s; `clean` how x0_hat came about.
    """

    rule: str
    clean: str
    terms: tuple[Term, ...]
    clamped: bool

    def total(self) -> Tensor:
        """Return the sum (B, C, H, W), clamped if the sampler clamps: the step's x_s."""
        total = sum((term.coefficient * term.values for term in self.terms), torch.zeros(()))
        return total.clamp(-1, 1) if self.clamped else total


def named_factors(config: SamplerConfig, numbers: Coefficients, *, asked_again: bool) -> list[tuple[str, str, float]]:
    """Return what a step's sum is of: which picture, by its name in `Coefficients` or `z`, its words, and its factor.

    `asked_again` says that these are the numbers of a later call in the same step: its guess was made at s, on trial,
    and the guess before it is the step's own.
    """

    def where(guess: str) -> str:
        return say("{guess} at s", guess=guess) if asked_again else guess

    every = [
        ("x_t", "x_t", numbers.x_t),
        ("x0_hat", where("x̂₀"), numbers.x0_hat),
        ("x0_before", "x̂₀" if asked_again else say("x̂₀ before"), numbers.x0_before),
        ("eps_hat", where("ε̂′" if config.clip == "x0" else "ε̂"), numbers.eps_hat),
    ]
    factors = [(picture, name, number / numbers.divisor) for picture, name, number in every if number]
    if "σ z" in SAMPLERS[config.kind].formula:
        factors.append(("z", "z", numbers.std))
    return factors


def clean_in_words(config: SamplerConfig) -> str:
    """Return how x0_hat comes about."""
    clean = "x̂₀ = (x_t − √(1 − ᾱ_t) ε̂) / √ᾱ_t"
    if config.clip != "x0":
        return clean
    return say("{clean}, clipped to [−1, 1]; ε̂′ is the noise that goes with the clipped image", clean=clean)


def write_out(schedule: Schedule, config: SamplerConfig, step: Step) -> WrittenStep:
    """Return the terms of one step: the numbers of its rule in `samplers.SAMPLERS`, each beside its picture."""
    sampler = SAMPLERS[config.kind]
    numbers = sampler.coefficients(schedule, config, step.t, step.s, step.t_before)[-1]
    x, t, eps_hat, x0_hat, x0_before = step.x_t, step.t, step.eps_hat, step.x0_hat, step.x0_before
    if step.later:
        last = step.later[-1]
        x, t, eps_hat, x0_hat, x0_before = last.x, last.t, last.eps_hat, last.x0_hat, step.x0_hat
    if config.clip == "x0":
        eps_hat = schedule.predict_eps(x, t, x0_hat)
    pictures = {"x_t": step.x_t, "x0_hat": x0_hat, "x0_before": x0_before, "eps_hat": eps_hat, "z": step.z}
    terms = [
        Term(name, factor, values)
        for picture, name, factor in named_factors(config, numbers, asked_again=bool(step.later))
        if (values := pictures[picture]) is not None
    ]
    return WrittenStep(sampler.formula, clean_in_words(config), tuple(terms), config.clip == "x_t")
