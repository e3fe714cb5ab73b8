"""The network and the noise in the browser, run under node, against PyTorch."""

import base64
import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from ddpm_demo.core.config import ModelConfig
from ddpm_demo.core.model import seeded_denoiser, sinusoidal_embedding
from ddpm_demo.store import checkpoint
from ddpm_demo.store.mnist import load_mnist
from ddpm_demo.store.shipped import find_checkpoint
from ddpm_demo.ui.parts.bridge import STATIC, base64_of

BUILDS = ("net.wasm", "net_relaxed.wasm")
BLOCK, PIXELS = 8, 784

# `given.checkpoint` as a network of each build; `each(work)` does the same with both and lists what it gives
BEGIN = """
import fs from "fs";
import { decodeFloat32, encodeFloat32 } from "./static/bytes.js";
import { readCheckpoint } from "./static/net/checkpoint.js";
import { Network } from "./static/net/network.js";
const checkpoint = readCheckpoint(new Uint8Array(fs.readFileSync(given.checkpoint)).buffer);
const each = (work) => given.builds.map((build) =>
    work(new Network(new WebAssembly.Module(fs.readFileSync("static/net/" + build)), checkpoint)));
"""


def floats(text, *shape):
    return torch.from_numpy(np.frombuffer(base64.b64decode(text), "<f4").reshape(shape).copy())


def test_the_modules_are_what_the_source_says(tmp_path):
    path = Path(__file__).resolve().parents[2] / "assets" / "build_wasm.py"
    spec = importlib.util.spec_from_file_location("build_wasm", path)
    build_wasm = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build_wasm)
    build_wasm.build(tmp_path)
    assert set(BUILDS) == set(build_wasm.BUILDS)
    for name in BUILDS:
        assert (tmp_path / name).read_bytes() == (STATIC / "net" / name).read_bytes(), name


