"""`bench sample` measures the same arithmetic in every way; no test looks at how long anything took."""

import os
import time

import pytest
import torch

from ddpm_demo.bench import sampling, timing
from ddpm_demo.commands import bench
from ddpm_demo.commands.parser import main
from ddpm_demo.core.config import DemoError, preset
from ddpm_demo.core.model import Denoiser
from ddpm_demo.explaining.anatomy import trace_stages
from ddpm_demo.machine.device import Placement, best_placement


def test_the_plain_loop_is_the_specs_sampler(tiny, linear, monkeypatch):
    """The comparison is worth something only if it does the same: one step from the same x_t and no noise."""
    from ddpm_demo.core.samplers import SamplerConfig
    from ddpm_demo.core.sampling import sample

    monkeypatch.setattr(torch, "randn", lambda *shape, **_: torch.ones(shape))
    monkeypatch.setattr(torch, "randn_like", lambda like: torch.zeros_like(like))
    plain = sampling.plain_sampling(tiny, linear, 2, best_placement())()
    monkeypatch.undo()
    step = next(sample(tiny, linear, SamplerConfig(), torch.ones(2, 1, 28, 28), generator=torch.Generator()))
    torch.testing.assert_close(plain.cpu(), step.x_s - step.std * step.z, rtol=1e-4, atol=1e-4)


def test_channels_last_is_the_plain_loop_with_the_same_digits():
    """The same seed, the same network, another layout: only the time may differ, and the last digits."""
    steps = []
    for make in (sampling.plain_apart, sampling.channels_last_apart):
        torch.manual_seed(5)
        steps.append(make("lite", 2, best_placement())())
    torch.testing.assert_close(*steps, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["lite", "full"])
def test_live_multiply_adds_are_those_that_a_convolution_of_ones_counts(name):
    config = preset(name)
    model, expected = Denoiser(config), 0
    channels = [config.image_channels, *[config.hidden] * (len(config.dilations) + 1), config.image_channels]
    for k, (kernel, step) in enumerate(zip(*config.kernels_and_dilations, strict=True)):
        ones = torch.ones(1, 1, kernel, kernel)
        taps = torch.nn.functional.conv2d(torch.ones(1, 1, 28, 28), ones, padding=kernel // 2 * step, dilation=step)
        expected += int(taps.sum()) * channels[k] * channels[k + 1]
    assert timing.live_multiply_adds(model) == pytest.approx(expected, rel=1e-12)
    assert timing.live_multiply_adds(model) < sum(stage.multiply_adds for stage in trace_stages(config))


def sleeping(seconds):
    """A step for a process of its own: it must be importable there."""
    return lambda: time.sleep(seconds)


def impossible():
    return None


def ending():
    """A step that ends its process, as a lack of memory may."""
    return lambda: os._exit(1)


def test_a_way_apart_is_timed_in_its_own_process():
    with timing.SeparateProcess(sleeping, 0.02) as apart:
        assert apart.possible
        assert 0.02 <= apart.time(0.05) < 1  # seconds a call
        process = apart._process
        assert process.is_alive()
    assert not process.is_alive()
    with timing.SeparateProcess(impossible) as apart:
        assert not apart.possible


def test_a_process_that_ends_is_a_sentence():
    with (
        timing.SeparateProcess(ending) as apart,
        pytest.raises(DemoError, match="the process that measures the plain way has ended"),
    ):
        apart.time(0.01)


@pytest.mark.parametrize(
    ("trained", "as_trained", "ours"),  # in three rounds: a step, the network alone, and that in another format
    [
        (torch.float32, None, [4.0, 1.0, 3.0, 0.5, 2.0, 1.0]),
        (torch.bfloat16, 0.4, [4.0, 1.0, 0.3, 3.0, 0.5, 0.2, 2.0, 1.0, 0.4]),
    ],
)
def test_a_rows_figures_are_those_of_each_ways_best_round(trained, as_trained, ours, monkeypatch, told_apart):
    ours, cpu = iter(ours), torch.device("cpu")
    monkeypatch.setattr(sampling, "best_placement", lambda: Placement(cpu, trained))
    monkeypatch.setattr(sampling, "answering_placement", lambda: Placement(cpu, torch.float32))
    monkeypatch.setattr(sampling, "time_a_step", lambda step, seconds: (step(), next(ours))[1])
    monkeypatch.setattr(sampling, "matrix_rate", lambda placement, seconds: 1e12)
    rounds = {
        "plain_apart": [9.0, 6.0, 8.0],
        "channels_last_apart": [8.0, 4.0, 9.0],
        "diffusers_apart": [7.0, 5.0, 7.0],
        "onnxruntime_apart": [3.0, 4.0, 5.0],
    }
    told = told_apart(rounds)
    monkeypatch.setattr(sampling, "SeparateProcess", told)
    (row,) = sampling.bench_sample(presets=("lite",), counts=(2,))
    assert (row["preset"], row["n"]) == ("lite", 2)
    assert (row["step_ms"], row["plain_ms"], row["diffusers_ms"]) == (2000, 6000, 5000)
    assert (row["channels_last_ms"], row["times_channels_last"]) == (4000, 2)
    assert (row["times_plain"], row["times_diffusers"]) == (3, 2.5)
    assert (row["onnxruntime_ms"], row["times_onnxruntime"]) == (3000, 1.5)
    words = bench._sample_words(row)
    assert row["times_as_trained"] == as_trained
    assert ("in training's number format the network takes 0.40 of its time" in words) == (as_trained is not None)
    assert "3.00 times the plain loop (2.00 in channels_last), 2.50 times diffusers', 1.50 times onnxruntime's" in words
    assert row["images_per_s"] == pytest.approx(2 / (2 * 1000))
    flops = 2 * 2 * timing.live_multiply_adds(Denoiser(preset("lite")))
    assert row["of_matrix_rate"] == pytest.approx(flops / 0.5 / 1e12)
    assert 0 <= row["frames"] < 1


def test_a_row_that_cannot_be_measured_says_so_and_the_others_are_measured(monkeypatch, capsys):
    def rows(ours, name, n, placement, **_):
        if n == 16:
            raise RuntimeError("can't allocate memory\nat line 7")
        yield {"n": n}

    monkeypatch.setattr(sampling, "sampling_rows", rows)
    monkeypatch.setattr(sampling, "matrix_rate", lambda placement, seconds: 1e12)
    monkeypatch.setattr(bench, "_sample_words", lambda row: f"{row['n']} measured")
    monkeypatch.setattr(
        sampling.bench_sample, "__kwdefaults__", {"presets": ("lite",), "counts": (1, 16), "seconds": 1}
    )
    assert main(["bench", "sample"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "1 measured",
        "lite, 16: could not be measured here: can't allocate memory",
    ]
