"""The Receptive-field tab's last part: how far a network really looks, one timestep at a time."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.receptive import receptive_field
from ddpm_demo.explaining.how_far import LOOKED_AT, TAUGHT, Look, look_at
from ddpm_demo.machine.scheduler import NETWORK
from ddpm_demo.networks.ideal_checkpoints import is_ideal
from ddpm_demo.networks.loaded_networks import load_placed
from ddpm_demo.store.files import file_stamp
from ddpm_demo.ui.parts.bridge import server_function
from ddpm_demo.ui.parts.readers import named_values, whole

PATCH_LOOKS = (20, 50, 100, 200, 300, 400, 500, 600, 700)  # above them the answer is a mean of many, by any patch


def make_patch_look(checkpoints: dict[str, Path]) -> Callable[[Any], dict[str, Any]]:
    """Return the function by which the page asks for the patch that explains the first checkpoint's answer best."""

    @server_function
    def patch_look(question: Any) -> dict[str, Any]:
        """Answer with one point of the curve: the width of the patch at `t`, and how much each width explains."""
        names = [name for name in checkpoints if not is_ideal(name)]
        if not names:
            raise ConfigError("there is no checkpoint; train one with `ddpm-demo train`")
        path = checkpoints[names[0]]
        loaded = load_placed(path)
        t = whole("t", named_values(question, "t").get("t"), 0, len(loaded.schedule) - 1)
        look = _look(path, file_stamp(path), t)
        return {
            "checkpoint": names[0],
            "t": t,
            "width": look.width,
            "share": look.by_width[look.width],
            "whole": look.whole,
            "tried": list(look.by_width),
            "field": receptive_field(*loaded.denoiser.config.kernels_and_dilations)[-1],
            "digits": LOOKED_AT,
            "taught": TAUGHT,
        }

    return patch_look


@lru_cache(maxsize=100)
def _look(path: Path, stamp: tuple[int, int], t: int) -> Look:
    loaded = load_placed(path)
    return NETWORK.turn(lambda: look_at(loaded.model, loaded.schedule, t, device=loaded.placement.device))
