"""The Network tab: the denoiser taken apart, stage by stage, and the specification's claims checked."""

import dataclasses
import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import torch

from ddpm_demo.core.config import PRESETS, ConfigError, ModelConfig
from ddpm_demo.core.model import Denoiser, ResidualBlock, sinusoidal_embedding
from ddpm_demo.explaining.anatomy import Stage, activations, strongest, time_vectors, trace_stages
from ddpm_demo.explaining.claims import check_claims
from ddpm_demo.machine.scheduler import NETWORK
from ddpm_demo.networks.ideal_checkpoints import is_ideal
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_placed
from ddpm_demo.ui.parts.bridge import AS_SENT, base64_of, browser_component, event, server_function
from ddpm_demo.ui.parts.choice import choice, unsaid
from ddpm_demo.ui.parts.contents import contents
from ddpm_demo.ui.parts.digits import closest_t, read_noisy_picture
from ddpm_demo.ui.parts.readers import one_of, whole
from ddpm_demo.ui.words.page import prose
from ddpm_demo.words.markdown import joined, markdown_table
from ddpm_demo.words.sentence import Sentence, say

NETWORK_LEAD = say("Choose a stage, and see what it does to the digit from the Noise tab.")
NETWORK_LESSON = say("""
## Inside the network: from xₜ and t to a guess of the noise
One path turns the timestep into a vector, the other carries the image through dilated blocks at constant width; every
block adds the vector to each of its pixels. Choose a stage to see its equation, its source code, and what it does to
the digit of the Noise tab at that tab's t.
""")
COMPARISON = say("""
### Direct addition, and what scale-and-shift would add
| this network, as Ho et al. 2020 | adaptive group norm, Dhariwal & Nichol 2021 |
|---|---|
| `y = y + time` | `scale, shift = linear(time).chunk(2, dim=1)` |
| `y = norm(y + conv(y))` | `y = norm(conv(y)) * (1 + scale) + shift` |
""")
SHOWN_CHANNELS = 16
TABLE_TIMESTEPS = 250  # rows of the embedding's picture
VERDICTS = {True: say("holds"), False: say("**does not hold**")}
BASES = {"computed": say("computed"), "cited": say("cited")}
NOT_TRAINED = " (not trained)"  # after the name of a preset without a checkpoint
BLOCK_STEPS = ("input", "with time", "residual sum", "norm", "act")
EQUATIONS = {
    "time": "time = W₂ SiLU(W₁ [sin(t ωₖ), cos(t ωₖ)]),  ωₖ = 10000^(−k / (d/2 − 1))",
    "in": "y₀ = conv 7×7 (xₜ)",
    "block": "u = y + time;  y ← SiLU(GroupNorm(u + conv 3×3, dilation d (u)))",
    "out": "ε̂ = conv 3×3 (y)",
}


def build_network_tab(checkpoints: dict[str, Path]) -> gr.HTML:
    """Lay out the tab and connect it; return the list of networks."""
    prose(NETWORK_LEAD, elem_classes="ddpm-lead")
    networks = [*unsaid(name for name in checkpoints if not is_ideal(name)), *untrained(checkpoints)]
    first = networks[0][1]
    value, table = describe_network(config_of(first, checkpoints), first, 1, 28, 28)
    view = browser_component("tabs/network", value, elem_id="network-view", server=[make_inside(checkpoints)])
    with gr.Row():
        which = choice(
            networks,
            first,
            label=say("Network"),
            info=say("One of the checkpoints, or a preset's shape."),
            elem_id="network-which",
        )
        batch = gr.Number(
            1, precision=0, minimum=1, label=say("Batch B"), info=say("How many images at once."), min_width=110
        )
        channels = gr.Number(
            1, precision=0, minimum=1, label=say("Channels C"), info=say("1 for grey, 3 for colour."), min_width=110
        )
        height = gr.Number(28, precision=0, minimum=1, label=say("Height H"), info=say("In pixels."), min_width=110)
        width = gr.Number(28, precision=0, minimum=1, label=say("Width W"), info=say("In pixels."), min_width=110)
    contents({"network-table": say("Every stage in numbers"), "network-claims": say("The specification's claims")})
    prose(NETWORK_LESSON, elem_classes="ddpm-lesson")
    words = prose(table, elem_id="network-table", elem_classes="ddpm-table")
    prose(claims_table(), elem_id="network-claims", elem_classes="ddpm-table")

    @event
    def show(name: Any, b: Any, c: Any, h: Any, w: Any) -> tuple[dict[str, Any], str]:
        config = dataclasses.replace(config_of(name, checkpoints), image_channels=whole("C", c, 1, 4))
        sizes = (whole("B", b, 1, 1024), whole("H", h, 1, 256), whole("W", w, 1, 256))
        return describe_network(config, name, *sizes)

    numbers = [batch, channels, height, width]
    gr.on(
        [which.input, *(field.submit for field in numbers), *(field.blur for field in numbers)],
        show,
        [which, *numbers],
        [view, words],
        show_progress="hidden",
        trigger_mode="always_last",
        api_visibility="private",
        **AS_SENT,
    )
    return which


