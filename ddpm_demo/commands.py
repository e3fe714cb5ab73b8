"""What each command of `ddpm-demo` does, given its parsed arguments; each returns an exit status.

Heavy imports stand inside the commands that need them, so that `ddpm-demo --help` answers at once.
"""

import argparse
import contextlib
import dataclasses
import io
import json
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from ddpm_demo.config import CHOSEN_GUIDANCE, ConfigError, GuidanceConfig, SamplerConfig

INTERRUPTED = 130  # what a shell reports for Ctrl-C
MAX_SAMPLES = 10_000
GIF_FRAMES = 60


def run_app(arguments: argparse.Namespace) -> int:
    """`ddpm-demo app`: start the web page and wait until it is stopped."""
    if arguments.port is not None and not 1 <= arguments.port <= 65535:
        raise ConfigError(f"--port must be a whole number from 1 to 65535, got {arguments.port}")
    from ddpm_demo.ui import build_app, serve
    from ddpm_demo.ui.turns import NETWORK

    NETWORK.take_processors()
    serve(build_app(arguments.checkpoint, training=not arguments.no_training), host=arguments.host, port=arguments.port)
    return 0


def run_info(arguments: argparse.Namespace) -> int:
    """`ddpm-demo info`: what a network or checkpoint is, for people or as JSON."""
    from ddpm_demo import checkpoint
    from ddpm_demo.config import ScheduleConfig, preset
    from ddpm_demo.device import best_placement
    from ddpm_demo.model import Denoiser, count_parameters
    from ddpm_demo.receptive import receptive_field

    if arguments.preset is not None:
        model, schedule, provenance = Denoiser(preset(arguments.preset)), ScheduleConfig(), None
    else:
        loaded = checkpoint.load(checkpoint.find(arguments.checkpoint or "lite"))
        model, schedule, provenance = loaded.model, loaded.schedule, dict(loaded.provenance)
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


def run_schedule(arguments: argparse.Namespace) -> int:
    """`ddpm-demo schedule`: the tables, whole as JSON, or every hundredth row for people."""
    from ddpm_demo.config import ScheduleConfig
    from ddpm_demo.schedule import Schedule

    schedule = Schedule.from_config(ScheduleConfig(kind=arguments.kind))
    tables = {"beta": schedule.beta.tolist(), "alpha_bar": schedule.alpha_bar.tolist(), "snr": schedule.snr.tolist()}
    if arguments.json:
        print(json.dumps(tables))
        return 0
    print(f"{'t':>4} {'beta':>12} {'alpha_bar':>12} {'snr':>12}")
    for t in [*range(0, len(schedule), 100), len(schedule) - 1]:
        print(f"{t:>4}" + "".join(f" {table[t]:>12.6g}" for table in tables.values()))
    return 0


def run_claims(arguments: argparse.Namespace) -> int:
    """`ddpm-demo claims`: every statement, the truth beside it, and the verdict."""
    from ddpm_demo.claims import check_claims

    claims = list(check_claims())
    if arguments.json:
        print(json.dumps({"claims": [dataclasses.asdict(claim) for claim in claims]}))
        return 0
    for claim in claims:
        verdict = "holds" if claim.holds else "DOES NOT HOLD"
        print(f"{verdict:>13}  {claim.statement}: said {claim.claimed}; {claim.basis} {claim.truth} ({claim.source})")
    return 0


