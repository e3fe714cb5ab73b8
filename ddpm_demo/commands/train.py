"""`ddpm-demo train`: start a run or continue one, alone or as one of several processes.

Heavy imports are inside the functions, so that `ddpm-demo --help` answers at once.
"""

import argparse
import contextlib
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ddpm_demo.commands.options import HELD_OUT, INTERRUPTED, interrupts, path_argument
from ddpm_demo.core.config import ConfigError, DemoError

if TYPE_CHECKING:
    from torch import Tensor

    from ddpm_demo.training.processes import Ranks
    from ddpm_demo.training.run import Run

SUMMARY = "train a network on MNIST, or on drawings of your own"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo train`."""
    parser.add_argument("--preset", default=None, help="lite (64 channels, the default) or full (256, the spec's)")
    parser.add_argument("--hidden", type=int, help="another width, a multiple of 8, with the preset's recipe")
    parser.add_argument("--out", required=True, type=path_argument, metavar="DIR", help="directory for the run")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="how long to train (default 60)")
    length.add_argument("--epochs", type=float, help="how many passes over the digits")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue the run in DIR exactly where it stopped; longer if you give a length",
    )
    origin = parser.add_mutually_exclusive_group()
    origin.add_argument(
        "--from",
        metavar="NAME|PATH",
        dest="first",
        help="start from the weights of this checkpoint (same shape), with a fresh optimiser",
    )
    origin.add_argument(
        "--grow-from",
        metavar="NAME|PATH",
        help="start as a wider copy of this checkpoint that gives the same answers (Net2Net), not from scratch",
    )
    parser.add_argument("--seed", type=int, help="decides weights, noise and the order of digits (default 0)")
    parser.add_argument("--batch", type=int, help="digits per step (default: the preset's)")
    parser.add_argument("--lr", type=float, help="highest learning rate")
    parser.add_argument("--loss-weight", help="mse (every t alike), p2 (noisy t more) or min_snr (clean t less)")
    parser.add_argument(
        "--min-snr-gamma", type=float, help="SNR above which min_snr gives a timestep less weight (default 5)"
    )
    parser.add_argument(
        "--middle", type=float, help="share of t drawn from the middle, where the shape is decided (0 to 1)"
    )
    parser.add_argument(
        "--optimizer", help="adamw or muon (learns as much from fewer digits, though not in every direction alike)"
    )
    parser.add_argument("--ema-decay", type=float, help="share of the averaged weights kept at each step")
    parser.add_argument(
        "--pictures",
        type=path_argument,
        metavar="DIR|ZIP",
        dest="own",
        help="train on your own drawings, at least 5, slightly shifted, turned and scaled; they stay with the run",
    )
    parser.add_argument(
        "--classes",
        type=_classes,
        metavar="3,7",
        help="train on these digits only (default: all ten); with --pictures mix these in (default: none)",
    )
    parser.add_argument(
        "--digits", type=int, help="train only on this many digits, from the first on (default: all 60,000)"
    )
    parser.add_argument("--compile", action="store_true", default=None, help="torch.compile; needs a C++ compiler")
    parser.add_argument("--save-every", type=float, default=30.0, metavar="SECONDS", help="0 to 60 (default 30)")
    parser.add_argument(
        "--held-out", type=int, default=1000, metavar="N", help="the first so many test digits, measured at the end"
    )


def _classes(text: str) -> tuple[int, ...]:
    """Return the digits that an argument such as 3,7 names; TrainConfig checks that they exist."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"name digits with commas between them, as in 3,7, not {text!r}") from None


def run_train(arguments: argparse.Namespace) -> int:
    """`ddpm-demo train`: start a run or continue one, saving at least every minute.

    A loss that is no longer a number ends it, with the weights from before that step saved.
    """
    from ddpm_demo.training.processes import join

    with contextlib.ExitStack() as stack, join() as ranks:
        return _train(arguments, stack, ranks)


def _train(arguments: argparse.Namespace, stack: contextlib.ExitStack, ranks: "Ranks") -> int:
    """Train, keeping on the stack what must be released at the end: the lock of the run's directory."""
    from tqdm import tqdm

    if not 0 <= arguments.held_out <= 10_000:
        raise ConfigError(f"--held-out must be from 0 to 10000, got {arguments.held_out}")
    if not 0 <= arguments.save_every <= 60:
        raise ConfigError(f"--save-every must be from 0 to 60 seconds, got {arguments.save_every}")
    run = _open_run(arguments, stack, ranks)
    quiet = not ranks.first
    if not quiet:
        where = f"{run.placement.device}" + (f", {ranks.size} processes" if ranks.size > 1 else "")
        print(f"training on {where}, blocks in {run.placement.dtype_name}; run in {run.directory}", file=sys.stderr)

    first = run.state.step
    steps = run.train() if quiet else run.record(save_every=arguments.save_every)
    bar = tqdm(initial=first, unit=" steps", file=sys.stderr, dynamic_ncols=True, disable=quiet)
    began, stopped = run.state.seconds, 0.0
    with interrupts() as interrupted, bar:
        for progress in steps:
            bar.total = progress.total
            bar.update(progress.step - bar.n)
            rate = run.config.batch * (progress.step - first) / max(progress.seconds - began, 1e-9)
            bar.set_postfix_str(f"loss {run.state.loss:.4f}, {rate:.0f} images/s", refresh=False)
            stopped = ranks.agreed(interrupted(), run.placement.device)
            if stopped:
                steps.close()  # saves
                break
    if quiet:
        return 0
    if stopped:
        print(f"stopped at step {run.state.step} and saved; --resume continues from here", file=sys.stderr)
        return INTERRUPTED

    if arguments.held_out:
        with tqdm(unit=" images", file=sys.stderr, dynamic_ncols=True, desc=HELD_OUT) as bar:
            for result in run.held_out(arguments.held_out):
                bar.total = result.total
                bar.update(result.done - bar.n)
        print(f"held-out loss {result.loss:.4f}", file=sys.stderr)
        run.save(held_out=result)
    if run.drawings is not None:
        print(_copied_or_learned(run), file=sys.stderr)
    print(run.checkpoint_path)
    here = arguments.out
    print(
        f"next: ddpm-demo evaluate --checkpoint {here}, ddpm-demo sample --checkpoint {here} --out digits.npz --png "
        f"digits.png, or ddpm-demo app --checkpoint {here}",
        file=sys.stderr,
    )
    return 0


def _open_run(arguments: argparse.Namespace, stack: contextlib.ExitStack, ranks: "Ranks") -> "Run":
    """Start or resume the run that the arguments name."""
    from ddpm_demo.core.config import preset
    from ddpm_demo.core.schedule import ScheduleConfig
    from ddpm_demo.machine.device import best_placement
    from ddpm_demo.store import checkpoint
    from ddpm_demo.store.shipped import find_checkpoint
    from ddpm_demo.training.growing import check_same_shape, check_schedule, copies_of
    from ddpm_demo.training.recipes import TrainConfig, train_config
    from ddpm_demo.training.run import Run
    from ddpm_demo.training.run_lock import RunLock

    settings = [field.name for field in dataclasses.fields(TrainConfig) if hasattr(arguments, field.name)]
    given = {name: getattr(arguments, name) for name in settings if getattr(arguments, name) is not None}
    placement = best_placement()
    if arguments.resume:
        if arguments.own is not None:
            raise ConfigError("--resume continues with the run's own drawings; leave out --pictures")
        length = {name: given.pop(name) for name in ("minutes", "epochs") if name in given}
        begun = [name for name in ("preset", "hidden", "first", "grow_from") if getattr(arguments, name) is not None]
        if begun or given:
            flags = {"first": "--from"}
            named = [flags.get(name, f"--{name.replace('_', '-')}") for name in (*begun, *given)]
            raise ConfigError(f"--resume continues with the run's own settings; leave out {', '.join(named)}")
        if not (arguments.out / "run.safetensors").exists():
            raise DemoError(f"{arguments.out} holds no run to resume")
        if ranks.first:
            stack.enter_context(RunLock(arguments.out))
        run = Run.resume(arguments.out, placement)
        if length:  # longer than was meant at first: the learning rate rises again, and falls to zero at the new end
            run.config = dataclasses.replace(run.config, **{"minutes": None, "epochs": None, **length})
    else:
        if "epochs" not in given:
            given.setdefault("minutes", 60.0)
        model, config = preset(arguments.preset or "lite"), train_config(arguments.preset or "lite", **given)
        drawings = None
        if arguments.own is not None:
            drawings = _read_drawings(arguments.own, quiet=not ranks.first)
            config = dataclasses.replace(config, pictures=len(drawings))  # refuses what goes with digits only
        if arguments.hidden is not None:
            model = dataclasses.replace(model, hidden=arguments.hidden)
        origin = arguments.first if arguments.first is not None else arguments.grow_from
        first = checkpoint.load(find_checkpoint(origin)) if origin is not None else None
        if first is not None:  # refused before there is a directory
            (check_same_shape if arguments.first is not None else copies_of)(first.model.config, model)
            check_schedule(first.schedule, ScheduleConfig())
        if ranks.first:
            stack.enter_context(RunLock(arguments.out))
        run = Run.begin(arguments.out, model, config, placement, first=first, drawings=drawings)
    ranks.check(run.config.batch)
    run.ranks = ranks
    ranks.wait()  # nobody saves before everybody has looked
    return run


def _read_drawings(path: Path, *, quiet: bool) -> "Tensor":
    """Read the user's drawings, uint8 (N, 28, 28), saying which are unusable; raise PictureSetError if too few."""
    from tqdm import tqdm

    from ddpm_demo.drawings.picture_set import read_pictures, usable
    from ddpm_demo.store.tensors import short
    from ddpm_demo.training.recipes import LEAST_PICTURES

    reads = []
    with tqdm(unit=" pictures", file=sys.stderr, dynamic_ncols=True, desc="reading", leave=False, disable=quiet) as bar:
        for read in read_pictures(path):
            reads.append(read)
            bar.total = read.total
            bar.update()
            if read.fault and not quiet:
                bar.write(f"left out: {short(read.name)}: {read.fault}", file=sys.stderr)
    return usable(reads, least=LEAST_PICTURES)


def _copied_or_learned(run: "Run") -> str:
    """Say how near the newest pictures are to the drawings, compared with what would be near and what far."""
    from ddpm_demo.measuring.copying import nearest_drawings, scale_of
    from ddpm_demo.training import snapshots
    from ddpm_demo.training.training_set import fresh_variations, variations

    assert run.drawings is not None
    taught = variations(run.drawings, run.config.seed)
    newest, _ = snapshots.pictures(run.directory, snapshots.steps_kept(run.directory)[0][-1])
    found = nearest_drawings(newest, run.drawings, taught).distance
    scale = scale_of(run.drawings, taught, fresh_variations(run.drawings, run.config.seed))
    return (
        f"learned or copied? {len(newest)} new pictures lie {float(found.min()):.1f} to {float(found.max()):.1f} "
        f"(median {float(found.median()):.1f}) from the nearest drawing or variation; for comparison, an unseen "
        f"variation {scale.fresh:.1f}, one drawing from the next {scale.other:.1f} (pixels 0 to 1, Euclidean)"
    )
