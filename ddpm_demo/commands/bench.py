"""`ddpm-demo bench`: speed, next to a plain implementation."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ddpm_demo.core.config import ConfigError

SUMMARY = "measure speed next to a plain implementation"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo bench`."""
    parser.add_argument(
        "what",
        choices=["ui", "sample", "train", "class", "company", "ideal", "browser", "seed"],
        help="ui: from a drag to the screen; sample: one sampling step; train: one training step; class: many "
        "visitors at once; company: whether films affect each other; ideal: the perfect denoisers beside lite; "
        "browser: the network in the browser beside PyTorch and onnxruntime-web; seed: whether a seed's digits "
        "depend on the processor, on its number format, on threads, or on the browser",
    )
    parser.add_argument(
        "--visitors", default="1,8,32,100,500", help="class: how many visitors (default 1,8,32,100,500)"
    )
    parser.add_argument(
        "--same", action="store_true", help="class: all ask for the same film, as if they opened one link"
    )
    parser.add_argument(
        "--device", action="store_true", help="class: each makes its film itself, two of them in real browsers"
    )
    parser.add_argument(
        "--onnxruntime-web",
        metavar="FOLDER",
        type=Path,
        help="browser: the folder of this npm package, to compare with",
    )
    parser.add_argument("--cluster", metavar="local:N|HOST:PORT", help="class: give the server these workers")
    parser.add_argument("--steps", type=int, help="class: steps per film (default: the page's)")
    parser.add_argument("--digits", type=int, default=16, help="class: digits per film (default 16)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run_bench(arguments: argparse.Namespace) -> int:
    """`ddpm-demo bench WHAT`: one line a measurement, or all of them as JSON.

    Returns 1 if a row could not be measured here: it says so, and the others are still measured.
    """
    rows: Iterator[dict[str, Any]]
    if arguments.what == "sample":
        from ddpm_demo.bench.sampling import bench_sample

        rows, words = bench_sample(), _sample_words
    elif arguments.what == "train":
        from ddpm_demo.bench.training import bench_train

        rows, words = bench_train(), _train_words
    elif arguments.what == "class" and arguments.device:
        from ddpm_demo.bench.device_class import bench_device_class

        visitors = read_visitors(arguments.visitors)
        rows = bench_device_class(visitors=visitors, steps=arguments.steps, digits=arguments.digits)
        words = _device_class_words
    elif arguments.what == "class":
        from ddpm_demo.bench.classroom import bench_class

        visitors = read_visitors(arguments.visitors)
        rows = bench_class(
            visitors=visitors,
            same=arguments.same,
            steps=arguments.steps,
            digits=arguments.digits,
            cluster=arguments.cluster,
        )
        words = _class_words
    elif arguments.what == "company":
        from ddpm_demo.bench.company import bench_company

        rows, words = bench_company(), _company_words
    elif arguments.what == "seed":
        from ddpm_demo.bench.seed import bench_seed

        rows, words = bench_seed(), _seed_words
    elif arguments.what == "ideal":
        from ddpm_demo.bench.ideal import bench_ideal

        rows, words = bench_ideal(), _ideal_words
    elif arguments.what == "browser":
        from ddpm_demo.bench.browser import bench_browser

        rows, words = bench_browser(ort=arguments.onnxruntime_web), goal_words
    else:
        from ddpm_demo.bench.page import bench_ui

        rows, words = bench_ui(), _ui_words
    measured = []
    for row in rows:
        measured.append(row)
        if not arguments.json:
            print(_fault_words(row) if "fault" in row else words(row), flush=True)
    if arguments.json:
        print(json.dumps({"rows": measured}))
    return int(any("fault" in row for row in measured))


def read_visitors(text: str) -> tuple[int, ...]:
    """Return the sizes of the class that were asked for; raise ConfigError if they make no sense."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"--visitors must be whole numbers with commas between them, got {text!r}") from None


def _class_words(row: dict[str, Any]) -> str:
    def both(name: str) -> str:
        middle, worst = row[name]
        return "never" if middle is None else f"{middle:.2f} s (worst {worst:.2f} s)"

    memory = "unknown" if row["memory"][0] is None else " -> ".join(f"{each:.0f}" for each in row["memory"]) + " MB"
    beside = "" if row["times_ideal"] is None else f"; {row['times_ideal']:.2f} times the ideal {row['ideal']:.1f} s"
    fairness = "" if row["fairness"] is None else f", longest / shortest {row['fairness']:.2f}"
    return (
        f"{row['visitors']} visitors{' with one link' if row['same'] else ''}: {row['refused']} refused, "
        f"{row['mixed']} mixed up, {row['cut']} cut; x_T after {both('first')}, place after {both('place')}, end after "
        f"{both('end')}{beside}{fairness}; {row['films']:.2f} films made, {row['megabytes']:.0f} MB sent; "
        f"front {row['front_ms']:.2f} ms a message; memory {memory}"
    )


def _device_class_words(row: dict[str, Any]) -> str:
    def each(name: str) -> str:
        return ", ".join(f"{seconds:.1f} s" for seconds in row[name])

    middle, longest = row["ready"]
    return (
        f"{row['visitors']} visitors, {row['browsers']} of them browsers, {row['digits']} digits on their own devices: "
        f"{row['server_ms']:.1f} ms of the server's processor a student; a device has all after {middle:.2f} s (worst "
        f"{longest:.2f} s); the browsers' films take {each('films')}, {each('films_alone')} without the class; "
        f"{row['megabytes']:.0f} MB sent; {row['server_steps']} steps made by the server"
    )


def goal_words(row: dict[str, Any]) -> str:
    """Return what a goal's row says: the figure, what it is made of, and whether the goal is reached."""
    made = f" ({row['ours']:.3g} {row['each']} beside {row['beside']:.3g} {row['each']})" if row["each"] else ""
    goal = f"at most {row['at_most']:g}" if row["at_most"] is not None else f"at least {row['at_least']:g}"
    verdict = "reached" if row["missed_by"] is None else f"missed by {row['missed_by']:.2f} times"
    return f"{row['work']}: {row['value']:.3g} {row['unit']}{made}; goal {goal}: {verdict}"


def _company_words(row: dict[str, Any]) -> str:
    return (
        f"{row['films']} films at once, {row['films_a_call']} in a call, {row['device']} {row['dtype']}: "
        f"{row['same_bits']} identical to the same film made alone, {row['within_a_grey_level']} within one grey "
        f"level, at most {row['apart']} apart"
    )


def _seed_words(row: dict[str, Any]) -> str:
    return (
        f"{row['way']}, {row['films']} films: {row['same']} the same in every pixel; {row['apart']:.4%} of all pixels "
        f"differ, {row['beyond']:.4%} by more than one grey level, at most by {row['most']}; the judge reads "
        f"{row['read_otherwise']} as another digit"
    )


def _ideal_words(row: dict[str, Any]) -> str:
    memory = "unknown" if row["megabytes"] is None else f"{row['megabytes']:.0f} MB"
    return (
        f"{row['way']}, 16 at once, {row['device']}: {row['step_ms']:.0f} ms a step, {row['times_lite']:.1f} times "
        f"lite's {row['lite_ms']:.0f} ms; memory {memory}"
    )


def _fault_words(row: dict[str, Any]) -> str:
    what = ", ".join(str(value) for name, value in row.items() if name != "fault")
    return f"{what}: could not be measured here: {row['fault']}"


def _ui_words(row: dict[str, Any]) -> str:
    what = f"{row['way']}, {row['condition']}: "
    if "megabytes" in row:
        return f"{what}{row['megabytes']:.2f} MB"
    if "files" in row:
        times = row["gradio_seconds"] / row["ready_seconds"]
        return (
            f"{what}{row['files']} in {row['ready_seconds']:.3f} s of the server; Gradio alone takes "
            f"{row['gradio_seconds']:.3f} s, {times:.1f} times as long"
        )
    if "translated" in row:
        times = row["translated"] / row["english"]
        return f"{what}{row['translated']:.1f} ms, in English {row['english']:.1f} ms: {times:.2f} times as long"
    if "cost" in row:
        return (
            f"{what}{row['watched_images_per_s']:.0f} and {row['alone_images_per_s']:.0f} images/s; "
            f"the page takes {row['cost']:.1%} (turns: {', '.join(f'{cost:.1%}' for cost in row['costs'])}), "
            f"and {row['opening']:.0%} of its first seconds"
        )
    if "before_megabytes" in row:
        if row["before_megabytes"] is None:
            return f"{what}this system does not say"
        return f"{what}{row['before_megabytes']:.1f} MB, then {row['after_megabytes']:.1f} MB"
    fps = f", {row['fps']:.1f} pictures/s in a drag" if "fps" in row else ""
    return f"{what}median {row['median']:.1f} ms, 95 % {row['p95']:.1f} ms{fps}"


def _sample_words(row: dict[str, Any]) -> str:
    beside = f"{row['times_plain']:.2f} times the plain loop ({row['times_channels_last']:.2f} in channels_last)"
    if row["times_diffusers"] is not None:
        beside += f", {row['times_diffusers']:.2f} times diffusers'"
    if row["times_onnxruntime"] is not None:
        beside += f", {row['times_onnxruntime']:.2f} times onnxruntime's"
    if row["times_as_trained"] is not None:
        beside += f"; in training's number format the network takes {row['times_as_trained']:.2f} of its time"
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
