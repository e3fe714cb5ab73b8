"""The Receptive-field tab: how far a pixel of the output can see, layer by layer."""

from typing import Any

import gradio as gr

from ddpm_demo.config import ModelConfig, spec_dilations
from ddpm_demo.plots import receptive_field_figure
from ddpm_demo.receptive import live_taps, receptive_field
from ddpm_demo.ui.components import chart, chart_value

IMAGE = 28
LESSON = """
## The receptive field: what one output pixel can see
The network never shrinks the image. It sees far by **dilation**: a 3×3 kernel whose taps stand 1, 3, 9 or 27 pixels
apart. Each layer widens the view by (kernel − 1) × dilation pixels. The curve speaks of the path through the
convolutions; GroupNorm takes its mean and variance over the whole image, so through it every output pixel depends a
little on every input pixel from the first block on.
"""
PATTERNS = {
    "the formula 3^(i//2): 1 1 3 3 9 9 27 27": spec_dilations(8),
    "the spec's other list, 3^((i+1)//2): 1 3 3 9 9 27 27 81": tuple(3 ** ((i + 1) // 2) for i in range(8)),
    "a public notebook's: 1 1 1 3 3 9 9 27": (1, 1, 1, 3, 3, 9, 9, 27),
    "no dilation: 1 1 1 1 1 1 1 1": (1,) * 8,
}


def build_receptive_tab() -> None:
    """Lay out the tab and connect it."""
    gr.Markdown(LESSON)
    first = next(iter(PATTERNS))
    choice = gr.Dropdown(
        list(PATTERNS),
        value=first,
        label="Dilations of the eight blocks",
        info="The shipped networks use the formula. The spec also gives another list; a similar notebook has a third.",
    )
    figure, table = describe(first)
    view = chart(**figure, elem_id="receptive-chart")
    words = gr.Markdown(table, elem_id="receptive-table")
    choice.change(lambda name: _updated(name), choice, [view, words], show_progress="hidden", api_visibility="private")


def describe(pattern: str) -> tuple[dict[str, Any], str]:
    """Return the chart's arguments and the table of a pattern of dilations."""
    config = ModelConfig(dilations=PATTERNS[pattern])
    kernels, dilations = config.kernels_and_dilations
    widths = receptive_field(kernels, dilations)
    names = ["in 7×7", *(f"block {i}" for i in range(len(config.dilations))), "out 3×3"]
    label = (
        "width of the receptive field after each layer: " + ", ".join(map(str, widths)) + f"; the image is {IMAGE} wide"
    )
    rows = "\n".join(
        f"| {name} | {d} | {width} | {100 * live_taps(IMAGE, d):.1f} % |"
        if kernel == 3
        else f"| {name} | {d} | {width} | |"
        for name, kernel, d, width in zip(names, kernels, dilations, widths, strict=True)
    )
    covering = next((name for name, width in zip(names, widths, strict=True) if width >= IMAGE), None)
    sees = f"wider than the image from {covering} on" if covering else "never as wide as the image"
    note = f"The receptive field is **{sees}**"
    if max(config.dilations) >= IMAGE - 1:
        note += (
            ". But look at the last column: at the largest dilation nearly all taps of a 3×3 kernel fall into the "
            "padding, so on a 28×28 image that layer is almost a 1×1 convolution"
        )
    table = (
        f"{note}.\n\n| layer | dilation | receptive field, pixels | taps inside the image |\n|---|---|---|---|\n{rows}"
    )
    return {"figure": receptive_field_figure(names, widths, IMAGE), "label": label}, table


def _updated(pattern: str) -> tuple[dict[str, Any], str]:
    if pattern not in PATTERNS:
        raise gr.Error("choose one of the listed patterns", print_exception=False)
    figure, table = describe(pattern)
    return chart_value(**figure), table
