"""Arrays in, figures out: Plotly for the page, Pillow for files. No torch and no Gradio here."""

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]

# Okabe & Ito's palette, told apart by colour-blind eyes, on white and on near-black alike
BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#888888"


def tile(images: Images, *, gap: int = 2, scale: int = 1) -> Images:
    """Lay images (N, H, W) out as a near-square grid on black, `gap` pixels apart, each pixel `scale` wide."""
    count, height, width = images.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    grid = np.zeros((rows * (height + gap) + gap, columns * (width + gap) + gap), dtype=np.uint8)
    for i, image in enumerate(images):
        top, left = gap + i // columns * (height + gap), gap + i % columns * (width + gap)
        grid[top : top + height, left : left + width] = image
    return grid.repeat(scale, axis=0).repeat(scale, axis=1)


def grid_png(images: Images, *, scale: int = 3) -> bytes:
    """Return the grid of images (N, H, W) as a PNG file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(tile(images, scale=scale)).save(buffer, format="PNG")
    return buffer.getvalue()


def film_gif(frames: Sequence[Images], *, seconds: float = 4.0, scale: int = 2) -> bytes:
    """Return frames, each (N, H, W), as a looping GIF of about `seconds` that rests on the last.

    Sixteen grey levels: noise does not compress, and 16 levels take a quarter of the room of 256.
    """
    from PIL import Image

    palette = [level for grey in range(16) for level in (grey * 17,) * 3]
    pictures = []
    for frame in frames:
        picture = Image.fromarray((tile(frame, scale=scale).astype(np.uint16) * 15 // 255).astype(np.uint8), mode="P")
        picture.putpalette(palette)
        pictures.append(picture)
    each = max(20, round(1000 * seconds / len(pictures)))
    durations = [each] * (len(pictures) - 1) + [1500]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer, format="GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=False
    )
    return buffer.getvalue()


def schedule_figure(tables: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, Any]:
    """Return a Plotly figure of alpha_bar, beta and SNR in dB against t, one row each, sharing the t axis.

    `tables` maps a schedule's name to its `alpha_bar`, `beta` and `snr`, each of length T.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    titles = (
        "alpha_bar: share of the variance that is signal",
        "beta: noise added by one step (log scale)",
        "SNR in decibels",
    )
    figure = make_subplots(rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.07, subplot_titles=titles)
    for (name, table), colour, dash in zip(tables.items(), (BLUE, ORANGE), ("solid", "dash"), strict=False):
        decibels = 10 * np.log10(np.asarray(table["snr"]))
        for row, values in enumerate((table["alpha_bar"], table["beta"], decibels), start=1):
            figure.add_trace(
                go.Scatter(
                    x=list(range(len(values))),
                    y=[float(f"{v:.6g}") for v in values],
                    name=name,
                    legendgroup=name,
                    showlegend=row == 1,
                    line={"color": colour, "dash": dash, "width": 2},
                    hovertemplate="t = %{x}: %{y:.5g}",
                ),
                row=row,
                col=1,
            )
    figure.update_xaxes(title_text="timestep t", row=3, col=1)
    figure.update_yaxes(type="log", dtick=1, row=2, col=1)
    figure.update_layout(height=620, hovermode="x unified")
    return _plain(figure)


def receptive_field_figure(names: Sequence[str], widths: Sequence[int], image: int) -> dict[str, Any]:
    """Return a Plotly figure of the receptive field after every layer, against the image's own width in pixels."""
    import plotly.graph_objects as go

    figure = go.Figure(
        go.Scatter(
            x=list(names),
            y=list(widths),
            name="receptive field",
            mode="lines+markers+text",
            text=[str(width) for width in widths],
            textposition="top center",
            line={"color": BLUE, "width": 2},
            marker={"size": 9},
            hovertemplate="after %{x}: %{y} pixels",
        )
    )
    figure.add_hline(y=image, line={"color": ORANGE, "dash": "dash"}, annotation_text=f"the image: {image} pixels")
    figure.update_layout(height=420, yaxis_title="width in pixels", showlegend=False)
    figure.update_yaxes(rangemode="tozero")
    return _plain(figure)


def _plain(figure: Any) -> dict[str, Any]:
    """Return the figure as JSON values, without Plotly's template: the page brings its own colours, light and dark."""
    figure.update_layout(template="none", margin={"l": 60, "r": 20, "t": 40, "b": 50})
    import json

    plain: dict[str, Any] = json.loads(figure.to_json())
    return plain
