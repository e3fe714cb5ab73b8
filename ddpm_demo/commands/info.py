"""`ddpm-demo info`: what a network or a checkpoint is."""

import argparse
import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

SUMMARY = "describe a network or a checkpoint"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo info`."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--checkpoint", metavar="NAME|PATH", help="a shipped one's name, a file, or a run's folder")
    which.add_argument("--preset", help="an untrained network: lite or full")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run_info(arguments: argparse.Namespace) -> int:
    """`ddpm-demo info`: what a network or checkpoint is, for people or as JSON."""
    from ddpm_demo.core.config import preset
    from ddpm_demo.core.model import Denoiser, count_parameters
    from ddpm_demo.core.receptive import receptive_field
    from ddpm_demo.core.schedule import ScheduleConfig
    from ddpm_demo.machine.device import answering_placement, best_placement
    from ddpm_demo.store import checkpoint
    from ddpm_demo.store.shipped import find_checkpoint

    if arguments.preset is not None:
        model, schedule, provenance = Denoiser(preset(arguments.preset)), ScheduleConfig(), None
    else:
        loaded = checkpoint.load(find_checkpoint(arguments.checkpoint or "lite"))
        model, schedule, provenance = loaded.model, loaded.schedule, loaded.provenance.to_json()
    placement = answering_placement()
    facts: dict[str, Any] = {
        "parameters": count_parameters(model),
        "dilations": list(model.config.dilations),
        "receptive_field": receptive_field(*model.config.kernels_and_dilations),
        "schedule": dataclasses.asdict(schedule),
        "provenance": provenance,
        "device": str(placement.device),
        "dtype": placement.dtype_name,
        "training_dtype": best_placement().dtype_name,
    }
    if arguments.json:
        print(json.dumps(facts))
        return 0
    story = facts.pop("provenance")
    for name, value in facts.items():
        print(f"{name.replace('_', ' '):>16}  {words_of(value)}")
    for line in story_lines(story or {}, "how it came to be" if story else ""):
        print(line)
    return 0


def words_of(value: Any) -> str:
    """Return a value as people write it: thousands with commas, lists and named values without brackets."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "unknown"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {words_of(each)}" for name, each in value.items())
    return ", ".join(map(words_of, value)) if isinstance(value, list | tuple) else str(value)


def story_lines(story: Mapping[str, Any], title: str) -> Iterator[str]:
    """Yield a checkpoint's provenance, a line a fact; that of the network it was grown from comes after its own."""
    if not story:
        return
    yield f"\n{title}:"
    for name, value in story.items():
        if name != "grown_from":
            # a seed is a name, not a count
            yield f"{name.replace('_', ' '):>16}  {value if name == 'seed' else words_of(value)}"
    yield from story_lines(story.get("grown_from") or {}, "the network it was grown from")