# widths that fill no block of 8, one group for all and one for each channel, every way to compute a convolution:
# F(4, 3) at 1 2 4 7, F(3, 3) at 3 5 9 10, F(2, 3) at none, tap by tap from 14 on, and taps that see nothing
ODD = {
    "narrow": ModelConfig(hidden=1, dilations=(1, 2), groups=1, time_dim=8),
    "one group": ModelConfig(hidden=8, dilations=(1, 512), groups=1),
    "twelve": ModelConfig(hidden=12, dilations=(2, 5, 7), groups=3, time_dim=16),
    "twenty": ModelConfig(hidden=20, dilations=(3, 9, 10, 11, 6, 8), groups=5, time_dim=4),
    "deep": ModelConfig(hidden=16, dilations=tuple(range(1, 33)), groups=8),
    "wide": ModelConfig(hidden=96, dilations=(1, 4, 13, 14, 20, 27, 28), groups=6),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return a function that gives a network's checkpoint file and the model in it, with biases of some size."""
    folder = tmp_path_factory.mktemp("nets")

    def save(name):
        if name not in ODD:
            path = find_checkpoint(name)
            return path, checkpoint.load(path).model
        path, model = folder / f"{name}.safetensors", seeded_denoiser(ODD[name], seed=len(name))
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for weights in model.parameters():
                if weights.ndim == 1:
                    weights.add_(0.3 * torch.randn(weights.shape, generator=generator))
        _, schedule, provenance = checkpoint.describe(find_checkpoint("tiny"))
        checkpoint.save(path, checkpoint.Checkpoint(model, schedule, provenance))
        return path, checkpoint.load(path).model

    return save


def in_blocks(x):
    """Lay an image (C, 28, 28) out as net.c does: blocks of 8 channels, channels last, a pixel of zeros after each."""
    blocks = math.ceil(len(x) / BLOCK)
    laid = torch.zeros(blocks, PIXELS + 1, BLOCK)
    for channel, plane in enumerate(x):
        laid[channel // BLOCK, :PIXELS, channel % BLOCK] = plane.flatten()
    return base64_of(laid.numpy())


def from_blocks(text, channels):
    laid = floats(text, -1, PIXELS + 1, BLOCK)[:, :PIXELS]
    return laid.permute(0, 2, 1).reshape(-1, 28, 28)[:channels]


@pytest.mark.parametrize("name", ["tiny", "lite", *ODD])
def test_every_layer_is_pytorchs(node, saved, name):
    path, model = saved(name)
    generator, width = torch.Generator().manual_seed(7), model.config.hidden
    image = torch.randn(28, 28, generator=generator)
    inputs = torch.randn(width, 28, 28, generator=generator)
    channels = BLOCK * math.ceil(width / BLOCK)
    replies = node(
        f"""{BEGIN}
        const at = (net, {{ place, length }}) => new Float32Array(net.memory.buffer, net.place(place, 0), length);
        reply = each((network) => {{
            const {{ net }} = network, {{ image, answer, time, x, o }} = given.places;
            const put = (place, numbers) => at(net, place).set(numbers);
            const read = (place) => encodeFloat32(at(net, place).slice());
            const inputs = decodeFloat32(given.inputs), vector = network.timeVector(437), conv = [], norm = [];
            put(time, vector);
            put(image, decodeFloat32(given.image));
            net.first();
            const first = read(x);
            for (let i = 0; i < given.depth; i++) {{
                put(x, inputs);
                net.conv(i);
                conv.push(read(o));
                put(o, inputs);
                net.norm(i);
                norm.push(read(x));
            }}
            put(x, inputs);
            net.last();
            return {{ time: encodeFloat32(vector), first, conv, norm, last: read(answer) }};
        }});
        """,
        builds=BUILDS,
        checkpoint=str(path),
        places={
            "image": {"place": 1, "length": PIXELS},  # in the order of net.c's `enum Place`
            "answer": {"place": 2, "length": PIXELS},
            "time": {"place": 3, "length": channels},
            "x": {"place": 12, "length": channels * (PIXELS + 1)},
            "o": {"place": 13, "length": channels * (PIXELS + 1)},
        },
        depth=len(model.blocks),
        image=base64_of(image.numpy()),
        inputs=in_blocks(inputs),
    )
    exact = model.double()
    y, x = inputs.double()[None], image.double()[None, None]
    embedding = sinusoidal_embedding(torch.tensor([437.0], dtype=torch.float64), model.config.time_dim)
    with torch.no_grad():
        time = exact.time_project(embedding[:, :, None, None])
        first = exact.in_project(x) + time
        conv = [y + block.conv(y) for block in exact.blocks]
        norm = [block.act(block.norm(y)) + (time if block is not exact.blocks[-1] else 0) for block in exact.blocks]
        last = exact.out_project(y)
    for reply in replies:
        close(floats(reply["time"], width), time.flatten())
        close(from_blocks(reply["first"], width), first[0])
        close(floats(reply["last"], 28, 28), last[0, 0])
        for name, expected in (("conv", conv), ("norm", norm)):
            for found, wanted in zip(reply[name], expected, strict=True):
                close(from_blocks(found, width), wanted[0])


def close(found, expected):
    """Within what float32 rounds in a sum of a few hundred numbers: 1e-5 of the largest result."""
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-5 * max(1.0, float(expected.abs().max())))


def answers(node, path, pictures):
    """Return what each build says of pictures [(x_t (B, 1, 28, 28), t)]."""
    replies = node(
        f"{BEGIN} reply = each((net) => given.asked.map(([x, t]) => encodeFloat32(net.forward(decodeFloat32(x), t))));",
        builds=BUILDS,
        checkpoint=str(path),
        asked=[(base64_of(x_t.numpy()), t) for x_t, t in pictures],
    )
    return [[floats(text, -1, 1, 28, 28) for text in reply] for reply in replies]


@pytest.mark.parametrize(("name", "bound"), [("tiny", 2e-5), ("lite", 2e-5), ("full", 2e-5), *((n, 6e-5) for n in ODD)])
def test_the_answer_to_noise_is_pytorchs(node, saved, name, bound):
    path, model = saved(name)
    x_T = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(5))
    for build in answers(node, path, [(x_T, t) for t in (0, 500, 999)]):
        for found, t in zip(build, (0, 500, 999), strict=True):
            with torch.no_grad():
                torch.testing.assert_close(found, model(x_T, torch.full((2,), t)), rtol=0, atol=bound)


