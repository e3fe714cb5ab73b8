"""The best denoiser that sees a patch from any place, against Bayes' rule written out pixel by pixel."""

import pytest
import torch

from ddpm_demo.networks import ideal_anywhere
from ddpm_demo.networks.ideal import PatchDenoiser
from ddpm_demo.networks.ideal_anywhere import AnywherePatchDenoiser, spans
from ddpm_demo.store.mnist import load_mnist
from tests.networks.test_ideal import SCHEDULE, exact_x0, noisy


@pytest.fixture(autouse=True)
def _several_chunks(monkeypatch):
    monkeypatch.setattr(ideal_anywhere, "NUMBERS_AT_ONCE", 10_000)


def small(train, count):
    """Ten rows and eight columns of digits, their edges included where there is ink: mixed-up sides would show."""
    return load_mnist(train=train)[0][:count, 8:18, 9:17]


def by_bayes(pictures, x_t, t, reach):
    """x0_hat by Bayes' rule over all patches of all pictures: outside the image stands a mark that must be the same."""
    alpha_bar, answer = SCHEDULE.alpha_bar_at(t), torch.empty_like(x_t)
    height, width = x_t.shape[-2:]

    def patch(picture, row, col):
        rows, cols = range(row - reach, row + reach + 1), range(col - reach, col + reach + 1)
        inside = [[0 <= r < height and 0 <= c < width for c in cols] for r in rows]
        values = [picture[r, c] for r in rows for c in cols if 0 <= r < height and 0 <= c < width]
        return str(inside), torch.stack(values)

    known = {}
    for picture in exact_x0(pictures)[:, 0]:
        for row in range(height):
            for col in range(width):
                border, values = patch(picture, row, col)
                known.setdefault(border, []).append((values, picture[row, col]))
    known = {border: [torch.stack(each) for each in zip(*found, strict=True)] for border, found in known.items()}
    for b, x in enumerate(x_t[:, 0]):
        for row in range(height):
            for col in range(width):
                border, values = patch(x, row, col)
                others, middle = known[border]
                apart = (values - alpha_bar**0.5 * others).square().sum(dim=1)
                answer[b, 0, row, col] = ((-apart / (2 * (1 - alpha_bar))).softmax(dim=0) * middle).sum()
    return answer


@pytest.mark.parametrize("patch", [1, 3, 7])
@pytest.mark.parametrize("t", [50, 600])
def test_a_patch_from_anywhere_is_bayes_rule_over_all_places(patch, t):
    pictures, (x_t, steps) = small(True, 40), noisy(small(False, 2), t)
    found = AnywherePatchDenoiser(pictures, SCHEDULE, patch, dtype=torch.float64).expected_x0(x_t, steps)
    torch.testing.assert_close(found, by_bayes(pictures, x_t, t, patch // 2), rtol=0, atol=1e-9)


def test_timesteps_may_differ_and_several_widths_are_each_of_them_alone():
    pictures, (x_t, _) = small(True, 20), noisy(small(False, 3), 300)
    t = torch.tensor([40, 700, 40])
    model = AnywherePatchDenoiser(pictures, SCHEDULE, {0: 3, 999: 5}, dtype=torch.float64)
    apart = torch.cat([model(x_t[k : k + 1], t[k : k + 1]) for k in range(3)])
    torch.testing.assert_close(model(x_t, t), apart, rtol=0, atol=1e-9)
    several = model.expected_x0_by_width(x_t, t, [3, 5])
    torch.testing.assert_close(several[0, [0, 2]], model.expected_x0(x_t, t)[[0, 2]], rtol=0, atol=1e-12)
    torch.testing.assert_close(several[1, 1], model.expected_x0(x_t, t)[1], rtol=0, atol=1e-12)


def test_what_is_moved_is_answered_as_before_but_at_the_border():
    """Equivariance: a digit with room on all sides, one pixel to the right."""
    pictures = load_mnist(train=True)[0][:5]
    model = AnywherePatchDenoiser(pictures, SCHEDULE, 5, dtype=torch.float64)
    x_t, t = noisy(load_mnist(train=False)[0][:1], 200)
    moved = x_t.roll(1, dims=3)
    found, after = model.expected_x0(x_t, t), model.expected_x0(moved, t)
    inner = slice(3, 25)
    torch.testing.assert_close(after[..., inner, 4:26], found[..., inner, 3:25], rtol=0, atol=1e-9)
    local = PatchDenoiser(pictures, SCHEDULE, 5, dtype=torch.float64)
    assert float((local(moved, t)[..., inner, 4:26] - local(x_t, t)[..., inner, 3:25]).abs().max()) > 0.1


def test_a_patch_that_sees_the_border_everywhere_knows_its_place():
    pictures, (x_t, t) = small(True, 30), noisy(small(False, 2), 300)
    anywhere = AnywherePatchDenoiser(pictures, SCHEDULE, 11, dtype=torch.float64).expected_x0(x_t, t)
    local = PatchDenoiser(pictures, SCHEDULE, 11, dtype=torch.float64).expected_x0(x_t, t)
    torch.testing.assert_close(anywhere, local, rtol=0, atol=1e-12)


def test_a_line_is_divided_by_what_is_seen_of_its_ends():
    assert spans(6, 2) == [(0, 1), (1, 2), (2, 4), (4, 5), (5, 6)]
    assert spans(3, 0) == [(0, 3)]
    assert spans(4, 2) == [(0, 1), (1, 2), (2, 3), (3, 4)]
