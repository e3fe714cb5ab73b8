"""The user's own drawings that a training run learns from: one file in the run's folder."""

from pathlib import Path

from torch import Tensor

from ddpm_demo.core.config import ConfigError
from ddpm_demo.store.files import RUNS_FOLDER, cache_dir
from ddpm_demo.store.tensors import CheckpointError, Layout, TensorFile, write_tensors

DRAWINGS_FILE = "pictures.safetensors"  # in the run's folder
PICTURES_FORMAT = "ddpm_demo pictures 1"


def write_drawings(path: Path, drawings: Tensor) -> None:
    """Keep drawings uint8 (N, 28, 28) in a file, atomically; raise CheckpointError if that fails."""
    write_tensors(path, {"pictures": drawings}, PICTURES_FORMAT, {"pictures": len(drawings)})


def read_drawings(path: Path, count: int | None = None) -> Tensor:
    """Return the drawings uint8 (N, 28, 28) of a file; raise CheckpointError if it does not hold just `count` of them.

    Without a `count` as many as the file has.
    """
    if not path.exists():
        raise CheckpointError("{path} is missing: without its drawings this run cannot continue", path=path)
    with TensorFile(path, PICTURES_FORMAT) as file:
        shape = (*file.shape("pictures")[:1], 28, 28) if count is None else (count, 28, 28)
        return file.read({"pictures": Layout(shape, ("U8",))})["pictures"]


def drawings_of_run(run: str) -> Tensor:
    """Return the drawings uint8 (N, 28, 28) that a run of the shelf learns from, the run by its id.

    What stands in `run` is looked for and never becomes a path. Raises ConfigError if there is no such run, or none
    that learns the user's own drawings.
    """
    try:
        folder = next((each for each in (cache_dir() / RUNS_FOLDER).iterdir() if each.name == run), None)
    except OSError:
        folder = None
    if folder is None or not (folder / DRAWINGS_FILE).exists():
        raise ConfigError(
            "there is no run {run} here that learns drawings of your own; it may have been deleted", run=run
        )
    return read_drawings(folder / DRAWINGS_FILE)
