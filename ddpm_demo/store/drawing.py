"""A drawing or a photograph of one digit, made into 28x28 pixels the way MNIST's own were."""

import numpy as np
from numpy.typing import NDArray

from ddpm_demo.store.picture_file import DrawingError, read_grey

FAINTEST = 24  # grey levels, of 255, by which ink must differ from paper
BOX, SIZE = 20, 28  # LeCun et al. 1998: scaled into 20x20, then placed by its centre of mass in 28x28


def digit_from_picture(content: bytes) -> NDArray[np.uint8]:
    """Return the digit in a picture file (PNG, JPEG, ...): uint8 (28, 28), 0 paper to 255 ink.

    Dark ink on light paper and the reverse are both understood: whatever differs from the border is ink. Raises
    DrawingError when the file is too large, no picture, or shows nothing.
    """
    return digit_from_ink(ink_of(read_grey(content).astype(np.float64)))


def ink_of(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much ink lies at every pixel of a grey picture (H, W), 0 to 1, the border taken as paper.

    Raises DrawingError when nothing stands out.
    """
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    difference = np.abs(grey - np.median(border))
    peak = float(np.quantile(difference, 0.999)) if difference.size > 10_000 else float(difference.max())
    if peak < FAINTEST:
        raise DrawingError("nothing stands out in this picture: draw or upload one dark digit on light paper")
    floor = 0.25 * peak  # shadows and the grain of the paper
    ink: NDArray[np.float64] = np.clip((difference - floor) / (peak - floor), 0.0, 1.0)
    return ink


def digit_from_ink(ink: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Scale ink (H, W), 0 to 1, into a 20x20 box and place it by its centre of mass in 28x28: uint8 (28, 28)."""
    from PIL import Image

    rows, columns = np.nonzero(ink.max(axis=1) > 0.1)[0], np.nonzero(ink.max(axis=0) > 0.1)[0]
    if not len(rows) or not len(columns):
        raise DrawingError("nothing is drawn yet")
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape
    scale = BOX / max(height, width)
    shape = max(1, round(width * scale)), max(1, round(height * scale))  # PIL counts width first
    small = np.asarray(Image.fromarray(ink.astype(np.float32), mode="F").resize(shape, Image.Resampling.BOX))
    small = small / small.max()

    digit = np.zeros((SIZE, SIZE))
    top, left = (
        int(np.clip(round(SIZE / 2 - centre), 0, SIZE - length))  # MNIST counts pixel 14 as the middle
        for centre, length in zip(centre_of_mass(small), small.shape, strict=True)
    )
    digit[top : top + small.shape[0], left : left + small.shape[1]] = small
    return np.round(digit * 255).astype(np.uint8)


def centre_of_mass(ink: NDArray[np.floating]) -> tuple[float, float]:
    """Return the row and column of the centre of mass of ink (H, W)."""
    weight = ink.sum()
    return float(ink.sum(axis=1) @ np.arange(ink.shape[0]) / weight), float(
        ink.sum(axis=0) @ np.arange(ink.shape[1]) / weight
    )
