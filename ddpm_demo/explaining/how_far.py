"""How far a network really looks: the patch whose perfect answer explains the network's own best.

Not what a pixel can see, which is the receptive field, but what it makes use of (Kamb & Ganguli 2025, section 5, fit
the scale of their patches to a network in the same way). docs/ideal.md has the same with more digits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ddpm_demo.core.sampling import EpsModel
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.networks.ideal import IdealDenoiser, PatchDenoiser
from ddpm_demo.store.mnist import load_mnist, to_x0

WIDTHS = (1, 3, 5, 7, 9, 11, 15, 19, 27)  # of the patches that are tried, in pixels
TAUGHT = 2000  # training digits that patches are compared with
LOOKED_AT = 8  # test digits


@dataclass(frozen=True)
class Look:
    """What explains a network's x0_hat at t: shares of its variance over the pixels, the median of some digits.

    `by_width` holds the share that the perfect answer by patches explains, `whole` that of the whole picture.
    """

    t: int
    by_width: Mapping[int, float]
    whole: float

    @property
    def width(self) -> int:
        """The width of the patch that explains most."""
        return max(self.by_width, key=lambda width: self.by_width[width])


def explained(answer: Tensor, other: Tensor) -> Tensor:
    """Return the share of the variance of pictures (B, 1, H, W) that others explain, each of its own: float64 (B,)."""
    answer, other = answer.flatten(1).double(), other.flatten(1).double()
    spread = (answer - answer.mean(dim=1, keepdim=True)).square().sum(dim=1)
    return 1 - (answer - other).square().sum(dim=1) / spread


@torch.no_grad()
def look_at(
    model: EpsModel,
    schedule: Schedule,
    t: int,
    *,
    widths: Sequence[int] = WIDTHS,
    taught: int = TAUGHT,
    digits: int = LOOKED_AT,
    device: torch.device | None = None,
) -> Look:
    """Compare a network's x0_hat of noisy test digits at t with the perfect ones of the first `taught` digits."""
    device = device or torch.device("cpu")
    pictures = load_mnist(train=True)[0][:taught].to(device)
    x0 = to_x0(load_mnist(train=False)[0][:digits]).to(device)
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(t)).to(device)
    x_t, steps = schedule.add_noise(x0, t, eps), torch.full((len(x0),), t, device=device)
    answer = schedule.predict_x0(x_t, t, model(x_t, steps))
    patches = PatchDenoiser(pictures, schedule, 1).expected_x0_by_width(x_t, steps, list(widths))
    whole = IdealDenoiser(pictures, schedule).expected_x0(x_t, steps)
    shares = {width: _median(explained(answer, patch)) for width, patch in zip(widths, patches, strict=True)}
    return Look(t, shares, _median(explained(answer, whole)))


def _median(values: Tensor) -> float:
    return float(values.quantile(0.5))