def untrained(checkpoints: Iterable[str]) -> list[tuple[str, str]]:
    """Return choices (text, name) of the presets that have no checkpoint: their shape can still be looked at."""
    names = [name + NOT_TRAINED for name in PRESETS if name not in checkpoints]
    return [(_in_words(name), name) for name in names]


def _in_words(name: str) -> str:
    """Return a name of the list as it is said."""
    known = name.removesuffix(NOT_TRAINED)
    return say("{name} (not trained)", name=known) if name != known else name


def config_of(name: Any, checkpoints: dict[str, Path]) -> ModelConfig:
    """Return the network that a name in the list stands for; raise ConfigError for any other."""
    known = [*checkpoints, *PRESETS, *(each for _, each in untrained(()))]
    listed = one_of(name, known, say("choose one of the listed networks"))
    if listed in checkpoints:
        return load_placed(checkpoints[listed]).denoiser.config
    return PRESETS[listed.removesuffix(NOT_TRAINED)]


def describe_network(config: ModelConfig, name: str, batch: int, height: int, width: int) -> tuple[dict[str, Any], str]:
    """Return the value of the diagram and the table below it, all read from a run of the network."""
    stages = trace_stages(config, batch=batch, height=height, width=width)
    groups: dict[str, list[Stage]] = {}
    for stage in stages:
        groups.setdefault(_group(stage.name), []).append(stage)
    total = sum(s.parameters for s in stages), sum(s.multiply_adds for s in stages)
    nodes = [
        {
            "id": group,
            "title": _title(group),
            "taken": list(members[0].input_shape),
            "given": list(members[-1].output_shape),
            "parameters": sum(s.parameters for s in members),
            "dilation": next((s.dilation for s in members if s.dilation), None) if "block" in group else None,
        }
        for group, members in groups.items()
    ]
    head = (
        *(say("stage"), say("operation"), say("dilation"), say("takes"), say("gives")),
        *(say("parameters"), say("multiply-adds")),
    )
    rows = [
        [
            s.name,
            s.operation,
            s.dilation or "",
            _shape(s.input_shape),
            _shape(s.output_shape),
            Sentence("{count:,}", {"count": s.parameters}),
            Sentence("{count:,}", {"count": s.multiply_adds}),
        ]
        for s in stages
    ]
    foot = [say("**total**"), "", "", "", "", *(Sentence("**{count:,}**", {"count": count}) for count in total)]
    extra = len(config.dilations) * (config.hidden * 2 * config.hidden + 2 * config.hidden)
    cost = say(
        "Addition can move a channel up or down before the norm; scale-and-shift can also make it louder or silent "
        "after it. For {blocks} blocks of {width} channels, one linear layer per block would cost {extra:,} more "
        "parameters on top of {total:,}.",
        blocks=len(config.dilations),
        width=config.hidden,
        extra=extra,
        total=total[0],
    )
    title = say("### Every stage, read by hooks from a run of {name}", name=_in_words(name))
    table = joined([title, markdown_table(head, [*rows, foot]), COMPARISON, cost])
    return {"network": name, "nodes": nodes}, table


def claims_table() -> str:
    """Return the specification's claims and their verdicts as a table."""
    head = (say("statement"), say("said"), say("true"), say("verdict"), say("source"))
    rows = [
        (
            c.statement,
            c.claimed,
            Sentence("{truth} ({basis})", {"truth": c.truth, "basis": BASES[c.basis]}),
            VERDICTS[c.holds],
            c.source,
        )
        for c in check_claims()
    ]
    return joined([say("### Check the claims"), markdown_table(head, rows)])


