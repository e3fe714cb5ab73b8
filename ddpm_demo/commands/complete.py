"""`ddpm-demo complete`: real digits of which a part is missing, completed and judged."""

import argparse
import dataclasses
import json
import sys

from ddpm_demo.commands.options import (
    CHECKPOINT_HELP,
    add_sampler_options,
    check_seed,
    digits_in_range,
    guidance_config,
    path_argument,
    sampler_config,
    watch,
)
from ddpm_demo.networks.recommended import RECOMMENDED_GUIDANCE, RECOMMENDED_SAMPLER

SHOWN = 64  # digits in the picture
SUMMARY = "complete test digits with a part missing, and judge the results"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo complete`."""
    parser.add_argument("--checkpoint", default="lite", metavar="NAME|PATH", help=CHECKPOINT_HELP)
    parser.add_argument("--mask", default="lower half", help="what is missing (default: lower half)")
    parser.add_argument(
        "--jumps", type=int, default=5, help="times each step is undone and repeated, 0 to 20 (default 5)"
    )
    parser.add_argument("--n", type=int, default=500, help="how many test digits, from the first on (default 500)")
    add_sampler_options(parser, RECOMMENDED_SAMPLER, "the page's")
    parser.add_argument("--seed", type=int, default=0, help="decides the noise (default 0)")
    parser.add_argument(
        "--png", type=path_argument, metavar="FILE.png", help="also save pairs of what was given and the result"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run_complete(arguments: argparse.Namespace) -> int:
    """`ddpm-demo complete`: how many completed test digits are read as what they were, and a picture if asked."""
    import torch

    from ddpm_demo.measuring import classifier
    from ddpm_demo.measuring.completion import known_mask, measure_completion
    from ddpm_demo.networks.loaded_networks import checkpoint_file, load_guided, load_named
    from ddpm_demo.store import pictures
    from ddpm_demo.store.files import check_outputs, write_file
    from ddpm_demo.store.mnist import load_mnist

    check_seed(arguments.seed)
    digits_in_range("--n", arguments.n, 1)
    config = sampler_config(arguments)
    guidance = guidance_config(arguments, usual=RECOMMENDED_GUIDANCE.get(arguments.checkpoint))
    known = known_mask(arguments.mask)
    check_outputs({"--png": (arguments.png, ".png")}, inputs=checkpoint_file(arguments.checkpoint))
    loaded = load_named(arguments.checkpoint)
    schedule, placement = loaded.schedule, loaded.placement
    schedule.timesteps(config.steps)  # refuses more steps than the schedule has
    model = load_guided(loaded.model, schedule, guidance, placement)
    judge = classifier.load_judge()
    digits, labels = (part[: arguments.n] for part in load_mnist(train=False))
    measuring = measure_completion(
        model,
        schedule,
        config,
        judge.model,
        digits,
        labels,
        mask=arguments.mask,
        jumps=arguments.jumps,
        seed=arguments.seed,
        device=placement.device,
    )
    result = watch(measuring, "completing digits", "network calls")
    assert result.images is not None  # the last record has them
    if arguments.png is not None:
        given = torch.where(known[0], digits, torch.zeros_like(digits))
        pairs = torch.stack([given, result.images], dim=1)[: SHOWN // 2].flatten(0, 1)
        write_file(arguments.png, pictures.grid_png(pairs.numpy()))
    facts = {
        "mask": arguments.mask,
        "jumps": arguments.jumps,
        "sampler": dataclasses.asdict(config),
        "guidance": None if guidance is None else dataclasses.asdict(guidance),
        "seed": arguments.seed,
        "digits": result.digits,
        "as_original": result.as_original,
        "as_repeated": result.as_repeated,
        "as_whole": result.as_whole,
        "known_part_error": result.error,
    }
    if arguments.json:
        print(json.dumps(facts))
        return 0
    print(f"{result.digits} test digits without their {arguments.mask}, completed with {arguments.jumps} jumps a step")
    print(f"recognised as what they were: {result.as_original:.3f}; known part repeated: {result.as_repeated:.3f};")
    print(f"whole digits {result.as_whole:.3f}; the known part differs from what was given by {result.error:g}")
    print("judged by the classifier", file=sys.stderr)
    return 0
