"""Flow matching's path is the schedule's in another time and scale: DDIM's step is Euler's."""

import pytest
import torch

from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample, start_noise
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.explaining.flow import angle, detour, euler_step, film_flow, flow_point, flow_times, velocity
from ddpm_demo.networks.ideal import IdealDenoiser
from ddpm_demo.store.mnist import load_mnist

SCHEDULES = [Schedule.from_config(ScheduleConfig()), Schedule.from_config(ScheduleConfig("cosine"))]


def pictures(seed, n=3):
    return torch.randn(n, 1, 28, 28, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_scaled_x_t_lies_on_the_straight_line_from_picture_to_noise(schedule):
    x0, eps = pictures(0), pictures(1)
    for t in (0, 300, 999):
        point, x_t = flow_point(schedule, t), schedule.add_noise(x0, t, eps)
        straight = (1 - point.time) * x0 + point.time * eps
        torch.testing.assert_close(x_t / point.scale, straight, rtol=0, atol=1e-12)
        torch.testing.assert_close(velocity(schedule, x_t, t, eps), eps - x0, rtol=0, atol=1e-9)
    assert flow_point(schedule, -1).time == 0
    assert flow_point(schedule, -1).scale == 1


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_flows_time_grows_from_the_picture_to_the_noise(schedule):
    times = flow_times(schedule)
    assert bool((times.diff() > 0).all())
    assert 0 < float(times[0]) < 0.1
    assert 0.99 < float(times[-1]) < 1
    assert [flow_point(schedule, t).time for t in (0, 40, 999)] == pytest.approx(
        times[[0, 40, 999]].tolist(), abs=1e-15
    )
    half = int((schedule.alpha_bar - 0.5).abs().argmin())  # as much of the one as of the other
    assert float(times[half]) == pytest.approx(0.5, abs=2e-3)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_ddim_is_eulers_method_on_the_straight_path(schedule):
    """A whole walk of the sampler, step by step against Euler's, to 1e-10."""
    model = IdealDenoiser(load_mnist(train=True)[0][:50], schedule, dtype=torch.float64)
    x_T = start_noise(3, 1, 28, torch.Generator().manual_seed(4)).double()
    steps = list(sample(model, schedule, SamplerConfig("ddim", steps=20), x_T, generator=torch.Generator()))
    assert len(steps) == 20
    for step in steps:
        x_s = euler_step(schedule, step.x_t, step.t, step.s, step.eps_hat)
        torch.testing.assert_close(x_s, step.x_s, rtol=0, atol=1e-10)


def test_a_detour_is_the_way_over_the_straight_line():
    corner = torch.zeros(2, 1, 1, 2)
    corner[0, 0, 0] = torch.tensor([3.0, 0.0])
    corner[1, 0, 0] = torch.tensor([1.5, 2.0])  # half-way: no detour
    end = torch.tensor([3.0, 4.0]).expand(2, 1, 1, 2)
    assert detour([torch.zeros(2, 1, 1, 2), corner, end]).tolist() == pytest.approx([7 / 5, 1])


def test_of_one_picture_the_flow_goes_straight_and_the_schedules_way_is_bent():
    schedule = SCHEDULES[0]
    model = IdealDenoiser(load_mnist(train=True)[0][:1], schedule, dtype=torch.float64)
    x_T = start_noise(2, 1, 28, torch.Generator().manual_seed(0)).double()
    steps = list(sample(model, schedule, SamplerConfig("ddim", steps=50), x_T, generator=torch.Generator()))
    way = [*(step.x_t for step in steps), steps[-1].x_s]
    straight = [x / flow_point(schedule, t).scale for x, t in zip(way, [*(step.t for step in steps), -1], strict=True)]
    assert detour(straight).tolist() == pytest.approx([1, 1], abs=1e-9)
    assert float(detour(way).min()) > 1.02


def test_an_angle_is_that_of_the_plane():
    one = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [2.0, 0.0]]).view(4, 1, 1, 2)
    other = torch.tensor([[0.0, 3.0], [1.0, 1.0], [1.0, 1e-9], [-1.0, 0.0]]).view(4, 1, 1, 2)
    assert angle(one, other).tolist() == pytest.approx([90, 45, 1e-9 * 180 / 3.141592653589793, 180], rel=1e-6)


@pytest.mark.parametrize("clip", ["none", "x0"])
def test_a_films_flow_says_whether_its_steps_are_eulers_and_how_its_path_bends(clip):
    schedule = SCHEDULES[0]
    digits = load_mnist(train=True)[0]

    def film(model, **settings):
        config = SamplerConfig(**{"kind": "ddim", "steps": 20, "clip": clip, **settings})
        generator = torch.Generator().manual_seed(4)
        x_T = start_noise(3, 1, 28, generator).double()
        return film_flow(schedule, list(sample(model, schedule, config, x_T, generator=generator)))

    straight = film(IdealDenoiser(digits[:1], schedule, dtype=torch.float64))
    assert straight.off_euler < 1e-10
    assert straight.turn.tolist() == pytest.approx([0] * 20, abs=1e-4)
    assert straight.flow_detour.tolist() == pytest.approx([1] * 3, abs=1e-9)
    assert straight.times.tolist() == pytest.approx(
        [flow_point(schedule, t).time for t in schedule.timesteps(20)] + [0]
    )
    ideal = IdealDenoiser(digits[:50], schedule, dtype=torch.float64)

    def many(x_t, t):  # says too much noise, so that x0_hat leaves -1 to 1 and there is something to clip
        return 1.02 * ideal(x_t, t)

    bent = film(many)
    assert bent.off_euler < 1e-10
    assert float(bent.turn[0]) > 5 > 1e-3 > float(bent.turn[-1])  # x0_hat is a mean of many, and in the end the digit
    assert bool((bent.detour > bent.flow_detour).all())
    assert film(many, eta=1.0).off_euler > 0.1
    assert film(many, kind="dpmpp").off_euler > 1e-3
