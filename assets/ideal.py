"""How far does a network look, and what would a perfect one answer? The tables of docs/ideal.md.

    python assets/ideal.py DIRECTORY [DIGITS] [TRAINING] [SEED] [CHECKPOINT]

So many test DIGITS (64), those from 64 SEED (0) on, are noised by SEED. The answers of the shipped networks, or of one
CHECKPOINT, are compared with the ideal ones: of the whole picture for all 60,000 training digits, by patches of several
widths for the first TRAINING (60,000) of them. What was measured of a timestep stays in DIRECTORY and is not measured
again; the tables go to the standard output.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ddpm_demo.core.sampling import EpsModel
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.device import best_placement
from ddpm_demo.machine.freed_memory import keep_freed_memory
from ddpm_demo.machine.placement import place
from ddpm_demo.networks.ideal import IdealDenoiser, PatchDenoiser
from ddpm_demo.store import checkpoint
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.store.shipped import find_checkpoint

NETWORKS = ("lite", "full", "tiny")
WIDTHS = {  # of the patches that are tried at each t
    50: (1, 3, 5),
    100: (3, 5, 7),
    200: (3, 5, 7),
    300: (5, 7, 9, 11),
    400: (7, 9, 11, 15, 19),
    500: (9, 11, 15, 19, 23),
    700: (15, 19, 35),
    900: (19, 35),
}
BLOCK = 64  # digits from one seed to the next
SCHEDULE = Schedule.from_config(ScheduleConfig())


def main() -> None:
    """Measure what is missing, then print one table a network, and those of the ideal's errors."""
    directory = Path(sys.argv[1])
    count, training, seed = [int(word) for word in sys.argv[2:5]] + [64, 60_000, 0][len(sys.argv) - 2 :]
    names = sys.argv[5:] or NETWORKS
    keep_freed_memory()
    directory.mkdir(parents=True, exist_ok=True)
    placement = best_placement()
    networks = {name: place(checkpoint.load(find_checkpoint(name)).model, placement) for name in names}
    taught = load_mnist(train=True)[0]
    ideal, patches = IdealDenoiser(taught, SCHEDULE), PatchDenoiser(taught[:training], SCHEDULE, 1)
    x0 = to_x0(load_mnist(train=False)[0][BLOCK * seed :][:count])
    found = {}
    for t in [*WIDTHS, len(SCHEDULE) - 1]:
        file = directory / f"{'-'.join(Path(name).stem for name in names)}-{count}-{training}-{seed}-{t}.json"
        if not file.exists():
            file.write_text(json.dumps(measured(t, x0, seed, networks, ideal, patches)), encoding="utf-8")
        found[t] = json.loads(file.read_text(encoding="utf-8"))
    print(
        f"{count} test digits from {BLOCK * seed} on, patches of {training:,} training digits, noise of seed {seed}\n"
    )
    for name in names:
        print(look_table(name, found))
    print(error_table(names, found))


def measured(
    t: int, x0: Tensor, seed: int, networks: dict[str, EpsModel], ideal: IdealDenoiser, patches: PatchDenoiser
) -> dict[str, Any]:
    """Return all figures of one timestep."""
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(1000 * seed + t))
    x_t, steps, widths = SCHEDULE.add_noise(x0, t, eps), torch.full((len(x0),), t), list(WIDTHS.get(t, ()))
    eps_hat = {name: eps_of(network, x_t, steps) for name, network in networks.items()}
    x0_hat = {name: SCHEDULE.predict_x0(x_t, t, answer) for name, answer in eps_hat.items()}
    whole = ideal.expected_x0(x_t, steps)
    by_width = patches.expected_x0_by_width(x_t, steps, widths) if widths else []
    mean_digit = to_x0(ideal.pictures).mean(dim=0, keepdim=True).expand_as(x0)
    error = {name: error_of(answer, eps) for name, answer in eps_hat.items()}
    error["ideal"] = error_of(SCHEDULE.predict_eps(x_t, t, whole), eps)
    return {
        "networks": {
            name: {
                "ideal": median(explained(answer, whole)),
                "patch": {k: median(explained(answer, patch)) for k, patch in zip(widths, by_width, strict=True)},
                "other": {other: median(explained(answer, x0_hat[other])) for other in networks if other != name},
                "mean digit": median(explained(answer, mean_digit)),
            }
            for name, answer in x0_hat.items()
        },
        "error": error,
        "patch error": {
            k: error_of(SCHEDULE.predict_eps(x_t, t, patch), eps) for k, patch in zip(widths, by_width, strict=True)
        },
        "heaviest": median(ideal.weights(x_t, steps).amax(dim=1)),
        "mean digit": median(explained(whole, mean_digit)),
    }


