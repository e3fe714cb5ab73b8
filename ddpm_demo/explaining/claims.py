"""What the specification says of this network, beside what the code computes: no verdict is typed in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ddpm_demo.core.config import ModelConfig, preset, spec_dilations
from ddpm_demo.core.receptive import receptive_field
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.explaining.anatomy import trace_stages

SPEC = "the specification, section"


@dataclass(frozen=True)
class Claim:
    """One statement, what is true instead or as well, whether the two agree, and the sources.

    `basis` is `computed` where the truth was computed by this code just now, `cited` where it is in a paper or in
    published code, and nothing here could compute it.
    """

    statement: str
    claimed: str
    truth: str
    holds: bool
    source: str
    basis: Literal["computed", "cited"] = "computed"


HO_CODE = "hojonathanho/diffusion, diffusion_tf/models/unet.py"
COMPARISON = (
    Claim(
        "Ho et al.'s CIFAR-10 model has about 35M parameters",
        "~35M",
        "35.7M",
        True,
        f"{SPEC} 5; Ho et al. 2020, appendix B",
        "cited",
    ),
    Claim(
        "Ho et al. condition by adaptive group norm, this network by direct addition",
        "AdaGN against addition",
        "both add a projected embedding; adaptive group norm came with Dhariwal & Nichol 2021",
        False,
        f"{SPEC} 5; {HO_CODE}, 'add in timestep embedding'; openai/guided-diffusion",
        "cited",
    ),
    Claim(
        "channels of Ho et al.'s model",
        "128 to 512 to 128",
        "128, 256, 256, 256: base 128, multipliers 1, 2, 2, 2",
        False,
        f"{SPEC} 5; Ho et al. 2020, appendix B",
        "cited",
    ),
    Claim(
        "resolutions of Ho et al.'s model",
        "28, 14, 7",
        "32, 16, 8, 4 on CIFAR-10",
        False,
        f"{SPEC} 5; Ho et al. 2020, appendix B",
        "cited",
    ),
    Claim(
        "attention in Ho et al.'s model",
        "multi-head, at 16x16",
        "single-head, at 16x16",
        False,
        f"{SPEC} 5; {HO_CODE}, attn_block",
        "cited",
    ),
)


def check_claims() -> Iterator[Claim]:
    """Compute every claim afresh and yield it with its verdict."""
    yield from _sizes()
    yield from _shapes()
    yield from _dilations()
    yield from _receptive_fields()
    yield from _schedule()
    yield from COMPARISON


def _number(
    statement: str, claimed: float, computed: float, source: str, *, form: str = "{:,.6g}", within: float
) -> Claim:
    """Judge a figure: it holds when it lies within a relative distance of what was computed."""
    holds = abs(computed - claimed) <= within * abs(claimed)
    return Claim(statement, form.format(claimed), form.format(computed), holds, source)


def _sizes() -> Iterator[Claim]:
    stages = trace_stages(preset("full"))
    yield _number(
        "parameters of the network",
        4.9e6,
        sum(s.parameters for s in stages),
        f"{SPEC} 5: ~4.9M",
        form="{:,.0f}",
        within=0.01,
    )


def _shapes() -> Iterator[Claim]:
    stages = {stage.name: stage for stage in trace_stages(preset("full"), batch=128)}
    expected = [
        ("time embedding", stages["sinusoidal embedding"].output_shape, (128, 256), "3A, step 1"),
        ("time projection", stages["time_project.2"].output_shape, (128, 256, 1, 1), "3A, step 2"),
        ("input projection", stages["in_project"].output_shape, (128, 256, 28, 28), "3B, step 3"),
        ("last residual block", stages["blocks.7.act"].output_shape, (128, 256, 28, 28), "3B, step 4"),
        ("output projection", stages["out_project"].output_shape, (128, 1, 28, 28), "3B, step 5"),
    ]
    for name, computed, claimed, section in expected:
        yield Claim(f"shape after the {name}", str(claimed), str(computed), claimed == computed, f"{SPEC} {section}")


def _dilations() -> Iterator[Claim]:
    formula = spec_dilations(8)
    listed = (1, 3, 3, 9, 9)
    yield Claim(
        "dilations of layers 0 to 4, as listed, by the specification's own formula 3^(i//2)",
        " ".join(map(str, listed)),
        " ".join(map(str, formula[:5])),
        listed == formula[:5],
        f"{SPEC} 3B, step 4, against its section 4",
    )


def _receptive_fields() -> Iterator[Claim]:
    blocks = receptive_field([3] * 8, spec_dilations(8))
    for first, low, high in ((0, 3, 5), (2, 7, 13), (4, 19, 37), (6, 55, 10**9)):
        claimed = f"{low} to {high}" if high < 10**9 else f"{low} or more"
        computed = blocks[first : first + 2]
        holds = low <= computed[0] and computed[1] <= high
        statement = f"receptive field after blocks {first} and {first + 1}, blocks alone, in pixels"
        yield Claim(statement, claimed, " and ".join(map(str, computed)), holds, f"{SPEC} 4")
    for dilation, width in ((1, 3), (3, 7), (9, 19)):
        (seen,) = receptive_field([3], [dilation])
        statement = f"receptive field of one 3x3 convolution at dilation {dilation}"
        yield Claim(statement, str(width), str(seen), width == seen, f"{SPEC} 3B, step 4")
    whole = receptive_field(*ModelConfig().kernels_and_dilations)[-1]
    yield Claim(
        "the last blocks cover the full 28-pixel image", "yes", f"{whole} pixels wide", whole >= 28, f"{SPEC} 4"
    )


def _schedule() -> Iterator[Claim]:
    schedule = Schedule.from_config(ScheduleConfig())
    source = f"{SPEC} 6"
    yield _number("alpha_bar at t = 0", 0.9999, float(schedule.alpha_bar[0]), source, within=5e-5)
    yield _number("alpha_bar at t = 1", 0.9997, float(schedule.alpha_bar[1]), source, within=5e-5)
    middle, end = float(schedule.alpha_bar[500]), float(schedule.alpha_bar[999])
    yield Claim("alpha_bar at t = 500", "0.1 to 0.2", f"{middle:.4g}", 0.1 <= middle <= 0.2, source)
    yield _number("alpha_bar at t = 999", 1e-4, end, source, within=0.5)
    first = float(schedule.beta[0])
    last = float(schedule.beta[-1])
    yield Claim(
        "beta runs from 0.0001 to 0.02",
        "0.0001, 0.02",
        f"{first:.4g}, {last:.4g}",
        (first, last) == (1e-4, 0.02),
        source,
    )
