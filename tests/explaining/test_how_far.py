"""How far a network looks: of one whose patch is known, that patch is found."""

import pytest
import torch

from ddpm_demo.explaining.how_far import explained, look_at
from ddpm_demo.networks.ideal import IdealDenoiser, PatchDenoiser
from ddpm_demo.store.mnist import load_mnist


def test_the_share_explained_is_one_less_the_error_over_the_variance():
    answer = torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    assert explained(answer, answer).tolist() == [1, 1, 1]
    mean = answer.mean(dim=(2, 3), keepdim=True).expand_as(answer)
    assert explained(answer, mean).tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    assert explained(answer, 2 * mean - answer).tolist() == pytest.approx([-3, -3, -3], abs=1e-5)  # twice as far off


@pytest.mark.parametrize("width", [3, 7])
def test_of_a_network_that_is_a_patch_that_patch_is_found(linear, width):
    model = PatchDenoiser(load_mnist(train=True)[0][:100], linear, width)
    look = look_at(model, linear, 300, taught=100, digits=2)
    assert look.width == width
    assert look.by_width[width] == pytest.approx(1, abs=1e-6)
    assert look.whole < 0.999


def test_of_the_whole_ideal_the_whole_picture_explains_all(linear):
    model = IdealDenoiser(load_mnist(train=True)[0][:100], linear)
    look = look_at(model, linear, 500, taught=100, digits=2)
    assert look.whole == pytest.approx(1, abs=1e-6)
    assert look.width == 27
