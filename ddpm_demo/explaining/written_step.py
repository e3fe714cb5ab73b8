"""One reverse step written out: x_s as a sum of pictures, each times a number."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ddpm_demo.core.config import SamplerConfig
from ddpm_demo.core.sampling import Step, solver_coefficients
from ddpm_demo.core.schedule import Schedule


@dataclass(frozen=True)
class Term:
    """One summand of x_s: `coefficient` times the picture `values` (B, C, H, W), called `name`."""

    name: str
    coefficient: float
    values: Tensor


@dataclass(frozen=True)
class Written:
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


def write_out(
    schedule: Schedule,
    config: SamplerConfig,
    step: Step,
    *,
    x0_before: Tensor | None = None,
    t_before: int | None = None,
) -> Written:
    """Return the terms of one step; `x0_before` and `t_before` are the step before's, for DPM-Solver++.

    Equation numbers are in `sampling.reverse_step`; here the same rules are solved for their coefficients.
    """
    alpha_bar_t, alpha_bar_s = schedule.alpha_bar_at(step.t), schedule.alpha_bar_at(step.s)
    clean = "x̂₀ = (x_t − √(1 − ᾱ_t) ε̂) / √ᾱ_t"
    eps, eps_name = step.eps_hat, "ε̂"
    if config.clip == "x0":
        clean += ", clipped to [−1, 1]; ε̂′ is the noise that goes with the clipped image"
        eps, eps_name = schedule.predict_eps(step.x_t, step.t, step.x0_hat), "ε̂′"
    clamped = config.clip == "x_t"
    if config.kind == "dpmpp":
        keep, now, before = solver_coefficients(schedule, t=step.t, s=step.s, t_before=t_before)
        terms = [Term("x_t", keep, step.x_t), Term("x̂₀", now, step.x0_hat)]
        if x0_before is not None:
            terms.append(Term("x̂₀ before", before, x0_before))
        rule = "x_s = (σ_s/σ_t) x_t + α_s (1 − e^−h) [(1 + 1/2r) x̂₀ − 1/2r x̂₀ before]"
        return Written(rule, clean, tuple(terms), clamped)
    if config.kind == "ddim":
        rule = "x_s = √ᾱ_s x̂₀ + √(1 − ᾱ_s − σ²) ε̂ + σ z"
        terms = [
            Term("x̂₀", math.sqrt(alpha_bar_s), step.x0_hat),
            Term(eps_name, math.sqrt(1 - alpha_bar_s - step.std**2), eps),
        ]
    else:
        rule = "x_s = (x_t − β / √(1 − ᾱ_t) ε̂) / √(1 − β) + σ z"
        beta = schedule.step_beta(step.t, step.s)
        terms = [
            Term("x_t", 1 / math.sqrt(1 - beta), step.x_t),
            Term(eps_name, -beta / math.sqrt(1 - alpha_bar_t) / math.sqrt(1 - beta), eps),
        ]
    terms.append(Term("z", step.std, step.z))
    return Written(rule, clean, tuple(terms), clamped)
