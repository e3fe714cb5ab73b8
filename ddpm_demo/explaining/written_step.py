"""One reverse step written out: x_s as a sum of pictures, each times a number."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.core.sampling import Step
from ddpm_demo.core.schedule import Schedule


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


def write_out(schedule: Schedule, config: SamplerConfig, step: Step) -> WrittenStep:
    """Return the terms of one step: the numbers of its rule in `samplers.SAMPLERS`, each beside its picture."""
    sampler = SAMPLERS[config.kind]
    numbers = sampler.coefficients(schedule, config, step.t, step.s, step.t_before)[-1]
    x, t, eps_hat, x0_hat, x0_before = step.x_t, step.t, step.eps_hat, step.x0_hat, step.x0_before
    where = ""
    if step.later:  # the last guess was made at s, on trial; the one before it is the step's own
        last = step.later[-1]
        x, t, eps_hat, x0_hat, x0_before, where = last.x, last.t, last.eps_hat, last.x0_hat, step.x0_hat, " at s"
    clean, eps_name = "x̂₀ = (x_t − √(1 − ᾱ_t) ε̂) / √ᾱ_t", "ε̂"
    if config.clip == "x0":
        clean += ", clipped to [−1, 1]; ε̂′ is the noise that goes with the clipped image"
        eps_hat, eps_name = schedule.predict_eps(x, t, x0_hat), "ε̂′"
    every = [
        ("x_t", numbers.x_t, step.x_t),
        ("x̂₀" + where, numbers.x0_hat, x0_hat),
        ("x̂₀" if step.later else "x̂₀ before", numbers.x0_before, x0_before),
        (eps_name + where, numbers.eps_hat, eps_hat),
    ]
    terms = [Term(name, n / numbers.divisor, values) for name, n, values in every if n and values is not None]
    if "σ z" in sampler.formula:
        terms.append(Term("z", step.std, step.z))
    return WrittenStep(sampler.formula, clean, tuple(terms), config.clip == "x_t")
