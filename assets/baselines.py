"""What a network must beat on the loss chart: the errors of answering zero, of one matrix, and of a perfect memory.

    python assets/baselines.py [DIGITS]

Mean squared errors of the noise at each t of the linear schedule. Answering zero: 1. The matrix is the best affine map
of all 784 pixels, in closed form: with the eigenvalues v of the training digits' covariance and a = alpha_bar its error
is the mean of a v / (a v + 1 - a). The perfect memory (`networks/ideal.py`) of all training digits is asked about
DIGITS (64) test digits and as many training digits, one noise each, at the timesteps of `asked_at`; between these the
logarithm of its error is interpolated. Prints and writes `ddpm_demo/training/baselines.json`.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.freed_memory import keep_freed_memory
from ddpm_demo.networks.ideal import IdealDenoiser
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.training.baselines import BASELINES_FILE, affine_errors

SEED = 0


def asked_at(timesteps: int) -> list[int]:
    """Return every t below 20, then every fifth, from 100 on every twentieth, and the last."""
    return [*range(20), *range(20, 100, 5), *range(100, timesteps, 20), timesteps - 1]


def memory_errors(ideal: IdealDenoiser, digits: Tensor, schedule: Schedule) -> list[float]:
    """Return the perfect memory's error on digits uint8 (N, 28, 28) at all T timesteps."""
    x0 = to_x0(digits)
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(SEED))
    at, errors = asked_at(len(schedule)), []
    for t in at:
        when = torch.full((len(x0),), t)
        answer = ideal(schedule.add_noise(x0, when, eps), when)
        errors.append(float((answer - eps).double().square().mean()))
        print(f"t = {t}: {errors[-1]:.3g}", file=sys.stderr, flush=True)
    logs = np.log(np.maximum(errors, 1e-12))
    return np.exp(np.interp(np.arange(len(schedule)), at, logs)).tolist()


def by_tenth(values: list[float]) -> list[float]:
    """Return the mean of each tenth of T values."""
    return [float(f"{part.mean():.3g}") for part in np.array_split(values, 10)]


def main() -> None:
    """Measure, print the averages, and write the file."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    keep_freed_memory()
    config = ScheduleConfig()
    schedule = Schedule.from_config(config)
    taught, unseen = load_mnist(train=True)[0], load_mnist(train=False)[0]
    ideal = IdealDenoiser(taught, schedule)
    errors = {
        "affine": affine_errors(taught, schedule),
        "memory_test": memory_errors(ideal, unseen[:count], schedule),
        "memory_training": memory_errors(ideal, taught[:count], schedule),
    }
    found = {
        "measured": f"python assets/baselines.py {count}: seed {SEED}, the first {count} digits of each set",
        "average": {name: float(f"{np.mean(values):.3g}") for name, values in errors.items()},
        "by_tenth": {
            name: [float(f"{part.mean():.3g}") for part in np.array_split(values, 10)]
            for name, values in errors.items()
        },
        "at": {
            str(t): {name: float(f"{values[t]:.3g}") for name, values in errors.items()}
            for t in (0, 50, 100, 200, 300, 500, 700, 999)
        },
    }
    Path(BASELINES_FILE).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
