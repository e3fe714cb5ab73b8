"""What `ddpm-demo evaluate` does and prints: every figure of a checkpoint, beside that of real test digits."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor
from tqdm import tqdm

from ddpm_demo.commands.options import guidance_config, sampler_config
from ddpm_demo.core.config import CHOSEN_GUIDANCE, ConfigError, DemoError, GuidanceConfig, SamplerConfig
from ddpm_demo.core.device import Placement, best_placement
from ddpm_demo.core.model import Denoiser, count_parameters
from ddpm_demo.core.sampling import draw_digits
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.machine.placement import place
from ddpm_demo.measuring import classifier, quality
from ddpm_demo.measuring.quality import Quality
from ddpm_demo.store import checkpoint
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.store.shipped import find_checkpoint, load_guided
from ddpm_demo.training.held_out import held_out_loss
from ddpm_demo.training.run import load_run

PER_DIGIT = 10  # timesteps of each test digit
# what people read: the name of a figure, which field it is, and how it is written
FIGURES = (
    ("Frechet distance", "frechet", ".2f"),
    ("precision", "precision", ".3f"),
    ("recall", "recall", ".3f"),
    (f"recognised (confidence >= {quality.CONFIDENCE})", "recognised", ".3f"),
    ("total variation of classes", "total_variation", ".3f"),
    ("nearest training digit, median", "nearest_median", ".2f"),
    ("nearest training digit, smallest", "nearest_min", ".2f"),
)


class Advance(Protocol):
    """What a loop yields: how much of it is done."""

    @property
    def done(self) -> int:
        """So much is done."""

    @property
    def total(self) -> int:
        """So much is to be done in all."""


Record = TypeVar("Record", bound=Advance)


def run_evaluate(arguments: argparse.Namespace) -> int:
    """`ddpm-demo evaluate`: the held-out loss, and the quality of drawn digits beside that of real ones."""
    if arguments.directory is not None:
        return evaluate_rounding(arguments.directory, arguments.held_out, as_json=arguments.json)
    guidance = guidance_config(arguments, usual=CHOSEN_GUIDANCE.get(arguments.checkpoint))
    return evaluate_checkpoint(arguments, sampler_config(arguments), guidance)


def evaluate_checkpoint(arguments: argparse.Namespace, config: SamplerConfig, guidance: GuidanceConfig | None) -> int:
    """Measure a checkpoint as the arguments say and print the figures; return the exit status.

    The held-out loss is that of the network alone, the digits those of the network with its guide.

    Everything that can be wrong with the arguments is refused before anything is measured: ConfigError, or
    CheckpointError for a file that is no good.
    """
    digits_in_range("--n", arguments.n, quality.MIN_IMAGES)
    digits_in_range("--held-out", arguments.held_out, 1)
    path = find_checkpoint(arguments.checkpoint)
    loaded = checkpoint.load(path)
    schedule, placement = Schedule.from_config(loaded.schedule), best_placement()
    schedule.timesteps(config.steps)  # refuses more steps than the schedule has
    model = place(loaded.model, placement)
    guided = load_guided(model, schedule, guidance, placement)
    real = quality.real_test_digits(arguments.n)
    judge = trained_classifier()

    print(f"measuring on {placement.device}, blocks in {placement.dtype_name}", file=sys.stderr)
    digits, _ = load_mnist(train=False)
    losses = held_out_loss(model, schedule, digits[: arguments.held_out], per_digit=PER_DIGIT, device=placement.device)
    held_out = watch(losses, "held-out loss", "image")
    drawing = draw_digits(guided, schedule, config, n=arguments.n, seed=arguments.seed, device=placement.device)
    images = watch(drawing, "drawing digits", "image step").images
    assert images is not None  # the last record has them
    generated, floor = judged(judge, images, real)

    facts = {
        "checkpoint": path.name,
        "parameters": count_parameters(loaded.model),
        "sampler": asdict(config),
        "guidance": None if guidance is None else asdict(guidance),
        "seed": arguments.seed,
        "device": str(placement.device),
        "dtype": placement.dtype_name,
        "held_out": {
            "loss": held_out.loss,
            "by_tenth": [None if tenth != tenth else tenth for tenth in held_out.by_tenth],  # JSON knows no NaN
            "digits": arguments.held_out,
            "per_digit": PER_DIGIT,
        },
        "generated": asdict(generated),
        "real": asdict(floor),
        "classifier": {"accuracy": judge.accuracy},
    }
    form = evaluation_table if arguments.markdown else lines
    print(json.dumps(facts) if arguments.json else "\n".join(form(facts)))
    return 0


def evaluate_rounding(directory: Path, count: int, *, as_json: bool) -> int:
    """Measure what storing a run's averaged weights at 16 bits costs, and then what this machine's format costs.

    The same digits, timesteps and noise three times: the float32 weights of `run.safetensors` and the float16 ones of
    `model.safetensors`, both computing in float32, and the latter once more as every other command computes. Raises
    CheckpointError when a file is missing or damaged or the two are not of one step, and ConfigError for the count.
    """
    digits_in_range("--held-out", count, 1)
    used = best_placement()
    float32 = Placement(used.device, torch.float32)
    state, _, schedule_config = load_run(directory / "run.safetensors", float32)
    stored = checkpoint.load(directory / "model.safetensors")
    if stored.provenance.get("steps") != state.step:
        raise checkpoint.CheckpointError(f"{directory} holds two files of different steps: resume the run to mend it")
    schedule, digits = Schedule.from_config(schedule_config), load_mnist(train=False)[0][:count]

    def loss(model: Denoiser, what: str) -> float:
        losses = held_out_loss(model, schedule, digits, per_digit=PER_DIGIT, device=used.device)
        return watch(losses, what, "image").loss

    exact = loss(state.ema, "float32 weights")
    rounded = loss(place(stored.model, float32), "float16 weights")
    as_used = loss(place(stored.model, used), f"float16 weights, {used.dtype_name} blocks")
    facts = {
        "run": str(directory),
        "step": state.step,
        "digits": count,
        "per_digit": PER_DIGIT,
        "float32": exact,
        "float16": rounded,
        "float16_percent": 100 * (rounded / exact - 1),
        "used": as_used,
        "used_percent": 100 * (as_used / exact - 1),
        "used_dtype": used.dtype_name,
    }
    if as_json:
        print(json.dumps(facts))
        return 0
    print(f"{directory}, step {state.step}; {count:,} test digits, {PER_DIGIT} timesteps each")
    print(f"held-out loss {exact:.6f} with the run's float32 weights, computing in float32")
    print(f"held-out loss {rounded:.6f} with the file's float16 weights: {facts['float16_percent']:+.4f} %")
    print(f"held-out loss {as_used:.6f} and with {used.dtype_name} blocks, as used: {facts['used_percent']:+.4f} %")
    return 0


def digits_in_range(option: str, count: int, low: int) -> None:
    """Refuse a number of digits that the test set does not have; raise ConfigError that names the option."""
    if not low <= count <= 10_000:  # as many test digits as there are
        raise ConfigError(f"{option} must be a whole number from {low} to 10000, got {count}")


def trained_classifier() -> classifier.Trained:
    """Return the judge, training it first if there is none yet; raise DemoError if it cannot be kept."""
    known = classifier.load()
    if known is None:
        for progress in (bar := tqdm(classifier.train(), total=classifier.STEPS, **_look("training the classifier"))):
            bar.set_postfix_str(f"step {progress.step}", refresh=False)
        known = classifier.load()
    if known is None:
        raise DemoError("the trained classifier cannot be read back")
    return known


def judged(judge: classifier.Trained, *sets: Tensor) -> list[Quality]:
    """Return the quality of each set of images uint8 (N, 28, 28), all against MNIST's training digits."""
    print("comparing with MNIST's training digits", file=sys.stderr)
    reference = quality.load_reference(judge.model)
    return [quality.measure_quality(images, judge.model, reference) for images in sets]


