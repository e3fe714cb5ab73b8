"""The judge: it must be right about real digits, and a file of anything else must not pass for it."""

import itertools
import json

import pytest
import torch
from safetensors.torch import save

from ddpm_demo.drawings import augmentation
from ddpm_demo.measuring import classifier
from ddpm_demo.store.mnist import load_mnist, to_x0
from ddpm_demo.store.tensors import CheckpointError, write_tensors


def test_a_short_training_already_tells_digits_and_a_seed_means_one_judge(monkeypatch):
    monkeypatch.setattr(classifier, "JUDGE_BATCH", 32)
    before = torch.get_rng_state()
    first, second = classifier.untrained_judge(3), classifier.untrained_judge(3)
    losses = [progress.loss for progress in classifier.train_judge(first, steps=50, seed=3)]
    again = [progress.loss for progress in itertools.islice(classifier.train_judge(second, steps=50, seed=3), 5)]
    assert torch.equal(before, torch.get_rng_state())
    assert losses[:5] == again
    assert not first.training
    digits, labels = load_mnist(train=False)
    assert (first.classes(to_x0(digits[:1000])) == labels[:1000]).float().mean() > 0.7


def test_the_shipped_judge_is_right_as_often_as_it_says_and_better_than_99_4_percent():
    judge = classifier.load_judge()
    assert classifier.shipped_judge().stat().st_size < 1_000_000
    assert judge.accuracy > 0.994
    assert judge.provenance["parameters"] == sum(p.numel() for p in judge.model.parameters())
    # the figure it reports is the one that a plain count gives
    digits, labels = load_mnist(train=False)
    with torch.no_grad():
        right = torch.cat([judge.model(to_x0(part)).argmax(dim=1) for part in digits.split(1000)]) == labels
    assert judge.accuracy == pytest.approx(float(right.float().mean()), abs=3e-4)


def test_digits_are_moved_a_little_and_by_chance():
    digits, _ = load_mnist(train=False)
    x0 = to_x0(digits[:64])
    moved = augmentation.moved(x0, torch.Generator().manual_seed(0))
    assert moved.shape == x0.shape
    assert moved.min() >= -1
    assert moved.max() <= 1 + 1e-6
    again = augmentation.moved(x0, torch.Generator().manual_seed(0))
    assert torch.equal(moved, again)
    assert all((a - b).abs().mean() > 0.01 for a, b in zip(moved, x0, strict=True))
    # as much ink as before, but for the scale: 12 % either way in both directions
    ink = (moved + 1).sum(dim=(1, 2, 3)) / (x0 + 1).sum(dim=(1, 2, 3))
    assert ink.min() > 0.7
    assert ink.max() < 1.4


def test_counts_are_of_all_ten_classes():
    assert classifier.counts(torch.tensor([7, 7, 1])) == [0, 1, 0, 0, 0, 0, 0, 2, 0, 0]


def test_what_is_saved_comes_back_at_16_bits(tmp_path):
    model = classifier.untrained_judge(1)
    classifier.save_judge(tmp_path / "j.safetensors", classifier.TrainedJudge(model, 0.75, {"steps": 3}))
    found = classifier.load_judge(tmp_path / "j.safetensors")
    assert found.accuracy == 0.75
    assert found.provenance["steps"] == 3
    for mine, other in zip(model.parameters(), found.model.parameters(), strict=True):
        torch.testing.assert_close(mine.detach(), other, rtol=1e-3, atol=1e-4)
        assert not other.requires_grad


@pytest.mark.parametrize("content", [b"", b"Dear reader", b"\x10\x00\x00\x00\x00\x00\x00\x00{}              "])
def test_a_damaged_file_is_no_classifier(tmp_path, content):
    (tmp_path / "j.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError):
        classifier.load_judge(tmp_path / "j.safetensors")


@pytest.mark.parametrize("about", [{}, {"provenance": {}}, {"provenance": {"accuracy": 2}}, {"provenance": 3}, []])
def test_a_file_that_makes_no_sense_gets_a_sentence(tmp_path, about):
    path = tmp_path / "j.safetensors"
    metadata = {"ddpm_demo": json.dumps(about)} if isinstance(about, list) else None
    if metadata:
        path.write_bytes(save(classifier.untrained_judge().state_dict(), metadata=metadata))
    else:
        write_tensors(path, classifier.untrained_judge().state_dict(), classifier.JUDGE_FORMAT, about)
    with pytest.raises(CheckpointError):
        classifier.load_judge(path)
