"""Measure the shipped checkpoints and write their model card, checkpoints/README.md, with its pictures.

    python assets/card.py DIRECTORY

Results go into DIRECTORY, and what is measured there already is not measured again: all of it takes minutes on a GPU,
hours on a laptop. Where DIRECTORY holds a
checkpoint's training run, in a folder of the checkpoint's name, what storing its weights at 16 bits costs is
measured too.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ddpm_demo.commands.figures import evaluation_table, sampler_words
from ddpm_demo.core.config import PRESETS
from ddpm_demo.core.model import Denoiser, count_parameters
from ddpm_demo.networks.recommended import RECOMMENDED_GUIDANCE, RECOMMENDED_SAMPLER
from ddpm_demo.store import checkpoint
from ddpm_demo.store.files import GUIDE
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.store.shipped import find_checkpoint, shipped_checkpoints
from ddpm_demo.training.recipes import train_config

ASSETS = Path(__file__).parent
IMAGES = ASSETS / "images"
NAMES = ("full", "lite", GUIDE)
DIGITS = "2000"  # drawn for a figure
ROUNDING = {"full": "20", "lite": "200", GUIDE: "200"}  # test digits for what 16 bits cost
CHOSEN = ()  # the command's own sampler and guide, which are the page's
ALONE = ("--guide", "none")
FAST = ("--sampler", "dpmpp", "--steps", "10", *ALONE)
SPEC = ("--variance", "beta", "--clip", "none", "--steps", "200", *ALONE)
SAMPLERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "full": (CHOSEN, ALONE),
    "lite": (CHOSEN, ALONE, FAST, SPEC),
    GUIDE: (CHOSEN,),
}
WEIGHTS = {  # of the guide, besides the page's own and none
    "full": ("1.25", "1.4", "1.75", "2", "2.5", "3"),
    "lite": ("1.5", "2", "3", "4"),
}
CURVES = dict.fromkeys(("full", "lite"), "5,10,20,50")  # steps
ALL = 10_000  # test digits
POINT = "500"  # digits of a point of the curves
ALT = {
    "full": "Sixty-four digits drawn by full: nearly all are clear, two or three are not",
    "lite": "Sixty-four digits drawn by lite: most are clear, some are broken or between two classes",
    GUIDE: "Sixty-four digits drawn by tiny: half are clear, the others broken or between two classes",
}

HEAD = """\
# The trained networks

Denoisers of MNIST digits, for this project's page and command line: they show how diffusion works, and are of no other
use. Each file is safetensors with 16-bit weights, and holds its configuration and the story of its training
(`ddpm-demo info --checkpoint lite`). This page is written by [card.py](../card.py), which measures every figure in it.

**Architecture.** A 7×7 convolution in, eight residual blocks of constant width (add the time embedding and a 3×3
convolution of dilation 1 1 3 3 9 9 27 27, GroupNorm, SiLU), a 3×3 convolution out; it predicts the noise in a 28×28
picture with values in [−1, 1], at one of 1000 timesteps of the linear schedule (β from 0.0001 to 0.02). No labels:
nobody chooses the digit.

**Data.** MNIST's 60,000 training digits, unchanged, without augmentation. The 10,000 test digits were never trained
on; they measure.

**How it is measured.** Held-out loss: mean squared error of the predicted noise, averaged weights, each test digit at
10 timesteps drawn uniformly by a fixed seed. The other figures judge drawn digits by a classifier that takes no part
in drawing ([its page](../classifiers/README.md)), and stand beside the same figures of as many real test digits:
Fréchet distance (Heusel et al. 2017) in the classifier's features, to all training digits; precision and recall
(Kynkäänniemi et al. 2019, k = 3, as many training digits); the share recognised with a confidence of 0.9 or more; the
total variation of the classes from MNIST's own; and the pixel distance (Euclidean, pixels 0 to 1) to the nearest
training digit, which would be small if the network copied. They depend on the number of digits and on the classifier:
compare them only within a table.

**Guided by tiny.** The page draws with `full` and `lite` guided by a worse network (autoguidance, Karras et al. 2024):
ε̂ = ε̂_guide + weight · (ε̂ − ε̂_guide). Only the drawing changes, no weight of a file does; each table says which guide
it is about, and what the network draws alone stands beside it.
"""
WEAKNESSES = """\
## Known weaknesses
The strokes are right more often than the whole: by the share recognised in the tables above, one in ten of full's
digits and nearly one in four of lite's are broken or lie between two classes when each draws alone, and with their
guide still about one in thirty and one in six. A guide has its price: with more weight the classes come less and less
as often as in MNIST, recall falls, and the Fréchet distance, after falling far, rises again. They do not copy: alone,
the digits are further from the training digits than real test digits are, and guided about as far. They know only
centred white-on-black digits of 28×28 pixels. A loss that looks good says little here: nearly all of it comes from
small t, while shape is decided at large t.