def watch(records: Iterator[Record], what: str, unit: str) -> Record:
    """Run a loop to its end under a progress bar and return its last record."""
    with tqdm(unit=unit, **_look(what)) as bar:
        for record in records:
            bar.total = record.total
            bar.update(record.done - bar.n)
    return record


def lines(facts: dict[str, Any]) -> Iterator[str]:
    """Yield what people read of an evaluation, line by line."""
    sampler, held_out, drawn, real = (facts[name] for name in ("sampler", "held_out", "generated", "real"))
    yield f"{facts['checkpoint']}, {facts['parameters']:,} parameters; {facts['device']}, {facts['dtype']}"
    yield ""
    yield f"held-out loss {held_out['loss']:.5f}: {held_out['digits']:,} test digits, {PER_DIGIT} timesteps each"
    yield "by tenth of t " + " ".join("-" if tenth is None else f"{tenth:.3g}" for tenth in held_out["by_tenth"])
    yield ""
    yield f"{drawn['n']} digits, seed {facts['seed']}, {sampler_words(sampler, facts['guidance'])}"
    yield f"{'':34} {'drawn':>9} {'real':>9}"
    for name, field, form in FIGURES:
        yield f"{name:34} {drawn[field]:>9{form}} {real[field]:>9{form}}"
    for name, figures in (("drawn", drawn), ("real", real)):
        yield f"{'classes 0 to 9, ' + name:34} " + " ".join(f"{count:>4}" for count in figures["classes"])
    yield ""
    yield f"The judge gets {facts['classifier']['accuracy']:.2%} of MNIST's test digits right; real: as many of them"


def evaluation_table(facts: dict[str, Any]) -> Iterator[str]:
    """Yield an evaluation as the lines of a Markdown table, for the model card."""
    held_out, drawn, real = (facts[name] for name in ("held_out", "generated", "real"))
    sampler = sampler_words(facts["sampler"], facts["guidance"])
    yield f"| {facts['checkpoint']}: {drawn['n']} digits, {sampler} | drawn | real |"
    yield "|---|---|---|"
    yield f"| held-out loss ({held_out['digits']:,} test digits) | {held_out['loss']:.5f} | |"
    for name, field, form in FIGURES:
        yield f"| {name} | {drawn[field]:{form}} | {real[field]:{form}} |"
    yield f"| classes 0 to 9 | {' '.join(map(str, drawn['classes']))} | {' '.join(map(str, real['classes']))} |"
    yield f"| test digits that the judge gets right | | {facts['classifier']['accuracy']:.2%} |"


def sampler_words(sampler: dict[str, Any], guidance: dict[str, Any] | None) -> str:
    """Return a sampler's settings and its guide in a few words, only those that matter to its kind."""
    words = f"{sampler['kind']} {sampler['steps']} steps, clip {sampler['clip']}"
    if sampler["kind"] == "ddpm":
        words += f", variance {sampler['variance']}, final noise {sampler['final_noise']}"
    elif sampler["kind"] == "ddim":
        words += f", eta {sampler['eta']:g}"
    return f"{words}, guided by {guidance['guide']} with weight {guidance['weight']:g}" if guidance else words


def _look(what: str) -> dict[str, Any]:
    return {"desc": what, "file": sys.stderr, "dynamic_ncols": True}
