"""The judge: it must be right about real digits, be kept, and never be a half-written file."""

import json

import pytest
import torch
from safetensors.torch import save

from ddpm_demo.measuring import classifier
from ddpm_demo.store.mnist import load_mnist, to_x0


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty place for the classifier, MNIST staying where it is."""
    monkeypatch.setattr(classifier, "path", lambda: tmp_path / classifier.FILE)
    return tmp_path / classifier.FILE


def test_a_short_training_already_tells_digits_and_says_how_well(elsewhere):
    assert classifier.load() is None
    before = torch.get_rng_state()
    progress = list(classifier.train(steps=200))
    assert torch.equal(before, torch.get_rng_state())
    assert [p.step for p in progress] == list(range(1, 201))
    trained = classifier.load()
    assert trained.accuracy > 0.93
    # the figure it reports is the one that a plain count gives
    digits, labels = load_mnist(train=False)
    with torch.no_grad():
        right = (trained.model(to_x0(digits)).argmax(dim=1) == labels).float().mean()
    assert trained.accuracy == pytest.approx(float(right), abs=1e-4)


@pytest.mark.parametrize("content", [b"", b"Dear reader", b"\x10\x00\x00\x00\x00\x00\x00\x00{}              "])
def test_a_damaged_file_is_no_classifier(elsewhere, content):
    elsewhere.write_bytes(content)
    assert classifier.load() is None


def test_a_training_that_is_stopped_leaves_nothing_behind(elsewhere):
    steps = classifier.train(steps=5)
    next(steps)
    steps.close()
    assert not elsewhere.exists()


def test_counts_are_of_all_ten_classes():
    assert classifier.counts(torch.tensor([7, 7, 1])) == [0, 1, 0, 0, 0, 0, 0, 2, 0, 0]


def test_the_docstrings_size_is_true():
    assert f"{sum(p.numel() for p in classifier.Classifier().parameters()):,}" in classifier.Classifier.__doc__


def test_one_that_cannot_be_written_is_kept_in_memory_and_says_why(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(classifier, "path", lambda: tmp_path / "file" / classifier.FILE)
    assert classifier.load() is None
    assert len(list(classifier.train(steps=2))) == 2
    kept = classifier.load()
    assert classifier.load().model is kept.model
    assert "cannot write" in kept.unsaved
    (tmp_path / "file").unlink()  # there is room now: the next one is written, and read from its file
    list(classifier.train(steps=1))
    assert classifier.load().unsaved == ""
    assert classifier.load().model is not kept.model


@pytest.mark.parametrize(
    ("name", "value"), [("accuracy", 2), ("accuracy", "all"), ("weights", float("nan")), ("about", None), ("about", [])]
)
def test_a_file_of_something_else_is_no_classifier(elsewhere, name, value):
    model = classifier.Classifier()
    about = {"accuracy": value if name == "accuracy" else 0.5} if name != "about" else value
    if name == "weights":
        model.out.bias.data.fill_(value)
    elsewhere.write_bytes(save(model.state_dict(), metadata={"classifier": json.dumps(about)}))
    assert classifier.load() is None


def test_a_file_that_was_kept_is_read(elsewhere):
    model = classifier.Classifier()
    elsewhere.write_bytes(save(model.state_dict(), metadata={"classifier": '{"accuracy": 0.75}'}))
    found = classifier.load()
    assert found.accuracy == 0.75
    x0 = torch.rand(3, 1, 28, 28) * 2 - 1
    assert found.model(x0).equal(model(x0))