@contextlib.contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and a polite kill into a question asked between two steps: a step is never cut in half."""
    seen: list[int] = []
    old = {number: signal.signal(number, lambda got, _: seen.append(got)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(seen)
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def run_sample(arguments: argparse.Namespace) -> int:
    """`ddpm-demo sample`: digits to an npz, and as pictures if asked."""
    import numpy as np
    from tqdm import tqdm

    from ddpm_demo import checkpoint, pictures
    from ddpm_demo.data import check_folders, write_file
    from ddpm_demo.device import best_placement, place
    from ddpm_demo.evaluate import draw
    from ddpm_demo.guidance import load_guided
    from ddpm_demo.sampling import frame_indices, to_uint8
    from ddpm_demo.schedule import Schedule

    if not 1 <= arguments.n <= MAX_SAMPLES:
        raise ConfigError(f"--n must be a whole number from 1 to {MAX_SAMPLES}, got {arguments.n}")
    config, guidance = sampler_config(arguments), guidance_config(arguments, usual=None)
    check_folders(arguments.out, arguments.gif, arguments.png)
    loaded = checkpoint.load(checkpoint.find(arguments.checkpoint))
    schedule, placement = Schedule.from_config(loaded.schedule), best_placement()
    timesteps = schedule.timesteps(config.steps)  # refuses more steps than the schedule has
    model = load_guided(place(loaded.model, placement), schedule, guidance, placement)
    print(f"sampling on {placement.device}, blocks in {placement.dtype_name}", file=sys.stderr)

    shown, film = frame_indices(schedule, timesteps, GIF_FRAMES), []
    drawing = draw(model, schedule, config, n=arguments.n, seed=arguments.seed, device=placement.device)
    with tqdm(unit="image step", file=sys.stderr, dynamic_ncols=True) as bar:
        for drawn in drawing:
            if arguments.gif and drawn.step is not None and drawn.begin == 0 and drawn.step.index in shown:
                film.append(to_uint8(drawn.step.x_t[:64, 0]).numpy())
            bar.total = drawn.total
            bar.update(drawn.done - bar.n)
    assert drawn.images is not None  # the last record has them
    digits = drawn.images.numpy()

    buffer = io.BytesIO()
    np.savez(buffer, images=digits)
    write_file(arguments.out, buffer.getvalue())
    if arguments.gif:
        write_file(arguments.gif, pictures.film_gif([*film, digits[:64]]))
    if arguments.png:
        write_file(arguments.png, pictures.grid_png(digits))
    print(arguments.out)
    return 0


def check_seed(seed: int) -> None:
    """Raise ConfigError for a seed that is negative or too large."""
    if not 0 <= seed < 2**31:
        raise ConfigError(f"--seed must be a whole number from 0 to {2**31 - 1}, got {seed}")


def sampler_config(arguments: argparse.Namespace) -> SamplerConfig:
    """Return the sampler that the arguments name; raise ConfigError if there is none such, or a seed too large."""
    check_seed(arguments.seed)
    return SamplerConfig(
        kind=arguments.sampler,
        steps=arguments.steps,
        variance=arguments.variance,
        final_noise=arguments.final_noise,
        clip=arguments.clip,
        eta=arguments.eta,
    )


def guidance_config(arguments: argparse.Namespace, *, usual: GuidanceConfig | None) -> GuidanceConfig | None:
    """Return the guide that the arguments name, or else the usual one, if any; raise ConfigError on a weight alone."""
    guide = arguments.guide or (usual.guide if usual else "none")
    if guide == "none":
        if arguments.guidance is not None:
            raise ConfigError("--guidance needs a --guide")
        return None
    if arguments.guidance is not None:
        return GuidanceConfig(guide, arguments.guidance)
    return usual if usual and usual.guide == guide else GuidanceConfig(guide)


def run_evaluate(arguments: argparse.Namespace) -> int:
    """`ddpm-demo evaluate`: the held-out loss, and the quality of drawn digits beside that of real ones."""
    from ddpm_demo.report import evaluate_checkpoint, evaluate_rounding

    if arguments.directory is not None:
        return evaluate_rounding(arguments.directory, arguments.held_out, as_json=arguments.json)
    guidance = guidance_config(arguments, usual=CHOSEN_GUIDANCE.get(arguments.checkpoint))
    return evaluate_checkpoint(arguments, sampler_config(arguments), guidance)


def run_curves(arguments: argparse.Namespace) -> int:
    """`ddpm-demo curves`: quality against steps for every sampler, into a file that it goes on with."""
    from ddpm_demo.curves import measure_curves

    check_seed(arguments.seed)
    return measure_curves(arguments)


def run_bench(arguments: argparse.Namespace) -> int:
    """`ddpm-demo bench ui | sample | train`: one line a measurement, or all of them as JSON."""
    rows: Iterator[dict[str, Any]]
    if arguments.what == "sample":
        from ddpm_demo.ui.sample_bench import bench_sample

        rows, words = bench_sample(), _sample_words
    elif arguments.what == "train":
        from ddpm_demo.train_bench import bench_train

        rows, words = bench_train(), _train_words
    else:
        from ddpm_demo.ui.bench import bench_ui

        rows, words = bench_ui(), _ui_words
    measured = []
    for row in rows:
        measured.append(row)
        if not arguments.json:
            print(words(row), flush=True)
    if arguments.json:
        print(json.dumps({"rows": measured}))
    return 0


def _ui_words(row: dict[str, Any]) -> str:
    what = f"{row['way']}, {row['condition']}: "
    if "megabytes" in row:
        return f"{what}{row['megabytes']:.2f} MB"
    if "cost" in row:
        return (
            f"{what}{row['watched_images_per_s']:.0f} and {row['alone_images_per_s']:.0f} images/s; "
            f"the page takes {row['cost']:.1%} (turns: {', '.join(f'{cost:.1%}' for cost in row['costs'])}), "
            f"and {row['opening']:.0%} of its first seconds"
        )
    if "before_megabytes" in row:
        if row["before_megabytes"] is None:
            return f"{what}this system does not tell"
        return f"{what}{row['before_megabytes']:.1f} MB, then {row['after_megabytes']:.1f} MB"
    fps = f", {row['fps']:.1f} pictures/s in a drag" if "fps" in row else ""
    return f"{what}median {row['median']:.1f} ms, 95 % {row['p95']:.1f} ms{fps}"


def _sample_words(row: dict[str, Any]) -> str:
    beside = f"{row['times_plain']:.2f} times the plain loop"
    if row["times_diffusers"] is not None:
        beside += f", {row['times_diffusers']:.2f} times diffusers'"
    return (
        f"{row['preset']}, {row['n']} at once, {row['device']} {row['dtype']}: {row['step_ms']:.1f} ms a step, "
        f"{row['images_per_s']:.3f} images/s in 1000 steps; {beside}; {row['frames']:.1%} besides the network; "
        f"{row['of_matrix_rate']:.0%} of the matrix rate (live taps)"
    )


def _train_words(row: dict[str, Any]) -> str:
    return (
        f"{row['preset']}, batches of {row['batch']}, {row['device']} {row['dtype']}: "
        f"{row['images_per_s']:.1f} images/s, {row['times_plain']:.2f} times the plain loop's "
        f"{row['plain_images_per_s']:.1f}; {row['of_matrix_rate']:.0%} of the matrix rate"
    )
