"""The samplers against answers that are known exactly, and against diffusers."""

import math
from itertools import pairwise

import pytest
import torch

from ddpm_demo.core.config import ConfigError
from ddpm_demo.core.samplers import SAMPLERS, SamplerConfig, network_calls
from ddpm_demo.core.sampling import Walk, next_step, sample, start_noise, to_uint8
from ddpm_demo.core.schedule import Schedule, ScheduleConfig

DOUBLE = torch.float64


def final(model, schedule, config, x_T, seed=0):
    *_, last = sample(model, schedule, config, x_T, generator=torch.Generator().manual_seed(seed))
    return last.x_s


def noise(n=4, seed=1):
    return torch.randn(n, 1, 4, 4, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def wavy(x_t, t):
    """Some smooth function of x_t and t: the samplers do not care whether it is any good."""
    return torch.tanh(x_t) * (0.3 + t.view(-1, 1, 1, 1) / 1000)


def with_our_tables(scheduler, schedule):
    scheduler.betas, scheduler.alphas, scheduler.alphas_cumprod = schedule.beta, schedule.alpha, schedule.alpha_bar
    scheduler.final_alpha_cumprod = scheduler.one = torch.tensor(1.0, dtype=DOUBLE)
    return scheduler


@pytest.mark.parametrize(("variance", "theirs"), [("beta", "fixed_large"), ("posterior", "fixed_small")])
@pytest.mark.parametrize("clip", ["none", "x0"])
def test_ddpm_is_diffusers_ddpm(linear, variance, theirs, clip):
    from diffusers import DDPMScheduler

    scheduler = with_our_tables(DDPMScheduler(1000, variance_type=theirs, clip_sample=clip == "x0"), linear)
    scheduler.set_timesteps(1000)
    x, generator = noise(), torch.Generator().manual_seed(0)
    for t in scheduler.timesteps:
        x = scheduler.step(wavy(x, torch.full((4,), int(t))), t, x, generator=generator).prev_sample
    config = SamplerConfig(variance=variance, final_noise="ho", clip=clip)
    torch.testing.assert_close(final(wavy, linear, config, noise()), x, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("eta", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("steps", [28, 112, 1000])  # 999 is a multiple of steps - 1: an even stride, as diffusers needs
@pytest.mark.parametrize("clip", ["none", "x0"])
def test_ddim_is_diffusers_ddim(linear, eta, steps, clip):
    """With the noise that fits a clipped picture, which diffusers takes only if told (findings/ddim_clips_*.sh)."""
    from diffusers import DDIMScheduler

    clips = clip == "x0"
    scheduler = with_our_tables(DDIMScheduler(1000, clip_sample=clips), linear)
    stride = 999 // (steps - 1)
    scheduler.num_inference_steps = 1000 // stride
    x, generator = noise(), torch.Generator().manual_seed(0)
    for t in linear.timesteps(steps):
        # at the last step ours has no noise to draw, theirs draws it and multiplies by zero: the end is the same
        eps_hat = wavy(x, torch.full((4,), t))
        told = {"eta": eta, "generator": generator, "use_clipped_model_output": clips}
        x = scheduler.step(eps_hat, t, x, **told).prev_sample
    ours = final(wavy, linear, SamplerConfig(kind="ddim", steps=steps, eta=eta, clip=clip), noise())
    torch.testing.assert_close(ours, x, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("clip", ["none", "x0"])
@pytest.mark.parametrize("steps", [5, 20, 100])
def test_dpmpp_is_diffusers_multistep_solver(linear, steps, clip):
    from diffusers import DPMSolverMultistepScheduler

    scheduler = DPMSolverMultistepScheduler(
        1000, algorithm_type="dpmsolver++", solver_order=2, final_sigmas_type="zero"
    )
    timesteps = linear.timesteps(steps)
    # our tables and timesteps in theirs: sigmas are those of the variance-exploding form, sqrt((1 - a) / a), then 0
    scheduler.timesteps, scheduler.num_inference_steps = torch.tensor(timesteps), steps
    chosen = linear.alpha_bar[timesteps]
    scheduler.sigmas = torch.cat([((1 - chosen) / chosen).sqrt(), torch.zeros(1, dtype=DOUBLE)])
    x = noise()
    for t in timesteps:
        eps_hat = wavy(x, torch.full((4,), t))
        if clip == "x0":  # theirs can only clip by quantiles: hand it the noise of the clipped image
            eps_hat = linear.predict_eps(x, t, linear.predict_x0(x, t, eps_hat).clamp(-1, 1))
        x = scheduler.step(eps_hat, t, x).prev_sample
    # 1e-5: every step of theirs takes the sample through float32
    ours = final(wavy, linear, SamplerConfig(kind="dpmpp", steps=steps, clip=clip), noise())
    torch.testing.assert_close(ours, x, rtol=1e-5, atol=1e-5, check_dtype=False)


def test_dpmpp_and_heun_are_of_second_order(linear):
    """Gaussian data have an exact answer at every step; twice the steps is a quarter of the error, DDIM's only half."""
    v = 0.3

    def exact(x_t, t):
        a = linear.alpha_bar[t].view(-1, 1, 1, 1)
        return (1 - a).sqrt() / (a * v + 1 - a) * x_t

    def error(kind, stride):
        # from t = 810 to 90, where the schedule is smooth, in equal strides of t
        timesteps = range(810, 89, -stride)
        config = SamplerConfig(kind=kind)
        walk = Walk(linear, config, noise(), generator=torch.Generator(), timesteps=timesteps)
        while walk.left > 1:
            x = next_step(walk, exact).x_s
        # the probability flow of a Gaussian scales x by the ratio of its standard deviations
        true = noise() * math.sqrt((linear.alpha_bar_at(90) * (v - 1) + 1) / (linear.alpha_bar_at(810) * (v - 1) + 1))
        return float((x - true).abs().max())

    orders = {kind: math.log2(error(kind, 4) / error(kind, 2)) for kind in ("ddim", "dpmpp", "heun")}
    assert orders["ddim"] == pytest.approx(1, abs=0.2), orders
    assert orders["dpmpp"] == pytest.approx(2, abs=0.2), orders
    assert orders["heun"] == pytest.approx(2, abs=0.2), orders


def test_the_specs_loop_to_the_letter(linear):
    """Section D of the spec, line by line, against the default sampler."""
    x_t, generator = noise(), torch.Generator().manual_seed(0)
    alpha, alpha_bar, beta = linear.alpha, linear.alpha_bar, linear.beta
    for t in range(999, -1, -1):
        epsilon_pred = wavy(x_t, torch.full((4,), t))
        mean = (x_t - (1 - alpha[t]) / torch.sqrt(1 - alpha_bar[t]) * epsilon_pred) / torch.sqrt(alpha[t])
        z = torch.randn(x_t.shape, generator=generator, dtype=DOUBLE) if t > 1 else torch.zeros_like(x_t)
        x_t = mean + torch.sqrt(beta[t]) * z
    torch.testing.assert_close(final(wavy, linear, SamplerConfig(), noise()), x_t, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("steps", [1, 2, 10, 1000])
@pytest.mark.parametrize("kind", SAMPLERS)
def test_a_single_possible_image_is_always_found(linear, steps, kind):
    """Point-mass data: with the exact eps, posterior variance ends on the point whatever the noise."""
    point = torch.linspace(-0.9, 0.9, 16, dtype=DOUBLE).view(1, 1, 4, 4)

    def exact(x_t, t):
        return linear.predict_eps(x_t, t, point)

    end = final(exact, linear, SamplerConfig(kind=kind, steps=steps, variance="posterior"), noise())
    torch.testing.assert_close(end, point.expand(4, 1, 4, 4), rtol=1e-10, atol=1e-10)


def affine_coefficients(schedule, data_variance, config):
    """Mean and variance that the sampler must give N(0, v) data, in closed form: there every step is affine."""
    variance, timesteps = 1.0, schedule.timesteps(config.steps)
    for t, s in zip(timesteps, [*timesteps[1:], -1], strict=True):
        a_t, a_s = schedule.alpha_bar_at(t), schedule.alpha_bar_at(s)
        # E[eps | x_t] = slope * x_t for Gaussian data
        slope = math.sqrt(1 - a_t) / (a_t * data_variance + 1 - a_t)
        x0_slope = (1 - math.sqrt(1 - a_t) * slope) / math.sqrt(a_t)
        if config.kind == "ddim":
            std = config.eta * schedule.reverse_std(t, s, "posterior")
            gain = math.sqrt(a_s) * x0_slope + math.sqrt(1 - a_s - std**2) * slope
        else:
            std = (
                0.0
                if s == -1 or (config.final_noise == "spec" and t <= 1)
                else schedule.reverse_std(t, s, config.variance)
            )
            beta = 1 - a_t / a_s
            gain = (1 - beta / math.sqrt(1 - a_t) * slope) / math.sqrt(1 - beta)
        variance = gain**2 * variance + std**2
    return variance


@pytest.mark.parametrize(
    "config",
    [
        SamplerConfig(steps=50, variance="posterior"),
        SamplerConfig(steps=100),
        SamplerConfig(steps=40, final_noise="ho"),
        SamplerConfig(kind="ddim", steps=20),
        SamplerConfig(kind="ddim", steps=20, eta=0.5),
    ],
)
def test_gaussian_data_end_with_the_variance_of_the_closed_form(linear, config):
    v = 0.3

    def exact(x_t, t):
        a = linear.alpha_bar[t].view(-1, 1, 1, 1)
        return (1 - a).sqrt() / (a * v + 1 - a) * x_t

    x_T = torch.randn(200, 1, 20, 20, generator=torch.Generator().manual_seed(3), dtype=DOUBLE)
    end = final(exact, linear, config, x_T)
    # 80,000 draws: the standard error of a variance is v * sqrt(2 / 80000) = 0.5 %
    assert float(end.var()) == pytest.approx(affine_coefficients(linear, v, config), rel=0.02)
    assert abs(float(end.mean())) < 0.01


def test_the_variance_gap_halves_as_the_steps_double():
    gaps = []
    for T in (100, 200, 400, 800):
        # the same continuous schedule cut into T steps
        scale = 1000 / T
        schedule = Schedule.from_config(ScheduleConfig(timesteps=T, beta_1=1e-4 * scale, beta_T=0.02 * scale))
        config = SamplerConfig(steps=T, variance="posterior")
        gaps.append(abs(affine_coefficients(schedule, 0.3, config) - 0.3))
    slopes = [math.log2(a / b) for a, b in pairwise(gaps)]
    assert all(0.8 < slope < 1.2 for slope in slopes), slopes


def test_standard_normal_data_with_sigma_beta_ends_one_beta_short():
    """N(0, 1) data: every exact reverse step keeps variance 1, but for the last, which adds no noise."""
    schedule = Schedule.from_config(ScheduleConfig())
    variance = affine_coefficients(schedule, 1.0, SamplerConfig(final_noise="ho"))
    assert variance == pytest.approx(1 - 1e-4, rel=1e-10)


def test_every_step_record_is_one_consistent_step(linear):
    config = SamplerConfig(steps=12, variance="posterior", clip="x0")
    before = None
    for index, step in enumerate(sample(wavy, linear, config, noise(), generator=torch.Generator().manual_seed(0))):
        assert step.index == index
        if before is not None:
            assert torch.equal(step.x_t, before.x_s)
            assert step.t == before.s
        torch.testing.assert_close(step.eps_hat, wavy(step.x_t, torch.full((4,), step.t)))
        assert step.x0_hat.abs().max() <= 1
        # equation 7 of Ho et al., the posterior mean in terms of x0_hat: another road to the same picture
        a_t, a_s, beta = linear.alpha_bar_at(step.t), linear.alpha_bar_at(step.s), linear.step_beta(step.t, step.s)
        mean = math.sqrt(a_s) * beta / (1 - a_t) * step.x0_hat
        mean = mean + math.sqrt(1 - beta) * (1 - a_s) / (1 - a_t) * step.x_t
        torch.testing.assert_close(step.x_s, mean + step.std * step.z, rtol=1e-9, atol=1e-9)
        before = step
    assert before.s == -1


def test_heun_is_karras_algorithm_1(linear):
    """Line by line in the variance-exploding form, with sigma = sqrt(1 / alpha_bar - 1) and u = x / sqrt(alpha_bar)."""
    timesteps = linear.timesteps(13)
    sigma = [math.sqrt(1 / linear.alpha_bar_at(t) - 1) for t in timesteps] + [0.0]
    u = noise() / math.sqrt(linear.alpha_bar_at(999))

    def denoised(u, i):
        x_t, t = u * math.sqrt(linear.alpha_bar_at(timesteps[i])), torch.full((4,), timesteps[i])
        return u - sigma[i] * wavy(x_t, t)

    for i in range(13):
        d = (u - denoised(u, i)) / sigma[i]
        ahead = u + (sigma[i + 1] - sigma[i]) * d
        if sigma[i + 1] != 0:
            d_ahead = (ahead - denoised(ahead, i + 1)) / sigma[i + 1]
            ahead = u + (sigma[i + 1] - sigma[i]) * (d + d_ahead) / 2
        u = ahead
    ours = final(wavy, linear, SamplerConfig(kind="heun", steps=13), noise())
    torch.testing.assert_close(ours, u, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_walk_asks_as_often_as_its_rule_says(linear, kind, steps):
    asked = []

    def counting(x_t, t):
        asked.append(int(t[0]))
        return wavy(x_t, t)

    config = SamplerConfig(kind=kind, steps=steps)
    made = list(sample(counting, linear, config, noise(), generator=torch.Generator().manual_seed(0)))
    assert len(asked) == network_calls(config)
    assert asked == [t for step in made for t in (step.t, *(guess.t for guess in step.later))]
    assert [(step.index, step.t) for step in made] == list(enumerate(linear.timesteps(steps)))


def test_a_walk_that_rests_in_the_middle_of_a_step_takes_it_anew(linear):
    config, x_T = SamplerConfig(kind="heun", steps=5), noise()
    walk = Walk(linear, config, x_T, generator=torch.Generator())
    assert walk.take(wavy(*walk.question())) is None
    assert walk.asks_again
    state = walk.state
    assert torch.equal(state.x, x_T)
    elsewhere = Walk(linear, config, torch.zeros(0), generator=torch.Generator())
    elsewhere.go_to(state)
    while elsewhere.left:
        last = next_step(elsewhere, wavy)
    assert torch.equal(last.x_s, final(wavy, linear, config, x_T))


def test_an_unknown_sampler_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"sampler must be one of ddpm, ddim, dpmpp, heun, got 'euler'"):
        SamplerConfig(kind="euler")


def test_noise_rules_differ_by_exactly_one_draw(linear):
    def quiet(final_noise):
        config = SamplerConfig(final_noise=final_noise)
        steps = sample(wavy, linear, config, noise(), generator=torch.Generator().manual_seed(0))
        return [step.t for step in steps if step.std == 0]

    assert quiet("spec") == [1, 0]
    assert quiet("ho") == [0]


def test_clamping_the_picture_keeps_it_inside(linear):
    steps = sample(
        wavy, linear, SamplerConfig(steps=20, clip="x_t"), noise(), generator=torch.Generator().manual_seed(0)
    )
    assert all(step.x_s.abs().max() <= 1 for step in steps)


def test_same_seed_same_bits(linear, tiny):
    x_T = start_noise(2, 1, 28, torch.Generator().manual_seed(5))
    config = SamplerConfig(steps=5)
    assert torch.equal(final(tiny, linear, config, x_T, seed=7), final(tiny, linear, config, x_T, seed=7))
    assert not torch.equal(final(tiny, linear, config, x_T, seed=7), final(tiny, linear, config, x_T, seed=8))


def test_the_global_random_state_is_not_touched(linear, tiny):
    before = torch.get_rng_state()
    final(tiny, linear, SamplerConfig(steps=3), start_noise(1, 1, 28, torch.Generator()))
    assert torch.equal(before, torch.get_rng_state())


def test_the_consumers_grad_mode_is_its_own(linear, tiny):
    steps = sample(
        tiny, linear, SamplerConfig(steps=3), start_noise(1, 1, 28, torch.Generator()), generator=torch.Generator()
    )
    assert not next(steps).x_s.requires_grad
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("training", [True, False])
def test_closing_midway_gives_the_model_its_mode_back(linear, tiny, training):
    tiny.train(training)
    steps = sample(
        tiny, linear, SamplerConfig(steps=3), start_noise(1, 1, 28, torch.Generator()), generator=torch.Generator()
    )
    next(steps)
    assert not tiny.training
    steps.close()
    assert tiny.training is training


def test_more_steps_than_the_schedule_has_are_refused(linear):
    with pytest.raises(ConfigError, match="from 1 to 1000"):
        next(sample(wavy, linear, SamplerConfig(steps=1001), noise(), generator=torch.Generator()))


def test_to_uint8_rounds_and_clips():
    values = torch.tensor([-2.0, -1.0, 0.0, 1.0, 3.0])
    assert to_uint8(values).tolist() == [0, 0, 128, 255, 255]
