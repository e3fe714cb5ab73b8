"""`ddpm-demo classifier`: train the classifier of noisy digits, by which a denoiser is asked for a digit."""

import argparse
import datetime
import sys
import time

from ddpm_demo.core.config import ConfigError

MAX_CLASSIFIER_STEPS = 1_000_000


def run_classifier(arguments: argparse.Namespace) -> int:
    """`ddpm-demo classifier`: train it, measure it on the test digits, and write it down."""
    import torch
    from tqdm import tqdm

    from ddpm_demo.commands.options import check_seed
    from ddpm_demo.core.config import ScheduleConfig
    from ddpm_demo.core.device import Placement, describe_hardware
    from ddpm_demo.core.model import count_parameters
    from ddpm_demo.measuring.noisy_classifier import (
        NOISY_BATCH,
        AskingClassifier,
        NoisyClassifier,
        accuracy_by_tenth,
        save_classifier,
        train_classifier,
    )
    from ddpm_demo.store.files import check_outputs

    check_seed(arguments.seed)
    if not 1 <= arguments.steps <= MAX_CLASSIFIER_STEPS:
        raise ConfigError(f"--steps must be a whole number from 1 to {MAX_CLASSIFIER_STEPS}, got {arguments.steps}")
    check_outputs({"--out": (arguments.out, ".safetensors")})
    model, schedule, begun = NoisyClassifier(), ScheduleConfig(), time.perf_counter()
    learning = train_classifier(model, schedule, steps=arguments.steps, seed=arguments.seed)
    with tqdm(total=arguments.steps, unit="step", file=sys.stderr, dynamic_ncols=True) as bar:
        for progress in learning:
            bar.update(progress.done - bar.n)
            bar.set_postfix_str(f"cross-entropy {progress.loss:.3f}", refresh=False)
    seconds = time.perf_counter() - begun
    print("measuring it on the 10,000 test digits, in each tenth of the timesteps", file=sys.stderr)
    accuracy = accuracy_by_tenth(model, schedule)
    provenance = {
        "data": "MNIST training set, 60000 digits",
        "seed": arguments.seed,
        "steps": arguments.steps,
        "batch": NOISY_BATCH,
        "parameters": count_parameters(model),
        "accuracy_by_tenth": accuracy,
        "wall_seconds": round(seconds, 1),
        "hardware": describe_hardware(Placement(torch.device("cpu"), torch.float32)),
        "saved": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }
    save_classifier(arguments.out, AskingClassifier(model, schedule, provenance))
    print("right in each tenth of t: " + " ".join(f"{share:.3f}" for share in accuracy), file=sys.stderr)
    print(arguments.out)
    return 0
