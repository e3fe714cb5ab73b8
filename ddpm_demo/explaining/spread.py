"""What a sampler does to contrast, without a network: the exact end of its walk where the data are one Gaussian.

For pixels ~ N(mean, std^2) the best possible answer is known, eps_hat = E[eps | x_t], and linear in x_t. Every rule is
linear too, so mean and variance of the finished pixels follow from those of the start in closed form: whatever is
missing there is not a network's fault.
"""

import math

from ddpm_demo.core.samplers import SAMPLERS, Coefficients, SamplerConfig
from ddpm_demo.core.schedule import Schedule

Row = tuple[float, float, float]  # a pixel as a sum: so much of x_t, of the x0_hat of the call before, and of 1
X_T, BEFORE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def gaussian_end(schedule: Schedule, config: SamplerConfig, *, mean: float = 0.0, std: float = 1.0) -> Row:
    """Return mean, standard deviation and the share of the right one that the finished pixels have, all float64.

    They start as N(0, 1) and the answers are exact for data N(mean, std^2), std > 0; clipping, which is not linear, is
    left out. Raises ConfigError when config.steps exceeds the schedule.
    """
    timesteps, sampler = schedule.timesteps(config.steps), SAMPLERS[config.kind]
    at, xx, xb, bb = (0.0, 0.0), 1.0, 0.0, 0.0  # means of x_t and x0_before, and their covariance
    t_before = None
    for t, s in zip(timesteps, [*timesteps[1:], -1], strict=True):
        x, before = X_T, BEFORE
        for call, factors in enumerate(sampler.coefficients(schedule, config, t, s, t_before)):
            asked = s if call else t
            eps_hat, x0_hat = exact_answer(x, schedule.alpha_bar_at(asked), mean, std)
            x = _weighted(factors, X_T, eps_hat, x0_hat, before)
            before, last = x0_hat, asked
        at = _mean(x, at), _mean(before, at)
        xx, xb, bb = (
            _covariance(x, x, xx, xb, bb) + factors.std**2,
            _covariance(x, before, xx, xb, bb),
            _covariance(before, before, xx, xb, bb),
        )
        t_before = last
    end = math.sqrt(xx)
    return at[0], end, end / std


def exact_answer(x: Row, alpha_bar: float, mean: float, std: float) -> tuple[Row, Row]:
    """Return E[eps | x_t] and E[x0 | x_t] for data N(mean, std^2), as sums of what x_t itself is a sum of."""
    root, noise = math.sqrt(alpha_bar), 1 - alpha_bar
    total = alpha_bar * std**2 + noise  # the variance of x_t
    off = (x[0], x[1], x[2] - root * mean)  # from its mean
    a, b, c = (root * std**2 / total * part for part in off)
    u, v, w = (math.sqrt(noise) / total * part for part in off)
    return (u, v, w), (a, b, c + mean)


def _weighted(factors: Coefficients, x: Row, eps_hat: Row, x0_hat: Row, before: Row) -> Row:
    numbers = (factors.x_t, factors.eps_hat, factors.x0_hat, factors.x0_before)
    a, b, c = (
        sum(n * row[i] for n, row in zip(numbers, (x, eps_hat, x0_hat, before), strict=True)) / factors.divisor
        for i in range(3)
    )
    return a, b, c


def _mean(row: Row, at: tuple[float, float]) -> float:
    return row[0] * at[0] + row[1] * at[1] + row[2]


def _covariance(p: Row, q: Row, xx: float, xb: float, bb: float) -> float:
    return p[0] * q[0] * xx + (p[0] * q[1] + p[1] * q[0]) * xb + p[1] * q[1] * bb