## Licence
The weights are under the project's [MIT licence](../../LICENSE). They were trained on MNIST (Y. LeCun, C. Cortes,
C. J. C. Burges), which is distributed under [CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/) and travels
with the project ([its page](../mnist/README.md)); please name MNIST where you pass the weights on.
"""


def main() -> None:
    """Measure what is missing in the directory that was named, and write the card."""
    directory = Path(sys.argv[1])
    parts = [HEAD]
    for name in NAMES:
        if name in shipped_checkpoints():
            parts.append("\n".join(section(name, directory)) + "\n")
    (ASSETS / "checkpoints" / "README.md").write_text("\n".join([*parts, WEAKNESSES]), encoding="utf-8")


def section(name: str, directory: Path) -> Iterator[str]:
    """Yield the lines about one checkpoint."""
    path = find_checkpoint(name)
    mark = f"{name}-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"  # other weights, other results
    loaded = checkpoint.load(path)
    evaluations = []
    for sampler in SAMPLERS[name]:
        result = directory / f"{mark}-{'-'.join(word.strip('-') for word in sampler) or 'chosen'}.json"
        # the loss of all test digits stands above
        command = ["evaluate", "--checkpoint", name, "--n", DIGITS, "--held-out", "100", "--json", *sampler]
        evaluations.append(measured(result, command))

    yield f"## {name}"
    yield "| | |\n|---|---|"
    for field, value in facts(loaded.provenance, loaded.model):
        yield f"| {field} | {value} |"
    if loaded.provenance.held_out.digits < ALL:
        command = ["evaluate", "--checkpoint", name, "--n", "4", "--held-out", str(ALL), "--json"]
        whole = measured(directory / f"{mark}-held-out.json", command)["held_out"]
        yield f"| held-out loss, {ALL:,} test digits | {whole['loss']:.5f} |"
    run = directory / name
    if run.exists():
        command = ["evaluate", "--run", str(run), "--held-out", ROUNDING[name], "--json"]
        cost = measured(directory / f"{mark}-rounding.json", command)
        yield (
            f"| cost of storing at 16 bits | {cost['float16_percent']:+.4f} % of the held-out loss "
            f"({cost['digits']} test digits); computing in {cost['used_dtype']}, {cost['used_percent']:+.2f} % |"
        )

    pictures = directory / f"{mark}-samples.npz"
    chosen = RECOMMENDED_SAMPLER
    command = ["sample", "--checkpoint", name, "--n", "64", "--out", str(pictures)]
    command += ["--variance", chosen.variance, "--clip", chosen.clip, "--steps", str(chosen.steps)]
    if guidance := RECOMMENDED_GUIDANCE.get(name):
        command += ["--guide", guidance.guide, "--guidance", str(guidance.weight)]
    ddpm_demo([*command, "--png", str(IMAGES / f"{name}-samples.png")])
    words = sampler_words(asdict(chosen), asdict(guidance) if guidance else None)
    yield f"\nSixty-four digits, not chosen ({words}, seed 0):\n"
    yield f"![{ALT[name]}](../images/{name}-samples.png)"
    for evaluation in evaluations:
        yield ""
        yield from evaluation_table(evaluation)

    if name in WEIGHTS:
        yield ""
        yield from weights(name, directory, mark, evaluations)

    if name in CURVES:
        command = ["curves", "--checkpoint", name, "--n", POINT, "--steps", CURVES[name]]
        command += ["--out", str(directory / f"{mark}-curves.json"), "--picture", str(IMAGES / f"{name}-curves.png")]
        table = ddpm_demo([*command, "--markdown"])
        yield f"\nQuality against steps, {POINT} digits a point, seed 0:\n"
        yield f"![Six panels of quality against steps for DDPM, DDIM and DPM-Solver++](../images/{name}-curves.png)\n"
        yield table.strip()


def weights(name: str, directory: Path, mark: str, evaluations: list[Any]) -> Iterator[str]:
    """Yield a table of quality against the guide's weight, with what was measured already of the page's sampler."""
    rows = {each["guidance"]["weight"] if each["guidance"] else 1.0: each["generated"] for each in evaluations[:2]}
    for asked in WEIGHTS[name]:
        command = ["evaluate", "--checkpoint", name, "--n", DIGITS, "--held-out", "100", "--json"]
        result = measured(directory / f"{mark}-guidance-{asked}.json", [*command, "--guidance", asked])
        rows[float(asked)] = result["generated"]
    yield f"| weight of {GUIDE}, {DIGITS} digits | recognised | precision | recall | total variation | Frechet |"
    yield "|---|---|---|---|---|---|"
    for weight, drawn in sorted(rows.items()):
        figures = [drawn[field] for field in ("recognised", "precision", "recall", "total_variation")]
        label = f"{weight:g}" + (" (no guide)" if weight == 1 else "")
        yield f"| {label} | {' | '.join(f'{figure:.3f}' for figure in figures)} | {drawn['frechet']:.2f} |"


def facts(story: Provenance, model: Denoiser) -> Iterator[tuple[str, str]]:
    """Yield what a checkpoint is and how it came to be, from its own provenance."""
    held_out, minutes = story.held_out, story.wall_seconds / 60
    yield "parameters", f"{count_parameters(model):,}"
    yield "command", f"`{command_of(story, model.config.hidden)}`"
    before = story.grown_from
    which = "first weights"
    while before:
        width = before.channels
        trained, (length, unit) = before.wall_seconds / 60, before.length.split()
        ended = "stopped" if unit == "minutes" and trained < 0.99 * float(length) else "finished"
        wider = "a wider copy (Net2Net, Chen et al. 2016) of " if width != model.config.hidden else "those of "
        yield (
            which,
            (
                f"{wider}a network of {width} channels: "
                f"`{command_of(before, width)}`, {ended} after {trained:.2g} minutes and "
                f"{before.images_seen:,} digits"
            ),
        )
        before, which = before.grown_from, "its own first weights"
    yield (
        "data",
        f"{story.data}; {story.images_seen:,} digits seen in {story.steps:,} steps of {story.batch}",
    )
    yield "optimiser", f"{story.optimizer}, {story.lr:g}; {story.lr_schedule}"
    yield "gradients", f"clipped at {story.grad_clip}"
    if story.middle:
        yield "timesteps", f"uniform, but {story.middle:.0%} from the middle of the schedule, logit-normal"
    weight = {
        "mse": "squared error of the noise, every t alike",
        "p2": (
            f"squared error of the noise, weighted by (k + SNR)^−γ with k = {story.p2_k}, "
            f"γ = {story.p2_gamma} (Choi et al. 2022)"
        ),
    }
    yield "loss", weight[story.loss_weight]
    yield "averaging", f"exponential, decay {story.ema_decay}"
    yield "hardware, time", f"{story.hardware}; {minutes:.2g} minutes"
    yield f"held-out loss, {held_out.digits:,} test digits", f"{held_out.loss:.5f}"
    yield "by tenth of t, from clean to noise", " ".join(f"{tenth:.2g}" for tenth in held_out.by_tenth)


def command_of(story: Provenance, width: int) -> str:
    """Return the command that trains what a provenance tells of."""
    preset = story.preset
    if preset not in PRESETS:  # a width of its own, with the recipe of one of them: they differ in their warm-up
        preset = next(p for p in PRESETS if f"over {train_config(p, minutes=1).warmup} steps" in story.lr_schedule)
    words = [f"ddpm-demo train --preset {preset}"]
    if width != PRESETS[preset].hidden:
        words.append(f"--hidden {width}")
    before = story.grown_from
    if before:
        option = "--from" if before.channels == width else "--grow-from"
        words.append(f"{option} {'lite' if before.preset == 'lite' else 'the network below'}")
    usual = train_config(preset, minutes=1)
    told = {"batch": story.batch, "lr": story.lr, "middle": story.middle or 0.0, "ema_decay": story.ema_decay}
    words += [f"--{name.replace('_', '-')} {value:g}" for name, value in told.items() if value != getattr(usual, name)]
    length, unit = story.length.split()
    return " ".join([*words, f"--{unit} {float(length):g}"])


def measured(result: Path, command: list[str]) -> Any:
    """Return what a command prints as JSON, from the file where it was kept if it has run before."""
    if not result.exists():
        result.write_text(ddpm_demo(command), encoding="utf-8")
    return json.loads(result.read_text(encoding="utf-8"))


def ddpm_demo(command: list[str]) -> str:
    """Run `ddpm-demo` and return what it prints."""
    ran = subprocess.run([sys.executable, "-m", "ddpm_demo", *command], check=True, stdout=subprocess.PIPE, text=True)
    return ran.stdout


if __name__ == "__main__":
    main()
