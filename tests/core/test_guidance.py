"""Autoguidance against closed forms, and what cannot guide."""

import math

import pytest
import torch

from ddpm_demo.core.config import ALWAYS, ConfigError, Interval, ModelConfig
from ddpm_demo.core.guidance import Autoguidance, ClassifierGuidance
from ddpm_demo.core.model import Denoiser, seeded_denoiser
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import Walk, sample
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.device import best_placement
from ddpm_demo.networks.guidance_settings import GuidanceConfig
from ddpm_demo.networks.loaded_networks import guided, load_guided
from ddpm_demo.store import checkpoint
from ddpm_demo.store.checkpoint import CheckpointError
from ddpm_demo.store.provenance import Provenance


def expert(schedule, variance):
    """The exact network for data N(0, variance): eps_hat = sqrt(1 - a) x_t / (a variance + 1 - a)."""

    def eps(x_t, t):
        a = schedule.alpha_bar[int(t[0])]
        return (1 - a).sqrt() / (a * variance + 1 - a) * x_t

    return eps


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0, 3.0])
def test_the_answer_lies_on_the_line_through_both(weight, generator):
    said = torch.randn(2, 3, 1, 4, 4, generator=generator)
    guided = Autoguidance(lambda x_t, t: said[0], lambda x_t, t: said[1], weight)
    x_t, t = torch.zeros(3, 1, 4, 4), torch.zeros(3)
    torch.testing.assert_close(guided(x_t, t), weight * said[0] + (1 - weight) * said[1])
    assert all(torch.equal(a, b) for a, b in zip(guided.answers, said, strict=True))


@pytest.mark.parametrize("weight", [0.0, 1.0, 2.0, 4.0])
def test_a_gaussian_gets_as_narrow_as_it_must(linear, weight):
    """With exact Gaussian networks every DDIM step only multiplies: the whole way is one factor, known exactly."""
    good, wide, factor = 0.25, 0.5, 1.0
    timesteps = linear.timesteps(100)
    for t, s in zip(timesteps, [*timesteps[1:], -1], strict=True):
        a, b = linear.alpha_bar_at(t), linear.alpha_bar_at(s)
        share = sum(w / (a * v + 1 - a) for w, v in ((weight, good), (1 - weight, wide)))
        eps = math.sqrt(1 - a) * share  # of x_t
        factor *= math.sqrt(b / a) * (1 - math.sqrt(1 - a) * eps) + math.sqrt(1 - b) * eps
    x_T = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    guided = Autoguidance(expert(linear, good), expert(linear, wide), weight)
    config = SamplerConfig(kind="ddim", steps=100)
    *_, last = sample(guided, linear, config, x_T, generator=torch.Generator())
    assert float(last.x_s) == pytest.approx(factor, rel=1e-10)
    # the guide alone is about as wide as its data, so is the network, and more weight is narrower than both
    if weight < 1:
        assert factor == pytest.approx(math.sqrt(wide), rel=0.05)
    elif weight == 1:
        assert factor == pytest.approx(math.sqrt(good), rel=0.05)
    else:
        assert factor < 0.9 * math.sqrt(good)


def test_a_guide_that_learnt_something_else_is_refused(tiny, linear):
    assert isinstance(guided(tiny, linear, lambda: (tiny, linear), 2), Autoguidance)
    assert guided(tiny, linear, lambda: pytest.fail("it has no part"), 1) is tiny
    for other in (ScheduleConfig(kind="cosine"), ScheduleConfig(timesteps=500), ScheduleConfig(beta_T=0.03)):
        with pytest.raises(ConfigError, match="different noise schedule"):
            guided(tiny, linear, lambda other=other: (tiny, Schedule.from_config(other)), 2)
    colour = Denoiser(ModelConfig(image_channels=3, hidden=8, dilations=(1,)))
    with pytest.raises(ConfigError, match="number of channels"):
        guided(tiny, linear, lambda: (colour, linear), 2)
    for beyond in (Interval(first=1000), Interval(last=1000)):
        with pytest.raises(ConfigError, match="timesteps of the guidance must be from 0 to 999"):
            guided(tiny, linear, lambda: pytest.fail("it is never asked"), 2, beyond)


def test_loading_a_guide(tiny, linear, tmp_path):
    path, placement = tmp_path / "guide.safetensors", best_placement()
    with pytest.raises(CheckpointError, match="no checkpoint"):
        load_guided(tiny, linear, GuidanceConfig(str(path)), placement)
    checkpoint.save(path, checkpoint.Checkpoint(tiny, ScheduleConfig(), Provenance()))
    assert load_guided(tiny, linear, None, placement) is tiny
    assert load_guided(tiny, linear, GuidanceConfig(str(path), 1.0), placement) is tiny
    assert isinstance(load_guided(tiny, linear, GuidanceConfig(str(path), 2.0), placement), Autoguidance)
    with pytest.raises(ConfigError, match="different noise schedule"):
        load_guided(tiny, Schedule.from_config(ScheduleConfig(kind="cosine")), GuidanceConfig(str(path)), placement)


def gaussian_classes(schedule, means):
    """log p(y | x_t) of two classes N(+-means, 1) a pixel: linear in x_t, its gradient known in closed form."""

    def logits(x_t, t):
        alpha_bar = schedule.alpha_bar[t].view(-1, 1)  # (B, 1); the variance of x_t is 1 at every t
        towards = (x_t.flatten(1) * means).sum(1, keepdim=True) * alpha_bar.sqrt()
        return torch.cat((towards, -towards), dim=1)

    return logits


