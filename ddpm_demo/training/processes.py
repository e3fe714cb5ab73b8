"""Training on several devices at once: which part of the work is this process's, and what all must agree on.

`torchrun --nproc-per-node N -m ddpm_demo train ...` starts N processes, each with the whole network. Every batch is
divided among them; PyTorch's DistributedDataParallel averages their gradients, so that all take the same step.
"""

import contextlib
import importlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ddpm_demo.core.config import ConfigError


@dataclass(frozen=True)
class Ranks:
    """This process's number, from 0, and how many there are; by itself it is the only one."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and prints."""
        return self.rank == 0

    def check(self, batch: int) -> None:
        """Raise ConfigError for a batch that cannot be divided evenly."""
        if batch % self.size:
            raise ConfigError(f"a batch of {batch} cannot be divided evenly among {self.size} processes")

    def share(self, whole: Tensor) -> Tensor:
        """Return this process's rows of a batch (B, ...): (B / size, ...)."""
        return whole[self.rank :: self.size]

    def parallel(self, model: nn.Module) -> nn.Module:
        """Return the model whose backward pass averages the gradients over all processes."""
        return nn.parallel.DistributedDataParallel(model, broadcast_buffers=False) if self.size > 1 else model

    def mean(self, value: float, device: torch.device) -> float:
        """Return the mean over all processes of a number that each has."""
        if self.size == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64, device=device)
        torch.distributed.all_reduce(total)
        return float(total) / self.size

    def agreed(self, value: float, device: torch.device) -> float:
        """Return the first process's number to all: clocks differ, and all must end at the same step."""
        if self.size == 1:
            return value
        shared = torch.tensor(value, dtype=torch.float64, device=device)
        torch.distributed.broadcast(shared, src=0)
        return float(shared)

    def wait(self) -> None:
        """Wait until all processes have come here."""
        if self.size > 1:
            torch.distributed.barrier()


@contextlib.contextmanager
def join() -> Iterator[Ranks]:
    """Join the other processes that torchrun started, if it did: NCCL between GPUs, Gloo between processors."""
    if "WORLD_SIZE" not in os.environ:
        yield Ranks()
        return
    # The optimiser imports this, and where there is a group by then, the import holds on to it: its threads outlive
    # it, and now and then one of them brings the process down at its exit.
    importlib.import_module("torch._dynamo")
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    torch.distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Ranks(torch.distributed.get_rank(), torch.distributed.get_world_size())
    finally:
        torch.distributed.destroy_process_group()
