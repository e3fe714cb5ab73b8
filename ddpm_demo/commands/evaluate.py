"""`ddpm-demo evaluate`: a checkpoint measured, its held-out loss and the quality of its digits."""

import argparse

from ddpm_demo.commands.options import (
    CHECKPOINT_HELP,
    add_digit_options,
    add_sampler_options,
    digit_config,
    guidance_config,
    path_argument,
    sampler_config,
)
from ddpm_demo.core.config import ConfigError
from ddpm_demo.networks.guidance_settings import DigitConfig
from ddpm_demo.networks.recommended import RECOMMENDED_GUIDANCE, RECOMMENDED_SAMPLER

SUMMARY = "measure a checkpoint: its held-out loss and the quality of its digits"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo evaluate`."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--checkpoint", default="lite", metavar="NAME|PATH", help=CHECKPOINT_HELP)
    what.add_argument(
        "--run",
        type=path_argument,
        metavar="DIR",
        dest="directory",
        help="instead, and without drawing: how much held-out loss a training run's 16-bit file costs",
    )
    parser.add_argument(
        "--n",
        type=int,
        default=2000,
        help="digits to draw and judge, beside as many test digits, a fixed random choice; 4 to 10000 (default 2000)",
    )
    parser.add_argument(
        "--held-out",
        type=int,
        default=10_000,
        metavar="N",
        help="the first so many test digits for the loss, which are not quite like the last (default: all 10,000)",
    )
    add_sampler_options(parser, RECOMMENDED_SAMPLER, "the page's")  # as on the page
    parser.add_argument("--digit", help="ask for this digit, or for all ten in equal shares: 0 to 9, or all")
    add_digit_options(parser)
    parser.add_argument("--seed", type=int, default=0, help="decides the digits that are drawn (default 0)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--markdown", action="store_true", help="print a table for the model card")


def run_evaluate(arguments: argparse.Namespace) -> int:
    """`ddpm-demo evaluate`: the held-out loss, and the quality of drawn digits beside that of real ones."""
    from ddpm_demo.commands.evaluation import evaluate_checkpoint, evaluate_rounding

    if arguments.directory is not None:
        return evaluate_rounding(arguments.directory, arguments.held_out, as_json=arguments.json)
    guidance = guidance_config(arguments, usual=RECOMMENDED_GUIDANCE.get(arguments.checkpoint))
    return evaluate_checkpoint(arguments, sampler_config(arguments), guidance, wishes(arguments))


def wishes(arguments: argparse.Namespace) -> list[DigitConfig]:
    """Return the digits to ask for: none, one, or all ten; raise ConfigError for anything else."""
    if arguments.digit == "all":
        if arguments.n % 10:
            raise ConfigError(f"--digit all needs a number of digits that is a multiple of ten, got {arguments.n}")
        return [wish for digit in range(10) if (wish := digit_config(arguments, digit))]
    if arguments.digit is None:
        digit_config(arguments, None)  # refuses a weight alone
        return []
    if arguments.digit not in [str(digit) for digit in range(10)]:
        raise ConfigError(f"--digit must be 0 to 9, or all, got {arguments.digit}")
    wish = digit_config(arguments, int(arguments.digit))
    return [wish] if wish else []
