"""MNIST, from the files that travel with the project: never from the network."""

import gzip
import hashlib
import zlib
from functools import cache, lru_cache

import numpy as np
import torch
from torch import Tensor

from ddpm_demo.core.config import DemoError
from ddpm_demo.store.files import assets_dir

# MD5 of the unpacked files, Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits"
MNIST_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


class DataError(DemoError):
    """MNIST cannot be read; the message names the file or the directory."""


@cache
def load_mnist(*, train: bool) -> tuple[Tensor, Tensor]:
    """Return digits uint8 (N, 28, 28), 0 paper to 255 ink, and labels int64 (N,): 60,000 to train, 10,000 to test.

    From the project's own files, checked by MD5 at every start. Raises DataError when one is missing or damaged.
    torchvision reads the same (a test checks that), but its import costs every start seconds, and it wants the
    files unpacked on the disk.
    """
    part = "train" if train else "t10k"
    digits = _content(f"{part}-images-idx3-ubyte", header=16)  # magic number, count, height and width
    labels = _content(f"{part}-labels-idx1-ubyte", header=8)  # magic number and count
    return digits.reshape(-1, 28, 28), labels.long()


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
        raise DataError("a batch of {batch} needs at least as many digits, got {got}", batch=batch, got=count)
    epoch, position = divmod(step, per_epoch)
    return _epoch_order(count, seed, epoch)[position * batch : (position + 1) * batch]


@lru_cache(maxsize=2)
def _epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch)).permutation(count)


def _content(name: str, *, header: int) -> Tensor:
    """Return what follows the header of the true file of that name, uint8."""
    source = assets_dir() / "mnist" / f"{name}.gz"
    try:
        content = gzip.decompress(source.read_bytes())
    except FileNotFoundError:
        raise DataError("MNIST's file {path} is missing; reinstall ddpm_demo", path=source) from None
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(
            "MNIST's file {path} is damaged ({why}); reinstall ddpm_demo", path=source, why=str(error)
        ) from None
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != MNIST_MD5[name]:
        raise DataError("MNIST's file {path} is damaged (its MD5 is wrong); reinstall ddpm_demo", path=source)
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=header)
