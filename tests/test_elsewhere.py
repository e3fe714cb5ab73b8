"""docs/elsewhere.md is enough: a port by numpy alone, written from that page, draws our digits."""

import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch

from ddpm_demo.core.guidance import Autoguidance
from ddpm_demo.core.samplers import SamplerConfig
from ddpm_demo.core.sampling import sample, start_noise, to_uint8
from ddpm_demo.core.schedule import Schedule
from ddpm_demo.store import checkpoint
from ddpm_demo.store.shipped import find_checkpoint

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "elsewhere.md"


class Port:
    """The page's section on a port, line by line; nothing of it is shared with the package."""

    def __init__(self, path):
        content = path.read_bytes()
        length = struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8 : 8 + length])
        about = header.pop("__metadata__")
        self.model, schedule = json.loads(about["model"]), json.loads(about["schedule"])
        self.weights = {}
        for name, entry in header.items():
            assert entry["dtype"] == "F16"
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            numbers = np.frombuffer(content[begin:end], "<f2").astype(np.float32)
            self.weights[name] = numbers.reshape(entry["shape"])
        self.T = schedule["timesteps"]
        beta = schedule["beta_1"] + (schedule["beta_T"] - schedule["beta_1"]) * np.arange(self.T) / (self.T - 1)
        self.alpha_bar = np.append(np.cumprod(1 - beta), 1.0)  # and 1 at s = -1

    def convolution(self, name, y, dilation=1):
        kernel, reach = self.weights[f"{name}.weight"], self.weights[f"{name}.weight"].shape[-1] // 2 * dilation
        height, width = y.shape[2:]
        padded = np.pad(y, ((0, 0), (0, 0), (reach, reach), (reach, reach)))
        result = np.zeros((len(y), len(kernel), height, width), np.float32)
        for row in range(kernel.shape[2]):
            for column in range(kernel.shape[3]):
                down, right = row * dilation, column * dilation
                part = padded[:, :, down : down + height, right : right + width]
                result += (kernel[:, :, row, column] @ part.reshape(*y.shape[:2], -1)).reshape(result.shape)
        return result + self.weights[f"{name}.bias"][:, None, None]

    def norm(self, name, y):
        parts = y.reshape(len(y), self.model["groups"], -1).astype(np.float64)
        parts = (parts - parts.mean(2, keepdims=True)) / np.sqrt(parts.var(2, keepdims=True) + 1e-5)
        scale, shift = (self.weights[f"{name}.{part}"][:, None, None] for part in ("weight", "bias"))
        return parts.reshape(y.shape).astype(np.float32) * scale + shift

    def eps_hat(self, x, t):
        half = self.model["time_dim"] // 2
        angles = t * 10000.0 ** (-np.arange(half) / (half - 1))
        embedding = np.concatenate([np.sin(angles), np.cos(angles)]).astype(np.float32)[None, :, None, None]
        time = self.convolution("time_project.2", silu(self.convolution("time_project.0", embedding)))
        y = self.convolution("in_project", x)
        for i, dilation in enumerate(self.model["dilations"]):
            y = y + time
            y = y + self.convolution(f"blocks.{i}.conv", y, dilation)
            y = silu(self.norm(f"blocks.{i}.norm", y))
        return self.convolution("out_project", y)

    def digits(self, kind, steps, n, seed, *, clip=False, variance="beta", eta=0.0, guide=None, weight=1.0):
        draws, ab = np.random.RandomState(seed), self.alpha_bar

        def answer(x, t):
            eps = self.eps_hat(x, t)
            if guide is not None:
                worse = guide.eps_hat(x, t)
                eps = worse + weight * (eps - worse)
            x0 = (x - np.sqrt(1 - ab[t]) * eps) / np.sqrt(ab[t])
            if clip:
                x0 = np.clip(x0, -1, 1)
                eps = (x - np.sqrt(ab[t]) * x0) / np.sqrt(1 - ab[t])
            return eps, x0

        last = self.T - 1
        times = [last - round(i * last / (steps - 1)) for i in range(steps)] if steps > 1 else [last]
        x, before, t_before = normal(draws, (n, 1, 28, 28)), None, None
        for t, s in zip(times, [*times[1:], -1], strict=True):
            eps, x0 = answer(x.astype(np.float32), t)
            beta, sigma = 1 - ab[t] / ab[s], 0.0
            small = beta * (1 - ab[s]) / (1 - ab[t])
            if kind == "ddpm":
                sigma = 0.0 if t <= 1 else np.sqrt(small if variance == "posterior" else beta)
                mean = (x - beta / np.sqrt(1 - ab[t]) * eps) / np.sqrt(1 - beta)
            elif kind == "ddim":
                sigma = eta * np.sqrt(small)
                mean = np.sqrt(ab[s]) * x0 + np.sqrt(1 - ab[s] - sigma**2) * eps
            elif kind == "dpmpp":
                keep = np.sqrt((1 - ab[s]) / (1 - ab[t]))
                gain = np.sqrt(ab[s]) - keep * np.sqrt(ab[t])
                mean = x0 if s == -1 else keep * x + gain * x0
                if s != -1 and before is not None:
                    log_ratio = [0.5 * np.log(ab[at] / (1 - ab[at])) for at in (t_before, t, s)]
                    r = (log_ratio[1] - log_ratio[0]) / (log_ratio[2] - log_ratio[1])
                    mean = keep * x + gain * ((1 + 1 / (2 * r)) * x0 - before / (2 * r))
            else:
                mean = np.sqrt(ab[s]) * x0 + np.sqrt(1 - ab[s]) * eps
                if s != -1:
                    again, _ = answer(mean.astype(np.float32), s)
                    u = x / np.sqrt(ab[t]) + (np.sqrt(1 / ab[s] - 1) - np.sqrt(1 / ab[t] - 1)) * (eps + again) / 2
                    mean = np.sqrt(ab[s]) * u
            x = mean + (sigma * normal(draws, x.shape) if sigma > 0 else 0)
            before, t_before = x0, t
        return np.round((np.clip(x[:, 0], -1, 1) + 1) * 127.5).astype(np.uint8)


