"""What several commands share: arguments, the settings that they name, progress, and being interrupted."""

import argparse
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig
from ddpm_demo.networks.guidance_settings import DigitConfig, GuidanceConfig
from ddpm_demo.store.files import user_path

CHECKPOINT_HELP = (
    "default: lite; ideal is the perfect denoiser of the training digits, ideal:patch=9 that of their patches, "
    "ideal:patch=9,anywhere that of patches from any place"
)
HELD_OUT = "held-out loss, ten timesteps a digit"  # of the bar of progress, which counts both
INTERRUPTED = 130  # what a shell reports for Ctrl-C


class Advance(Protocol):
    """What a loop yields: how much of it is done."""

    @property
    def done(self) -> int:
        """So much is done."""

    @property
    def total(self) -> int:
        """So much is to be done in all."""


Record = TypeVar("Record", bound=Advance)


def path_argument(text: str) -> Path:
    """Return a path that was given as an argument."""
    try:
        return user_path(text, "it")
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_lessons_option(parser: argparse.ArgumentParser) -> None:
    """Add the option by which a teacher's own lessons stand behind the shipped ones."""
    parser.add_argument(
        "--lessons",
        type=path_argument,
        action="append",
        default=[],
        metavar="FILE.toml",
        help="add a lesson of your own; may be given again",
    )


def add_digit_options(parser: argparse.ArgumentParser) -> None:
    """Add how strongly, and at which timesteps, a digit is asked for."""
    usual = DigitConfig(0)
    parser.add_argument(
        "--digit-weight", type=float, metavar="W", help=f"0 does not ask at all (default {usual.weight:g})"
    )
    parser.add_argument("--digit-first", type=int, metavar="T", help="ask from this timestep on (default: --interval)")
    parser.add_argument("--digit-last", type=int, metavar="T", help="and down to this one (default: --interval)")


def add_sampler_options(parser: argparse.ArgumentParser, usual: SamplerConfig, usual_guide: str) -> None:
    """Add an option for each setting of SamplerConfig, and those of the guide."""

    def option(name: str, words: str) -> None:
        default = getattr(usual, name.replace("-", "_"))
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"{words} (default {default})")

    parser.add_argument("--sampler", default=usual.kind, help=f"{', '.join(SAMPLERS)} (default {usual.kind})")
    option("steps", "network calls, 1 to T")
    option("variance", "variance of ddpm's noise: beta (the spec's) or posterior")
    option("final-noise", "spec: none at t <= 1; ho: none at t = 0 only")
    option("eta", "ddim's noise, 0 to 1")
    option("clip", "none, x0 or x_t")
    parser.add_argument(
        "--guide",
        metavar="NAME|PATH",
        help=f"a weaker network to steer away from, or none (default: {usual_guide})",
    )
    parser.add_argument(
        "--guidance", type=float, metavar="W", help="guidance weight: 1 means no guidance, 2 goes twice as far"
    )
    parser.add_argument(
        "--interval",
        type=int,
        nargs=2,
        metavar=("FIRST", "LAST"),
        help="guide, and ask for a digit, only at timesteps FIRST >= t >= LAST (default: at all timesteps)",
    )


@contextlib.contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and a polite kill into a flag that is checked between two steps: a step is never cut in half.

    Windows has no polite kill from another program; Ctrl-Break is the nearest thing.
    """
    seen: list[int] = []
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
    old = {number: signal.signal(number, lambda got, _: seen.append(got)) for number in numbers}
    try:
        yield lambda: bool(seen)
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def check_seed(seed: int) -> None:
    """Raise ConfigError for a seed that is negative or too large."""
    if not 0 <= seed < 2**31:
        why = "PyTorch uses only 32 bits of it"
        raise ConfigError(f"--seed must be a whole number from 0 to {2**31 - 1}, got {seed}; {why}")


def sampler_config(arguments: argparse.Namespace) -> SamplerConfig:
    """Return the sampler that the arguments name; raise ConfigError if there is none, or for too large a seed."""
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
    """Return the guide that the arguments name, or else the usual one, if any.

    Raises ConfigError on a weight without a guide, or an interval without anything to guide.
    """
    guide = arguments.guide or (usual.guide if usual else "none")
    if guide == "none":
        if arguments.guidance is not None:
            raise ConfigError("--guidance needs a --guide")
        if arguments.interval is not None and getattr(arguments, "digit", None) is None:
            raise ConfigError("--interval needs a --guide or a --digit")
        return None
    weight = usual.weight if usual and usual.guide == guide else GuidanceConfig.weight
    if arguments.guidance is not None:
        weight = arguments.guidance
    return GuidanceConfig(guide, weight, **interval_of(arguments))


def digit_config(arguments: argparse.Namespace, digit: int | None) -> DigitConfig | None:
    """Return the wish for a digit, None for any; raise ConfigError if it is none, or for a weight or interval alone."""
    options = {"weight": arguments.digit_weight, "first": arguments.digit_first, "last": arguments.digit_last}
    given = {name: value for name, value in options.items() if value is not None}
    if digit is None:
        if given:
            raise ConfigError(f"--digit-{next(iter(given))} needs a --digit")
        return None
    return DigitConfig(digit, **{**interval_of(arguments), **given})


def interval_of(arguments: argparse.Namespace) -> dict[str, int]:
    """Return the timesteps that `--interval` names, as `Interval` takes them: nothing if it was not given."""
    return {} if arguments.interval is None else dict(zip(("first", "last"), arguments.interval, strict=True))


def digits_in_range(option: str, count: int, low: int) -> None:
    """Raise ConfigError, naming the option, for a number of digits that the test set does not have."""
    if not low <= count <= 10_000:  # as many test digits as there are
        raise ConfigError(f"{option} must be a whole number from {low} to 10000, got {count}")


def watch(records: Iterator[Record], what: str, unit: str) -> Record:
    """Run a loop to its end under a progress bar and return its last record."""
    from tqdm import tqdm

    with tqdm(unit=f" {unit}", desc=what, file=sys.stderr, dynamic_ncols=True) as bar:
        for record in records:
            bar.total = record.total
            bar.update(record.done - bar.n)
    return record
