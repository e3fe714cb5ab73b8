"""Arrays in, picture files out: digits as PNG and GIF by Pillow, curves as PNG by Matplotlib. No torch here."""

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Okabe & Ito's palette, told apart by colour-blind eyes, on white and near-black; `ui/static/palette.js` has it, too
BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#888888"
# ten classes: Okabe & Ito's seven, violet, grey and brown, and each class also named where the mouse points
CLASS_COLOURS = (BLUE, ORANGE, GREEN, PINK, "#E69F00", "#56B4E9", "#B8A800", "#9467BD", GREY, "#A86B4E")

BLACK_AGAIN = 16  # of a film's palette: its 16 grey levels, and black once more

Images = NDArray[np.uint8]


def tile(images: Images, *, gap: int = 2, scale: int = 1, columns: int | None = None) -> Images:
    """Lay images (N, H, W) out on black, `gap` pixels apart, each pixel `scale` wide: near-square without `columns`."""
    count, height, width = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    grid = np.zeros((rows * (height + gap) + gap, columns * (width + gap) + gap), dtype=np.uint8)
    for i, image in enumerate(images):
        top, left = gap + i // columns * (height + gap), gap + i % columns * (width + gap)
        grid[top : top + height, left : left + width] = image
    return grid.repeat(scale, axis=0).repeat(scale, axis=1)


def grid_png(images: Images, *, scale: int = 3, columns: int | None = None) -> bytes:
    """Return the grid of images (N, H, W) as a PNG file, near-square without `columns`."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(tile(images, scale=scale, columns=columns)).save(buffer, format="PNG")
    return buffer.getvalue()


def film_gif(frames: Sequence[Images], *, seconds: float = 4.0, scale: int = 2, limit: int | None = None) -> bytes:
    """Return frames, each (N, H, W), as a looping GIF of about `seconds` that rests on the last.

    Every frame is kept, equal ones too, and shown for `frame_time`, so that counting frames counts steps.
    Sixteen grey levels: noise does not compress, and 16 levels take a quarter of the space of 256. With a `limit` in
    bytes, a frame that would take more than its even share is drawn in 8 or 4 of them: those are the noisy ones,
    where nobody sees it.
    """
    share = None if limit is None else limit / len(frames)
    pictures: list[Any] = []
    for frame in frames:
        grid = tile(frame, scale=scale)
        for levels in (16, 8, 4):
            picture = _grey_picture(grid, levels)
            if share is None or len(_gif([picture])) <= share:
                break
        if pictures and pictures[-1].tobytes() == picture.tobytes():
            # Pillow merges a frame with an equal one before it; black has two numbers here, and nobody sees which
            picture.putpixel((0, 0), BLACK_AGAIN)
        pictures.append(picture)
    each = frame_time(len(pictures), seconds)
    return _gif(pictures, [each] * (len(pictures) - 1) + [1500])


def frame_time(count: int, seconds: float = 4.0) -> int:
    """Return for how many milliseconds each of so many frames of a GIF is shown: GIF counts in hundredths of a second.

    At least 20: browsers play anything quicker far too slowly.
    """
    return max(20, 10 * int(100 * seconds / count + 0.5))


def _grey_picture(grid: Images, levels: int) -> Any:
    """Return a picture in so many of the 16 grey levels, from black to white."""
    from PIL import Image

    steps = (grid.astype(np.uint16) * levels // 256) * 15 // (levels - 1)
    picture = Image.fromarray(steps.astype(np.uint8))
    picture.putpalette([level for grey in range(16) for level in (grey * 17,) * 3] + [0, 0, 0])
    return picture


def _gif(pictures: Sequence[Any], durations: Sequence[int] = (0,)) -> bytes:
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=list(durations),
        loop=0,
        optimize=False,
    )
    return buffer.getvalue()


def curves_png(curves: Mapping[str, Sequence[tuple[int, Mapping[str, float]]]], real: Mapping[str, float]) -> bytes:
    """Return quality against steps as a PNG file: a panel for each figure in `real`, a line for each sampler.

    `curves` maps a sampler's name to its points (steps, figures); what comes before the name's last comma decides the
    colour, what comes after it the dashes. What real digits get is the dotted grey line.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    figure = Figure(figsize=(11, 6.5), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True)
    colours = dict(zip(dict.fromkeys(name.rpartition(", ")[0] for name in curves), CLASS_COLOURS, strict=False))
    dashes = dict(zip(dict.fromkeys(name.rpartition(", ")[2] for name in curves), ("--", "-", "-."), strict=False))
    counts = sorted({step for points in curves.values() for step, _ in points})
    for axes, (key, floor) in zip(panels.flat, real.items(), strict=False):
        for name, points in curves.items():
            family, _, clip = name.rpartition(", ")
            steps, values = [step for step, _ in points], [figures[key] for _, figures in points]
            axes.plot(steps, values, dashes[clip], marker="o", markersize=3, color=colours[family], label=name)
        axes.axhline(floor, color=GREY, linestyle=":", label="real test digits")
        axes.set_title(key.replace("_", " "))
        axes.set_xscale("log")
        axes.set_xticks(counts, [str(count) for count in counts])
        axes.set_xticks([], minor=True)
        axes.set_xlabel("steps")
        if key == "frechet":
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))  # a label at every tick would write over others
            axes.yaxis.set_major_formatter("{x:g}")
            axes.set_yticks([], minor=True)
        else:
            axes.set_ylim(0, 1)
    panels.flat[-1].axis("off")
    panels.flat[-1].legend(*panels.flat[0].get_legend_handles_labels(), loc="center", frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    return buffer.getvalue()
