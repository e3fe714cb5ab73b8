"""The samplers as data: each is an entry of one table, and nothing else knows a sampler by name.

Every rule here is linear. A step from t to s is a weighted sum of pictures,

    x_s = (a x_t + b eps_hat + c x0_hat + d x0_before) / divisor + std z,

and an entry of `SAMPLERS` is what computes these numbers from the schedule, in float64. `sampling.Walk` takes the
step, the inspector writes the sum out, the page, the command line and the browser list the entries.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ddpm_demo.core.config import Variance, check_choice, check_number, check_whole

if TYPE_CHECKING:  # the numbers need no PyTorch: the command line lists the samplers without loading it
    from ddpm_demo.core.schedule import Schedule

FinalNoise = Literal["spec", "ho"]
Clip = Literal["none", "x0", "x_t"]


@dataclass(frozen=True)
class SamplerConfig:
    """One way to walk from noise to a digit; the defaults are exactly the spec's rule.

    - `kind`: a name in `SAMPLERS`.
    - `steps`: how many reverse steps, 1 to T; fewer than T skips timesteps evenly.
    - `variance`: of the ancestral noise: `beta` (the spec's) or `posterior` (Ho et al. 2020, equation 7).
    - `final_noise`: `spec` adds none at zero-based t <= 1; `ho` (Algorithm 2) only leaves out t = 0.
    - `clip`: `none`; `x0` clamps the implied clean image to [-1, 1]; `x_t` clamps the picture itself.
    - `eta`: DDIM's noise, 0 (none) to 1 (as much as the ancestral rule with posterior variance).

    Raises ConfigError on anything else.
    """

    kind: str = "ddpm"
    steps: int = 1000
    variance: Variance = "beta"
    final_noise: FinalNoise = "spec"
    clip: Clip = "none"
    eta: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a sampler that does not exist."""
        check_choice("sampler", self.kind, SAMPLERS)
        check_whole("steps", self.steps, low=1, high=10_000)
        check_choice("variance", self.variance, ("beta", "posterior"))
        check_choice("final_noise", self.final_noise, ("spec", "ho"))
        check_choice("clip", self.clip, ("none", "x0", "x_t"))
        check_number("eta", self.eta, low=0.0, high=1.0)


@dataclass(frozen=True, kw_only=True)
class Coefficients:
    """What a rule multiplies each picture by, once the network has answered; all float64.

    `eps_hat` is the noise that belongs to `x0_hat`, the clipped one if it was clipped. `x0_before` is the x0_hat of
    the network's call before: the step before, or the same step where a rule asks twice. The sum is divided by
    `divisor`, as Ho et al. write their rule: in float32, x / a and x (1 / a) are not the same bits.
    """

    x_t: float = 0.0
    eps_hat: float = 0.0
    x0_hat: float = 0.0
    x0_before: float = 0.0
    divisor: float = 1.0
    std: float = 0.0


# (schedule, config, t, s, t_before) -> the coefficients after each call of the network that the step makes; `t_before`
# is the timestep of the call before this step's first, None at the very beginning, and s = -1 means clean data
Rule = Callable[["Schedule", SamplerConfig, int, int, int | None], tuple[Coefficients, ...]]


@dataclass(frozen=True)
class Sampler:
    """An entry of the table.

    `formula` is the rule as people write it. `settings` are those of `SamplerConfig`
    that this rule uses, besides steps and clipping. `variants` are its titles on the page, each with the settings it
    stands for. `calls` says how often a step asks the network; the last one, to clean data, asks once.
    """

    title: str
    formula: str
    coefficients: Rule
    settings: tuple[str, ...] = ()
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    calls: int = 1


def ancestral(schedule: "Schedule", config: SamplerConfig, t: int, s: int, _: int | None) -> tuple[Coefficients, ...]:
    """Ho et al. 2020, Algorithm 2, line 4; with s < t - 1 the step's alpha is alpha_bar_t / alpha_bar_s."""
    no_noise = t <= 1 if config.final_noise == "spec" else s == -1
    beta = schedule.step_beta(t, s)
    return (
        Coefficients(
            x_t=1.0,
            eps_hat=-beta / math.sqrt(1 - schedule.alpha_bar_at(t)),
            divisor=math.sqrt(1 - beta),
            std=0.0 if no_noise else schedule.reverse_std(t, s, config.variance),
        ),
    )


def ddim(schedule: "Schedule", config: SamplerConfig, t: int, s: int, _: int | None) -> tuple[Coefficients, ...]:
    """Song, Meng & Ermon 2021, equation 12."""
    alpha_bar_s, std = schedule.alpha_bar_at(s), config.eta * schedule.reverse_std(t, s, "posterior")
    return (Coefficients(x0_hat=math.sqrt(alpha_bar_s), eps_hat=math.sqrt(1 - alpha_bar_s - std**2), std=std),)


def dpm_solver(
    schedule: "Schedule", _: SamplerConfig, t: int, s: int, t_before: int | None
) -> tuple[Coefficients, ...]:
    """Lu et al. 2022, "DPM-Solver++", Algorithm 2 (2M).

    x_s = sigma_s / sigma_t x_t - alpha_s (e^-h - 1) D, where D = (1 + 1/2r) x0_hat - 1/2r x0_before, h is the step in
    lambda = log(alpha / sigma), and r the step before over this one. The first step has nothing before it, and the last
    one goes to lambda = infinity, where x_s is D: both are of first order, D = x0_hat.
    """
    alpha_bar_t, alpha_bar_s = schedule.alpha_bar_at(t), schedule.alpha_bar_at(s)
    if s == -1:
        return (Coefficients(x0_hat=1.0),)
    keep = math.sqrt((1 - alpha_bar_s) / (1 - alpha_bar_t))  # sigma_s / sigma_t
    gain = math.sqrt(alpha_bar_s) - keep * math.sqrt(alpha_bar_t)  # alpha_s (1 - e^-h)
    if t_before is None:
        return (Coefficients(x_t=keep, x0_hat=gain),)
    # log(alpha / sigma) is half the log-SNR
    lambda_before, lambda_t, lambda_s = (
        0.5 * math.log(a / (1 - a)) for a in (schedule.alpha_bar_at(t_before), alpha_bar_t, alpha_bar_s)
    )
    r = (lambda_t - lambda_before) / (lambda_s - lambda_t)
    return (Coefficients(x_t=keep, x0_hat=gain * (1 + 1 / (2 * r)), x0_before=-gain / (2 * r)),)


def heun(schedule: "Schedule", _: SamplerConfig, t: int, s: int, __: int | None) -> tuple[Coefficients, ...]:
    """Karras et al. 2022, "Elucidating the Design Space", Algorithm 1, for the probability-flow ODE of this schedule.

    With u = x / sqrt(alpha_bar) and v = sqrt(1 / alpha_bar - 1) the ODE is du/dv = eps_hat. A trial step, which is
    DDIM's, goes to s; there the network is asked again, and the step is taken with the mean of both slopes. The first
    slope is (x_t - sqrt(alpha_bar_t) x0_before) / sqrt(1 - alpha_bar_t). At clean data there is no second slope.
    """
    alpha_bar_t, alpha_bar_s = schedule.alpha_bar_at(t), schedule.alpha_bar_at(s)
    trial = Coefficients(x0_hat=math.sqrt(alpha_bar_s), eps_hat=math.sqrt(1 - alpha_bar_s))
    if s == -1:
        return (trial,)
    root_t, root_s = math.sqrt(alpha_bar_t), math.sqrt(alpha_bar_s)
    noise_t, noise_s = math.sqrt(1 - alpha_bar_t), math.sqrt(1 - alpha_bar_s)
    half = 0.5 * (noise_s - root_s * noise_t / root_t)  # root_s (v_s - v_t) / 2
    mean = Coefficients(x_t=root_s / root_t + half / noise_t, x0_before=-half * root_t / noise_t, eps_hat=half)
    return (trial, mean)


def network_calls(config: SamplerConfig) -> int:
    """Return how often a whole walk asks the network: the last step, to clean data, asks once under every rule."""
    return (config.steps - 1) * SAMPLERS[config.kind].calls + 1


# In the order in which the page and the command line list them.
SAMPLERS: dict[str, Sampler] = {
    "ddpm": Sampler(
        "DDPM",
        "x_s = (x_t − β / √(1 − ᾱ_t) ε̂) / √(1 − β) + σ z",
        ancestral,
        settings=("variance", "final_noise"),
        variants={
            "DDPM, the spec's rule (σ² = β)": {"variance": "beta"},
            "DDPM, posterior variance": {"variance": "posterior"},
        },
    ),
    "ddim": Sampler(
        "DDIM",
        "x_s = √ᾱ_s x̂₀ + √(1 − ᾱ_s − σ²) ε̂ + σ z",
        ddim,
        settings=("eta",),
        variants={"DDIM": {}},
    ),
    "dpmpp": Sampler(
        "DPM-Solver++(2M)",
        "x_s = (σ_s/σ_t) x_t + α_s (1 − e^−h) [(1 + 1/2r) x̂₀ − 1/2r x̂₀ before]",
        dpm_solver,
        variants={"DPM-Solver++(2M)": {}},
    ),
    "heun": Sampler(
        "Heun",
        "x_s = √ᾱ_s [x_t / √ᾱ_t + (v_s − v_t) (ε̂ + ε̂ at s) / 2], v = √(1/ᾱ − 1)",
        heun,
        variants={"Heun (asks twice a step)": {}},
        calls=2,
    ),
}
