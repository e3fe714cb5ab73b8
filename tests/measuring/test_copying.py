"""Did it learn or copy? By pictures whose distances are known."""

import pytest
import torch

from ddpm_demo.drawings.augmentation import varied
from ddpm_demo.measuring.copying import nearest_drawings, scale_of, shifted


@pytest.fixture
def drawings():
    """Eight pictures of noise in the middle of the paper: far from each other."""
    sheets = torch.zeros(8, 28, 28, dtype=torch.uint8)
    sheets[:, 8:20, 8:20] = torch.randint(256, (8, 12, 12), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    return sheets


def test_a_shift_moves_whole_pixels(drawings):
    assert torch.equal(shifted(drawings, 0, 0), drawings)
    for down, right in ((2, -1), (-2, 2)):
        assert torch.equal(shifted(drawings, down, right), drawings.roll((down, right), dims=(1, 2)))


def test_a_copy_is_at_zero_wherever_it_lies_and_a_changed_pixel_is_counted(drawings):
    variations = varied(drawings, 80, seed=1)
    images = torch.stack([drawings[3], shifted(drawings, -2, 1)[5], variations[44], drawings[6]])
    images[3, 0, 0] = 255  # one pixel, all the way
    found = nearest_drawings(images, drawings, variations)
    assert found.source.tolist() == [3, 5, 44 % 8, 6]
    assert found.distance.tolist() == [0, 0, 0, 1]
    assert torch.equal(found.picture[:3], images[:3])
    assert torch.equal(found.picture[3], drawings[6])


def test_the_scale_says_what_is_near_and_what_is_far(drawings):
    variations = varied(drawings, 80, seed=1)
    scale = scale_of(drawings, variations, varied(drawings, 28, seed=2)[8:])
    by_hand = [
        min(
            float(((drawings[k].double() - other.double()) / 255).square().sum()) ** 0.5
            for down in range(-2, 3)
            for right in range(-2, 3)
            for j, other in enumerate(shifted(drawings, down, right))
            if j != k
        )
        for k in range(8)
    ]
    assert scale.other == pytest.approx(sorted(by_hand)[3], rel=1e-5)
    assert 0 < scale.fresh < scale.other
    assert scale_of(drawings, variations, variations[8:20]).fresh == 0
