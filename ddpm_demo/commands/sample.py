"""`ddpm-demo sample`: digits, drawn by a checkpoint."""

import argparse
import io
import sys

from ddpm_demo.commands.options import (
    CHECKPOINT_HELP,
    add_digit_options,
    add_sampler_options,
    digit_config,
    guidance_config,
    path_argument,
    sampler_config,
)
from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.networks.recommended import RECOMMENDED_GUIDANCE, RECOMMENDED_SAMPLER

MAX_SAMPLES = 10_000
GIF_FRAMES = 60
SUMMARY = "draw digits from noise"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo sample`."""
    parser.add_argument("--checkpoint", default="lite", metavar="NAME|PATH", help=CHECKPOINT_HELP)
    parser.add_argument("--n", type=int, default=64, help="how many digits (default 64)")
    # the spec's rule to the letter
    add_sampler_options(parser, SamplerConfig(), "none; the page and evaluate guide the shipped networks")
    parser.add_argument("--digit", type=int, help="ask for this digit, 0 to 9, by classifier guidance")
    add_digit_options(parser)
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same file (default 0)")
    parser.add_argument(
        "--out", required=True, type=path_argument, metavar="FILE.npz", help="`images` uint8 (N, 28, 28)"
    )
    parser.add_argument("--gif", type=path_argument, metavar="FILE.gif", help="also save the film of the grid")
    parser.add_argument("--png", type=path_argument, metavar="FILE.png", help="also save the grid as a picture")


def run_sample(arguments: argparse.Namespace) -> int:
    """`ddpm-demo sample`: digits to an npz, and as pictures if asked."""
    import numpy as np
    from tqdm import tqdm

    from ddpm_demo.core.sampling import to_uint8
    from ddpm_demo.films.film_job import frame_indices
    from ddpm_demo.networks.drawing_digits import draw_digits
    from ddpm_demo.networks.loaded_networks import checkpoint_file, load_guided, load_named
    from ddpm_demo.networks.noisy_classifier import guide_to_digit, load_classifier
    from ddpm_demo.store import pictures
    from ddpm_demo.store.files import check_outputs, write_file

    if not 1 <= arguments.n <= MAX_SAMPLES:
        raise ConfigError(f"--n must be a whole number from 1 to {MAX_SAMPLES}, got {arguments.n}")
    config, guidance = sampler_config(arguments), guidance_config(arguments, usual=None)
    wish = digit_config(arguments, arguments.digit)
    inputs = checkpoint_file(arguments.checkpoint)
    outputs = {"--out": (arguments.out, ".npz"), "--gif": (arguments.gif, ".gif"), "--png": (arguments.png, ".png")}
    check_outputs(outputs, inputs=inputs)
    loaded = load_named(arguments.checkpoint)
    schedule, placement = loaded.schedule, loaded.placement
    timesteps = schedule.timesteps(config.steps)  # refuses more steps than the schedule has
    model = load_guided(loaded.model, schedule, guidance, placement)
    if wish is not None:
        model = guide_to_digit(model, schedule, wish, load_classifier(), placement.device)
    print(f"sampling on {placement.device}, blocks in {placement.dtype_name}", file=sys.stderr)
    if (config, guidance) == (SamplerConfig(), None):
        print(usual_words(arguments.checkpoint), file=sys.stderr)

    shown, film = frame_indices(schedule, timesteps, GIF_FRAMES), []
    drawing = draw_digits(model, schedule, config, n=arguments.n, seed=arguments.seed, device=placement.device)
    with tqdm(unit=" image steps", file=sys.stderr, dynamic_ncols=True) as bar:
        for drawn in drawing:
            if arguments.gif and drawn.step is not None and drawn.begin == 0 and drawn.step.index in shown:
                film.append(to_uint8(drawn.step.x_t[:64, 0]).numpy())
            bar.total = drawn.total
            bar.update(drawn.done - bar.n)
    assert drawn.images is not None  # the last record has them
    digits = drawn.images.numpy()

    buffer = io.BytesIO()
    np.savez(buffer, images=digits)
    write_file(arguments.out, buffer.getvalue())
    if arguments.gif:
        write_file(arguments.gif, pictures.film_gif([*film, digits[:64]]))
    if arguments.png:
        write_file(arguments.png, pictures.grid_png(digits))
    for path_written in (arguments.out, arguments.gif, arguments.png):
        if path_written is not None:
            print(path_written)
    return 0


def usual_words(checkpoint: str) -> str:
    """Say what this command's own settings are, and those with which the page and `evaluate` draw."""
    page, guidance = RECOMMENDED_SAMPLER, RECOMMENDED_GUIDANCE.get(checkpoint)
    guide = f" --guide {guidance.guide} --guidance {guidance.weight:g}" if guidance else ""
    return (
        "exactly by the spec's rule, without a guide; the page and evaluate draw with "
        f"--steps {page.steps} --variance {page.variance} --clip {page.clip}{guide}"
    )
