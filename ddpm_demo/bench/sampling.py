"""`ddpm-demo bench sample`: how fast a step is, next to plain implementations of the same, in one run."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from ddpm_demo.bench.onnx_file import onnxruntime_network
from ddpm_demo.bench.timing import SeparateProcess, live_multiply_adds, matrix_rate, rows_or_fault, time_a_step
from ddpm_demo.core.config import DemoError, preset
from ddpm_demo.core.model import Denoiser, seeded_denoiser
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import EpsModel, sample, start_noise
from ddpm_demo.core.schedule import Schedule, ScheduleConfig
from ddpm_demo.machine.device import Placement, answering_placement, best_placement
from ddpm_demo.machine.placement import place
from ddpm_demo.store import checkpoint
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.film.films import film_bits
from ddpm_demo.ui.film.stream import EPS_REACH
from ddpm_demo.ui.parts.frames import packed

COUNTS = (1, 16, 64)  # digits at once
SAMPLING_SECONDS = 1.5  # each way is measured at least this long in a round
SAMPLING_ROUNDS = (
    3  # the ways take turns, and the best round of each counts: other programs only ever make things slower
)


def bench_sample(
    *, presets: tuple[str, ...] = ("lite", "full"), counts: tuple[int, ...] = COUNTS, seconds: float = SAMPLING_SECONDS
) -> Iterator[dict[str, Any]]:
    """Measure and yield one row per preset and number of digits; times in milliseconds a step.

    `ours` is `sample` as the app calls it; `plain` the spec's loop (section D) in float32, and `channels_last` the same
    with the network in that memory layout; `diffusers` the loop of its DDPMPipeline in float32 with the same network,
    None where diffusers is not installed; `onnxruntime` the spec's loop with the network run by onnxruntime in float32,
    None without it and the package onnx; the last four each in a process of its own. `frames` is the share of
    everything but the network in the time of ours, measured in the same calls. `times_as_trained` is the network's time
    in the number format that training takes here over its own, None where they are one. `of_matrix_rate` is the
    network's arithmetic over what a plain matrix product reaches here in the same number format; only taps inside the
    image are counted, since a good convolution leaves out those that read the padding.
    """
    placement = answering_placement()
    rate = matrix_rate(placement, seconds=min(seconds, 1.0))
    for name in presets:
        ours = place(network(name).eval(), placement)
        for n in counts:
            what = {"preset": name, "n": n}
            yield from rows_or_fault(what, sampling_rows, ours, name, n, placement, seconds=seconds, rate=rate)


def sampling_rows(
    ours: Denoiser, name: str, n: int, placement: Placement, *, seconds: float, rate: float
) -> Iterator[dict[str, Any]]:
    """Yield the figures of `n` digits at once with a preset's placed network; `rate`: a matrix product's, in FLOP/s."""
    schedule = Schedule.from_config(ScheduleConfig())
    clocked = TimedModel(ours)
    step, call = our_sampling(clocked, schedule, n, placement), network_only(ours, n, placement)
    trained = best_placement()
    as_trained = None if trained == placement else network_only(place(network(name).eval(), trained), n, trained)
    ways = ("ours", "network", "as_trained", "plain", "channels_last", "diffusers", "onnxruntime")
    times = dict.fromkeys(ways, math.inf)
    frames = 1.0
    with (
        SeparateProcess(plain_apart, name, n, placement) as plain,
        SeparateProcess(channels_last_apart, name, n, placement) as channels_last,
        SeparateProcess(diffusers_apart, name, n, placement) as theirs,
        SeparateProcess(onnxruntime_apart, name, n, placement) as onnxruntime,
    ):
        for _ in range(SAMPLING_ROUNDS):
            clocked.seconds, begun = 0.0, time.perf_counter()
            times["ours"] = min(times["ours"], time_a_step(step, seconds))
            frames = min(frames, 1 - clocked.seconds / (time.perf_counter() - begun))
            times["network"] = min(times["network"], time_a_step(call, seconds))
            if as_trained is not None:
                times["as_trained"] = min(times["as_trained"], time_a_step(as_trained, seconds))
            times["plain"] = min(times["plain"], plain.time(seconds))
            times["channels_last"] = min(times["channels_last"], channels_last.time(seconds))
            if theirs.possible:
                times["diffusers"] = min(times["diffusers"], theirs.time(seconds))
            if onnxruntime.possible:
                times["onnxruntime"] = min(times["onnxruntime"], onnxruntime.time(seconds))
    flops = 2 * live_multiply_adds(ours) * n
    yield {
        "device": str(placement.device),
        "dtype": placement.dtype_name,
        "step_ms": 1000 * times["ours"],
        "images_per_s": n / (times["ours"] * len(schedule)),
        "plain_ms": 1000 * times["plain"],
        "channels_last_ms": 1000 * times["channels_last"],
        "diffusers_ms": 1000 * times["diffusers"] if theirs.possible else None,
        "onnxruntime_ms": 1000 * times["onnxruntime"] if onnxruntime.possible else None,
        "times_plain": times["plain"] / times["ours"],
        "times_channels_last": times["channels_last"] / times["ours"],
        "times_diffusers": times["diffusers"] / times["ours"] if theirs.possible else None,
        "times_onnxruntime": times["onnxruntime"] / times["ours"] if onnxruntime.possible else None,
        "times_as_trained": times["as_trained"] / times["network"] if as_trained is not None else None,
        "frames": frames,
        "of_matrix_rate": flops / times["network"] / rate,
    }


def network(name: str) -> Denoiser:
    """Return the shipped network of a preset, or one with fresh weights: the time is the same."""
    try:
        loaded = checkpoint.load(find_checkpoint(name)).model
    except DemoError:
        loaded = seeded_denoiser(preset(name), seed=0)
    return loaded if loaded.config == preset(name) else seeded_denoiser(preset(name), seed=0)


class TimedModel:
    """A network that adds up the time spent in it."""

    def __init__(self, model: Denoiser) -> None:
        self.model, self.seconds = model, 0.0

    def __call__(self, x_t: Tensor, t: Tensor, /) -> Tensor:
        """Return eps_hat, as the network does."""
        begun = time.perf_counter()
        eps_hat: Tensor = self.model(x_t, t)
        if x_t.device.type == "cuda":
            torch.cuda.synchronize()
        self.seconds += time.perf_counter() - begun
        return eps_hat


def our_sampling(model: EpsModel, schedule: Schedule, n: int, placement: Placement) -> Callable[[], object]:
    """Return what takes one step of a film: the sampler, and the frame made ready to be sent."""
    bits = film_bits(n, 50)  # as in a film of 50 steps

    def steps() -> Iterator[object]:
        generator = torch.Generator().manual_seed(0)
        while True:
            x_T = start_noise(n, 1, 28, generator).to(placement.device)
            for step in sample(model, schedule, SamplerConfig(), x_T, generator=generator):
                # a film of 50 steps sends them all, one of 1000 every twentieth: this is the harder case
                yield [packed([step.x_t], bits), packed([step.x0_hat], bits), packed([step.eps_hat], bits, EPS_REACH)]

    going = steps()
    return lambda: next(going)


def network_only(model: EpsModel, n: int, placement: Placement) -> Callable[[], object]:
    """Return what calls the network alone, once."""
    x_t = start_noise(n, 1, 28, torch.Generator().manual_seed(0)).to(placement.device)
    t = torch.full((n,), 500, device=placement.device)

    @torch.no_grad()
    def call() -> Tensor:
        eps_hat: Tensor = model(x_t, t)
        return eps_hat.cpu()  # the copy waits for the device

    return call


def plain_apart(name: str, n: int, placement: Placement) -> Callable[[], object]:
    """Return the plain way of a preset's network."""
    model = network(name).eval().to(placement.device)
    return plain_sampling(model, Schedule.from_config(ScheduleConfig()), n, placement)


