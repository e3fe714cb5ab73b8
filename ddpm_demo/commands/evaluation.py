"""What `ddpm-demo evaluate` measures and prints: every figure of a checkpoint, beside that of real test digits."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from ddpm_demo.commands.figures import PER_DIGIT, evaluation_lines, evaluation_table, test_digits
from ddpm_demo.commands.options import HELD_OUT, digits_in_range, watch
from ddpm_demo.core.model import Denoiser, count_parameters
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import EpsModel
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.machine.device import Placement, answering_placement, best_placement
from ddpm_demo.machine.placement import place
from ddpm_demo.measuring import classifier, quality
from ddpm_demo.measuring.quality import Quality
from ddpm_demo.networks.drawing_digits import draw_digits
from ddpm_demo.networks.guidance_settings import DigitConfig, GuidanceConfig
from ddpm_demo.networks.loaded_networks import checkpoint_file, load_guided, load_named
from ddpm_demo.networks.noisy_classifier import guide_to_digit, load_classifier
from ddpm_demo.store import checkpoint
from ddpm_demo.store.drawings_file import DRAWINGS_FILE, read_drawings
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.store.tensors import CheckpointError
from ddpm_demo.training.held_out import held_out_loss
from ddpm_demo.training.saved_run import load_run
from ddpm_demo.training.training_set import held_out_pictures

FEW = 1000  # digits for a Frechet distance


def evaluate_checkpoint(
    arguments: argparse.Namespace,
    config: SamplerConfig,
    guidance: GuidanceConfig | None,
    asked: Sequence[DigitConfig] = (),
) -> int:
    """Measure a checkpoint as the arguments say and print the figures; return the exit status.

    The held-out loss is that of the network alone, the digits those of the network with its guide, and of each digit
    that is `asked` for as many.

    Everything that can be wrong with the arguments is refused before anything is measured: ConfigError, or
    CheckpointError for an unusable file.
    """
    digits_in_range("--n", arguments.n, quality.MIN_IMAGES)
    digits_in_range("--held-out", arguments.held_out, 1)
    loaded = load_named(arguments.checkpoint)
    model, schedule, placement = loaded.model, loaded.schedule, loaded.placement
    schedule.timesteps(config.steps)  # refuses more steps than the schedule has
    guided = load_guided(model, schedule, guidance, placement)
    real = quality.real_test_digits(arguments.n)
    judge = classifier.load_judge()

    print(f"measuring on {placement.device}, blocks in {placement.dtype_name}", file=sys.stderr)
    files = checkpoint_file(arguments.checkpoint).values()
    if any(checkpoint.describe(file)[2].pictures for file in files):
        print(
            "this network learned from hand-made drawings, but is measured here against MNIST's digits", file=sys.stderr
        )
    if arguments.n < FEW:
        print(
            f"{arguments.n} digits are few for a Frechet distance, which needs thousands: compare it with that of "
            "as many real digits",
            file=sys.stderr,
        )
    digits, _ = load_mnist(train=False)
    losses = held_out_loss(model, schedule, digits[: arguments.held_out], per_digit=PER_DIGIT, device=placement.device)
    held_out = watch(losses, HELD_OUT, "images")
    images = torch.cat(
        [
            drawn_digits(ask, schedule, config, n=arguments.n // max(1, len(asked)), seed=arguments.seed + k, what=what)
            for k, (ask, what) in enumerate(askers(guided, schedule, asked, placement))
        ]
    )
    generated, floor = judged(judge, images, real)

    facts = {
        "checkpoint": next((file.name for file in files), arguments.checkpoint),
        "parameters": count_parameters(model) if isinstance(model, Denoiser) else 0,
        "sampler": asdict(config),
        "guidance": None if guidance is None else asdict(guidance),
        "asked": [asdict(wish) for wish in asked],
        "as_asked": as_asked(judge, images, asked),
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
    form = evaluation_table if arguments.markdown else evaluation_lines
    print(json.dumps(facts) if arguments.json else "\n".join(form(facts)))
    return 0


def askers(
    model: EpsModel, schedule: Schedule, asked: Sequence[DigitConfig], placement: Placement
) -> Iterator[tuple[EpsModel, str]]:
    """Yield the model asked for each digit, and what to call the drawing; the model itself if none is asked for."""
    if not asked:
        yield model, "drawing digits"
        return
    classifier = load_classifier()
    for wish in asked:
        yield guide_to_digit(model, schedule, wish, classifier, placement.device), f"asked for a {wish.digit}"


def drawn_digits(model: EpsModel, schedule: Schedule, config: SamplerConfig, *, n: int, seed: int, what: str) -> Tensor:
    """Draw n digits under a progress bar, uint8 (n, 28, 28)."""
    drawing = draw_digits(model, schedule, config, n=n, seed=seed, device=answering_placement().device)
    images = watch(drawing, what, "image steps").images
    assert images is not None  # the last record has them
    return images


def as_asked(judge: classifier.TrainedJudge, images: Tensor, asked: Sequence[DigitConfig]) -> float | None:
    """Return the share of images that the judge reads as the digit that was asked for; None if none was."""
    if not asked:
        return None
    wanted = torch.tensor([wish.digit for wish in asked]).repeat_interleave(len(images) // len(asked))
    found = torch.cat([judge.model.classes(to_x0(part)) for part in images.split(1000)])
    return float((found == wanted).double().mean())


def evaluate_rounding(directory: Path, count: int, *, as_json: bool) -> int:
    """Measure what storing a run's averaged weights at 16 bits costs, and then what the format of training here costs.

    The same digits (of a run that learns the user's own drawings, its held-out pictures), timesteps and noise three
    times: the float32 weights of `run.safetensors` and the float16 ones of `model.safetensors`, both computing in
    float32, and the latter again in the format that training here computes in. Raises CheckpointError when a file is
    missing or damaged or the two are not of one step, and ConfigError for the count.
    """
    digits_in_range("--held-out", count, 1)
    used = best_placement()
    float32 = Placement(used.device, torch.float32)
    state, config, schedule_config = load_run(directory / "run.safetensors", float32)
    stored = checkpoint.load(directory / "model.safetensors")
    if stored.provenance.steps != state.step:
        raise CheckpointError(f"{directory} holds two files from different steps: resume the run to repair it")
    schedule, digits = Schedule.from_config(schedule_config), load_mnist(train=False)[0]
    if config.pictures:
        digits = held_out_pictures(config, read_drawings(directory / DRAWINGS_FILE, config.pictures))
    digits = digits[:count]

    def loss(model: Denoiser, what: str) -> float:
        losses = held_out_loss(model, schedule, digits, per_digit=PER_DIGIT, device=used.device)
        return watch(losses, what, "images").loss

    exact = loss(state.ema, "float32 weights")
    rounded = loss(place(stored.model, float32), "float16 weights")
    as_trained = loss(place(stored.model, used), f"float16 weights, {used.dtype_name} blocks")
    facts = {
        "run": str(directory),
        "step": state.step,
        "digits": len(digits),
        "per_digit": PER_DIGIT,
        "float32": exact,
        "float16": rounded,
        "float16_percent": 100 * (rounded / exact - 1),
        "used": as_trained,
        "used_percent": 100 * (as_trained / exact - 1),
        "used_dtype": used.dtype_name,
    }
    if as_json:
        print(json.dumps(facts))
        return 0
    which = f"{len(digits):,} held-out pictures" if config.pictures else test_digits(len(digits))
    print(f"{directory}, step {state.step}; {which}, {PER_DIGIT} timesteps each")
    print(f"held-out loss {exact:.6f} with the run's float32 weights, computing in float32")
    print(f"held-out loss {rounded:.6f} with the file's float16 weights: {facts['float16_percent']:+.4f} %")
    print(
        f"held-out loss {as_trained:.6f} and with {used.dtype_name} blocks, as trained: {facts['used_percent']:+.4f} %"
    )
    return 0


def judged(judge: classifier.TrainedJudge, *sets: Tensor) -> list[Quality]:
    """Return the quality of each set of images uint8 (N, 28, 28), all against MNIST's training digits."""
    print("comparing with MNIST's training digits", file=sys.stderr)
    reference = quality.load_reference(judge.model)
    return [quality.measure_quality(images, judge.model, reference) for images in sets]
