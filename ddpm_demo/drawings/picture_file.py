"""A picture file from outside, made grey: which formats are read, how large they may be, what depth and alpha mean."""

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ddpm_demo.core.config import DemoError

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES = 5_000_000
MAX_PIXELS = 25_000_000
WORK_SIZE = 640  # larger pictures are first brought down to this; a digit needs no more
# Pillow knows forty more, and hands EPS to another program that runs for as long as the file likes.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
MAX_SCANS = 100  # of a progressive JPEG, each of which costs a walk over all pixels; cameras write ten
START_OF_SCAN = b"\xff\xda"
OPAQUE = 128  # alpha, of 255


class DrawingError(DemoError):
    """A picture cannot be used as a digit; the message says why."""


def read_grey(content: bytes) -> NDArray[np.float32]:
    """Return a picture file's first picture upright and grey: float32 (H, W), 0 black to 255, longer side <= 640.

    The content decides what is read, never a name. Raises DrawingError when the file is too large, has too many
    pixels, or is none of `FORMATS`.
    """
    from PIL import Image, ImageOps

    if len(content) > MAX_BYTES:
        raise DrawingError(
            "the picture is {size:.1f} MB; the limit is {most} MB", size=len(content) / 1e6, most=MAX_BYTES // 1_000_000
        )
    unreadable = DrawingError("this file cannot be read as a picture: use a PNG, JPEG, WebP, GIF or BMP")
    try:
        # Opening reads headers alone; for a GIF they include the first frame's, which may be larger than the screen's.
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DrawingError(
            "the picture has over {most} million pixels, which is the limit", most=MAX_PIXELS // 10**6
        ) from None
    except Exception:  # a damaged header raises whatever its bytes lead Pillow to
        raise unreadable from None
    with picture:
        width, height = picture.size
        if width * height > MAX_PIXELS:  # known before anything is unpacked
            raise DrawingError(
                "the picture has {width} x {height} pixels; the limit is {most} million",
                width=width,
                height=height,
                most=MAX_PIXELS // 10**6,
            )
        if picture.format in ("JPEG", "MPO") and content.count(START_OF_SCAN) > MAX_SCANS:
            raise unreadable
        try:
            picture.draft(None, (WORK_SIZE, WORK_SIZE))  # a JPEG can be unpacked at an eighth of its size
            return grey_of(ImageOps.exif_transpose(picture))
        except Exception:
            raise unreadable from None


def grey_png(grey: NDArray[np.float32]) -> bytes:
    """Return a grey picture (H, W), 0 to 255, as a PNG file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.round(grey).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def grey_of(picture: "Image.Image") -> NDArray[np.float32]:
    """Return a picture of any mode as grey: float32 (H, W), 0 black to 255, its longer side at most 640.

    What is deeper than 8 bits is scaled by its own range, and what is transparent takes the place of paper.
    """
    from PIL import Image

    if picture.mode.startswith("I") or picture.mode == "F":
        picture = Image.fromarray(spread(np.asarray(picture).astype(np.float32)))
    elif picture.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in picture.info:
        picture = Image.fromarray(without_alpha(shrunk(picture.convert("RGBA"))))
    return np.asarray(shrunk(picture.convert("F")), dtype=np.float32)


def shrunk(picture: "Image.Image") -> "Image.Image":
    """Return the picture with its longer side at most 640 pixels."""
    picture.thumbnail((WORK_SIZE, WORK_SIZE))
    return picture


def spread(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values (H, W) of any depth on the scale of their own range, 0 to 255, single outliers left aside."""
    values = np.nan_to_num(values)
    low, high = np.quantile(values, [1e-4, 1 - 1e-4])
    scaled: NDArray[np.float32] = np.clip((values - low) * np.float32(255 / max(high - low, 1e-9)), 0, 255)
    return scaled


def without_alpha(picture: "Image.Image") -> NDArray[np.float32]:
    """Return an RGBA picture on paper: float32 (H, W), 0 black to 255.

    A drawing on a transparent ground is its alpha, whatever the colour of its ink; what is cut out of a picture of
    its own, paper and ink, stands on more of its own paper.
    """
    grey, alpha = (np.asarray(channel, dtype=np.float32) for channel in (picture.convert("L"), picture.getchannel("A")))
    seen = alpha >= OPAQUE
    if not seen.any():
        return np.full_like(alpha, 255) - alpha  # at most a breath of ink
    rows, columns = np.nonzero(seen.any(axis=1))[0], np.nonzero(seen.any(axis=0))[0]
    filled = seen[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean()
    dark, paper, light = np.quantile(grey[seen], [0.05, 0.5, 0.95])
    if filled < 0.6 or (light - dark < 64 and not seen.all()):
        return 255 - alpha
    return np.asarray(grey * (alpha / 255) + paper * (1 - alpha / 255), dtype=np.float32)
