import dataclasses
import re
import subprocess
import sys

import pytest
import safetensors.torch
import torch

from ddpm_demo.core.config import ModelConfig, preset
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample, start_noise
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.store import checkpoint
from ddpm_demo.store.checkpoint import Checkpoint, CheckpointError
from ddpm_demo.store.files import GUIDE
from ddpm_demo.store.provenance import Provenance
from ddpm_demo.store.shipped import find_checkpoint, shipped_checkpoints


@pytest.fixture
def saved(tiny, tmp_path):
    path = tmp_path / "tiny.safetensors"
    checkpoint.save(path, Checkpoint(tiny, ScheduleConfig(kind="cosine"), Provenance(seed=3, other={"note": "a test"})))
    return path


def rewrite(path, change):
    """Read a checkpoint's tensors and metadata raw, let `change` alter them, and write them back."""
    with safetensors.safe_open(str(path), framework="pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(tensors, metadata)
    safetensors.torch.save_file(tensors, str(path), metadata=metadata)


def test_everything_comes_back(tiny, saved):
    loaded = checkpoint.load(saved)
    assert loaded.model.config == tiny.config
    assert loaded.schedule == ScheduleConfig(kind="cosine")
    assert loaded.provenance == Provenance(seed=3, other={"note": "a test"})
    for name, weights in tiny.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], weights.half().float())
    assert not loaded.model.training


def test_a_fresh_process_draws_the_same_bits(saved):
    def draw():
        loaded = checkpoint.load(saved)
        generator = torch.Generator().manual_seed(0)
        steps = sample(
            loaded.model,
            Schedule.from_config(loaded.schedule),
            SamplerConfig(steps=3),
            start_noise(1, 1, 28, generator),
            generator=generator,
        )
        return list(steps)[-1].x_s

    code = f"""
from pathlib import Path
import torch
from ddpm_demo.store import checkpoint
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample, start_noise
from ddpm_demo.core.schedule import Schedule
loaded = checkpoint.load(Path({str(saved)!r}))
generator = torch.Generator().manual_seed(0)
x_T = start_noise(1, 1, 28, generator)
schedule = Schedule.from_config(loaded.schedule)
*_, last = sample(loaded.model, schedule, SamplerConfig(steps=3), x_T, generator=generator)
print(last.x_s.numpy().tobytes().hex())
"""
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == draw().numpy().tobytes().hex()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"no checkpoint file .*nothing\.safetensors"):
        checkpoint.load(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x04K*.", bytes(1000), b"\xff" * 64, b"{" * 100])
def test_rubbish_is_refused(tmp_path, content):
    path = tmp_path / "rubbish.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"rubbish\.safetensors is not a checkpoint"):
        checkpoint.load(path)


def test_every_truncation_is_refused(saved):
    whole = saved.read_bytes()
    for length in [0, 1, 7, 8, 100, len(whole) // 2, len(whole) - 1]:
        saved.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match="is not a checkpoint, or only a part"):
            checkpoint.load(saved)


def test_another_format_version_is_refused(saved):
    rewrite(saved, lambda tensors, metadata: metadata.update(format="ddpm_demo checkpoint 2"))
    with pytest.raises(CheckpointError, match=r"its format is 'ddpm_demo checkpoint 2'"):
        checkpoint.load(saved)


def test_somebody_elses_safetensors_are_refused(saved):
    rewrite(saved, lambda tensors, metadata: metadata.clear())
    with pytest.raises(CheckpointError, match="not written by ddpm_demo"):
        checkpoint.load(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, m: t.pop("in_project.bias"), "do not fit its own configuration: in_project.bias"),
        (lambda t, m: t.update(extra=torch.zeros(1)), "do not fit its own configuration: extra"),
        (
            lambda t, m: t.update({"in_project.bias": torch.zeros(3)}),
            "do not fit its own configuration: in_project.bias",
        ),
        (lambda t, m: t["in_project.bias"].fill_(float("nan")), "not finite numbers: in_project.bias"),
        (lambda t, m: m.update(model='{"hidden": 12}'), "makes no sense: hidden must be a multiple"),
        (lambda t, m: m.update(model='{"size": 7}'), "makes no sense: ModelConfig has no size"),
        (lambda t, m: m.update(model="[]"), "makes no sense"),
        (lambda t, m: m.update(model='{"hidden": "8"}'), "makes no sense"),
        (lambda t, m: m.pop("schedule"), "makes no sense"),
        (lambda t, m: m.update(schedule="{"), "not a checkpoint"),
    ],
)
def test_files_that_contradict_themselves_are_refused(saved, change, message):
    rewrite(saved, change)
    with pytest.raises(CheckpointError, match=re.escape(message)):
        checkpoint.load(saved)


def test_a_place_that_cannot_be_written_is_named(tiny, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match="cannot write"):
        checkpoint.save(tmp_path / "file" / "x.safetensors", Checkpoint(tiny, ScheduleConfig(), Provenance()))


def test_names_and_paths(saved):
    assert find_checkpoint(str(saved)) == saved
    assert find_checkpoint("lite").name == "lite.safetensors"
    with pytest.raises(
        CheckpointError, match=r"no checkpoint 'heavy': give a file, the folder of a run, or one of .*lite"
    ):
        find_checkpoint("heavy")


def test_the_smallest_comes_first_and_the_guide_last():
    assert list(shipped_checkpoints()) == ["lite", "full", GUIDE]


@pytest.mark.parametrize(
    ("name", "config", "digits"),
    [("lite", preset("lite"), 10_000), ("full", preset("full"), 10_000), (GUIDE, ModelConfig(hidden=32), 500)],
)
def test_a_shipped_checkpoint_says_where_it_comes_from(name, config, digits):
    loaded = checkpoint.load(find_checkpoint(name))
    assert loaded.model.config == config
    assert dataclasses.asdict(loaded.schedule)["kind"] == "linear"
    needed = (
        "preset seed steps images_seen batch lr_schedule ema_decay hardware wall_seconds final_loss held_out versions"
    )
    assert set(needed.split()) <= set(loaded.provenance.to_json())
    assert loaded.provenance.held_out.digits == digits
    assert loaded.provenance.data == "MNIST training set, 60000 digits"
