"""`ddpm-demo classifier`: train the classifier of noisy digits, which steers a denoiser to one, or the judge."""

import argparse
import datetime
import sys
import time
from typing import Any

from ddpm_demo.commands.options import check_seed, path_argument
from ddpm_demo.core.config import ConfigError

MAX_CLASSIFIER_STEPS = 1_000_000
SUMMARY = "train the classifier behind --digit, or the judge"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo classifier`."""
    parser.add_argument(
        "--out", required=True, type=path_argument, metavar="FILE.safetensors", help="where to write the classifier"
    )
    parser.add_argument(
        "--judge", action="store_true", help="train the judge of clean digits, not the classifier of noisy ones"
    )
    parser.add_argument("--steps", type=int, help="steps of 128 digits (default 8000, or 6000 for the judge)")
    parser.add_argument("--seed", type=int, default=0, help="decides weights, noise and order (default 0)")


def run_classifier(arguments: argparse.Namespace) -> int:
    """`ddpm-demo classifier`: train one, measure it on the test digits, and write it down."""
    from ddpm_demo.store.files import check_outputs

    check_seed(arguments.seed)
    if arguments.steps is not None and not 1 <= arguments.steps <= MAX_CLASSIFIER_STEPS:
        raise ConfigError(f"--steps must be a whole number from 1 to {MAX_CLASSIFIER_STEPS}, got {arguments.steps}")
    check_outputs({"--out": (arguments.out, ".safetensors")})
    (_judge if arguments.judge else _noisy)(arguments)
    print(arguments.out)
    return 0


def _noisy(arguments: argparse.Namespace) -> None:
    from ddpm_demo.core.schedule import ScheduleConfig
    from ddpm_demo.measuring import noisy_training as noisy
    from ddpm_demo.networks.noisy_classifier import NoisyClassifier, NoisyDigitClassifier, save_classifier

    model, schedule, begun = NoisyClassifier(), ScheduleConfig(), time.perf_counter()
    _watch(noisy.train_classifier(model, schedule, steps=arguments.steps or noisy.NOISY_STEPS, seed=arguments.seed))
    seconds = time.perf_counter() - begun
    print("measuring it on the 10,000 test digits, in each tenth of the timesteps", file=sys.stderr)
    accuracy = noisy.accuracy_by_tenth(model, schedule)
    story = _story(arguments, model, noisy.NOISY_STEPS, noisy.NOISY_BATCH, seconds)
    save_classifier(arguments.out, NoisyDigitClassifier(model, schedule, {**story, "accuracy_by_tenth": accuracy}))
    print("correct in each tenth of t: " + " ".join(f"{share:.3f}" for share in accuracy), file=sys.stderr)


def _judge(arguments: argparse.Namespace) -> None:
    from ddpm_demo.measuring import classifier

    model, begun = classifier.untrained_judge(arguments.seed), time.perf_counter()
    _watch(classifier.train_judge(model, steps=arguments.steps or classifier.JUDGE_STEPS, seed=arguments.seed))
    seconds = time.perf_counter() - begun
    print("measuring it on the 10,000 test digits", file=sys.stderr)
    accuracy = classifier.accuracy_of(model)
    story = _story(arguments, model, classifier.JUDGE_STEPS, classifier.JUDGE_BATCH, seconds)
    classifier.save_judge(arguments.out, classifier.TrainedJudge(model, accuracy, story))
    print(f"correct: {accuracy:.2%} of the test digits", file=sys.stderr)


def _watch(learning: Any) -> None:
    """Train to the end under a progress bar."""
    from tqdm import tqdm

    with tqdm(unit=" steps", file=sys.stderr, dynamic_ncols=True) as bar:
        for progress in learning:
            bar.total = progress.total
            bar.update(progress.done - bar.n)
            bar.set_postfix_str(f"cross-entropy {progress.loss:.3f}", refresh=False)


def _story(arguments: argparse.Namespace, model: Any, steps: int, batch: int, seconds: float) -> dict[str, Any]:
    """Return how a classifier came to be, for its file."""
    import torch

    from ddpm_demo.core.model import count_parameters
    from ddpm_demo.machine.device import Placement, describe_hardware

    return {
        "data": "MNIST training set, 60000 digits",
        "seed": arguments.seed,
        "steps": arguments.steps or steps,
        "batch": batch,
        "parameters": count_parameters(model),
        "wall_seconds": round(seconds, 1),
        "hardware": describe_hardware(Placement(torch.device("cpu"), torch.float32)),
        "saved": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }
