"""How far does a network look, and what would a perfect one answer? The tables of docs/ideal.md.

    python assets/ideal.py [DIGITS] [TRAINING] [SEED]

So many test DIGITS (64), those from 64 SEED (0) on, are noised by SEED, and the answers of the shipped networks
compared with the ideal ones for the first TRAINING (60,000) training digits: whole, and by patches of several widths.
"""

import sys

import torch
from torch import Tensor

from ddpm_demo.core.config import ScheduleConfig
from ddpm_demo.core.device import best_placement
from ddpm_demo.core.sampling import EpsModel
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.explaining.ideal import IdealDenoiser, PatchDenoiser
from ddpm_demo.machine.freed_memory import keep_freed_memory
from ddpm_demo.machine.placement import place
from ddpm_demo.store import checkpoint
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.store.shipped import find_checkpoint

NETWORKS = ("lite", "full", "tiny")
WIDTHS = {  # of the patches that are tried at each t
    50: (1, 3, 5),
    100: (3, 5, 7),
    200: (3, 5, 7, 9),
    300: (5, 7, 9, 11),
    400: (7, 9, 11, 15, 19),
    500: (9, 11, 15, 19, 23),
    700: (15, 19, 27, 35),
    900: (19, 35),
}
SCHEDULE = Schedule.from_config(ScheduleConfig())


def main() -> None:
    """Measure and print one table a network, and one of the ideal's errors."""
    count, training, seed = [int(word) for word in sys.argv[1:]] + [64, 60_000, 0][len(sys.argv) - 1 :]
    keep_freed_memory()
    taught, x0 = load_mnist(train=True)[0][:training], to_x0(load_mnist(train=False)[0][64 * seed :][:count])
    placement = best_placement()
    networks = {name: place(checkpoint.load(find_checkpoint(name)).model, placement) for name in NETWORKS}
    ideal, patches = IdealDenoiser(taught, SCHEDULE), PatchDenoiser(taught, SCHEDULE, 1)
    generator = torch.Generator().manual_seed(seed)
    looks = {name: list[str]() for name in NETWORKS}
    errors = []
    for t, widths in WIDTHS.items():
        eps = torch.randn(x0.shape, generator=generator)
        x_t, steps = SCHEDULE.add_noise(x0, t, eps), torch.full((len(x0),), t)
        eps_hat = {name: eps_of(network, x_t, steps) for name, network in networks.items()}
        x0_hat = {name: SCHEDULE.predict_x0(x_t, t, answer) for name, answer in eps_hat.items()}
        whole = ideal.expected_x0(x_t, steps)
        by_width = dict(zip(widths, patches.expected_x0_by_width(x_t, steps, list(widths)), strict=True))
        for name, answer in x0_hat.items():
            shares = {width: median(explained(answer, patch)) for width, patch in by_width.items()}
            best = max(shares, key=lambda width: shares[width])
            others = [f"{median(explained(answer, x0_hat[other])):.3f}" for other in NETWORKS if other != name]
            tried = ", ".join(f"{width}: {share:.3f}" for width, share in shares.items())
            cells = [t, f"{median(explained(answer, whole)):.3f}", f"{shares[best]:.3f}", best, *others, tried]
            looks[name].append(f"| {' | '.join(map(str, cells))} |")
        answers = [*eps_hat.values(), SCHEDULE.predict_eps(x_t, t, whole)]
        answers.append(SCHEDULE.predict_eps(x_t, t, by_width[width_of(looks["lite"][-1])]))
        cells = [f"{float((answer - eps).square().mean()):.4f}" for answer in answers]
        cells.append(f"{median(ideal.weights(x_t, steps).amax(dim=1)):.2f}")
        errors.append(f"| {t} | {' | '.join(cells)} |")
        print(t, "done", file=sys.stderr, flush=True)
    print(f"{count} test digits from {64 * seed} on, {training:,} training digits, noise of seed {seed}\n")
    for name, lines in looks.items():
        others = " | ".join(f"by `{other}`" for other in NETWORKS if other != name)
        print(f"`{name}`'s x̂₀: the share of its variance that is explained, median\n")
        print(
            f"| t | by the ideal | by the best patch | its width | {others} | by width |\n|---|---|---|---|---|---|---|"
        )
        print("\n".join(lines), end="\n\n")
    print("Mean squared error of the noise, and the heaviest training digit's share in the ideal's answer, median\n")
    print(f"| t | {' | '.join(NETWORKS)} | the ideal | `lite`'s best patch | heaviest |\n|---|---|---|---|---|---|---|")
    print("\n".join(errors), end="\n\n")
    print("The share of the variance of x̂₀ at t = 999 that the mean training digit explains, median\n")
    last = len(SCHEDULE) - 1
    x_t = SCHEDULE.add_noise(x0, last, torch.randn(x0.shape, generator=generator))
    steps, mean_digit = torch.full((len(x0),), last), to_x0(taught).mean(dim=0, keepdim=True).expand_as(x0)
    for name, model in [*networks.items(), ("the ideal", ideal)]:
        x0_hat = SCHEDULE.predict_x0(x_t, last, eps_of(model, x_t, steps))
        print(f"- {name}: {median(explained(x0_hat, mean_digit)):.3f}")


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


def median(values: Tensor) -> float:
    """Return the median, between the two in the middle where there are two."""
    return float(values.double().quantile(0.5))


def width_of(line: str) -> int:
    """Return the best patch's width in a line of the table."""
    return int(line.split(" | ")[3])


if __name__ == "__main__":
    main()
