"""Where in a picture the digit is: ink against the paper round it, without table, lines, frames and specks."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ddpm_demo.drawings.picture_file import DrawingError
from ddpm_demo.words.sentence import say

REACH = 0.27  # of the shorter side: wider than any stroke, narrower than a shadow
THICKEST_LINE = 8  # pixels: lines of the paper and of frames are finer, or the pen is no wider than they are
SPECK = 0.04  # of the digit's area
SMALLEST = 0.08  # of a photograph's shorter side: what is less may be anything
FRAME_SIDE, FRAME_STROKE = 0.55, 0.035  # what is wider and higher than this share of it and as fine is a printed box
MUCH, SHEET = 0.14, 0.35  # of a photograph inked, and in the box round it: a sheet on a table or a shadow, not a digit
WIDEST = 0.9  # of a photograph's width or height: lines of the paper
MUCH_INK = say("what was found is mostly ink: is it a digit? Move the box round the digit, or drag the threshold")
PLAIN = 0.5  # of a picture's pixels that have the very same grey: a drawing, not a photograph


@dataclass(frozen=True)
class InkRegion:
    """The pixels that are the digit (H, W), what is doubtful about them, and the rows and columns round them."""

    mask: NDArray[np.bool_]
    question: str
    rows: slice
    columns: slice


@dataclass(frozen=True)
class Piece:
    """A connected piece of ink: its number among the labels, bounds, area, half width and whether it meets the edge."""

    label: int
    bounds: tuple[slice, slice]
    area: int
    half_width: float
    on_edge: bool


def plain_ink(grey: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return the ink (H, W), 0 to 1, of a picture drawn on exact black or white, or None if this is a photograph."""
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ground = np.median(edge)
    if 2 < ground < 253 or np.mean(np.abs(grey - ground) < 0.5) < PLAIN:
        return None
    return np.asarray(np.abs(grey - ground) / max(ground, 255 - ground), dtype=np.float32)


def local_ink(grey: NDArray[np.float32], *, dark_ink: bool) -> NDArray[np.float32]:
    """Return how much of the paper's light is missing at every pixel (H, W), 0 to 1; of the negative, for light ink.

    Paper is what a closing leaves, so that a shadow and a table, both wider than any stroke, are their own paper.
    """
    from scipy import ndimage

    smooth, highest, lowest = surroundings(grey)
    if not dark_ink:
        smooth, highest = 255 - smooth, 255 - lowest
    paper = ndimage.minimum_filter(highest, reach_of(grey))
    return np.asarray((paper - smooth) / np.maximum(paper, 30), dtype=np.float32)


def lightness(grey: NDArray[np.float32]) -> float:
    """Return how light the paper is between the lightest and the darkest round it, 0 to 1; ink is the lesser part."""
    smooth, highest, lowest = surroundings(grey)
    contrast = highest - lowest
    strong = contrast >= 0.5 * contrast.max()
    return float(np.mean((smooth - lowest)[strong]) / max(float(np.mean(contrast[strong])), 1e-6))


