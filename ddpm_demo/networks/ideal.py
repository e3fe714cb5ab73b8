"""The best denoisers there can be for a set of pictures, known without training: the whole picture's and the patch's.

The expected noise, which is what a network is trained to answer, is an average over the training pictures. A network
that reached the lowest possible training loss would answer exactly this, and draw nothing but copies. One that sees a
patch alone averages patches, and its pictures are mosaics (Kamb & Ganguli 2025, "An analytic theory of creativity in
convolutional diffusion models"). Both answer like any network, as `core.sampling.EpsModel`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.schedule import Schedule

PICTURES_AT_ONCE = 1000  # pictures compared at once: they and their results stay in the processor's cache
LEAST_LOGIT = -60.0  # e^-60 of the heaviest weight adds nothing, and smaller numbers would be slow: they are denormal


class WeightedMean:
    """A mean weighted by softmax(logits), gathered a chunk at a time (Milakov & Gimelshein 2018, "Online softmax")."""

    def __init__(self) -> None:
        self._largest: Tensor | None = None  # (..., 1)
        self._total: Tensor | float = 0.0  # (..., 1)
        self._summed: Tensor | float = 0.0

    def weigh(self, logits: Tensor) -> Tensor:
        """Count a chunk's logits (..., n), which are overwritten, and return its weights, as large as all counts."""
        largest = logits.amax(dim=-1, keepdim=True)
        if self._largest is not None:
            largest = torch.maximum(largest, self._largest)
            before = (self._largest - largest).exp()
            self._total, self._summed = self._total * before, self._summed * before
        self._largest = largest
        weights = logits.sub_(largest).clamp_(min=LEAST_LOGIT).exp_()
        self._total = self._total + weights.sum(dim=-1, keepdim=True)
        return weights

    def add(self, summed: Tensor) -> None:
        """Add the chunk's values, summed by these weights."""
        self._summed = self._summed + summed

    @property
    def mean(self) -> Tensor:
        """The mean of everything that was added."""
        return torch.as_tensor(self._summed / self._total)


@dataclass(frozen=True)
class Heaviest:
    """The training pictures that make up an ideal answer: `index` int64 (B, k) and their `share` float64 (B, k)."""

    index: Tensor
    share: Tensor


