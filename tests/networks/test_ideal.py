"""The best denoisers of a set of pictures, against Bayes' rule written out and against what they must give back."""

import pytest
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.measuring.copying import nearest
from ddpm_demo.networks import ideal
from ddpm_demo.networks.drawing_digits import draw_digits
from ddpm_demo.networks.ideal import IdealDenoiser, PatchDenoiser
from ddpm_demo.store.mnist import load_mnist

SCHEDULE = Schedule.from_config(ScheduleConfig())
TIMESTEPS = (0, 50, 300, 600, 999)


@pytest.fixture(scope="module")
def digits():
    """The first two hundred training digits, uint8."""
    return load_mnist(train=True)[0][:200]


@pytest.fixture(autouse=True)
def _several_chunks(monkeypatch):
    monkeypatch.setattr(ideal, "PICTURES_AT_ONCE", 64)  # of 200 pictures: three whole chunks and a part of one


def exact_x0(pictures):
    """Clean images (N, 1, H, W) in float64: `to_x0` rounds to float32."""
    return pictures[:, None].double() / 127.5 - 1


def noisy(pictures, t, seed=0):
    """x_t (B, 1, H, W) of pictures, float64, and t (B,)."""
    x0 = exact_x0(pictures)
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return SCHEDULE.add_noise(x0, t, eps), torch.full((len(x0),), t)