def test_asking_adds_the_classifiers_gradient(linear, generator):
    x_t = torch.randn(4, 1, 2, 2, generator=generator, dtype=torch.float64)
    t, means = torch.full((4,), 300), torch.tensor([0.3, -0.1, 0.2, 0.5], dtype=torch.float64)
    asked = ClassifierGuidance(
        lambda x, t: 0.5 * x, gaussian_classes(linear, means), linear, torch.tensor([0, 1, 0, 1]), weight=1.7
    )
    eps_hat = asked(x_t, t)
    alpha_bar = linear.alpha_bar_at(300)
    a = math.sqrt(alpha_bar) * (x_t.flatten(1) @ means)  # logits (a, -a): d log p_0 / da = 1 - tanh a
    sign = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
    slope = sign * (1 - torch.tanh(sign * a))
    gradient = (slope[:, None] * math.sqrt(alpha_bar) * means).view_as(x_t)
    torch.testing.assert_close(asked.gradient, gradient)
    torch.testing.assert_close(eps_hat, 0.5 * x_t - 1.7 * math.sqrt(1 - alpha_bar) * gradient)
    torch.testing.assert_close(asked.probabilities.sum(1), torch.ones(4, dtype=torch.float64))


def test_asking_with_weight_0_or_outside_the_interval_is_the_model_alone(linear, generator):
    x_t, t = torch.randn(2, 1, 2, 2, generator=generator), torch.full((2,), 300)
    classes = gaussian_classes(linear, torch.ones(4))
    for weight, held in ((0.0, ALWAYS), (3.0, Interval(first=299)), (3.0, Interval(last=301))):
        asked = ClassifierGuidance(lambda x, t: 0.5 * x, classes, linear, torch.tensor([0, 1]), weight, held)
        assert torch.equal(asked(x_t, t), 0.5 * x_t)
    asked = ClassifierGuidance(
        lambda x, t: 0.5 * x, classes, linear, torch.tensor([0, 1]), 3.0, Interval(first=300, last=300)
    )
    assert not torch.equal(asked(x_t, t), 0.5 * x_t)


def test_outside_its_interval_neither_classifier_nor_guide_is_computed(linear, generator):
    x_t, calls = torch.randn(2, 1, 2, 2, generator=generator), []

    def told(name, answer):
        return lambda x, t: calls.append((name, int(t[0]))) or answer(x)

    model, half = told("model", lambda x: 0.5 * x), Interval(first=600, last=300)
    guided = Autoguidance(model, told("guide", lambda x: 0.1 * x), 2.0, half)
    classes = told("classifier", lambda x: torch.cat((x.flatten(1).sum(1, keepdim=True),) * 2, 1))
    asked = ClassifierGuidance(guided, classes, linear, torch.tensor([0]), 1.0, half)
    for now in (601, 600, 300, 299):
        asked(x_t, torch.full((2,), now))
        inside = 300 <= now <= 600
        assert [name for name, t in calls if t == now] == ["model", "guide", "classifier"][: 3 if inside else 1]
        assert (guided.answers is not None) == (asked.pull is not None) == (asked.probabilities is not None) == inside


def test_the_whole_interval_is_no_limit_and_a_film_outside_is_the_networks_alone(tiny, linear):
    """A film guided from t = 600 to 300: before that the network's own steps, after it its own from the same x_t."""
    worse = seeded_denoiser(tiny.config, seed=1).eval()
    config, x_T = SamplerConfig(kind="ddim", steps=10), torch.randn(1, 1, 28, 28)

    def film(model, start=x_T, **begin):
        return list(sample(model, linear, config, start, generator=torch.Generator(), **begin))

    alone, always = film(tiny.eval()), film(Autoguidance(tiny, worse, 2.0))
    whole = film(Autoguidance(tiny, worse, 2.0, Interval(first=999, last=0)))
    assert all(torch.equal(a.x_s, b.x_s) for a, b in zip(always, whole, strict=True))
    part = film(Autoguidance(tiny, worse, 2.0, Interval(first=600, last=300)))
    for step, free in zip(part, alone, strict=True):
        if step.t > 600:
            assert torch.equal(step.x_s, free.x_s)
        elif step.t >= 300:
            assert not torch.equal(step.x_s, free.x_s)
        else:
            eps_hat = tiny(step.x_t, torch.tensor([step.t]))
            timesteps = [t for t in (step.t, step.s) if t >= 0]
            own = Walk(linear, config, step.x_t, generator=torch.Generator(), timesteps=timesteps).take(eps_hat)
            assert torch.equal(step.x_s, own.x_s)


def test_a_mixture_of_two_gaussians_asked_for_one_ends_there(linear):
    """Data: half N(m, s^2), half N(-m, s^2), one pixel. Asked with weight 1, one half alone comes."""
    m, s = 1.0, 0.2

    def parts(x, alpha_bar):
        mean, variance = math.sqrt(alpha_bar) * m, alpha_bar * s**2 + 1 - alpha_bar
        return mean, variance, torch.tanh(x * mean / variance)

    def eps_model(x_t, t):
        alpha_bar = linear.alpha_bar_at(int(t[0]))
        mean, variance, which = parts(x_t, alpha_bar)
        score = (which * mean - x_t) / variance
        return -math.sqrt(1 - alpha_bar) * score

    def classes(x_t, t):
        mean, variance, _ = parts(x_t, linear.alpha_bar_at(int(t[0])))
        towards = x_t.flatten(1) * mean / variance
        return torch.cat((towards, -towards), dim=1)

    x_T = torch.randn(2000, 1, 1, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    asked = ClassifierGuidance(eps_model, classes, linear, torch.zeros(2000, dtype=torch.int64), weight=1.0)
    *_, last = sample(asked, linear, SamplerConfig(kind="ddim", steps=100), x_T, generator=torch.Generator())
    assert float(last.x_s.mean()) == pytest.approx(m, abs=0.02)
    assert float(last.x_s.std()) == pytest.approx(s, abs=0.03)
