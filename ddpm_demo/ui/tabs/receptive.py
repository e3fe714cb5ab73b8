"""The Receptive-field tab: how far a pixel of the output can see, by formula, by counting paths, and measured."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr
import torch

from ddpm_demo.core.config import ConfigError, ModelConfig, spec_dilations
from ddpm_demo.core.receptive import live_taps, path_counts, receptive_field
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.explaining.influence import (
    KeptPasses,
    effective_width,
    frozen_copy,
    measured_receptive_field,
    radial_profile,
    share_outside,
)
from ddpm_demo.machine.scheduler import NETWORK
from ddpm_demo.store import checkpoint
from ddpm_demo.store.files import file_stamp
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.ui.parts.bridge import base64_of, browser_component, chart_value, event, server_function
from ddpm_demo.ui.parts.choice import choice, named
from ddpm_demo.ui.parts.plots import radial_figure
from ddpm_demo.ui.parts.readers import flag, named_values, one_of, parse_dilations, pixel_of
from ddpm_demo.ui.tabs.receptive_patches import PATCH_LOOKS, make_patch_look
from ddpm_demo.ui.words.page import prose
from ddpm_demo.words.markdown import joined, markdown_table
from ddpm_demo.words.sentence import Sentence, plain, say

IMAGE = 28
RECEPTIVE_LEAD = say("Drag *layers*, and watch how far the pixel that you tap can see.")
RECEPTIVE_LESSON = say("""
## The receptive field: what one output pixel can see
The network never shrinks the image. It sees far by **dilation**: a 3×3 kernel whose taps are 1, 3, 9 or 27 pixels
apart. Each layer widens the view by (kernel − 1) × dilation pixels.
""")
RECEPTIVE_MORE = say("That is what the convolutions *can* reach; below is what a trained network *does* look at.")
OWN = plain(say("your own"))
PATTERNS = {
    plain(say("the formula 3^(i//2): 1 1 3 3 9 9 27 27")): spec_dilations(8),
    plain(say("the spec's other list, 3^((i+1)//2): 1 3 3 9 9 27 27 81")): tuple(3 ** ((i + 1) // 2) for i in range(8)),
    plain(say("a public notebook's: 1 1 1 3 3 9 9 27")): (1, 1, 1, 3, 3, 9, 9, 27),
    plain(say("no dilation: 1 1 1 1 1 1 1 1")): (1,) * 8,
}
LOOKS = (50, 300, 600, 900)  # the timesteps at which the trained network's view is measured
DIGITS = 3  # test digits that each measured map is averaged over; more would keep a click waiting


@dataclass(frozen=True)
class ReceptiveTab:
    """The components that a link in the address sets."""

    pattern: gr.HTML
    own: gr.Textbox
    view: gr.HTML
    words: gr.Markdown
    paths: gr.HTML


def build_receptive_tab(checkpoints: dict[str, Path]) -> ReceptiveTab:
    """Lay out the tab and connect it; the first of the checkpoints is the network that is measured."""
    prose(RECEPTIVE_LEAD, elem_classes="ddpm-lead")
    first = next(iter(PATTERNS))
    curve, table = describe_receptive_field(PATTERNS[first])
    dilations = {"dilations": list(PATTERNS[first])}
    with gr.Row(elem_id="receptive-stage"):
        with gr.Column(min_width=320, scale=3):
            view = browser_component("tabs/receptive_curve", curve, elem_id="receptive-chart")
        with gr.Column(min_width=320, scale=2):
            paths = browser_component("tabs/receptive", dilations, elem_id="receptive-map", server=[count_paths])
    with gr.Row():
        pattern = choice(
            named([*PATTERNS, OWN]),
            first,
            label=say("Dilations of the blocks"),
            info=say(
                "The shipped networks use the formula; the spec also gives another list, a public notebook a third."
            ),
            elem_id="receptive-pattern",
        )
        own = gr.Textbox(
            "1 2 4 8",
            label=say("Your own"),
            info=say("One number per block, 1 to 12 blocks, each from 1 to 81."),
            interactive=True,
        )
    prose(joined([RECEPTIVE_LESSON, RECEPTIVE_MORE], ""), elem_classes="ddpm-lesson")
    words = prose(table, elem_id="receptive-table", elem_classes="ddpm-table")
    look = make_influence(checkpoints)
    browser_component("tabs/receptive_look", dilations, elem_id="receptive-look", server=[look])
    browser_component(
        "tabs/receptive_patches",
        {"looks": list(PATCH_LOOKS)},
        elem_id="receptive-patches",
        server=[make_patch_look(checkpoints)],
    )
    quick: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last", "api_visibility": "private"}
    pattern.input(show_pattern, [pattern, own], [view, words, paths], **quick)
    own.submit(lambda text: (OWN, *show_pattern(OWN, text)), own, [pattern, view, words, paths], **quick)
    return ReceptiveTab(pattern, own, view, words, paths)


def from_link(dilations: tuple[int, ...]) -> list[Any]:
    """Return the values of a ReceptiveTab's components, in order, for dilations that a link asks for."""
    name = next((name for name, known in PATTERNS.items() if known == dilations), OWN)
    text = " ".join(map(str, dilations))
    return [name, text, *show_pattern(name, text)]


@event
def show_pattern(name: Any, own: Any) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """Answer a choice of dilations."""
    pattern = one_of(name, [*PATTERNS, OWN], say("choose one of the listed patterns"))
    dilations = parse_dilations(own) if pattern == OWN else PATTERNS[pattern]
    curve, table = describe_receptive_field(dilations)
    return curve, table, {"dilations": list(dilations)}