def by_bayes(pictures, x_t, t, patch):
    """x0_hat by Bayes' rule, pixel by pixel: the mean of all pictures, weighed by how likely they make x_t's patch."""
    x0 = exact_x0(pictures)[:, 0]  # (N, H, W)
    alpha_bar = SCHEDULE.alpha_bar_at(t)
    answer = torch.empty_like(x_t)
    for b, x in enumerate(x_t[:, 0]):
        for row in range(x.shape[0]):
            for col in range(x.shape[1]):
                rows = slice(max(0, row - patch // 2), row + patch // 2 + 1)
                cols = slice(max(0, col - patch // 2), col + patch // 2 + 1)
                apart = x[rows, cols] - alpha_bar**0.5 * x0[:, rows, cols]
                log_likely = -apart.square().sum(dim=(1, 2)) / (2 * (1 - alpha_bar))
                answer[b, 0, row, col] = (log_likely.softmax(dim=0) * x0[:, row, col]).sum()
    return answer


@pytest.mark.parametrize("t", TIMESTEPS)
def test_the_ideal_is_bayes_rule_over_two_hundred_digits(digits, t):
    x_t, steps = noisy(load_mnist(train=False)[0][:3], t)
    x0 = exact_x0(digits).flatten(1)  # (200, 784)
    alpha_bar = SCHEDULE.alpha_bar_at(t)
    apart = (x_t.flatten(1)[:, None] - alpha_bar**0.5 * x0[None]).square().sum(dim=2)  # (3, 200)
    weights = (-apart / (2 * (1 - alpha_bar))).softmax(dim=1)
    exact = (weights @ x0).view_as(x_t)
    model = IdealDenoiser(digits, SCHEDULE, dtype=torch.float64)
    torch.testing.assert_close(model.weights(x_t, steps), weights, rtol=1e-7, atol=1e-12)
    torch.testing.assert_close(model.expected_x0(x_t, steps), exact, rtol=0, atol=1e-9)
    torch.testing.assert_close(model(x_t, steps), SCHEDULE.predict_eps(x_t, t, exact), rtol=0, atol=1e-7)
    quick = IdealDenoiser(digits, SCHEDULE)(x_t.float(), steps)
    assert quick.dtype == torch.float32
    torch.testing.assert_close(SCHEDULE.predict_x0(x_t, t, quick.double()), exact, rtol=0, atol=5e-3)


def test_timesteps_may_differ_within_a_batch(digits):
    x_t, _ = noisy(digits[:3], 300)
    t = torch.tensor([900, 300, 40])
    for model in (IdealDenoiser(digits, SCHEDULE), PatchDenoiser(digits, SCHEDULE, {0: 3, 999: 9})):
        together = model(x_t.float(), t)
        apart = torch.cat([model(x_t[k : k + 1].float(), t[k : k + 1]) for k in range(3)])
        torch.testing.assert_close(together, apart, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("model", [IdealDenoiser, lambda *given, **how: PatchDenoiser(*given, 5, **how)])
def test_of_one_picture_it_answers_that_picture_whatever_it_sees(digits, model):
    x_t = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for t in TIMESTEPS:
        eps_hat = model(digits[:1], SCHEDULE, dtype=torch.float64)(x_t, torch.full((2,), t))
        x0_hat = SCHEDULE.predict_x0(x_t, t, eps_hat)
        torch.testing.assert_close(x0_hat, exact_x0(digits[:1]).expand(2, 1, 28, 28), rtol=0, atol=1e-6)


@pytest.mark.parametrize("patch", [1, 3, 5, 9])
@pytest.mark.parametrize("t", [50, 600])
def test_a_patch_is_bayes_rule_for_every_pixel(digits, patch, t):
    small = digits[:, 8:18, 9:17]  # 10 rows and 8 columns: mixed-up sides would show
    x_t, steps = noisy(load_mnist(train=False)[0][:2, 8:18, 9:17], t)
    found = PatchDenoiser(small, SCHEDULE, patch, dtype=torch.float64).expected_x0(x_t, steps)
    torch.testing.assert_close(found, by_bayes(small, x_t, t, patch), rtol=0, atol=1e-9)


@pytest.mark.parametrize("t", TIMESTEPS)
def test_a_patch_that_holds_the_whole_image_is_the_ideal(digits, t):
    x_t, steps = noisy(load_mnist(train=False)[0][:2], t)
    whole = PatchDenoiser(digits, SCHEDULE, 55, dtype=torch.float64).expected_x0(x_t, steps)
    exact = IdealDenoiser(digits, SCHEDULE, dtype=torch.float64).expected_x0(x_t, steps)
    torch.testing.assert_close(whole, exact, rtol=0, atol=1e-9)


def test_several_widths_at_once_are_each_of_them_alone(digits):
    x_t, steps = noisy(digits[:2], 300)
    several = PatchDenoiser(digits, SCHEDULE, 3).expected_x0_by_width(x_t.float(), steps, [5, 9])
    for k, width in enumerate((5, 9)):
        alone = PatchDenoiser(digits, SCHEDULE, width).expected_x0(x_t.float(), steps)
        torch.testing.assert_close(several[k], alone, rtol=0, atol=1e-6)


def test_a_width_by_timestep_is_that_of_the_nearest(digits):
    model = PatchDenoiser(digits, SCHEDULE, {100: 3, 500: 9})
    assert [model.width_at(t) for t in (0, 100, 299, 301, 999)] == [3, 3, 3, 9, 9]


def test_a_film_by_the_ideal_gives_back_digits_of_the_set(digits):
    for kind, eta in (("ddim", 0.0), ("ddpm", 0.0)):
        config = SamplerConfig(kind, steps=50, eta=eta)
        *_, drawn = draw_digits(IdealDenoiser(digits, SCHEDULE), SCHEDULE, config, n=6, seed=2)
        found, distance = nearest(drawn.images, digits)
        assert distance.tolist() == [0] * 6
        assert len(set(found.tolist())) > 1


def test_the_heaviest_pictures_and_their_shares(digits):
    x_t, steps = noisy(digits[40:43], 0)
    found = IdealDenoiser(digits, SCHEDULE).heaviest(x_t.float(), steps, 5)
    assert found.index[:, 0].tolist() == [40, 41, 42]
    assert found.share[:, 0].tolist() == pytest.approx([1, 1, 1])
    x_t, steps = noisy(digits[40:43], 999)
    found = IdealDenoiser(digits, SCHEDULE).heaviest(x_t.float(), steps, 300)
    assert found.share.shape == (3, 200)
    assert found.share.sum(dim=1).tolist() == pytest.approx([1, 1, 1])
    assert float(found.share.max()) < 0.02  # hardly anything is left that tells one from another
    assert bool((found.share.diff(dim=1) <= 0).all())


def test_what_is_no_set_of_pictures_is_refused(digits):
    for wrong in (digits[:0], digits.float(), digits[0]):
        with pytest.raises(ConfigError, match="at least one picture"):
            IdealDenoiser(wrong, SCHEDULE)
    for width in (4, 0, {}, {10: 2}):
        with pytest.raises(ConfigError, match="odd number"):
            PatchDenoiser(digits, SCHEDULE, width)
