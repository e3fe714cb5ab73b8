"""`ddpm-demo info`: what a network or a checkpoint is."""

import argparse
import dataclasses
import json
from typing import Any

SUMMARY = "describe a network or a checkpoint"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo info`."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--checkpoint", metavar="NAME|PATH", help="a shipped checkpoint's name, or a file")
    which.add_argument("--preset", help="a network that is not trained: lite or full")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run_info(arguments: argparse.Namespace) -> int:
    """`ddpm-demo info`: what a network or checkpoint is, for people or as JSON."""
    from ddpm_demo.core.config import preset
    from ddpm_demo.core.model import Denoiser, count_parameters
    from ddpm_demo.core.receptive import receptive_field
    from ddpm_demo.core.schedule import ScheduleConfig
    from ddpm_demo.machine.device import best_placement
    from ddpm_demo.store import checkpoint
    from ddpm_demo.store.shipped import find_checkpoint

    if arguments.preset is not None:
        model, schedule, provenance = Denoiser(preset(arguments.preset)), ScheduleConfig(), None
    else:
        loaded = checkpoint.load(find_checkpoint(arguments.checkpoint or "lite"))
        model, schedule, provenance = loaded.model, loaded.schedule, loaded.provenance.to_json()
    placement = best_placement()
    facts: dict[str, Any] = {
        "parameters": count_parameters(model),
        "dilations": list(model.config.dilations),
        "receptive_field": receptive_field(*model.config.kernels_and_dilations),
        "schedule": dataclasses.asdict(schedule),
        "provenance": provenance,
        "device": str(placement.device),
        "dtype": placement.dtype_name,
    }
    if arguments.json:
        print(json.dumps(facts))
        return 0
    for name, value in facts.items():
        shown = f"{value:,}" if name == "parameters" else value
        print(f"{name.replace('_', ' '):>16}  {shown}")
    return 0
