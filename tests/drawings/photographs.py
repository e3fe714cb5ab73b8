"""Pictures as students take them: a digit on paper that is shadowed, squared, framed, on a table, noisy and turned."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from ddpm_demo.store.mnist import load_mnist

SIZE = 300
KINDS = ("shadow", "table", "frame", "squared", "ruled", "pencil", "axes", "noise")


def arc(x, y, across, down, begin, end, points=14):
    turn = np.radians(np.linspace(begin, end, points))
    return [(x + across * np.cos(a), y + down * np.sin(a)) for a in turn]


# strokes in a box of 1 x 1, y down, as one learns to write them
STROKES = {
    0: [arc(0.5, 0.5, 0.32, 0.5, -90, 270, 30)],
    1: [[(0.36, 0.2), (0.54, 0), (0.54, 1)]],
    2: [[*arc(0.5, 0.29, 0.34, 0.29, -170, 40), (0.14, 1), (0.88, 1)]],
    3: [arc(0.45, 0.26, 0.33, 0.26, -150, 90) + arc(0.45, 0.75, 0.38, 0.25, -90, 150)],
    4: [[(0.3, 0), (0.12, 0.6), (0.88, 0.6)], [(0.68, 0.12), (0.66, 1)]],
    5: [[(0.84, 0), (0.3, 0), (0.24, 0.43), *arc(0.46, 0.69, 0.38, 0.31, -115, 150)]],
    6: [[(0.68, 0), (0.34, 0.4), *arc(0.48, 0.72, 0.3, 0.28, -170, 190, 24)]],
    7: [[(0.1, 0), (0.86, 0), (0.42, 1)]],
    8: [arc(0.5, 0.25, 0.27, 0.25, -90, 270, 24), arc(0.5, 0.74, 0.33, 0.26, -90, 270, 24)],
    9: [[*arc(0.5, 0.28, 0.29, 0.28, -10, -370, 24), (0.77, 0.4), (0.66, 1)]],
}


@dataclass(frozen=True)
class Photograph:
    """A picture uint8 (300, 300), the class drawn in it, and what makes it hard."""

    grey: np.ndarray
    digit: int
    kind: str
    clean: np.ndarray  # how much ink lies where, 0 to 1: what an eye sees of the digit


def photographs(count, *, seed):
    rng = np.random.default_rng(seed)
    digits, labels = (tensor.numpy() for tensor in load_mnist(train=False))
    for i in range(count):
        digit, kind = i % 10, KINDS[i // 10 % len(KINDS)]
        height = rng.uniform(110, 165)
        if (i + i // 10) % 2:
            drawn = blown_up(digits[rng.choice(np.nonzero(labels == digit)[0])], height * 1.4)
        else:
            drawn = strokes(digit, height, rng)
        yield photograph(drawn, digit, kind, rng)


def strokes(digit, height, rng):
    """A digit drawn with a pen, 0 to 1 (300, 300)."""
    wide, slant, pen = height * rng.uniform(0.6, 0.8), rng.uniform(-0.05, 0.2), rng.uniform(10, 18)
    picture = Image.new("L", (2 * SIZE, 2 * SIZE))
    pencil = ImageDraw.Draw(picture)
    for stroke in STROKES[digit]:
        x, y = np.transpose(np.array(stroke) + rng.normal(0, 0.008, (len(stroke), 2)))
        points = np.stack([(x - 0.5 + slant * (0.5 - y)) * wide, (y - 0.5) * height], axis=1) * 2 + SIZE
        pencil.line([tuple(p) for p in points], fill=255, width=round(2 * pen), joint="curve")
        for px, py in (points[0], points[-1]):
            pencil.ellipse([px - pen, py - pen, px + pen, py + pen], fill=255)
    return np.asarray(picture.resize((SIZE, SIZE), Image.Resampling.BOX), dtype=np.float64) / 255


def blown_up(digit, side):
    """A digit of MNIST's, 0 to 1 (300, 300), its grey edge made a pen's."""
    side = round(side)
    large = np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC), dtype=np.float64) / 255
    sheet, at = np.zeros((SIZE, SIZE)), (SIZE - side) // 2
    sheet[at : at + side, at : at + side] = np.clip((large - 0.3) / 0.3, 0, 1)
    return sheet


def photograph(drawn, digit, kind, rng):
    rows, columns = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    turn = np.radians(rng.uniform(-15, 15))
    u, v = columns * np.cos(turn) + rows * np.sin(turn), rows * np.cos(turn) - columns * np.sin(turn)  # on the sheet

    move = rng.uniform(-25, 25, 2) if kind != "frame" else rng.uniform(-6, 6, 2)
    ink = ndimage.map_coordinates(drawn, [v - move[0] + SIZE / 2, u - move[1] + SIZE / 2], order=1)
    paper = rng.uniform(185, 245)
    darkness = rng.uniform(0.6, 0.9) if kind != "pencil" else rng.uniform(0.25, 0.45)
    if kind == "pencil":  # graphite catches on the grain of the paper
        ink = ink * np.clip(0.85 + ndimage.gaussian_filter(rng.normal(size=ink.shape), 1.2) * 0.6, 0.3, 1)

    cover = darkness * ink
    if kind in ("squared", "ruled"):
        step, wide = rng.uniform(14, 34), rng.uniform(1, 2.6)
        line = rng.uniform(0.12, 0.45)
        lines = (
            near(v, step, wide, rng)
            if kind == "ruled"
            else np.maximum(near(u, step, wide, rng), near(v, step, wide, rng))
        )
        cover = np.maximum(cover, line * lines)
    if kind == "frame":
        across, down, wide = rng.uniform(100, 125), rng.uniform(110, 125), rng.uniform(2, 5)
        inside = np.maximum(np.abs(u) - across, np.abs(v) - down)
        cover = np.maximum(cover, rng.uniform(0.5, 0.95) * np.clip(wide / 2 + 0.5 - np.abs(inside), 0, 1))
    if kind == "axes":
        x, y, wide = rng.uniform(105, 125), rng.uniform(105, 125), rng.uniform(2, 4)
        ticks = np.minimum(near(v, 30, wide, rng), (np.abs(u + x) < 7)) + np.minimum(
            near(u, 30, wide, rng), np.abs(v - y) < 7
        )
        axes = np.maximum(
            np.clip(wide / 2 + 0.5 - np.abs(u + x), 0, 1) * (v < y),
            np.clip(wide / 2 + 0.5 - np.abs(v - y), 0, 1) * (u > -x),
        )
        cover = np.maximum(cover, rng.uniform(0.5, 0.9) * np.clip(axes + ticks * (v < y + 7) * (u > -x - 7), 0, 1))
    light = paper * (1 - cover)
    if kind == "table":
        edge = [rng.uniform(115, 150) for _ in range(4)]
        off = np.maximum(np.maximum(u - edge[0], -u - edge[1]), np.maximum(v - edge[2], -v - edge[3]))
        grain = ndimage.gaussian_filter(rng.normal(size=ink.shape), (0.7, 12)) * 25
        table = rng.uniform(30, 130) + grain
        light = np.where(off > 0, table, light)
    shade = np.ones_like(light)
    if kind in ("shadow", "axes") or rng.random() < 0.4:
        depth, way, soft = rng.uniform(0.2, 0.6), rng.uniform(0, 2 * np.pi), rng.choice([4, 30, 150])
        across = columns * np.cos(way) + rows * np.sin(way) - rng.uniform(-60, 60)
        shade = 1 - depth * (0.5 + 0.5 * np.tanh(across / soft))
    sigma = rng.uniform(12, 20) if kind == "noise" else rng.choice([rng.uniform(0, 6), rng.uniform(0, 20)])
    grey = light * shade + rng.normal(0, sigma, light.shape)
    return Photograph(np.clip(np.round(grey), 0, 255).astype(np.uint8), digit, kind, ink)


def near(where, step, wide, rng):
    """How much of a pixel lies on one of the lines that stand `step` apart, 0 to 1."""
    distance = np.abs((where + rng.uniform(0, step)) % step - step / 2)
    return np.clip(wide / 2 + 0.5 - distance, 0, 1)
