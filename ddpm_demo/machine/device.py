"""Where the network runs and in which number format; chosen when asked, never at import."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Placement:
    """A device and the number format of the residual blocks on it."""

    device: torch.device
    dtype: torch.dtype

    @property
    def dtype_name(self) -> str:
        """The format as people write it: `bfloat16` or `float32`."""
        return str(self.dtype).removeprefix("torch.")


def best_placement() -> Placement:
    """Return the fastest place here: a GPU if PyTorch sees one, bfloat16 where the processor has such instructions.

    Training takes it: what it rounds, it learns to live with.
    """
    if torch.cuda.is_available():
        return Placement(torch.device("cuda"), torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32)
    capabilities = _cpu_capabilities()
    bfloat16 = capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")
    return Placement(torch.device("cpu"), torch.bfloat16 if bfloat16 else torch.float32)


def answering_placement() -> Placement:
    """Return where a trained network answers: as above, but in float32 on a processor, as browsers do.

    In bfloat16 one film in twelve ends as another digit than elsewhere with the same seed (`ddpm-demo bench seed`),
    so that a link, or a page that draws on the device one time and on the server the next, would not keep its word.
    """
    best = best_placement()
    return Placement(best.device, torch.float32) if best.device.type == "cpu" else best


def describe_hardware(placement: Placement) -> str:
    """Return a few words on the machine for a checkpoint's provenance, such as `AMD EPYC, 2 threads, bfloat16`."""
    if placement.device.type == "cuda":
        return f"{torch.cuda.get_device_name()}, {placement.dtype_name}"
    name = _cpu_capabilities().get("cpu_name") or "CPU"
    return f"{name}, {torch.get_num_threads()} threads, {placement.dtype_name}"


def _cpu_capabilities() -> dict[str, object]:
    # older PyTorch has no torch.cpu.get_capabilities; float32 is then always right, if slower
    ask = getattr(torch.cpu, "get_capabilities", None)
    return dict(ask()) if ask else {}
