"""The perfect denoisers by name, wherever a checkpoint is chosen: `ideal`, `ideal:patch=9`, `ideal:digit=7`.

A name is `ideal`, then perhaps `:` and, with commas between them, `patch=` the patch's width in pixels (odd, or `lite`:
as wide at each t as explains that network best), `anywhere` if the patch may come from any place of the training
digits, `digit=` a class of MNIST, `count=` how many of the training digits; or, instead of these two, `run=` the id of
a run of the shelf that learns drawings of the user's own: then these drawings are all that it knows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ddpm_demo.core.config import ConfigError, check_whole
from ddpm_demo.core.sampling import EpsModel
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.networks.ideal import IdealDenoiser, PatchDenoiser
from ddpm_demo.networks.ideal_anywhere import AnywherePatchDenoiser
from ddpm_demo.store.drawings_file import drawings_of_run
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.words.sentence import say

IDEAL = "ideal"
FITTED = "lite"  # the network whose patches are known
IDEAL_LABELS = {  # what the page offers, and what it says about it
    IDEAL: say("the perfect network: it knows all 60,000 training digits by heart"),
    f"{IDEAL}:digit=3": say("the perfect network that knows the threes alone"),
    f"{IDEAL}:patch={FITTED}": say("the perfect network of patches, at each t as wide as explains lite best"),
    f"{IDEAL}:patch={FITTED},anywhere": say("the same, with patches from any place of 50 training digits"),
}
PATCHED_DIGITS = 10_000  # that patches are compared with by default: all of them would take a minute a film
ANYWHERE_DIGITS = 50  # whose patches from all places are compared, at most: more would take over 20 times lite's time
# The patch that explains most of lite's x0_hat at each t: measured by assets/ideal.py, see docs/ideal.md.
FITTED_WIDTHS: Mapping[int, int] = {50: 3, 100: 3, 200: 5, 300: 7, 400: 11, 500: 15, 700: 35}
_FILE = "ddpm_demo ideal 1\n"  # how a file that stands for such a name begins, for workers elsewhere


@dataclass(frozen=True)
class IdealName:
    """What a name says: the patch's width (None for the whole picture, 0 for `FITTED`), the class, how many digits.

    `anywhere`: the patch may come from any place. `run`: the id of a run, whose drawings count instead of digits.
    """

    patch: int | None = None
    digit: int | None = None
    count: int | None = None
    anywhere: bool = False
    run: str | None = None

    @classmethod
    def parse(cls, name: str) -> "IdealName":
        """Read a name; raise ConfigError, with an example, unless it is one."""
        begin, _, rest = name.partition(":")
        values: dict[str, int] = {}
        parts = rest.split(",") if rest else []
        anywhere = "anywhere" in parts
        runs = [part.removeprefix("run=") for part in parts if part.startswith("run=")]
        good = begin == IDEAL and parts.count("anywhere") < 2
        for part in parts:
            key, _, value = part.partition("=")
            if part == "anywhere" or key == "run":
                continue
            good &= key in ("patch", "digit", "count") and key not in values
            if key == "patch" and value == FITTED:
                values[key] = 0
            elif good and value.isascii() and value.isdigit() and len(value) < 6:
                values[key] = int(value)
                good &= key != "patch" or values[key] % 2 == 1
            else:
                good = False
        if not good:
            forms = "ideal, ideal:patch=9 (an odd number of pixels), ideal:patch=9,anywhere or ideal:digit=7,count=500"
            raise ConfigError(f"an ideal network is called {forms}, got {name!r}")
        if runs and (len(runs) > 1 or not re.fullmatch(r"[\w-]+", runs[0]) or values.keys() & {"digit", "count"}):
            raise ConfigError(f"ideal:run= takes the id of one run, and no digit or count, got {name!r}")
        if "digit" in values:
            check_whole("the ideal's digit", values["digit"], low=0, high=9)
        if "count" in values:
            check_whole("the ideal's count of training digits", values["count"], low=1, high=60_000)
        if anywhere and "patch" not in values:
            raise ConfigError(f"{name} needs a patch that may come from anywhere, such as ideal:patch=3,anywhere")
        if anywhere and values.get("count", 0) > ANYWHERE_DIGITS:
            raise ConfigError(
                "patches from anywhere are hundreds of times as many to compare as those of the same place: choose "
                "count={most} or fewer training digits, got {got:,}",
                most=ANYWHERE_DIGITS,
                got=values["count"],
            )
        return cls(**values, anywhere=anywhere, run=runs[0] if runs else None)


def is_ideal(name: str) -> bool:
    """Return whether a checkpoint's name is that of an ideal, even an impossible one."""
    return name.partition(":")[0] == IDEAL


def ideal_of_run(run: str) -> str:
    """Return the name of the ideal that knows the drawings of a run, by the run's id."""
    return f"{IDEAL}:run={run}"


def load_ideal(name: str, schedule: Schedule, device: torch.device) -> EpsModel:
    """Return the denoiser of that name, for a schedule's noise; raise ConfigError if there is none."""
    ideal = IdealName.parse(name)
    digits, labels = load_mnist(train=True)
    if ideal.run:
        digits = drawings_of_run(ideal.run)
    elif ideal.digit is not None:
        digits = digits[labels == ideal.digit]
    count = ANYWHERE_DIGITS if ideal.anywhere else len(digits) if ideal.patch is None else PATCHED_DIGITS
    digits = digits[: ideal.count or count].to(device)
    if ideal.patch is None:
        return IdealDenoiser(digits, schedule)
    kind = AnywherePatchDenoiser if ideal.anywhere else PatchDenoiser
    return kind(digits, schedule, ideal.patch or FITTED_WIDTHS)


def ideal_file(name: str) -> bytes:
    """Return the content of a file that stands for an ideal."""
    return f"{_FILE}{name}".encode()


def named_in_file(file: bytes) -> str | None:
    """Return the name in a file that stands for an ideal; None for any other file."""
    return file.removeprefix(_FILE.encode()).decode() if file.startswith(_FILE.encode()) else None
