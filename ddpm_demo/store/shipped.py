"""The checkpoints that come with the project, by name, and with their guide."""

from pathlib import Path

from ddpm_demo.store.files import GUIDE, assets_dir, user_path
from ddpm_demo.store.tensors import CheckpointError


def shipped_checkpoints() -> dict[str, Path]:
    """Return the checkpoints that come with the project, by name: the quickest first, and the guide last of all."""
    files = (assets_dir() / "checkpoints").glob("*.safetensors")
    return {path.stem: path for path in sorted(files, key=lambda path: (path.stem == GUIDE, path.stat().st_size))}


def known_as(path: Path) -> str:
    """Return what `find` finds a checkpoint by from any directory: a shipped one's name, or the whole path."""
    whole = path.resolve()
    return next((name for name, known in shipped_checkpoints().items() if known.resolve() == whole), str(whole))


def find_checkpoint(name_or_path: str) -> Path:
    """Return the path of a shipped checkpoint's name, of a file, or of the weights in the folder of a training run.

    Raises CheckpointError if it is none of these.
    """
    known = shipped_checkpoints()
    if name_or_path in known:
        return known[name_or_path]
    path = user_path(name_or_path, "a checkpoint") if name_or_path else Path()
    if path.is_file():
        return path
    if name_or_path and (path / "model.safetensors").is_file():  # what `ddpm-demo train --out` was given
        return path / "model.safetensors"
    names = ", ".join(known) or "none shipped"
    raise CheckpointError(f"no checkpoint {name_or_path!r}: give a file, the folder of a run, or one of {names}")
