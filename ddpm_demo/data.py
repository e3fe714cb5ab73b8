"""MNIST, from the files that travel with the project: never from the network."""

import gzip
import hashlib
import os
import tempfile
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import platformdirs
from torch import Tensor

from ddpm_demo.config import DemoError

# MD5 of the unpacked files, Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits"
MNIST_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
CACHE_VARIABLE = "DDPM_DEMO_CACHE"


class DataError(DemoError):
    """MNIST cannot be read; the message names the file or the directory."""


def assets_dir() -> Path:
    """Return the folder of MNIST's files and the shipped checkpoints: in the wheel, or beside the package."""
    package = Path(__file__).resolve().parent
    inside = package / "assets"
    return inside if inside.is_dir() else package.parent / "assets"


def cache_dir() -> Path:
    """Return the one folder the program writes to unasked; the variable DDPM_DEMO_CACHE moves it."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("ddpm_demo", appauthor=False))


@cache
def load_mnist(*, train: bool) -> tuple[Tensor, Tensor]:
    """Return digits uint8 (N, 28, 28), 0 paper to 255 ink, and labels int64 (N,): 60,000 to train, 10,000 to test.

    Read through torchvision from the cache directory, which is filled from the project's own files on first use
    and checked by MD5 at every start. Raises DataError when a file is missing or corrupt or the cache directory
    cannot be written.
    """
    root = cache_dir()
    for name in MNIST_MD5:  # torchvision wants all four, whichever part it reads
        _unpack(name, root / "MNIST" / "raw")

    from torchvision.datasets import MNIST  # slow to import, and only needed here

    dataset = MNIST(str(root), train=train, download=False)
    return dataset.data, dataset.targets


def to_x0(digits: Tensor) -> Tensor:
    """Scale uint8 digits (..., 28, 28) to clean images x0, float32 in [-1, 1], (N, 1, 28, 28)."""
    return digits.reshape(-1, 1, *digits.shape[-2:]).float() / 127.5 - 1


def batch_indices(count: int, batch: int, *, seed: int, step: int) -> np.ndarray:
    """Return which digits training step `step` sees, int64 (batch,): every epoch a new order, all from `seed`.

    A pure function of its arguments, so that a resumed run meets the same digits. Raises DataError when there
    are fewer digits than a batch.
    """
    per_epoch = count // batch
    if per_epoch == 0:
        raise DataError(f"a batch of {batch} needs at least as many digits, got {count}")
    epoch, position = divmod(step, per_epoch)
    return _epoch_order(count, seed, epoch)[position * batch : (position + 1) * batch]


@lru_cache(maxsize=2)
def _epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch)).permutation(count)


def _unpack(name: str, folder: Path) -> None:
    """Make sure that folder/name is the true file: unpack it from the assets if it is missing or damaged."""
    target = folder / name
    if target.is_file() and _md5(target.read_bytes()) == MNIST_MD5[name]:
        return
    source = assets_dir() / "mnist" / f"{name}.gz"
    try:
        content = gzip.decompress(source.read_bytes())
    except FileNotFoundError:
        raise DataError(f"MNIST's file {source} is missing; reinstall ddpm_demo") from None
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"MNIST's file {source} is damaged ({error}); reinstall ddpm_demo") from None
    if _md5(content) != MNIST_MD5[name]:
        raise DataError(f"MNIST's file {source} is damaged (its MD5 is wrong); reinstall ddpm_demo")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(target, content)
    except OSError as error:
        raise DataError(
            f"cannot write the cache directory {folder} ({error.strerror}); set {CACHE_VARIABLE} to another one"
        ) from None


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a kill or a full disk at any moment leaves the old one or the new one, never a half.

    Temporary file in the same folder, fsync, rename. Raises OSError as `open` does.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # mkstemp makes it private, but a checkpoint is there to be shared
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_file(path: Path, content: bytes) -> None:
    """Write a file that the user named, as `write_atomically` does; raise DemoError, in one sentence, if that fails."""
    try:
        write_atomically(path, content)
    except OSError as error:
        raise DemoError(f"cannot write {path}: {error.strerror}") from None


def check_folders(*paths: Path | None) -> None:
    """Raise DemoError for a file (None: not asked for) whose folder is not there, before any work is done for it."""
    for path in paths:
        if path is not None and not path.parent.is_dir():
            raise DemoError(f"cannot write {path}: there is no directory {path.parent}")


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