def look_table(name: str, found: dict[int, dict[str, Any]]) -> str:
    """Return what explains a network's x0_hat at each timestep, as a table."""
    others = list(found[50]["networks"][name]["other"])
    head = [f"by `{Path(other).stem}`" for other in others]
    lines = [f"`{Path(name).stem}`: the share of the variance of its x̂₀ that is explained, median over the digits\n"]
    lines.append(f"| {' | '.join(['t', 'by the ideal', 'by the best patch', 'its width', *head, 'by width'])} |")
    lines.append("|---" * (5 + len(others)) + "|")
    for t, row in found.items():
        told = row["networks"][name]
        if told["patch"]:
            best = max(told["patch"], key=told["patch"].get)
            tried = ", ".join(f"{width}: {share:.3f}" for width, share in told["patch"].items())
            cells = [f"{told['ideal']:.3f}", f"{told['patch'][best]:.3f}", best]
            cells += [f"{told['other'][other]:.3f}" for other in others]
            lines.append(f"| {' | '.join([str(t), *cells, tried])} |")
    return "\n".join([*lines, ""])


def error_table(names: list[str], found: dict[int, dict[str, Any]]) -> str:
    """Return the errors of networks and ideals at each timestep, and how near the mean digit they are, as a table."""
    head = [*(f"`{Path(name).stem}`" for name in names), "the ideal", "the best patch", "heaviest"]
    head += [f"`{Path(name).stem}`, mean digit" for name in names] + ["the ideal, mean digit"]
    lines = ["Mean squared error of the noise; the heaviest training digit's share; the share that the mean explains\n"]
    lines += [f"| {' | '.join(['t', *head])} |", "|---" * (1 + len(head)) + "|"]
    for t, row in found.items():
        patch = min(row["patch error"].items(), key=lambda each: each[1], default=None)
        cells = [f"{row['error'][name]:.3g}" for name in [*names, "ideal"]]
        cells += [f"{patch[1]:.3g} ({patch[0]})" if patch else "", f"{row['heaviest']:.2f}"]
        cells += [f"{row['networks'][name]['mean digit']:.3f}" for name in names] + [f"{row['mean digit']:.3f}"]
        lines.append(f"| {' | '.join([str(t), *cells])} |")
    return "\n".join(lines)


@torch.no_grad()
def eps_of(network: EpsModel, x_t: Tensor, t: Tensor) -> Tensor:
    """Return a network's answer, float32 on the CPU, sixteen pictures at once."""
    device = best_placement().device
    parts = zip(x_t.split(16), t.split(16), strict=True)
    return torch.cat([network(x.to(device), now.to(device)).float().cpu() for x, now in parts])


def explained(answer: Tensor, other: Tensor) -> Tensor:
    """Return the share of the variance of pictures (B, 1, H, W) that others explain, each of its own: float64 (B,)."""
    answer, other = answer.flatten(1).double(), other.flatten(1).double()
    spread = (answer - answer.mean(dim=1, keepdim=True)).square().sum(dim=1)
    return 1 - (answer - other).square().sum(dim=1) / spread


def error_of(eps_hat: Tensor, eps: Tensor) -> float:
    """Return the mean squared error of the noise."""
    return float((eps_hat - eps).square().mean())


def median(values: Tensor) -> float:
    """Return the median, between the two in the middle where there are two."""
    return float(values.double().quantile(0.5))


if __name__ == "__main__":
    main()
