"""What a server allows its visitors: whether to train, for how long, on how much disk, and how many may come."""

import contextlib
import os

from ddpm_demo.core.config import ConfigError

MINUTES_VARIABLE, DISK_VARIABLE = "DDPM_DEMO_MAX_MINUTES", "DDPM_DEMO_MAX_RUNS_MB"
MAX_MINUTES = 720.0  # of one run
MAX_RUNS_MB = 4000.0  # of all runs together
MAX_FILES = 10_240  # open at once, connections included; macOS allows no more
TRAINING_SWITCH = "DDPM_DEMO_NO_TRAINING"


def training_allowed(*, asked: bool = True) -> bool:
    """Return whether this server trains: not when it was told so, or when the environment says so."""
    return asked and os.environ.get(TRAINING_SWITCH, "") in ("", "0")


def max_minutes() -> float:
    """Return the most minutes that one run may have here; an environment variable changes it."""
    return _limit(MINUTES_VARIABLE, MAX_MINUTES)


def max_runs_mb() -> float:
    """Return the most megabytes that all runs may use here; an environment variable changes it."""
    return _limit(DISK_VARIABLE, MAX_RUNS_MB)


def allow_connections() -> None:
    """Let this process have as many files open as the system lets it: every visitor has a few connections."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(MAX_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # macOS refuses more than its own limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _limit(variable: str, usual: float) -> float:
    text = os.environ.get(variable, "")
    try:
        value = float(text) if text else usual
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ConfigError(
            "the environment variable {name} must be a number of at least 0, got {got}", name=variable, got=repr(text)
        )
    return value
