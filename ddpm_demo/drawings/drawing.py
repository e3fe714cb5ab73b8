"""A drawing or a photograph of one digit, made into 28x28 pixels the way MNIST's own were."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ddpm_demo.drawings.digit_finding import (
    MUCH_INK,
    InkRegion,
    find_digit,
    lightness,
    local_ink,
    pixels_of,
    plain_ink,
)
from ddpm_demo.drawings.picture_file import DrawingError, read_grey

Box = tuple[float, float, float, float]
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)

FAINTEST = 24 / 255  # of the paper's light, by which ink must differ from it
BOX, SIZE = 20, 28  # LeCun et al. 1998: scaled into 20x20, then placed by its centre of mass in 28x28
THINNEST = 0.075  # of a digit's longer side: MNIST's strokes are two to three of 20 pixels wide
UNSURE = 0.08  # this near to a half, how light the paper is remains a guess
MOSTLY_INK = 0.7  # of a box that is no narrow 1


@dataclass(frozen=True)
class Drawing:
    """What was read of a picture: the digit uint8 (28, 28), and where and how.

    `box` is left, top, right, bottom in shares of the picture's width and height; `threshold`, 0 to 1, is how much of
    the paper's light must be missing for ink. `question` is empty where the digit was surely read, else a sentence.
    """

    digit: NDArray[np.uint8]
    box: Box
    threshold: float
    question: str


def digit_from_picture(content: bytes) -> NDArray[np.uint8]:
    """Return the digit in a picture file (PNG, JPEG, ...): uint8 (28, 28), 0 paper to 255 ink.

    Raises DrawingError when the file is too large, is not a picture, shows nothing, or leaves a question.
    """
    drawing = read_drawing(read_grey(content))
    if drawing.question:
        raise DrawingError(drawing.question)
    return drawing.digit


def sign_from_picture(content: bytes) -> NDArray[np.uint8]:
    """Return the sign in a picture file as `digit_from_picture` does its digit: uint8 (28, 28).

    On exact white or black all ink is the sign, however it hangs together: a smile is a ring round three pieces, which
    would be a frame and too many things for a digit, and a heart may be filled. Raises DrawingError as that does.
    """
    grey = read_grey(content)
    ink = plain_ink(grey)
    if ink is None:  # a photograph: what lies beside the sign must be told apart from it
        drawing = read_drawing(grey)
        if drawing.question:
            raise DrawingError(drawing.question)
        return drawing.digit
    return read_ink(ink, WHOLE, None, may_touch_edge=True).digit


def read_drawing(grey: NDArray[np.float32], *, box: Box | None = None, threshold: float | None = None) -> Drawing:
    """Find the one digit in a grey picture (H, W), 0 to 255, or read what lies in a given box at a given threshold.

    Dark ink on light paper and the reverse are both understood. Raises DrawingError when nothing stands out.
    """
    first, fault = None, None
    for ink, may_touch_edge, likely in inks_of(grey):
        try:
            drawing = read_ink(ink, box, threshold, may_touch_edge=may_touch_edge)
        except DrawingError as error:
            fault = fault or error
            continue
        if not likely and not (first and outdone(first, drawing)):
            continue
        if not drawing.question:
            return drawing
        first = first or drawing
    if first is None:
        raise fault or DrawingError("nothing stands out in this picture")
    return first


def inks_of(grey: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.float32], bool, bool]]:
    """Yield what may be the ink of a picture, the likeliest first, whether it may touch the edge, and is likely."""
    flat, light = plain_ink(grey), lightness(grey)
    on_white = grey[0, 0] > 128  # a photograph's paper may be all white too, with lines on it
    if flat is not None and not on_white:
        yield flat, True, True
    dark_ink = light > 0.5 - UNSURE  # dark ink on light paper is tried first where that is a guess
    yield local_ink(grey, dark_ink=dark_ink), False, True
    if flat is not None and on_white:
        yield flat, True, True
    yield local_ink(grey, dark_ink=not dark_ink), False, abs(light - 0.5) < UNSURE


def outdone(first: Drawing, drawing: Drawing) -> bool:
    """Return whether the first seems to be the sheet, and the digit to lie in it."""
    inside = all((a - b) * sign > 0 for a, b, sign in zip(drawing.box, first.box, (1, 1, -1, -1), strict=True))
    return inside and first.question == MUCH_INK


def read_ink(ink: NDArray[np.float32], box: Box | None, threshold: float | None, *, may_touch_edge: bool) -> Drawing:
    """Return the digit that is found in ink (H, W), 0 to 1, or that a given box and threshold leave of it."""
    level = ink_threshold(ink) if threshold is None else threshold
    found = find_digit(ink, level, may_touch_edge=may_touch_edge) if box is None else inside(ink, level, box)
    return drawing_of(found, ink, level)


def ink_threshold(ink: NDArray[np.float32]) -> float:
    """Return how dark ink must be, 0 to 1: between paper and the darkest there is; raise DrawingError if neither."""
    peak = float(np.quantile(ink, 0.995)) if ink.size > 10_000 else float(ink.max())
    if peak < FAINTEST:
        peak = float(ink.max())
    noise = float(np.median(ink))
    if peak < max(FAINTEST, 2 * noise):
        raise DrawingError("nothing stands out in this picture: draw or upload one dark digit on light paper")
    return float(np.clip(0.42 * peak, 1.5 * noise, 0.9 * peak))


def inside(ink: NDArray[np.float32], threshold: float, box: Box) -> InkRegion:
    """Return all ink in a box that a student placed."""
    rows, columns = pixels_of(box, ink.shape)
    mask = np.zeros(ink.shape, bool)
    mask[rows, columns] = ink[rows, columns] > threshold
    if not mask.any():
        raise DrawingError("there is no ink in this box: move it, or lower the threshold")
    return InkRegion(mask, "", rows, columns)


def drawing_of(found: InkRegion, ink: NDArray[np.float32], threshold: float) -> Drawing:
    """Return what was found as a digit, with its place in the picture and what speaks against it."""
    from scipy import ndimage

    height, width = ink.shape
    rows, columns = found.rows, found.columns
    box = (columns.start / width, rows.start / height, columns.stop / width, rows.stop / height)
    rows, columns = round_ink(found.mask)
    mask = found.mask[rows, columns]
    edge = ndimage.binary_dilation(mask, np.ones((3, 3)))
    part = np.where(edge, ink[rows, columns], 0)
    dark = float(np.quantile(part[mask], 0.8))
    part = np.clip((part - 0.5 * threshold) / max(dark - 0.5 * threshold, 1e-6), 0, 1)
    return Drawing(digit_from_ink(widened(part, mask)), box, threshold, found.question or question_of(mask))


def question_of(mask: NDArray[np.bool_]) -> str:
    """Return what to ask about the ink found, (h, w) with nothing round it: empty where it may be a digit."""
    if mask.mean() > MOSTLY_INK and min(mask.shape) > 0.4 * max(mask.shape) and mask.size > 100:
        return MUCH_INK
    return ""


def round_ink(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the rows and columns that hold all of a mask (H, W)."""
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def widened(ink: NDArray[np.float64], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return ink (h, w) with strokes too fine for 20 pixels made as wide as MNIST's finest."""
    from scipy import ndimage

    inside = ndimage.distance_transform_edt(np.pad(mask, 1))
    wide = 4 * float(inside[inside > 0].mean()) - 1  # a stroke w wide lies w / 4 inside itself on average
    missing = round(THINNEST * max(mask.shape) - wide)
    if missing < 1:
        return ink
    padded = np.pad(ink, missing)
    grown: NDArray[np.float64] = ndimage.grey_dilation(padded, size=(missing + 1, missing + 1))
    return grown


def digit_from_ink(ink: NDArray[np.floating]) -> NDArray[np.uint8]:
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
