"""Which recipe teaches `lite` most? Train it by each, as many digits every time, and judge what it draws alone.

    python assets/recipes.py DIRECTORY DIGITS [JOBS]

A run sees so many DIGITS, and so many JOBS (1) run side by side. Results stay in DIRECTORY and are not measured again.
The table of those that are there goes to the standard output: each figure is the mean of the seeds, with the lowest
and the highest. Averages over other lengths cost no runs of their own: the first recipe's run keeps them all (Karras
et al. 2024, "Analyzing and Improving the Training Dynamics of Diffusion Models", section 3, choose the length
afterwards, too).
"""

import json
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ddpm_demo.core.config import PRESETS
from ddpm_demo.core.model import Denoiser
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.device import best_placement
from ddpm_demo.machine.freed_memory import keep_freed_memory
from ddpm_demo.measuring.classifier import load_judge
from ddpm_demo.measuring.quality import load_reference, measure_quality
from ddpm_demo.networks.drawing_digits import draw_digits
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.training.held_out import held_out_loss
from ddpm_demo.training.loop import TrainState, keep_average, train
from ddpm_demo.training.recipes import train_config

DRAWN, HELD_OUT = 500, 500
SAMPLER = SamplerConfig("dpmpp", steps=20, clip="x0")  # fewer calls than the page's; the same for all
SEEDS = (0, 1, 2)
ONE_SEED = ("batch 256", "AdamW, rate 0.001")  # so far from the others that one tells
FIRST = "the shipped one"
SHIPPED: dict[str, Any] = {"batch": 64, "lr": 5e-3, "loss_weight": "p2", "middle": 0.3, "ema_decay": 0.999}
RECIPES: dict[str, dict[str, Any]] = {
    FIRST: {},
    "t uniform": {"middle": 0.0},
    "60 % of t from the middle": {"middle": 0.6},
    "plain squared error, t uniform (the spec's)": {"loss_weight": "mse", "middle": 0.0},
    "min-SNR-5, t uniform": {"loss_weight": "min_snr", "middle": 0.0},
    "batch 32": {"batch": 32},
    "batch 256": {"batch": 256},
    "AdamW, rate 0.001": {"optimizer": "adamw", "lr": 1e-3},
}
# Decays kept beside the first recipe's. An average grows with the run whatever its decay (`keep_average`): over n steps
# those above n / (n + 9) are one and the same.
AVERAGES = {0.0: "no average", 0.9: "averaged over the last ten steps"}


def main() -> None:
    """Measure what is missing, then print the table."""
    digits, jobs = int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1
    directory = Path(sys.argv[1]) / str(digits)  # what was measured after more digits, or fewer, is another table
    directory.mkdir(parents=True, exist_ok=True)
    if len(sys.argv) > 4:
        one_run(directory, digits, sys.argv[4], int(sys.argv[5]))
        return
    wanted = [(name, seed) for seed in SEEDS for name in RECIPES if name not in ONE_SEED]
    wanted += [(name, SEEDS[0]) for name in ONE_SEED]
    missing = [(name, seed) for name, seed in wanted if not result(directory, name, seed).exists()]

    def run(each: tuple[str, int]) -> None:
        subprocess.run([sys.executable, __file__, *sys.argv[1:3], "1", each[0], str(each[1])], check=True)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(run, missing))
    print(table(directory, digits))


def one_run(directory: Path, digits: int, name: str, seed: int) -> None:
    """Train by one recipe and write down what came of it, under each average's decay."""
    keep_freed_memory()
    placement = best_placement()
    settings = {**SHIPPED, **RECIPES[name]}
    config = train_config("lite", **settings, seed=seed, epochs=digits / 60_000)
    state = TrainState.fresh(PRESETS["lite"], config, placement)
    schedule = Schedule.from_config(ScheduleConfig())
    averages = {config.ema_decay: state.ema}
    if name == FIRST:
        averages |= {decay: deepcopy(state.ema) for decay in AVERAGES if decay != config.ema_decay}
    for _ in train(state, schedule, load_mnist(train=True)[0], config):
        for decay, average in averages.items():
            if average is not state.ema:  # the loop keeps that one itself
                keep_average(list(average.parameters()), list(state.model.parameters()), decay, state.step)
    found = {f"{decay:g}": figures(average, schedule) for decay, average in averages.items()}
    result(directory, name, seed).write_text(json.dumps(found), encoding="utf-8")


def figures(model: Denoiser, schedule: Schedule) -> dict[str, float]:
    """Return the held-out loss, over all t and above t = 300, and the quality of digits drawn without a guide."""
    device, judge = best_placement().device, load_judge()
    *_, held_out = held_out_loss(model, schedule, load_mnist(train=False)[0][:HELD_OUT], device=device)
    *_, drawn = draw_digits(model, schedule, SAMPLER, n=DRAWN, seed=0, device=device)
    assert drawn.images is not None  # the last record has them
    quality = asdict(measure_quality(drawn.images, judge.model, load_reference(judge.model)))
    noisy = statistics.mean(held_out.by_tenth[3:])
    return {"loss": held_out.loss, "noisy": noisy} | {k: quality[k] for k in ("recognised", "precision", "frechet")}


def table(directory: Path, digits: int) -> str:
    """Return the table of all recipes that have results, and of the first one's other averages."""
    lines = [
        f"| recipe ({digits:,} digits) | seeds | held-out loss | above t = 300 | recognised | precision | Frechet |",
        "|---|---|---|---|---|---|---|",
    ]
    own = f"{SHIPPED['ema_decay']:g}"
    for name in RECIPES:
        files = [file for seed in SEEDS if (file := result(directory, name, seed)).exists()]
        runs = [json.loads(file.read_text(encoding="utf-8")) for file in files]
        for decay in sorted(runs[0] if runs else [], key=lambda decay: (decay != own, float(decay))):
            label = name if decay == own else f"{name}, {AVERAGES[float(decay)]}"
            lines.append(f"| {label} | {len(runs)} | {' | '.join(cells([run[decay] for run in runs]))} |")
    return "\n".join(lines)


def cells(runs: list[dict[str, float]]) -> list[str]:
    """Return each figure's mean over the runs, with the lowest and the highest where there are several."""
    digits = {"loss": 5, "noisy": 5, "recognised": 3, "precision": 3, "frechet": 0}
    shown = []
    for key, places in digits.items():
        values = [run[key] for run in runs]
        mean, low, high = (f"{value:.{places}f}" for value in (statistics.mean(values), min(values), max(values)))
        shown.append(f"{mean} ({low} to {high})" if len(runs) > 1 else mean)
    return shown


def result(directory: Path, name: str, seed: int) -> Path:
    """Return the file that keeps what a run came to."""
    words = "".join(letter if letter.isalnum() else "-" for letter in name)
    return directory / f"{words}-{seed}.json"


if __name__ == "__main__":
    main()
