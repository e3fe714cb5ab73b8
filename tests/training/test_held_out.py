import pytest
import torch

from ddpm_demo.core.schedule import Schedule
from ddpm_demo.machine.device import best_placement
from ddpm_demo.machine.placement import place
from ddpm_demo.store import checkpoint
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.training.held_out import held_out_loss


def test_a_network_that_says_nothing_has_the_noises_own_variance(linear):
    digits = torch.zeros(200, 28, 28, dtype=torch.uint8)
    *_, result = held_out_loss(lambda x_t, t: torch.zeros_like(x_t), linear, digits)
    assert result.loss == pytest.approx(1.0, abs=0.01)
    assert result.done == result.total == 2000
    assert all(tenth == pytest.approx(1.0, abs=0.02) for tenth in result.by_tenth)


def test_exact_answers_have_no_loss(linear):
    digits = torch.full((50, 28, 28), 100, dtype=torch.uint8)
    x0 = 100 / 127.5 - 1
    *_, result = held_out_loss(lambda x_t, t: linear.predict_eps(x_t, t, torch.tensor(x0)), linear, digits)
    assert result.loss < 1e-8


def test_the_shipped_checkpoint_reaches_the_loss_that_it_claims():
    loaded = checkpoint.load(find_checkpoint("lite"))
    digits, _ = load_mnist(train=False)
    model = place(loaded.model, best_placement())
    device = best_placement().device
    *_, result = held_out_loss(model, Schedule.from_config(loaded.schedule), digits[:100], device=device)
    # 1,000 of the 100,000 draws behind the claim: their mean scatters by a few per cent
    assert result.loss == pytest.approx(loaded.provenance.held_out.loss, rel=0.1)
