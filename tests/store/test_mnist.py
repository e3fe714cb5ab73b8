import gzip
import shutil

import numpy as np
import pytest
import torch
from torchvision.datasets import MNIST

from ddpm_demo.store import mnist
from ddpm_demo.store.files import CACHE_VARIABLE
from ddpm_demo.store.mnist import DataError, batch_indices, load_mnist, to_x0


@pytest.fixture
def forgotten():
    """No memory of an earlier load before or after."""
    load_mnist.cache_clear()
    yield
    load_mnist.cache_clear()


@pytest.fixture
def own_assets(tmp_path, monkeypatch):
    """A copy of MNIST's files that a test may damage."""
    shutil.copytree(mnist.assets_dir() / "mnist", tmp_path / "assets" / "mnist")
    monkeypatch.setattr(mnist, "assets_dir", lambda: tmp_path / "assets")
    return tmp_path / "assets" / "mnist"


def test_mnist_is_all_there():
    digits, labels = load_mnist(train=True)
    assert digits.shape == (60000, 28, 28)
    assert digits.dtype == torch.uint8
    assert torch.bincount(labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    digits, labels = load_mnist(train=False)
    assert digits.shape == (10000, 28, 28)
    assert labels.dtype == torch.int64
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.parametrize("train", [True, False])
def test_torchvision_reads_the_same(tmp_path, train):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for path in (mnist.assets_dir() / "mnist").glob("*.gz"):
        (raw / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    judge = MNIST(str(tmp_path), train=train, download=False)
    digits, labels = load_mnist(train=train)
    assert torch.equal(digits, judge.data)
    assert torch.equal(labels, judge.targets)


def test_reading_writes_nothing(tmp_path, monkeypatch, forgotten):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    load_mnist(train=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["missing", "cut", "rubbish", "other"])
def test_a_bad_source_file_is_named(forgotten, own_assets, damage):
    path = own_assets / "t10k-images-idx3-ubyte.gz"
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        content = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(content[: len(content) // 2])
    elif damage == "rubbish":
        path.chmod(0o644)
        path.write_bytes(b"this is no gzip file")
    else:
        shutil.copy(own_assets / "t10k-labels-idx1-ubyte.gz", path)
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz is (missing|damaged)"):
        load_mnist(train=False)


def test_to_x0_fills_the_range():
    x0 = to_x0(torch.tensor([[[0, 255], [51, 204]]], dtype=torch.uint8))
    assert x0.shape == (1, 1, 2, 2)
    torch.testing.assert_close(x0.flatten(), torch.tensor([-1.0, 1.0, -0.6, 0.6]))


def test_every_epoch_sees_every_digit_once_in_another_order():
    first = np.concatenate([batch_indices(100, 10, seed=1, step=step) for step in range(10)])
    second = np.concatenate([batch_indices(100, 10, seed=1, step=step) for step in range(10, 20)])
    assert sorted(first) == sorted(second) == list(range(100))
    assert not np.array_equal(first, second)
    assert np.array_equal(batch_indices(100, 10, seed=1, step=13), second[30:40])


def test_fewer_digits_than_a_batch_are_refused():
    with pytest.raises(DataError, match="a batch of 32 needs at least as many digits, got 5"):
        batch_indices(5, 32, seed=0, step=0)
