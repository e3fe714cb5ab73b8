"""Kept passes against the plain way: a whole forward and backward pass for each map."""

import pytest
import torch

from ddpm_demo.core.config import ModelConfig
from ddpm_demo.core.model import seeded_denoiser
from ddpm_demo.explaining.influence import KeptPasses, frozen_copy, influence_map


@pytest.mark.parametrize("frozen", [False, True])
def test_maps_from_one_pass_are_the_plain_ones(frozen):
    model = seeded_denoiser(ModelConfig(hidden=8, dilations=(1, 3, 9), groups=4, time_dim=16), seed=0)
    model = frozen_copy(model.requires_grad_(False)) if frozen else model.requires_grad_(False)
    x = torch.randn(4, 1, 12, 12, generator=torch.Generator().manual_seed(1))
    passes = KeptPasses(model, x, torch.tensor([20, 20, 700, 700]))
    for row, col in ((0, 11), (5, 6), (0, 11)):  # the same pixel again, too: nothing is used up
        whole, first = passes.behind_answer(row, col), passes.behind_first_block(row, col)
        for k, t in enumerate((20, 700)):
            half = slice(2 * k, 2 * k + 2)
            plain = influence_map(model, x[half], t, row, col, freeze_norm=False)
            torch.testing.assert_close(whole[half].mean(dim=0), plain, rtol=1e-5, atol=1e-8)
            plain = influence_map(model, x[half], t, row, col, freeze_norm=False, layers=2)
            torch.testing.assert_close(first[half].mean(dim=0), plain, rtol=1e-5, atol=1e-8)
    assert not model.blocks[0]._forward_hooks
