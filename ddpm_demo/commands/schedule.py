"""`ddpm-demo schedule`: the tables of a noise schedule."""

import argparse
import json

SUMMARY = "print beta, alpha_bar and SNR at every t"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo schedule`."""
    parser.add_argument("--kind", default="linear", help="linear (default) or cosine")
    parser.add_argument("--json", action="store_true", help="print one JSON object, in full double precision")


def run_schedule(arguments: argparse.Namespace) -> int:
    """`ddpm-demo schedule`: the whole tables as JSON, or every hundredth row for people."""
    from ddpm_demo.core.schedule import Schedule, ScheduleConfig

    schedule = Schedule.from_config(ScheduleConfig(kind=arguments.kind))
    tables = {"beta": schedule.beta.tolist(), "alpha_bar": schedule.alpha_bar.tolist(), "snr": schedule.snr.tolist()}
    if arguments.json:
        print(json.dumps(tables))
        return 0
    print(f"{'t':>4} {'beta':>12} {'alpha_bar':>12} {'snr':>12}")
    for t in [*range(0, len(schedule), 100), len(schedule) - 1]:
        print(f"{t:>4}" + "".join(f" {table[t]:>12.6g}" for table in tables.values()))
    return 0
