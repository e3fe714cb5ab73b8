"""The best denoiser that sees a patch and not where it is: as a convolutional network, but for what zero padding tells.

A convolution does the same at every place: what it has learned of a stroke in one corner of the training pictures it
knows everywhere. So a patch is compared with those of all places: the equivariant local score machine of Kamb & Ganguli
2025, section 3. Zero padding breaks that at the border: a pixel whose patch reaches over it sees by how much, and is
compared only with places that see the same of the border (their boundary-broken machine).
"""

from itertools import product

import torch
from torch import Tensor

from ddpm_demo.networks.ideal import PatchDenoiser, WeightedMean

NUMBERS_AT_ONCE = 1_000_000  # logits that are computed at once: they stay in the processor's cache
Span = tuple[int, int]  # rows or columns, from the first to past the last, that see as much of the border


class AnywherePatchDenoiser(PatchDenoiser):
    """The expected noise of every pixel, given only the patch of x_t around it, which may come from any place.

    Of every training picture those places count that lie as far from the border, as far as the patch reaches. So a
    patch that reaches over all borders from everywhere knows its place, and this is `PatchDenoiser`. There are hundreds
    of times as many patches to compare: for few pictures only.
    """

    @torch.no_grad()
    def expected_x0_by_width(self, x_t: Tensor, t: Tensor, widths: list[int] | None) -> Tensor:
        """Return x0_hat (K, B, 1, H, W) for each of several widths of the patch; None for the denoiser's own."""
        answers = super().expected_x0_by_width(x_t, t, widths)  # right in the corners, where a patch knows its place
        height, width = x_t.shape[-2:]
        for now in t.unique().tolist():
            which = t.to(x_t.device) == now
            x, alpha_bar = x_t[which, 0].to(self.dtype), self.schedule.alpha_bar_at(now)
            for k, size in enumerate(widths or [self.width_at(now)]):
                reach = size // 2
                for rows, cols in product(spans(height, reach), spans(width, reach)):
                    if (rows[1] - rows[0]) * (cols[1] - cols[0]) > 1:
                        found = self._expected_at(x, alpha_bar, rows, cols, reach)
                        answers[k, which, 0, rows[0] : rows[1], cols[0] : cols[1]] = found
        return answers

    def _expected_at(self, x: Tensor, alpha_bar: float, rows: Span, cols: Span, reach: int) -> Tensor:
        """Return x0_hat (B, rows, cols) of x (B, H, W) where patches are compared with one another's places."""
        pictures = self.pictures.to(x.device)
        asked = patches(x, rows, cols, reach)  # (Q, pixels)
        known = patches(pictures, rows, cols, reach)  # (M, pixels), uint8
        middle = pictures[:, rows[0] : rows[1], cols[0] : cols[1]].flatten()  # (M,)
        inked = (known > 0).any(dim=1)
        black = len(inked) - int(inked.sum())  # most patches are equal, and counted at once
        known, middle = known[inked], middle[inked]
        count = torch.ones(len(known), dtype=self.dtype, device=x.device)
        if black:
            known = torch.cat([known, known.new_zeros(1, known.shape[1])])
            middle, count = torch.cat([middle, middle.new_zeros(1)]), torch.cat([count, count.new_full((1,), black)])
        # -|x - a c|^2 / 2 v = (a x . c - a^2 |c|^2 / 2) / v + constant, with c = u / 127.5 - 1, v = 1 - alpha_bar
        asked = asked * (alpha_bar**0.5 / (1 - alpha_bar) / 127.5)
        rate, mean = alpha_bar / (2 * (1 - alpha_bar)), WeightedMean()
        at_once = max(1, NUMBERS_AT_ONCE // len(asked))
        for some, levels, many in zip(known.split(at_once), middle.split(at_once), count.split(at_once), strict=True):
            pixels = some.to(self.dtype)  # (n, pixels)
            offset = many.log() - rate * (pixels / 127.5 - 1).square().sum(dim=1)
            weights = mean.weigh(torch.addmm(offset, asked, pixels.T))  # (Q, n)
            mean.add(weights @ levels.to(self.dtype)[:, None])
        return (mean.mean / 127.5 - 1).view(len(x), rows[1] - rows[0], cols[1] - cols[0])


def spans(size: int, reach: int) -> list[Span]:
    """Divide a line of `size` pixels by what a patch that reaches so far sees of the border at both ends."""
    free = [(reach, size - reach)] if size > 2 * reach else []
    first, past = free[0] if free else (size, size)
    return [*((k, k + 1) for k in range(first)), *free, *((k, k + 1) for k in range(past, size))]


def patches(pictures: Tensor, rows: Span, cols: Span, reach: int) -> Tensor:
    """Cut the patch around each pixel of some rows and columns, as far as there is one: (N rows cols, pixels).

    Pictures are (N, H, W); all of these pixels see the same of the border.
    """
    for dim, (first, past) in ((1, rows), (2, cols)):
        begin, end = max(0, first - reach), min(pictures.shape[dim], past + reach)
        pictures = pictures.narrow(dim, begin, end - begin).unfold(dim, end - begin - (past - first) + 1, 1)
    return pictures.flatten(0, 2).flatten(1)
