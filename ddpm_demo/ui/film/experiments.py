"""What the race runs with one click: the small experiments, and the settings for a race of your own."""

from dataclasses import dataclass
from typing import Any

from ddpm_demo.core.samplers import SamplerConfig, network_calls
from ddpm_demo.networks.guidance_settings import DigitConfig
from ddpm_demo.networks.ideal_checkpoints import FITTED, IDEAL
from ddpm_demo.networks.recommended import RECOMMENDED_SAMPLER
from ddpm_demo.words.sentence import say

GENTLE = 6.0  # the weight of a wish that shows when a digit is decided: a strong one changes what has been


@dataclass(frozen=True)
class Lane:
    """One setting in a race; `z_offset` other than 0 draws other noise on the way, from the same x_T.

    `weight` is that of the guide, which takes no part at 1; `wish` the digit that is asked for, if any; `ideal` the
    name of the perfect denoiser that is asked instead of the network, if one is.
    """

    name: str
    config: SamplerConfig
    z_offset: int = 0
    weight: float = 1.0
    wish: DigitConfig | None = None
    ideal: str = ""

    @property
    def calls(self) -> int:
        """How often a network is called, the guide included."""
        return network_calls(self.config) * (1 if self.weight == 1 else 2)


@dataclass(frozen=True)
class Experiment:
    """Lanes to run with one click, what to look for, and where it comes from.

    `interpolate` makes the digits of a lane start on the great circle between two noises; `ten` makes a lane of ten
    from one noise, asked for 0 to 9.
    """

    lanes: tuple[Lane, ...]
    look: str
    source: str
    interpolate: bool = False
    ten: bool = False


def _lane(name: str, z_offset: int = 0, **settings: Any) -> Lane:
    return Lane(name, SamplerConfig(**{"clip": "x0", **settings}), z_offset)


