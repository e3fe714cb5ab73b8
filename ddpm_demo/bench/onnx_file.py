"""The network as an ONNX file, and the plain loop by onnxruntime: a peer on the processor, where it is installed."""

import importlib
import importlib.util
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ddpm_demo.core.config import DemoError
from ddpm_demo.core.model import Denoiser


def onnx_model(model: Denoiser) -> bytes:
    """Return a network in float32 as an ONNX file; raise DemoError without the package onnx."""
    if importlib.util.find_spec("onnx") is None:
        raise DemoError("writing the network as ONNX needs its Python package: pip install onnx")
    x_t, t = torch.zeros(2, 1, 28, 28), torch.zeros(2, dtype=torch.int64)
    names: dict[str, Any] = {"input_names": ["x_t", "t"], "output_names": ["eps_hat"]}
    dynamic = {name: {0: "images"} for name in ("x_t", "t", "eps_hat")}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # this exporter is the old one; the new one needs two packages more
        path = Path(folder) / "model.onnx"
        torch.onnx.export(model.eval(), (x_t, t), path, **names, dynamic_axes=dynamic, dynamo=False)
        return path.read_bytes()


def onnxruntime_network(model: Denoiser) -> Callable[[Tensor, Tensor], Tensor] | None:
    """Return the network run by onnxruntime in as many threads as PyTorch has; None where it or onnx is missing."""
    if importlib.util.find_spec("onnxruntime") is None or importlib.util.find_spec("onnx") is None:
        return None
    onnxruntime = importlib.import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(onnx_model(model), options, providers=["CPUExecutionProvider"])

    def answer(x_t: Tensor, t: Tensor) -> Tensor:
        (eps_hat,) = session.run(None, {"x_t": x_t.numpy(), "t": t.numpy()})
        return torch.from_numpy(eps_hat)

    return answer
