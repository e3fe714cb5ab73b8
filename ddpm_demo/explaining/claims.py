"""What the specification says of this network, beside what the code computes: no verdict is typed in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ddpm_demo.core.config import ModelConfig, preset, spec_dilations
from ddpm_demo.core.receptive import receptive_field
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.explaining.anatomy import trace_stages
from ddpm_demo.words.sentence import Sentence, say


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


def _section(place: str) -> str:
    return say("the specification, section {place}", place=place)


def _step(section: str, step: int) -> str:
    return say("the specification, section {section}, step {step}", section=section, step=step)


HO_CODE = "hojonathanho/diffusion, diffusion_tf/models/unet.py"
COMPARISON = (
    Claim(
        say("Ho et al.'s CIFAR-10 model has about 35M parameters"),
        "~35M",
        "35.7M",
        True,
        _section("5; Ho et al. 2020, appendix B"),
        "cited",
    ),
    Claim(
        say("Ho et al. condition by adaptive group norm, this network by direct addition"),
        say("AdaGN against addition"),
        say("both add a projected embedding; adaptive group norm came with Dhariwal & Nichol 2021"),
        False,
        _section(f"5; {HO_CODE}, 'add in timestep embedding'; openai/guided-diffusion"),
        "cited",
    ),
    Claim(
        say("channels of Ho et al.'s model"),
        say("128 to 512 to 128"),
        say("128, 256, 256, 256: base 128, multipliers 1, 2, 2, 2"),
        False,
        _section("5; Ho et al. 2020, appendix B"),
        "cited",
    ),
    Claim(
        say("resolutions of Ho et al.'s model"),
        "28, 14, 7",
        say("32, 16, 8, 4 on CIFAR-10"),
        False,
        _section("5; Ho et al. 2020, appendix B"),
        "cited",
    ),
    Claim(
        say("attention in Ho et al.'s model"),
        say("multi-head, at 16x16"),
        say("single-head, at 16x16"),
        False,
        _section(f"5; {HO_CODE}, attn_block"),
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
    statement: str, claimed: float, computed: float, source: str, *, form: str = "{number:,.6g}", within: float
) -> Claim:
    """Judge a figure: it holds when it lies within a relative distance of what was computed."""
    holds = abs(computed - claimed) <= within * abs(claimed)
    said, true = (Sentence(form, {"number": number}) for number in (claimed, computed))
    return Claim(statement, said, true, holds, source)


def _sizes() -> Iterator[Claim]:
    stages = trace_stages(preset("full"))
    yield _number(
        say("parameters of the network"),
        4.9e6,
        sum(s.parameters for s in stages),
        _section("5: ~4.9M"),
        form="{number:,.0f}",
        within=0.01,
    )


def _shapes() -> Iterator[Claim]:
    stages = {stage.name: stage for stage in trace_stages(preset("full"), batch=128)}
    expected = [
        (say("time embedding"), stages["sinusoidal embedding"].output_shape, (128, 256), "3A", 1),
        (say("time projection"), stages["time_project.2"].output_shape, (128, 256, 1, 1), "3A", 2),
        (say("input projection"), stages["in_project"].output_shape, (128, 256, 28, 28), "3B", 3),
        (say("last residual block"), stages["blocks.7.act"].output_shape, (128, 256, 28, 28), "3B", 4),
        (say("output projection"), stages["out_project"].output_shape, (128, 1, 28, 28), "3B", 5),
    ]
    for name, computed, claimed, section, step in expected:
        statement = say("shape after the {name}", name=name)
        yield Claim(statement, str(claimed), str(computed), claimed == computed, _step(section, step))


def _dilations() -> Iterator[Claim]:
    formula = spec_dilations(8)
    listed = (1, 3, 3, 9, 9)
    yield Claim(
        say("dilations of layers 0 to 4, as listed, by the specification's own formula 3^(i//2)"),
        " ".join(map(str, listed)),
        " ".join(map(str, formula[:5])),
        listed == formula[:5],
        say("the specification, section 3B, step 4, against its section 4"),
    )


def _receptive_fields() -> Iterator[Claim]:
    blocks = receptive_field([3] * 8, spec_dilations(8))
    for first, low, high in ((0, 3, 5), (2, 7, 13), (4, 19, 37), (6, 55, 10**9)):
        claimed = say("{low} to {high}", low=low, high=high) if high < 10**9 else say("{low} or more", low=low)
        computed = blocks[first : first + 2]
        holds = low <= computed[0] and computed[1] <= high
        statement = say(
            "receptive field after blocks {first} and {second}, blocks alone, in pixels", first=first, second=first + 1
        )
        yield Claim(statement, claimed, Sentence("{widths}", {"widths": computed}), holds, _section("4"))
    for dilation, width in ((1, 3), (3, 7), (9, 19)):
        (seen,) = receptive_field([3], [dilation])
        statement = say("receptive field of one 3x3 convolution at dilation {dilation}", dilation=dilation)
        yield Claim(statement, str(width), str(seen), width == seen, _step("3B", 4))
    whole = receptive_field(*ModelConfig().kernels_and_dilations)[-1]
    yield Claim(
        say("the last blocks cover the full 28-pixel image"),
        say("yes"),
        say("{count} pixels wide", count=whole),
        whole >= 28,
        _section("4"),
    )


def _schedule() -> Iterator[Claim]:
    schedule = Schedule.from_config(ScheduleConfig())
    source = _section("6")
    yield _number(say("alpha_bar at t = {t}", t=0), 0.9999, float(schedule.alpha_bar[0]), source, within=5e-5)
    yield _number(say("alpha_bar at t = {t}", t=1), 0.9997, float(schedule.alpha_bar[1]), source, within=5e-5)
    middle, end = float(schedule.alpha_bar[500]), float(schedule.alpha_bar[999])
    yield Claim(
        say("alpha_bar at t = {t}", t=500),
        say("{low} to {high}", low=0.1, high=0.2),
        Sentence("{number:.4g}", {"number": middle}),
        0.1 <= middle <= 0.2,
        source,
    )
    yield _number(say("alpha_bar at t = {t}", t=999), 1e-4, end, source, within=0.5)
    first = float(schedule.beta[0])
    last = float(schedule.beta[-1])
    yield Claim(
        say("beta runs from {first} to {last}", first=0.0001, last=0.02),
        Sentence("{first:.4g}, {last:.4g}", {"first": 1e-4, "last": 0.02}),
        Sentence("{first:.4g}, {last:.4g}", {"first": first, "last": last}),
        (first, last) == (1e-4, 0.02),
        source,
    )