class IdealDenoiser:
    """The expected noise given x_t, if clean pictures are exactly those of a set, all equally likely.

    x0_hat = sum_i w_i x_i, w = softmax_i(-|x_t - sqrt(alpha_bar) x_i|^2 / 2 (1 - alpha_bar)): Bayes' rule, with
    equation 4 of Ho et al. 2020 (Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative
    Models", appendix B.3, has it for their schedule). The pictures are kept as uint8; `dtype` is what is computed in.
    """

    def __init__(self, pictures: Tensor, schedule: Schedule, *, dtype: torch.dtype = torch.float32) -> None:
        """Take pictures uint8 (N, H, W), at least one; raise ConfigError for anything else."""
        self.pictures, self.schedule, self.dtype = checked_pictures(pictures), schedule, dtype
        clean = (pixels.flatten(1).double() / 127.5 - 1 for pixels in self.pictures.split(PICTURES_AT_ONCE))
        self._squares = torch.cat([x.square().sum(dim=1) for x in clean])  # (N,)

    def __call__(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return eps_hat (B, 1, H, W), in the dtype of x_t (B, 1, H, W), at timesteps t (B,)."""
        return self.schedule.predict_eps(x_t, t, self.expected_x0(x_t, t).to(x_t))

    @torch.no_grad()
    def expected_x0(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return x0_hat (B, 1, H, W), in the denoiser's own dtype."""
        mean = WeightedMean()
        for logits, pixels in self._logits(x_t, t):
            mean.add(mean.weigh(logits) @ pixels)
        return (mean.mean / 127.5 - 1).view(x_t.shape)

    @torch.no_grad()
    def weights(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return how much each picture weighs in each answer, float64 (B, N): every row sums to 1."""
        return torch.cat([logits for logits, _ in self._logits(x_t, t)], dim=1).double().softmax(dim=1)

    def heaviest(self, x_t: Tensor, t: Tensor, count: int) -> Heaviest:
        """Return the `count` pictures that weigh most in each answer, the heaviest first."""
        share, index = self.weights(x_t, t).topk(min(count, len(self.pictures)), dim=1)
        return Heaviest(index, share)

    def _logits(self, x_t: Tensor, t: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield chunks: logits (B, n), but for a constant that all pictures share, and their pixels (n, HW), 0 to 255.

        The pictures are x_i = u_i / 127.5 - 1; scaling the few x_t instead of them saves two passes over all pixels.
        """
        device = x_t.device
        alpha_bar = self.schedule.alpha_bar.to(device)[t.to(device)].unsqueeze(1)  # (B, 1)
        # -|x_t - a x_i|^2 / 2 v = (a x_t . x_i - a^2 |x_i|^2 / 2) / v + constant, v = 1 - alpha_bar, a^2 = alpha_bar
        noisy = (x_t.flatten(1).double() * alpha_bar.sqrt() / (1 - alpha_bar) / 127.5).to(self.dtype)  # (B, HW)
        rate = alpha_bar / (2 * (1 - alpha_bar))
        for levels, squares in zip(
            self.pictures.split(PICTURES_AT_ONCE), self._squares.split(PICTURES_AT_ONCE), strict=True
        ):
            pixels = levels.to(device).flatten(1).to(self.dtype)
            yield torch.addmm((-rate * squares.to(device)).to(self.dtype), noisy, pixels.T), pixels


class PatchDenoiser:
    """The expected noise of every pixel, given only the patch of x_t around it: each pixel has weights of its own.

    The patch is `width` x `width` pixels, compared with the same place of every training picture, and cut off at the
    border of the image; `width` may be a table by timestep, of which the nearest t counts. A patch that holds the whole
    image from every pixel (2 H - 1) makes this the ideal denoiser. This is the local, not equivariant, score machine of
    Kamb & Ganguli 2025, section 3.
    """

    def __init__(
        self,
        pictures: Tensor,
        schedule: Schedule,
        width: int | Mapping[int, int],
        *,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Take pictures uint8 (N, H, W) and an odd width, or several; raise ConfigError for anything else."""
        self.pictures, self.schedule, self.dtype = checked_pictures(pictures), schedule, dtype
        self.widths = {0: width} if isinstance(width, int) else dict(width)
        if not self.widths or any(one < 1 or one % 2 == 0 for one in self.widths.values()):
            raise ConfigError(f"a patch must be an odd number of pixels wide, got {width!r}")
        self._planes = self.pictures.permute(1, 2, 0).contiguous()  # (H, W, N): long rows for the processor

    def __call__(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return eps_hat (B, 1, H, W), in the dtype of x_t (B, 1, H, W), at timesteps t (B,)."""
        return self.schedule.predict_eps(x_t, t, self.expected_x0(x_t, t).to(x_t))

    def width_at(self, t: int) -> int:
        """Return the width of the patch at a timestep."""
        return self.widths[min(self.widths, key=lambda known: abs(known - t))]

    def expected_x0(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return x0_hat (B, 1, H, W), in the denoiser's own dtype."""
        return self.expected_x0_by_width(x_t, t, None)[0]

    @torch.no_grad()
    def expected_x0_by_width(self, x_t: Tensor, t: Tensor, widths: list[int] | None) -> Tensor:
        """Return x0_hat (K, B, 1, H, W) for each of several widths of the patch; None for the denoiser's own."""
        height, width = x_t.shape[-2:]
        means = [[WeightedMean() for _ in widths or [0]] for _ in t]
        boxes, signals = [], [self.schedule.alpha_bar_at(int(now)) for now in t]
        for now in t:
            sizes = widths or [self.width_at(int(now))]
            boxes.append(
                [
                    (band(height, size).to(x_t.device, self.dtype), band(width, size).to(x_t.device, self.dtype))
                    for size in sizes
                ]
            )
        x = x_t[:, 0, :, :, None].to(self.dtype)  # (B, H, W, 1)
        for levels in self._planes.split(PICTURES_AT_ONCE, dim=2):
            clean = levels.to(x_t.device).to(self.dtype).div_(127.5).sub_(1)  # (H, W, n)
            for b, alpha_bar in enumerate(signals):
                squares = (clean * alpha_bar**0.5).sub_(x[b]).square_()  # (H, W, n)
                for (down, along), mean in zip(boxes[b], means[b], strict=True):
                    # the sum over a square is a sum along rows of sums along columns
                    distance = along @ (down @ squares.flatten(1)).view_as(squares)  # (H, W, n)
                    weights = mean.weigh(distance.mul_(-0.5 / (1 - alpha_bar)))
                    mean.add(weights.mul_(clean).sum(dim=2, keepdim=True))
        answers = [torch.stack([mean.mean[None, :, :, 0] for mean in column]) for column in zip(*means, strict=True)]
        return torch.stack(answers)  # (K, B, 1, H, W)


def checked_pictures(pictures: Tensor) -> Tensor:
    """Return pictures uint8 (N, H, W); raise ConfigError if they are not."""
    if pictures.dtype != torch.uint8 or pictures.ndim != 3 or not len(pictures):
        raise ConfigError(f"at least one picture is needed, uint8 (N, H, W), got {tuple(pictures.shape)}")
    return pictures


def band(size: int, width: int) -> Tensor:
    """Return the matrix (size, size), float64, that sums `width` neighbours along a line, as many as there are."""
    index = torch.arange(size)
    return ((index[:, None] - index[None, :]).abs() <= width // 2).double()
