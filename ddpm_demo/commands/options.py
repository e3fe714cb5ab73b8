"""What several commands share: the settings that arguments name, and being interrupted between two steps."""

import argparse
import contextlib
import signal
from collections.abc import Callable, Iterator

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.networks.guidance_settings import DigitConfig, GuidanceConfig

INTERRUPTED = 130  # what a shell reports for Ctrl-C


@contextlib.contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and a polite kill into a question asked between two steps: a step is never cut in half.

    Windows knows no polite kill from another program; Ctrl-Break is what comes nearest.
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
    """Return the guide that the arguments name, or else the usual one, if any.

    Raises ConfigError on a weight alone, or an interval of nothing.
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
    """Return the wish for a digit, None for any; raise ConfigError for no digit, or for a weight or interval alone."""
    told = {"weight": arguments.digit_weight, "first": arguments.digit_first, "last": arguments.digit_last}
    given = {name: value for name, value in told.items() if value is not None}
    if digit is None:
        if given:
            raise ConfigError(f"--digit-{next(iter(given))} needs a --digit")
        return None
    return DigitConfig(digit, **{**interval_of(arguments), **given})


def interval_of(arguments: argparse.Namespace) -> dict[str, int]:
    """Return the timesteps that `--interval` names, as `Interval` takes them: nothing if it was not given."""
    return {} if arguments.interval is None else dict(zip(("first", "last"), arguments.interval, strict=True))