def make_inside(checkpoints: dict[str, Path]) -> Callable[[Any], dict[str, Any]]:
    """Return the function by which the page asks what a stage does to an x_t."""

    @server_function
    def inside(question: Any) -> dict[str, Any]:
        x_t, alpha_bar = read_noisy_picture(question)
        name, stage = question.get("network"), question.get("stage")
        refusal = say("this network is not trained: choose a checkpoint to see its feature maps")
        name = one_of(name, checkpoints, refusal)
        loaded = load_placed(checkpoints[name])
        if stage == "time":
            return {**_explain(stage), **_time_pictures(loaded)}
        return {**_explain(stage), **_feature_maps(loaded, x_t, closest_t(loaded.schedule, alpha_bar), stage)}

    return inside


def _explain(stage: Any) -> dict[str, Any]:
    """Return a stage's equation and its own source."""
    kind = "block" if str(stage).startswith("blocks.") else str(stage).removesuffix("_project")
    if kind not in EQUATIONS:
        raise ConfigError("choose one of the stages shown")
    sources: dict[str, Callable[..., Any]] = {
        "time": sinusoidal_embedding,
        "in": Denoiser.forward,
        "block": ResidualBlock.forward,
        "out": Denoiser.forward,
    }
    return {"equation": EQUATIONS[kind], "source": inspect.cleandoc(inspect.getsource(sources[kind]))}


def _feature_maps(loaded: LoadedNetwork, x_t: torch.Tensor, t: int, stage: Any) -> dict[str, Any]:
    """Return the strongest channels after every step of a stage, each row on one scale of its own."""
    # in a turn of its own: hooks on a network see everybody who uses it
    seen = NETWORK.turn(lambda: activations(loaded.denoiser, x_t.to(loaded.placement.device), t))
    names = [stage] if stage in seen else [f"{stage}.{step}" for step in BLOCK_STEPS]
    if names[0] not in seen:
        raise ConfigError("choose one of the stages shown")
    channels = strongest(seen[names[-1]], SHOWN_CHANNELS)
    rows = []
    for name in names:
        maps = seen[name][channels]  # (16, H, W)
        label = name.rsplit(".", 1)[-1] if len(names) > 1 else "output"
        rows.append(
            {"label": label, "maps": base64_of(maps.numpy()), "low": float(maps.min()), "high": float(maps.max())}
        )
    answer: dict[str, Any] = {"t": t, "channels": channels.tolist(), "rows": rows, "flow": _flow(seen)}
    if len(names) > 1:
        _, projected = time_vectors(loaded.denoiser, torch.arange(len(loaded.schedule)))
        moved = projected.std(dim=0) / seen[names[0]].flatten(1).std(dim=1).clamp(min=1e-6)
        order = moved.argsort(descending=True)[:5].tolist()
        answer["moved"] = [{"channel": c, "ratio": float(moved[c])} for c in order]
    return answer


def _flow(seen: dict[str, torch.Tensor]) -> dict[str, str]:
    """Return what leaves each stage of the image's path: 784 grey levels of its strongest channel, on its own scale."""
    leaving = {name.removesuffix(".act"): maps for name, maps in seen.items() if name.endswith((".act", "_project"))}
    return {stage: base64_of(_grey(maps[strongest(maps, 1)[0]])) for stage, maps in leaving.items()}


def _grey(plane: torch.Tensor) -> np.ndarray:
    """Return a map (H, W) as bytes, its lowest value black and its highest white."""
    low, high = plane.min(), plane.max()
    levels: np.ndarray = ((plane - low) * (255 / (high - low).clamp(min=1e-6))).round().to(torch.uint8).numpy()
    return levels


def _time_pictures(loaded: LoadedNetwork) -> dict[str, Any]:
    """Return the embedding (t x 256) and the similarity of any two timesteps after the projection."""
    timesteps = torch.linspace(0, len(loaded.schedule) - 1, TABLE_TIMESTEPS).round().long()
    embedding, projected = time_vectors(loaded.denoiser, timesteps)
    unit = torch.nn.functional.normalize(projected - projected.mean(dim=0), dim=1)
    return {
        "embedding": base64_of(embedding.numpy()),
        "similarity": base64_of((unit @ unit.T).contiguous().numpy()),
        "rows_count": TABLE_TIMESTEPS,
        "columns_count": embedding.shape[1],
        "last": len(loaded.schedule) - 1,
    }


def _group(name: str) -> str:
    if name.startswith(("sinusoidal", "time_project")):
        return "time"
    return ".".join(name.split(".")[:2]) if name.startswith("blocks.") else name


def _title(group: str) -> str:
    if group.startswith("blocks."):
        return say("block {number}", number=int(group.removeprefix("blocks.")))
    return {"in_project": say("in"), "out_project": say("out")}.get(group, say("time"))


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
