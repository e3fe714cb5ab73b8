"""Files from anybody: each ends in one sentence that names it, and none makes the program take more than it holds."""

import json
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from ddpm_demo.core.config import ModelConfig
from ddpm_demo.core.model import seeded_denoiser, unfilled_denoiser
from ddpm_demo.core.schedule import ScheduleConfig
from ddpm_demo.networks import noisy_classifier
from ddpm_demo.store import checkpoint
from ddpm_demo.store.checkpoint import Checkpoint
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.store.tensors import HEADER_BYTES, CheckpointError, Layout, TensorFile, read_metadata, write_tensors
from ddpm_demo.training import snapshots
from ddpm_demo.training.snapshots import Snapshot

DEEP = "[" * 100_000 + "]" * 100_000
CONFIG = ModelConfig(hidden=8, dilations=(1, 3), groups=4, time_dim=16)


def parts(path):
    """Return a file's header, parsed, and what comes after it."""
    content = path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def put(path, header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


@pytest.fixture
def saved(tiny, tmp_path):
    path = tmp_path / "one.safetensors"
    checkpoint.save(path, Checkpoint(tiny, ScheduleConfig(), Provenance(seed=1)))
    return path


def refused(path, read=checkpoint.load):
    with pytest.raises(CheckpointError) as caught:
        read(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert len(message) < len(str(path)) + 400
    return message


def test_what_is_written_is_read_again(tmp_path):
    tensors = {"a": torch.arange(6, dtype=torch.float32).view(2, 3), "b": torch.tensor(7, dtype=torch.uint8)}
    write_tensors(tmp_path / "t", tensors, "a test 1", {"about": {"x": [1, None, "ᾱ"]}})
    with TensorFile(tmp_path / "t", "a test 1") as file:
        assert file.metadata == {"about": {"x": [1, None, "ᾱ"]}}
        again = file.read({"a": Layout((2, 3)), "b": Layout((), ("U8",))})
    assert again["a"].equal(tensors["a"])
    assert again["b"].equal(tensors["b"])
    assert again["b"].shape == ()


TWENTY_SAVES = """
import hashlib, sys, pathlib, torch
from ddpm_demo.store.tensors import write_tensors
path = pathlib.Path(sys.argv[1])
tensors = {f"block.{i}.weight": torch.full((i + 1, 2), float(i)) for i in range(12)}
for _ in range(20):
    write_tensors(path, tensors, "a test 1", {name: {"of": name} for name in ("model", "b", "story", "ᾱ", "c")})
    print(hashlib.sha256(path.read_bytes()).hexdigest())
"""


def test_equal_saves_are_equal_files_in_every_process(tmp_path):
    """By safetensors alone ten saves make ten files: it keeps metadata in a hash table with a random key."""
    path, digests = tmp_path / "one.safetensors", []
    for _ in range(3):
        command = [sys.executable, "-X", "utf8", "-c", TWENTY_SAVES, str(path)]
        digests += subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert len(digests) == 60
    assert len(set(digests)) == 1
    content = path.read_bytes()
    assert safetensors.torch.load(content)["block.3.weight"].equal(torch.full((4, 2), 3.0))
    assert struct.unpack("<Q", content[:8])[0] % 8 == 0


def test_numbers_are_stored_in_the_order_of_their_shape_however_they_lie_in_memory(tmp_path):
    """A reader that knows shapes alone finds them: safetensors for numpy stores what lies behind a transposed array."""
    grid = torch.arange(24, dtype=torch.float32).view(2, 3, 4)
    pictures = torch.arange(48, dtype=torch.float32).view(2, 3, 2, 4)
    tensors = {
        "transposed": grid.transpose(0, 2),
        "strided": grid[:, ::2, 1::2],
        "expanded": grid[0, 0].expand(3, 4),
        "channels last": pictures.to(memory_format=torch.channels_last),
    }
    write_tensors(tmp_path / "t", tensors, "a test 1", {})
    header, data = parts(tmp_path / "t")
    for name, tensor in tensors.items():
        begin, end = header[name]["data_offsets"]
        numbers = np.frombuffer(data[begin:end], "<f4").reshape(header[name]["shape"])
        np.testing.assert_array_equal(numbers, tensor.numpy())


def test_a_file_with_its_header_in_any_order_is_read(saved, tiny):
    """As all files were once: each in the order that safetensors gave it."""
    header, data = parts(saved)
    names = sorted(header, key=lambda name: (name == "__metadata__", name[::-1]))
    shuffled = {name: header[name] for name in names}
    shuffled["__metadata__"] = dict(reversed(header["__metadata__"].items()))
    put(saved, shuffled, data)
    again = checkpoint.load(saved)
    assert all(
        again.model.state_dict()[name].equal(weight.half().float()) for name, weight in tiny.state_dict().items()
    )


def test_a_small_file_that_names_a_huge_network_takes_no_memory(saved):
    header, data = parts(saved)
    huge = {"hidden": 1024, "dilations": [1] * 32, "groups": 8, "time_dim": 4096}  # 1.2 GB
    header["__metadata__"]["model"] = json.dumps(huge)
    put(saved, header, data)
    before = peak_memory()
    tracemalloc.start()
    assert "do not fit its own configuration" in refused(saved)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()
    assert peak_memory() - before < 100e6


def peak_memory():
    """Return the most memory that this process has had, in bytes, where the system tells."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def test_a_header_may_promise_what_it_likes(saved):
    """Shapes whose product is huge, that the configuration agrees with: the file is too short for them."""
    header, data = parts(saved)
    config = {"image_channels": 1, "hidden": 1024, "dilations": [1], "groups": 8, "time_dim": 16}
    network = unfilled_denoiser(ModelConfig(**config))
    model = {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
    entries = {"__metadata__": {**header["__metadata__"], "model": json.dumps(config)}}
    offset = 0
    for name, shape in model.items():
        size = 2 * int(torch.Size(shape).numel())
        entries[name] = {"dtype": "F16", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    put(saved, entries, data)
    assert "bytes of weights instead of" in refused(saved)


@pytest.mark.parametrize("name", ["model", "schedule", "provenance"])
@pytest.mark.parametrize("text", [DEEP, '{"a":' * 50_000 + "1" + "}" * 50_000, "9" * 5000, "nul", "[]", '"x"', "7", ""])
def test_metadata_of_every_kind_get_a_sentence(saved, name, text):
    header, data = parts(saved)
    header["__metadata__"][name] = text
    put(saved, header, data)
    refused(saved)


@pytest.mark.parametrize(
    "provenance",
    [
        '{"steps": "many"}',
        '{"steps": -1}',
        '{"steps": 1.5}',
        '{"steps": true}',
        '{"seed": 1' + "0" * 400 + "}",
        '{"wall_seconds": 1e999}',
        '{"lr": NaN}',
        '{"held_out": 7}',
        '{"held_out": {}}',
        '{"held_out": {"loss": "low"}}',
        '{"held_out": {"loss": 1, "by_tenth": [1, 2]}}',
        '{"held_out": {"loss": 1, "by_tenth": 7}}',
        '{"held_out": {"loss": 1, "by_tenth": [1,2,3,4,5,6,7,8,9,"x"]}}',
        '{"held_out": {"loss": 1, "digits": 0}}',
        '{"grown_from": []}',
        '{"grown_from": {"steps": []}}',
        '{"grown_from":' * 17 + "{}" + "}" * 17,
        '{"classes": "17"}',
        '{"classes": [10]}',
        '{"preset": ["lite"]}',
        '{"preset": "a\\nb"}',
        '{"saved": "' + "x" * 501 + '"}',
        '{"versions": []}',
        '{"versions": {"torch": 2}}',
    ],
)
def test_provenance_that_makes_no_sense_gets_a_sentence(saved, provenance):
    header, data = parts(saved)
    header["__metadata__"]["provenance"] = provenance
    put(saved, header, data)
    assert "makes no sense" in refused(saved)


def test_a_header_is_bounded(saved):
    header, data = parts(saved)
    header["__metadata__"]["note"] = "x" * 50_000_000
    put(saved, header, data)
    before = peak_memory()
    assert "does not begin with the header" in refused(saved)
    assert "does not begin with the header" in refused(saved, lambda path: read_metadata(path, checkpoint.FORMAT))
    assert peak_memory() - before < 20e6
    saved.write_bytes(struct.pack("<Q", 2**63) + b"{}")
    refused(saved)
    saved.write_bytes(struct.pack("<Q", HEADER_BYTES) + b"{}")
    assert "header is cut short" in refused(saved)


@pytest.mark.parametrize(
    "header",
    [
        DEEP.encode(),
        b"[]",
        b"7",
        b'{"__metadata__": []}',
        b'{"__metadata__": {"format": 7}}',
        b'{"__metadata__": {"format": ["ddpm_demo checkpoint 1"]}}',
        b'{"__metadata__": null}',
        b"\xff\xfe{}",
        b'{"a": 1, "a": 1}',
    ],
)
def test_headers_of_every_kind_get_a_sentence(saved, header):
    put(saved, header, b"")
    refused(saved)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("dtype", "I64", "holds in_project.bias as I64, not as F16 or BF16 or F32"),
        ("dtype", "F8_E5M2", "as F8_E5M2"),
        ("dtype", "Q" * 9000, "as QQQ"),
        ("dtype", None, "does not say what in_project.bias is"),
        ("shape", [2, 4], "do not fit its own configuration: in_project.bias"),
        ("shape", [-8], "do not fit its own configuration: in_project.bias"),
        ("shape", "8", "does not say what in_project.bias is"),
        ("shape", [8.0], "does not say what in_project.bias is"),
        ("shape", [True], "does not say what in_project.bias is"),
        ("data_offsets", [0, 16], "not a checkpoint"),
        ("data_offsets", [10**9, 10**9 + 16], "not a checkpoint"),
        ("data_offsets", None, "not a checkpoint"),
    ],
)
def test_a_tensors_entry_is_checked(saved, key, value, message):
    header, data = parts(saved)
    header["in_project.bias"][key] = value
    put(saved, header, data)
    assert message in refused(saved)


def test_a_name_twice_is_refused(saved):
    header, data = parts(saved)
    text = json.dumps(header)
    one = json.dumps({"in_project.bias": header["in_project.bias"]})[1:-1]
    put(saved, f"{text[:-1]}, {one}}}".encode(), data)
    assert "the same name twice" in refused(saved)


def test_a_strange_name_is_shown_as_one_short_line(saved):
    header, data = parts(saved)
    header["a\n\x1b[31m" + "ᾱ" * 9000] = header.pop("in_project.bias")
    put(saved, header, data)
    message = refused(saved)
    assert message.isprintable()
    assert r"a\n\x1b[31mᾱᾱ" in message


def test_more_after_the_end_is_refused(saved):
    saved.write_bytes(saved.read_bytes() + bytes(64))
    assert "bytes of weights instead of" in refused(saved)


def test_pictures_of_several_channels_are_refused(tmp_path):
    model = seeded_denoiser(ModelConfig(image_channels=3, hidden=8, dilations=(1,), groups=4, time_dim=16), 0)
    checkpoint.save(tmp_path / "rgb", Checkpoint(model, ScheduleConfig(), Provenance()))
    assert "its pictures have 3 channels, but digits have one" in refused(tmp_path / "rgb")


@pytest.mark.parametrize("form", [torch.float16, torch.bfloat16, torch.float32])
def test_weights_in_three_formats_are_understood(tiny, tmp_path, form):
    weights = {name: tensor.to(form) for name, tensor in tiny.state_dict().items()}
    about = {"model": {**vars(tiny.config)}, "schedule": {}, "provenance": {}}
    write_tensors(tmp_path / "t", weights, checkpoint.FORMAT, about)
    loaded = checkpoint.load(tmp_path / "t")
    assert loaded.provenance == Provenance()
    for name, tensor in loaded.model.state_dict().items():
        assert tensor.dtype == torch.float32
        assert tensor.equal(weights[name].float())


def test_a_snapshot_is_checked_as_a_checkpoint_is(tiny, tmp_path):
    digits = torch.zeros(16, 28, 28, dtype=torch.uint8)
    snapshots.keep(tmp_path, Snapshot(3, 1.0, True), digits, digits.clone(), tiny)
    assert snapshots.network(tmp_path, 3, CONFIG).in_project.weight.equal(tiny.in_project.weight.half().float())
    folder = tmp_path / snapshots.FOLDER
    wide = ModelConfig(hidden=1024, dilations=(1,) * 32)
    before = peak_memory()
    path = folder / "000000003.weights.safetensors"
    assert "do not fit" in refused(path, lambda _: snapshots.network(tmp_path, 3, wide))
    assert peak_memory() - before < 100e6
    path = folder / "000000003.pictures.safetensors"
    header, data = parts(path)
    header["ema"]["shape"] = [16, 784]
    put(path, header, data)
    assert "do not fit" in refused(path, lambda _: snapshots.pictures(tmp_path, 3))
    header["__metadata__"]["step"] = DEEP
    put(path, header, data)
    assert snapshots.listed(tmp_path) == []


def test_the_classifier_of_noisy_digits_is_checked_too(tmp_path):
    path = tmp_path / "c"
    kept = noisy_classifier.NoisyDigitClassifier(noisy_classifier.NoisyClassifier(), ScheduleConfig(), {})
    noisy_classifier.save_classifier(path, kept)
    assert noisy_classifier.load_classifier(path).schedule == ScheduleConfig()
    header, data = parts(path)
    header["out.bias"]["shape"] = [10, 1]
    put(path, header, data)
    assert "do not fit" in refused(path, noisy_classifier.load_classifier)
    header["__metadata__"]["schedule"] = DEEP
    put(path, header, data)
    refused(path, noisy_classifier.load_classifier)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux says what is mapped")
def test_nothing_of_a_loaded_file_stays_mapped(saved):
    loaded = checkpoint.load(saved)
    assert saved.name not in Path("/proc/self/maps").read_text()
    assert not any(str(saved) == str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.exists())
    assert loaded.model.in_project.weight.is_contiguous()


def test_what_cannot_be_read_is_named(tmp_path):
    assert "no checkpoint file" in refused(tmp_path / "nothing")
    (tmp_path / "file").write_text("in the way")
    assert "no checkpoint file" in refused(tmp_path / "file" / "x")
    assert "cannot read" in refused(tmp_path)