def surroundings(grey: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return a picture without its grain, and the lightest and the darkest round every pixel, all (H, W)."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(grey, 0.5 + min(grain(grey), 20) / 10, mode="nearest", truncate=3)
    reach = reach_of(grey)
    return smooth, ndimage.maximum_filter(smooth, reach), ndimage.minimum_filter(smooth, reach)


def reach_of(grey: NDArray[np.float32]) -> int:
    """Return how many pixels wide the surroundings of a pixel are, an odd number."""
    shorter: int = min(grey.shape)
    return max(3, round(REACH * shorter)) // 2 * 2 + 1


def grain(grey: NDArray[np.float32]) -> float:
    """Return the standard deviation of the noise in grey levels, from what no straight edge makes (Immerkaer 1996)."""
    if min(grey.shape) < 3:
        return 0.0
    across = grey[:-2] - 2 * grey[1:-1] + grey[2:]
    both = across[:, :-2] - 2 * across[:, 1:-1] + across[:, 2:]
    shown = grey[1:-1, 1:-1] < 250  # paper that is white all over hides its noise
    return float(np.median(np.abs(both[shown])) / (6 * 0.6745)) if shown.any() else 0.0


def find_digit(ink: NDArray[np.float32], threshold: float, *, may_touch_edge: bool) -> InkRegion:
    """Return the digit among all that is inked. Raises DrawingError when all of it runs off the edge.

    Ink is opened by wider and wider squares. As long as lines of the paper join the digit to the edge, little is
    left beside what touches the edge; once they are gone the digit stands alone; and later it wears away itself.
    """
    mask = ink > threshold
    depth = chessboard(mask)
    tries = []
    for thin in range(THICKEST_LINE + 1):
        kernel = depth > thin
        if not kernel.any():
            break
        opened = chessboard(~kernel) <= thin
        labels, pieces = pieces_of(opened, depth, may_touch_edge=may_touch_edge)
        if pieces:
            tries.append((labels, pieces))
        largest, all_ink = (weight(pieces) if pieces else 0), np.count_nonzero(opened)
        if largest >= 0.75 * all_ink:  # nothing that comes later can be much more
            break
    if not tries:
        raise DrawingError(
            "what stands out runs off the edge of the picture: draw or upload one whole digit with paper all round it"
        )
    most = max(weight(pieces) for _, pieces in tries)
    labels, pieces = next(one for one in tries if weight(one[1]) >= 0.75 * most)
    found = digit_among(labels, pieces)
    sides = [s.stop - s.start for s in (found.rows, found.columns)]
    if may_touch_edge or found.question:
        return found
    if max(side / length for side, length in zip(sides, ink.shape, strict=True)) > WIDEST or (
        found.mask.mean() > MUCH and sides[0] * sides[1] > SHEET * ink.size
    ):
        return replace(found, question=MUCH_INK)
    if max(sides) < SMALLEST * min(ink.shape):
        return replace(
            found, question=say("only a speck was found: move the box round the digit, or drag the threshold")
        )
    stroke = 2 * float(np.quantile(depth[found.mask], 0.9))
    if min(sides) > FRAME_SIDE * min(ink.shape) and stroke < FRAME_STROKE * max(sides):
        return replace(found, question=say("only a frame of fine lines was found: move the box round the digit"))
    return found


def chessboard(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return how many steps of a king in chess each pixel of a mask (H, W) is away from what is not in it."""
    from scipy import ndimage

    return np.asarray(ndimage.distance_transform_cdt(mask, "chessboard"), dtype=np.int32)


def weight(pieces: list[Piece]) -> float:
    """Return how much of a digit some pieces of ink may be: the area of the largest."""
    return max(piece.area for piece in pieces)


def pieces_of(
    mask: NDArray[np.bool_], depth: NDArray[np.int32], *, may_touch_edge: bool
) -> tuple[NDArray[np.int32], list[Piece]]:
    """Return the labels (H, W) of a mask's pieces, and those that neither run off the edge nor frame others."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, np.ones((3, 3)))
    if count == 0:
        return labels, []
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    pieces = []
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        if areas[number] < 6 and count > 1:
            continue
        own = labels[place] == number
        on_edge = any(s.start <= 1 or s.stop >= length - 1 for s, length in zip(place, mask.shape, strict=True))
        if may_touch_edge or not on_edge:
            half = float(np.quantile(depth[place][own], 0.9))
            pieces.append(Piece(number, place, int(areas[number]), half, on_edge))
    pieces.sort(key=lambda piece: -piece.area)
    return labels, [piece for piece in pieces[:40] if not frames(piece, pieces, labels)]


def frames(piece: Piece, pieces: list[Piece], labels: NDArray[np.int32]) -> bool:
    """Return whether a piece encloses another that is not a speck: a printed box, not a digit."""
    from scipy import ndimage

    around = [
        other
        for other in pieces
        if other is not piece
        and other.area > SPECK * piece.area
        and all(a.start < b.start and b.stop < a.stop for a, b in zip(piece.bounds, other.bounds, strict=True))
    ]
    if not around:
        return False
    own = labels[piece.bounds] == piece.label
    held = labels[piece.bounds][ndimage.binary_fill_holes(own) & ~own]
    return any(np.count_nonzero(held == other.label) > 0.9 * other.area for other in around)


def digit_among(labels: NDArray[np.int32], pieces: list[Piece]) -> InkRegion:
    """Return the main piece with those that belong to it, and a question when others are as good."""
    main = max(pieces, key=lambda piece: piece.area * min(piece.half_width, 4.0))
    kept, question = [main], ""
    reach = 0.3 * max(s.stop - s.start for s in main.bounds)
    for piece in pieces:
        if piece is main or piece.area < SPECK * main.area or piece.half_width < 0.45 * main.half_width:
            continue
        if gap(main, piece) < reach:
            kept.append(piece)
        elif piece.area > 0.25 * main.area:
            question = say("there is more than one thing here: move the box round the digit you mean")
    mask = np.isin(labels, [piece.label for piece in kept])
    rows, columns = (slice(min(p.bounds[i].start for p in kept), max(p.bounds[i].stop for p in kept)) for i in (0, 1))
    if len(kept) > 3:
        question = say("this is in many pieces: is it one digit? Move the box round it, or drag the threshold")
    return InkRegion(mask, question, rows, columns)


def gap(one: Piece, other: Piece) -> float:
    """Return the distance between two pieces' boxes in pixels."""
    apart = [max(a.start - b.stop, b.start - a.stop, 0) for a, b in zip(one.bounds, other.bounds, strict=True)]
    return float(np.hypot(*apart))


def pixels_of(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the rows and columns of a box given in shares of the picture, at least a pixel each."""
    height, width = shape
    left, top, right, bottom = box
    begin, end = min(int(top * height), height - 1), min(int(left * width), width - 1)
    return slice(begin, max(round(bottom * height), begin + 1)), slice(end, max(round(right * width), end + 1))