def silu(y):
    return y / (1 + np.exp(-y))


def normal(draws, shape):
    """The page's noise: 32 bits a number, in rows of sixteen."""
    count = int(np.prod(shape))
    u = (np.frombuffer(draws.bytes(4 * count), "<u4") % 2**24 / 2**24).reshape(-1, 16)
    radius, angle = np.sqrt(-2 * np.log(1 - u[:, :8])), 2 * np.pi * u[:, 8:]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(shape)


@pytest.mark.parametrize("count", [1, 3])
def test_the_pages_noise_is_torchs(count):
    for seed in (0, 7, 2**31 - 1):
        draws, generator = np.random.RandomState(seed), torch.Generator().manual_seed(seed)
        for _ in range(2):  # x_T, then a z
            ours = start_noise(count, 1, 28, generator).numpy()
            assert np.abs(normal(draws, ours.shape) - ours).max() < 5e-6


def test_a_processor_without_avx2_draws_the_same_noise_to_within_what_is_said(tmp_path):
    """PyTorch takes the logarithm another way there: no bits may be compared between machines."""
    program = "import sys, torch as t; t.save(t.randn(99, 784, generator=t.Generator().manual_seed(7)), sys.argv[1])"
    plain = {**os.environ, "ATEN_CPU_CAPABILITY": "default"}
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "noise.pt")], env=plain, check=True)
    theirs = torch.load(tmp_path / "noise.pt", weights_only=True)
    ours = start_noise(99, 1, 28, torch.Generator().manual_seed(7)).view(99, 784)
    assert "to within 3e-6" in (start_noise.__doc__ or "")
    assert float((ours - theirs).abs().max()) < 3e-6
    if "AVX" in torch.backends.cpu.get_cpu_capability():
        assert not torch.equal(ours, theirs)  # or the page's row on it is history


