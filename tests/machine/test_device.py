"""Where networks answer and where they are trained, on processors and GPUs that this machine need not have."""

import pytest
import torch

from ddpm_demo.machine import device
from ddpm_demo.machine.device import Placement, answering_placement, best_placement
from ddpm_demo.networks.loaded_networks import LoadedNetwork, load_placed
from ddpm_demo.store import checkpoint
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.film import form

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def bfloat16(monkeypatch):
    """A processor with bfloat16 instructions, and no GPU."""
    monkeypatch.setattr(device, "_cpu_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_a_processor_trains_in_bfloat16_and_answers_in_float32(bfloat16):
    assert best_placement() == Placement(CPU, torch.bfloat16)
    assert answering_placement() == Placement(CPU, torch.float32)


def test_a_gpu_does_both_in_its_own_format(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert best_placement() == answering_placement() == Placement(GPU, torch.bfloat16)


def test_a_networks_answers_are_those_of_a_processor_without_bfloat16(bfloat16, tmp_path):
    path = tmp_path / "net.safetensors"  # a file of its own: the shipped ones may be loaded already
    path.write_bytes(find_checkpoint("tiny").read_bytes())
    placed, plain = load_placed(path), checkpoint.load(path).model
    assert isinstance(placed, LoadedNetwork)
    x_t, t = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(0)), torch.tensor([300, 900])
    with torch.no_grad():
        torch.testing.assert_close(placed.model(x_t, t), plain(x_t, t), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("numbers", "said"), [(torch.float32, form.SEED_CONTRACT), (torch.bfloat16, form.IN_BFLOAT16)])
def test_the_seed_promises_what_the_server_can_keep(numbers, said, monkeypatch):
    monkeypatch.setattr(form, "answering_placement", lambda: Placement(GPU, numbers))
    assert form.seed_words() == said