def channels_last_apart(name: str, n: int, placement: Placement) -> Callable[[], object]:
    """Return the plain way of a preset's network whose weights lie in memory as channels_last."""
    model = network(name).eval().to(placement.device).to(memory_format=torch.channels_last)
    return plain_sampling(model, Schedule.from_config(ScheduleConfig()), n, placement)


def diffusers_apart(name: str, n: int, placement: Placement) -> Callable[[], object] | None:
    """Return diffusers' way of a preset's network, or None where it is not installed."""
    return diffusers_sampling(network(name).eval().to(placement.device), n, placement)


def onnxruntime_apart(name: str, n: int, placement: Placement) -> Callable[[], object] | None:
    """Return the plain way with a preset's network run by onnxruntime; None without it, or on a GPU."""
    if placement.device.type != "cpu":
        return None
    model = onnxruntime_network(network(name))
    return model and plain_sampling(model, Schedule.from_config(ScheduleConfig()), n, placement)


def plain_sampling(model: EpsModel, schedule: Schedule, n: int, placement: Placement) -> Callable[[], object]:
    """Return what takes one step of the spec's loop, section D, line by line, in float32."""
    device = placement.device
    alpha, alpha_bar, beta = (table.float().to(device) for table in (schedule.alpha, schedule.alpha_bar, schedule.beta))

    @torch.no_grad()
    def steps() -> Iterator[object]:
        while True:
            x_t = torch.randn(n, 1, 28, 28, device=device)
            for t in reversed(range(len(schedule))):
                timestep = torch.tensor([t], device=device).repeat(n)
                epsilon_pred = model(x_t, timestep)
                mean = (x_t - (1 - alpha[t]) / torch.sqrt(1 - alpha_bar[t]) * epsilon_pred) / torch.sqrt(alpha[t])
                z = torch.randn_like(x_t) if t > 1 else torch.zeros_like(x_t)
                x_t = mean + torch.sqrt(beta[t]) * z
                yield x_t.cpu() if device.type != "cpu" else x_t

    going = steps()
    return lambda: next(going)


def diffusers_sampling(model: Denoiser, n: int, placement: Placement) -> Callable[[], object] | None:
    """Return what takes one step of the loop in diffusers' DDPMPipeline, or None where it is not installed."""
    try:
        from diffusers import DDPMScheduler
    except ImportError:
        return None
    scheduler: Any = DDPMScheduler(1000, beta_start=1e-4, beta_end=0.02, clip_sample=False, variance_type="fixed_large")
    scheduler.set_timesteps(1000)

    @torch.no_grad()
    def steps() -> Iterator[object]:
        while True:
            image = torch.randn(n, 1, 28, 28, device=placement.device)
            for t in scheduler.timesteps:
                # the pipeline's loop: predict, step
                model_output = model(image, t.to(placement.device).expand(n))
                image = scheduler.step(model_output, t, image).prev_sample
                yield image.cpu() if placement.device.type != "cpu" else image

    going = steps()
    return lambda: next(going)