LANES = {
    lane.name: lane
    for lane in (
        _lane(say("DDPM, 1000 steps"), steps=1000),
        _lane(say("DDPM, 50 steps"), steps=50),
        _lane(say("DDPM, 10 steps"), steps=10),
        _lane(say("DDIM, 50 steps"), kind="ddim", steps=50),
        _lane(say("DDIM, 10 steps"), kind="ddim", steps=10),
        _lane(say("DDIM, η = 1, 50 steps"), kind="ddim", eta=1.0, steps=50),
        _lane(say("DPM-Solver++(2M), 20 steps"), kind="dpmpp", steps=20),
        _lane(say("DPM-Solver++(2M), 10 steps"), kind="dpmpp", steps=10),
    )
}
EXPERIMENTS = {
    say("1000, 50 and 10 steps"): Experiment(
        (LANES["DDPM, 1000 steps"], LANES["DDPM, 50 steps"], LANES["DDIM, 50 steps"], LANES["DDIM, 10 steps"]),
        say(
            "Compare the calls and the times first, then the digits. DDIM's 50 and 10 steps follow the same curve "
            "from x_T, so they often agree on the digit; DDPM adds noise on the way and ends up elsewhere, and in 50 "
            "steps it leaves grain. Few steps also change the contrast, whatever the network: under each lane stands "
            "what its steps make of it when every answer is exact."
        ),
        say("Ho et al. 2020, Algorithm 2; Song et al. 2021, section 5.1"),
    ),
    say("Three ways of clipping"): Experiment(
        (
            _lane(say("clip nothing"), clip="none", steps=200),
            _lane(say("clip x̂₀"), clip="x0", steps=200),
            _lane(say("clamp xₜ"), clip="x_t", steps=200),
        ),
        say(
            "Noise mostly lies between −2 and 2: clamping xₜ to [−1, 1] at every step removes a part of it that the "
            "network expects to see; look at the paper between the strokes. Clipping x̂₀ only says that the "
            "finished pixels are between black and white."
        ),
        say("the spec clips nothing; Ho et al.'s code clips x̂₀; Jackson-Kang's tutorial notebook clamps xₜ"),
    ),
    say("Noise at the last step or not"): Experiment(
        (
            _lane(say("noise only for t > 1 (the spec)"), steps=1000, clip="none"),
            _lane(say("noise for t > 0 (Ho et al.)"), steps=1000, clip="none", final_noise="ho"),
        ),
        say(
            "Everything down to t = 1 is the same to the last bit; then a single draw of noise with σ = 0.011 makes "
            "the difference. You will not see it in the digits: look at the difference image, and at how few grey "
            "levels it spans."
        ),
        say("the spec's `if t > 1` against Ho et al. 2020, Algorithm 2, which counts t from 1"),
    ),
    say("η from 0 to 1"): Experiment(
        tuple(_lane(say("η = {eta:.2g}", eta=eta), kind="ddim", eta=eta, steps=50) for eta in (0.0, 0.35, 0.7, 1.0)),
        say(
            "η = 0 adds no noise and x_T decides everything. The more noise is added on the way, the less x_T decides."
        ),
        say("Song et al. 2021, equations 12 and 16"),
    ),
    say("The same x_T, other noise on the way"): Experiment(
        (
            _lane(say("DDPM, noise of this seed"), variance="posterior", steps=100),
            _lane(say("DDPM, other noise"), 1, variance="posterior", steps=100),
            _lane(say("DDIM, this seed"), kind="ddim", steps=100),
            _lane(say("DDIM, other seed"), 1, kind="ddim", steps=100),
        ),
        say(
            "Every lane starts from the same x_T. DDPM arrives at different digits, because fresh noise helps to "
            "decide; DDIM draws none, so its two pictures are equal in every pixel."
        ),
        say("Song et al. 2021, section 4.1"),
    ),
    say("From one noise to another"): Experiment(
        (_lane(say("DDIM between two x_T"), kind="ddim", steps=50),),
        say(
            "The first and the last digit each start from their own noise; those between them start from points on "
            "the arc from one noise to the other. The digits change step by step, and what lies between two digits is "
            "often a digit too."
        ),
        say("Song et al. 2021, section 5.3"),
        interpolate=True,
    ),
    say("Guided by a weaker network"): Experiment(
        tuple(
            Lane(name, RECOMMENDED_SAMPLER, weight=weight)
            for name, weight in (
                (say("the guide alone"), 0),
                (say("no guide"), 1),
                (say("weight 2"), 2),
                (say("weight 4"), 4),
            )
        ),
        say(
            "A guide makes the digits clearer: a weaker network, here the one chosen under Settings, or tiny, which "
            "learned for five minutes, tends to make the same mistakes as the network, only larger. So ε̂ starts at "
            "the guide's answer and goes weight times the distance to the network's own: past it, where the weight is "
            "more than 1 (the spec has no guide: that is weight 1). This repairs digits that the network alone leaves "
            "broken. When the weight is too large, look for strokes that get bolder and for digits that turn into "
            "other digits."
        ),
        say("Karras et al. 2024, section 3"),
    ),
    say("The same noise, asked for ten digits"): Experiment(
        (Lane(say("DDIM, 50 steps, asked for 0 to 9"), SamplerConfig(kind="ddim", steps=50, clip="x0")),),
        say(
            "All ten start from exactly the same x_T. The network knows no labels: at every step a classifier of "
            "noisy pictures says which change to xₜ makes the digit likelier, and that is subtracted from ε̂. Compare "
            "slant and thickness along the row: whatever else the noise had decided often stays."
        ),
        say("Dhariwal & Nichol 2021, Algorithm 2"),
        ten=True,
    ),
    say("Beside a perfect network"): Experiment(
        tuple(
            Lane(name, SamplerConfig(kind="ddim", steps=50, clip="x0"), ideal=ideal)
            for name, ideal in (
                (say("the network"), ""),
                (say("perfect: knows 60,000 digits by heart"), IDEAL),
                (say("perfect in patches, of 2,000 digits"), f"{IDEAL}:patch={FITTED},count=2000"),
            )
        ),
        say(
            "The same noise, and at every step the answer with the least error on the training digits. The perfect "
            "network draws clean digits, and every one is a training digit, pixel for pixel. Patch by patch, with "
            "each pixel decided by a few around it, the perfect answer is a mosaic of pieces of many digits. The "
            "network is neither: where it draws what nobody wrote, it is in error. Generate with ideal as the "
            "checkpoint, and look for its copies."
        ),
        say("Kamb & Ganguli 2025, section 3; the widths of the patches in docs/ideal.md"),
    ),
    say("When is it decided which digit it will be?"): Experiment(
        tuple(
            Lane(
                name,
                SamplerConfig(kind="ddim", steps=50, clip="x0"),
                wish=DigitConfig(3, GENTLE, first=first, last=last),
            )
            for name, first, last in (
                (say("asked for a 3 all the way"), 999, 0),
                (say("only while t ≥ 700"), 999, 700),
                (say("only from t = 699 to 300"), 699, 300),
                (say("only while t < 300"), 299, 0),
            )
        ),
        say(
            "The same noises, asked for a 3 during only part of the way, and gently: the page's own weight of "
            "{usual:g} redraws even strokes that are already decided, so here it is {gentle:g}. Where asking still "
            "makes threes, the class is open; where it comes too late to change a stroke, the class had been decided.",
            usual=DigitConfig.weight,
            gentle=GENTLE,
        ),
        say("Kynkäänniemi et al. 2024, section 3, a limited interval"),
    ),
}