def test_the_first_of_n_digits_is_the_digit_drawn_alone():
    alone, many = (start_noise(n, 1, 28, torch.Generator().manual_seed(7)) for n in (1, 5))
    assert torch.equal(many[:1], alone)


WALKS = {
    "the spec's rule": ("ddpm", 4, {}),
    "the page's own": ("ddpm", 5, {"variance": "posterior", "clip": True, "guide": "tiny", "weight": 2.5}),
    "DDIM": ("ddim", 3, {}),
    "DDIM with noise": ("ddim", 4, {"eta": 0.5}),
    "DPM-Solver++": ("dpmpp", 5, {"clip": True}),
    "Heun": ("heun", 3, {"clip": True}),
    "one step": ("ddim", 1, {"clip": True}),
}


@pytest.mark.parametrize("name", WALKS)
def test_a_port_from_the_page_draws_our_digits(name):
    kind, steps, settings = WALKS[name]
    guide = settings.get("guide")
    port = Port(find_checkpoint("lite"))
    theirs = port.digits(kind, steps, 2, 7, **{**settings, "guide": Port(find_checkpoint(guide)) if guide else None})

    loaded = checkpoint.load(find_checkpoint("lite"))
    model, schedule = loaded.model.eval(), Schedule.from_config(loaded.schedule)
    if guide:
        model = Autoguidance(model, checkpoint.load(find_checkpoint(guide)).model.eval(), settings["weight"])
    config = SamplerConfig(
        kind=kind,
        steps=steps,
        clip="x0" if settings.get("clip") else "none",
        variance=settings.get("variance", "beta"),
        eta=settings.get("eta", 0.0),
    )
    generator = torch.Generator().manual_seed(7)
    *_, step = sample(model, schedule, config, start_noise(2, 1, 28, generator), generator=generator)
    ours = to_uint8(step.x_s[:, 0]).numpy()
    assert ours.std() > 40  # a picture with ink and paper
    apart = np.abs(theirs.astype(int) - ours)
    # the first step divides by sqrt(alpha_bar) = 0.006, and float32's last digit with it; Heun goes through there twice
    assert apart.max() <= (3 if kind == "heun" else 1)
    assert (apart <= 1).mean() > 0.995


def test_the_page_names_every_tensor_of_the_network():
    text = PAGE.read_text(encoding="utf-8")
    with safetensors.safe_open(find_checkpoint("lite"), "np") as file:
        names = {re.sub(r"\.\d+\.(conv|norm)", r".i.\1", name.rpartition(".")[0]) for name in file.keys()}  # noqa: SIM118
    assert all(f"`{name}" in text for name in names), names


def test_every_maker_that_the_page_names_exists():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    makers = [row.rstrip(" |").rpartition("|")[2] for row in rows if not row.endswith("made by |")]
    assert len(makers) > 15
    for maker in makers:
        names = re.findall(r"`([^`]+)`", maker)
        assert names, maker
        for name in names:
            assert (ROOT / ("findings" if name.endswith(".sh") else ".") / name).is_file(), name


def test_the_pages_lines_for_keras_save_what_they_say(tmp_path):
    lines = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    saving = next(block for block in lines if "save_file" in block)
    target = tmp_path / "kernels.safetensors"
    tools = {"load_file": safetensors.numpy.load_file, "save_file": safetensors.numpy.save_file, "np": np}
    exec(saving, {**tools, "source": find_checkpoint("lite"), "target": target})
    before, after = safetensors.numpy.load_file(find_checkpoint("lite")), safetensors.numpy.load_file(target)
    assert after.keys() == before.keys()
    kernel = after["blocks.6.conv.weight"]
    assert (kernel.shape, kernel.dtype) == ((3, 3, 64, 64), np.float32)
    for out, into, row, column in ((0, 1, 2, 0), (63, 5, 0, 1)):
        assert kernel[row, column, into, out] == before["blocks.6.conv.weight"][out, into, row, column]
    assert all(np.array_equal(after[name], before[name]) for name in after if before[name].ndim != 4)
