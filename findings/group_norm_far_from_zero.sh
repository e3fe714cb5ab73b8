#!/usr/bin/env bash
# Expected: GroupNorm of numbers near 1000 is right to float32's digits, in every library and memory layout.
# Seen: torch contiguous is right to .0001; torch channels_last and onnxruntime are off by 1 and more, flax by thousands.
# Matters: a raw timestep added to features brings them there; a faster layout or an export then changes the network.
# Source: torch 2.13.0 (and 2.14.1) group_norm_kernel.cpp, flax 0.12.8 use_fast_variance: E[x^2] - E[x]^2 in float32.
set -euo pipefail
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    torch==2.13.0 jax==0.10.2 jaxlib==0.10.2 flax==0.12.8 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
export TMPDIR="$place" # PyTorch leaves a folder of its own there
cd "$place"
JAX_PLATFORMS=cpu "$place/venv/bin/python" - <<'END'
import flax
import jax
import numpy as np
import onnx
import onnxruntime
import torch
from flax import nnx
from onnx import TensorProto, helper

print(f"torch {torch.__version__}, jax {jax.__version__}, flax {flax.__version__}, onnxruntime {onnxruntime.__version__}")
x = (np.random.default_rng(0).standard_normal((4, 64, 28, 28)) + 1000).astype(np.float32)
shape = list(x.shape)
layer = torch.nn.GroupNorm(8, 64)
last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
node = helper.make_node("GroupNormalization", ["x", "scale", "bias"], ["y"], num_groups=8, epsilon=1e-5)
graph = helper.make_graph(
    [node],
    "norm",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    [helper.make_tensor(name, TensorProto.FLOAT, [64], np.full(64, value)) for name, value in (("scale", 1), ("bias", 0))],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
with torch.no_grad():
    seen = {
        "torch": layer(torch.from_numpy(x)),
        "torch channels_last": layer(torch.from_numpy(x).to(memory_format=torch.channels_last)),
        "flax": nnx.GroupNorm(64, num_groups=8, rngs=nnx.Rngs(0))(last).transpose(0, 3, 1, 2),
        "flax, use_fast_variance=False": nnx.GroupNorm(
            64, num_groups=8, use_fast_variance=False, rngs=nnx.Rngs(0)
        )(last).transpose(0, 3, 1, 2),
        "onnxruntime": onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0],
    }
groups = x.astype(np.float64).reshape(4, 8, -1)
exact = ((groups - groups.mean(2, keepdims=True)) / np.sqrt(groups.var(2, keepdims=True) + 1e-5)).reshape(x.shape)
errors = {name: float(np.abs(np.asarray(result) - exact).max()) for name, result in seen.items()}
for name, error in errors.items():
    print(f"{name:30} off by at most {error:.4f}; standard deviation {float(np.asarray(seen[name]).std()):.3f}")
assert errors["torch"] < 0.001
assert errors["flax, use_fast_variance=False"] < 0.01
assert errors["torch channels_last"] > 0.05
assert errors["onnxruntime"] > 0.05
assert errors["flax"] > 100
END