@pytest.mark.parametrize("name", ["tiny", "lite"])
def test_the_clean_image_in_its_answer_is_pytorchs(node, saved, linear, name):
    """Of a digit with hardly any noise left, PyTorch's own eps_hat is 3e-5 from float64's: what is seen is x0_hat."""
    path, model = saved(name)
    generator = torch.Generator().manual_seed(3)
    x0 = load_mnist(train=False)[0][:3, None].float() / 127.5 - 1
    asked = [(linear.add_noise(x0, t, torch.randn(x0.shape, generator=generator)), t) for t in (0, 1, 10, 100, 300)]
    for build in answers(node, path, asked):
        for eps_hat, (x_t, t) in zip(build, asked, strict=True):
            with torch.no_grad():
                expected = linear.predict_x0(x_t, t, model(x_t, torch.full((3,), t)))
            torch.testing.assert_close(linear.predict_x0(x_t, t, eps_hat), expected, rtol=0, atol=1e-5)


def test_a_network_that_finds_no_memory_says_so(node):
    """9 GB of weights: more than a module can have on any device."""
    reply = node(
        """
        import fs from "fs";
        import { Network } from "./static/net/network.js";
        const module = new WebAssembly.Module(fs.readFileSync("static/net/net.wasm"));
        const model = { hidden: 1024, groups: 8, dilations: Array(32).fill(1) };
        try { new Network(module, { model, tensors: {} }); } catch (error) { reply = error.message; }
        """
    )
    assert reply == "this device has no memory for the network"


@pytest.mark.parametrize("number_format", [torch.float16, torch.bfloat16, torch.float32])
def test_weights_are_read_to_the_last_bit(node, tmp_path, number_format):
    awkward = torch.tensor([0.0, -0.0, 1.0, -1.5, 6.1e-5, 6.0e-8, -3e-6, 65504.0, 1 / 3]).to(number_format)
    metadata = {"format": checkpoint.FORMAT, "model": "{}", "schedule": '{"kind": "cosine"}'}
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file({"w": awkward}, path, metadata=metadata)
    reply = node(
        """
        import fs from "fs";
        import { encodeFloat32 } from "./static/bytes.js";
        import { readCheckpoint } from "./static/net/checkpoint.js";
        const { tensors, schedule } = readCheckpoint(new Uint8Array(fs.readFileSync(given.path)).buffer);
        reply = [encodeFloat32(tensors.w), schedule.kind];
        """,
        path=str(path),
    )
    assert reply == [base64_of(awkward.float().numpy()), "cosine"]


@pytest.mark.skipif(
    "AVX2" not in torch.backends.cpu.get_cpu_capability() and "AVX512" not in torch.backends.cpu.get_cpu_capability(),
    reason="PyTorch itself draws other roundings on this processor",
)
@pytest.mark.parametrize(
    ("seed", "n"), [(0, 784), (7, 16 * 784), (2**32 + 5, 17), (2**53 - 1, 31), (42, 1000), (3, 16)]
)
def test_noise_is_torch_randn_bit_by_bit(node, seed, n):
    reply = node(
        """
        import { encodeFloat32 } from "./static/bytes.js";
        import { TorchGenerator, randn } from "./static/net/randn.js";
        const generator = new TorchGenerator(given.seed);
        reply = [randn(given.n, generator), randn(given.n, generator)].map(encodeFloat32); // and on from there
        """,
        seed=seed,
        n=n,
    )
    generator = torch.Generator().manual_seed(seed)
    assert reply == [base64_of(torch.randn(n, generator=generator).numpy()) for _ in range(2)]