def describe_receptive_field(dilations: tuple[int, ...]) -> tuple[dict[str, Any], str]:
    """Return what the page draws of a pattern of dilations, by formula and measured, and the table below it."""
    kernels, steps = ModelConfig(dilations=dilations).kernels_and_dilations
    widths, measured = receptive_field(kernels, steps), _measured(dilations)
    names = [say("in 7×7"), *(say("block {number}", number=i) for i in range(len(dilations))), say("out 3×3")]
    label = say(
        "width of the receptive field after each layer: {widths}; the image is {image} wide",
        widths=joined(widths, ", "),
        image=IMAGE,
    )
    head = (
        *(say("layer"), say("dilation"), say("by formula, pixels"), say("measured, pixels")),
        say("taps inside the image"),
    )
    rows = [
        (name, d, width, seen, Sentence("{share:.1%}", {"share": live_taps(IMAGE, d)}) if kernel == 3 else "")
        for name, kernel, d, width, seen in zip(names, kernels, steps, widths, measured, strict=True)
    ]
    covering = next((name for name, width in zip(names, widths, strict=True) if width >= IMAGE), None)
    if covering:
        note = say("The receptive field is **wider than the image from {layer} on**.", layer=covering)
    else:
        note = say("The receptive field is **never as wide as the image**.")
    if max(dilations) >= IMAGE - 1:
        few_taps = say(
            "But look at the last column: at the largest dilation nearly all taps of a 3×3 kernel fall into the "
            "padding, so on a 28×28 image that layer is almost a 1×1 convolution."
        )
        note = joined([note, few_taps], " ")
    curve = {"names": names, "widths": widths, "measured": measured, "image": IMAGE, "label": label}
    return curve, joined([note, markdown_table(head, rows)], "\n\n")


@server_function
def count_paths(question: Any) -> dict[str, Any]:
    """Answer a click on a pixel: the paths to it from every input pixel, after each layer (float64, 784 each)."""
    fields = named_values(question, say("row, col and dilations"))
    row, col = pixel_of(fields)
    chosen = fields.get("dilations")
    dilations = parse_dilations(" ".join(map(str, chosen)) if isinstance(chosen, list) else "")
    layers = range(1, len(dilations) + 3)
    counts = torch.stack([path_counts(dilations, IMAGE, row, col, layers=layer) for layer in layers])
    return {"counts": base64_of(counts.numpy()), "layers": len(layers)}


def make_influence(checkpoints: dict[str, Path]) -> Callable[[Any], dict[str, Any]]:
    """Return the function by which the page asks what the first checkpoint's network looks at for one pixel."""

    @server_function
    def influence(question: Any) -> dict[str, Any]:
        if not checkpoints:
            raise ConfigError("there is no checkpoint; train one with `ddpm-demo train`")
        fields = named_values(question, say("row, col and frozen"))
        row, col = pixel_of(fields)
        frozen = flag("frozen", fields.get("frozen"))
        name, path = next(iter(checkpoints.items()))
        return {"checkpoint": name, **_influence(path, file_stamp(path), row, col, frozen)}

    return influence


@lru_cache(maxsize=64)
def _measured(dilations: tuple[int, ...]) -> list[int]:
    return measured_receptive_field(dilations)


@lru_cache(maxsize=2)
def _passes(path: Path, stamp: tuple[int, int], frozen: bool) -> KeptPasses:
    """The passes of a checkpoint's network, or with its norms frozen, at every t in LOOKS, of the first test digits.

    In float32, as bfloat16 gradients would be too coarse; with one fixed noise for each digit.
    """
    loaded = checkpoint.load(path)
    model, schedule = loaded.model.requires_grad_(False), Schedule.from_config(loaded.schedule)
    digits, _ = load_mnist(train=False)
    x0 = to_x0(digits[:DIGITS])
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
    x_t = torch.cat([schedule.add_noise(x0, t, eps) for t in LOOKS])
    steps = torch.tensor(LOOKS).repeat_interleave(DIGITS)
    return KeptPasses(frozen_copy(model) if frozen else model, x_t, steps)


@lru_cache(maxsize=512)
def _influence(path: Path, stamp: tuple[int, int], row: int, col: int, frozen: bool) -> dict[str, Any]:
    """The maps for every t in LOOKS, averaged over the digits."""

    def look() -> tuple[torch.Tensor, torch.Tensor]:
        passes = _passes(path, stamp, frozen)
        return passes.behind_answer(row, col), passes.behind_first_block(row, col)

    whole, first = (each.unflatten(0, (len(LOOKS), DIGITS)).mean(dim=1) for each in NETWORK.turn(look))
    itself, widths, outside, profiles = [], [], [], []
    for seen, early in zip(whole, first, strict=True):
        itself.append(float(seen[row, col] / seen.sum()))
        rest = seen.clone()
        rest[row, col] = 0
        widths.append(effective_width(rest, row, col))
        profiles.append((radial_profile(seen, row, col) / seen.sum()).tolist())
        # after the first block the formula's square is 9 pixels wide: how much of the gradient lies beyond it?
        outside.append(share_outside(early, row, col, 9))
    figure = chart_value(
        radial_figure(LOOKS, profiles),
        label=say("influence of input pixels against their distance, for four timesteps"),
    )
    return {
        "maps": base64_of(whole.numpy()),
        "t": list(LOOKS),
        "itself": itself,
        "widths": widths,
        "outside": outside,
        "digits": DIGITS,
        "chart": figure,
    }
