"""What `ddpm-demo curves` does: quality against the number of steps, for every sampler and way of clipping.

It takes hours on a laptop, so every measured point goes into the result file at once, and the same command, run
again, measures what is still missing.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ddpm_demo.commands.options import check_seed, digits_in_range, path_argument, watch
from ddpm_demo.core.config import ConfigError, DemoError
from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.store.files import check_outputs, write_file

SUMMARY = "measure quality against steps for every sampler; can be resumed"
FORMAT = "ddpm_demo curves 1"
X_T_FROM = 50  # with fewer steps, each clamping the noise in x_t away, there is nothing to see
VARIANTS = (
    *(
        SamplerConfig(kind, **{"clip": clip, **settings})
        for kind, sampler in SAMPLERS.items()
        for settings in sampler.variants.values()
        for clip in ("none", "x0")
    ),
    SamplerConfig("ddpm", clip="x_t"),
)
TABLE = ("frechet", "precision", "recall", "recognised", "total_variation")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo curves`."""
    parser.add_argument("--checkpoint", default="lite", metavar="NAME|PATH", help="default: lite")
    parser.add_argument("--n", type=int, default=500, help="digits per point, 4 to 10000 (default 500)")
    parser.add_argument("--steps", default="5,10,20,50,100,200", help="default: 5,10,20,50,100,200")
    parser.add_argument("--seed", type=int, default=0, help="decides the digits that are drawn (default 0)")
    parser.add_argument(
        "--out", required=True, type=path_argument, metavar="FILE.json", help="results; adds to those already in it"
    )
    parser.add_argument("--picture", type=path_argument, metavar="FILE.png", help="also save the curves as a picture")
    parser.add_argument("--markdown", action="store_true", help="print a table for the model card")


def points(steps: Sequence[int]) -> list[SamplerConfig]:
    """Return every sampler to measure: all of them with the fewest steps first, as those are done soonest."""
    return [
        replace(variant, steps=count)
        for count in sorted(set(steps))
        for variant in VARIANTS
        if variant.clip != "x_t" or count >= X_T_FROM
    ]


def run_curves(arguments: argparse.Namespace) -> int:
    """Measure what is missing in the result file, draw the picture if asked; return the exit status.

    Raises ConfigError for arguments out of range, CheckpointError for a file that is not a checkpoint, and DemoError
    when the result file cannot be written or belongs to other settings.
    """
    from ddpm_demo.core.schedule import Schedule
    from ddpm_demo.machine.device import answering_placement
    from ddpm_demo.machine.placement import place
    from ddpm_demo.measuring import classifier, quality
    from ddpm_demo.networks.drawing_digits import draw_digits
    from ddpm_demo.store import checkpoint, pictures
    from ddpm_demo.store.shipped import find_checkpoint

    check_seed(arguments.seed)
    digits_in_range("--n", arguments.n, quality.MIN_IMAGES)
    wanted = points(_counts(arguments.steps))
    path = find_checkpoint(arguments.checkpoint)
    outputs = {"--out": (arguments.out, ".json"), "--picture": (arguments.picture, ".png")}
    check_outputs(outputs, inputs={"--checkpoint": path})
    loaded, placement = checkpoint.load(path), answering_placement()
    schedule = Schedule.from_config(loaded.schedule)
    for config in wanted:
        schedule.timesteps(config.steps)  # refuses more steps than the schedule has
    judge = classifier.load_judge()
    settings = {
        "format": FORMAT,
        "checkpoint": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "n": arguments.n,
        "seed": arguments.seed,
        "classifier": {"accuracy": judge.accuracy},
    }
    results = _read(arguments.out, settings)
    known = [point["sampler"] for point in results["points"]]
    missing = [config for config in wanted if asdict(config) not in known]
    if missing:
        model = place(loaded.model, placement)
        print(f"measuring on {placement.device}, blocks in {placement.dtype_name}", file=sys.stderr)
        reference = quality.load_reference(judge.model)
        if "real" not in results:
            floor = quality.measure_quality(quality.real_test_digits(arguments.n), judge.model, reference)
            results["real"] = asdict(floor)
        try:
            for i, config in enumerate(missing):
                started = time.perf_counter()
                drawing = draw_digits(
                    model, schedule, config, n=arguments.n, seed=arguments.seed, device=placement.device
                )
                images = watch(drawing, f"{i + 1} of {len(missing)}: {variant_name(config)}", "image steps").images
                assert images is not None  # the last record has them
                seconds = round(time.perf_counter() - started, 1)
                result = asdict(quality.measure_quality(images, judge.model, reference))
                results["points"].append({"sampler": asdict(config), "quality": result, "seconds": seconds})
                write_file(arguments.out, json.dumps(results, indent=1).encode())
        except KeyboardInterrupt:
            print(
                f"{arguments.out} keeps {len(results['points'])} points; repeat the command to continue",
                file=sys.stderr,
            )
            raise
    if arguments.picture is not None:
        write_file(
            arguments.picture, pictures.curves_png(curves(results), {name: results["real"][name] for name in TABLE})
        )
    print("\n".join(curves_table(results)) if arguments.markdown else arguments.out)
    return 0


def variant_name(config: SamplerConfig) -> str:
    """Return what a sampler is called in the legend: all but its number of steps."""
    sampler = SAMPLERS[config.kind]
    variance = f", {config.variance}" if "variance" in sampler.settings else ""
    return f"{sampler.title}{variance}, clip {config.clip}"


def curves(results: dict[str, Any]) -> dict[str, list[tuple[int, dict[str, float]]]]:
    """Return the measured points of each sampler, its name to (steps, figures) in the order of steps."""
    found: dict[str, list[tuple[int, dict[str, float]]]] = {}
    for point in sorted(results["points"], key=lambda point: point["sampler"]["steps"]):
        config = SamplerConfig(**point["sampler"])
        found.setdefault(variant_name(config), []).append((config.steps, point["quality"]))
    return dict(sorted(found.items()))


def curves_table(results: dict[str, Any]) -> Iterator[str]:
    """Yield the results as the lines of a Markdown table, real test digits first."""
    yield "| sampler | steps | Frechet | precision | recall | recognised | total variation |"
    yield "|---|---|---|---|---|---|---|"
    rows = [(name, str(steps), figures) for name, curve in curves(results).items() for steps, figures in curve]
    for name, steps, figures in [("real test digits", "", results["real"]), *rows]:
        cells = " | ".join(f"{figures[key]:.2f}" for key in TABLE)
        yield f"| {name} | {steps} | {cells} |"


def _counts(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"--steps must be whole numbers with commas between them, got {text!r}") from None


def _read(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the results so far, or none yet; raise DemoError when the file there is about something else."""
    if not path.exists():
        return {**settings, "points": []}
    try:
        results: dict[str, Any] = json.loads(path.read_bytes())
        different = [name for name, value in settings.items() if results.get(name) != value]
        for point in results["points"] if not different else ():
            SamplerConfig(**point["sampler"])
            if any(not isinstance(point["quality"][name], float | int) for name in TABLE):
                raise ValueError("a point has no figures")
    except (OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
        raise DemoError(f"{path} exists but holds no curves: choose another --out") from None
    if different:
        raise DemoError(f"{path} holds curves with a different {different[-1]}: choose another --out")
    return results
