"""Training in one process or several: what `torchrun` sets up, and how the ranks exchange values."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from unetpp_lib.engine.runtime import Runtime
from unetpp_lib.models import SegmentationNetwork

DeferredValues = Callable[[], list[float]]
"""A function that waits for values still being computed on the device and returns them."""


@dataclass(frozen=True)
class World:
    """The processes that train together; rank 0 writes and prints."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files and prints."""
        return self.rank == 0

    def deferred_sum(self, values: Tensor) -> DeferredValues:
        """Start to sum each value over all ranks, and return how to get the sums; on a GPU this does not wait."""
        sums = values.flatten()
        if self.size > 1:
            sums = sums.double()  # only here: Apple's GPU has no float64, and works alone
            dist.all_reduce(sums)
        if sums.device.type != "cuda":
            return sums.tolist
        arrived = torch.empty_like(sums, device="cpu", pin_memory=True).copy_(sums, non_blocking=True)
        done = torch.cuda.Event()  # type: ignore[no-untyped-call]
        done.record(torch.cuda.current_stream(sums.device))  # it need not be on the current device

        def read() -> list[float]:
            done.synchronize()
            return arrived.tolist()

        return read

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of each value over all ranks, on the same device, without waiting for it."""
        if self.size == 1:
            return values
        total = values.clone()
        dist.all_reduce(total)
        return total / self.size

    def share(self, work: Callable[[Sequence[Any]], list[Any]], items: Sequence[Any]) -> list[Any]:
        """Return ``work(items)``, one result per item: each rank computes a part, and every rank gets all results."""
        if self.size == 1:
            return work(items)
        shares: list[Any] = [None] * self.size
        dist.all_gather_object(shares, work(items[self.rank :: self.size]))
        answers = [None] * len(items)
        for rank, share in enumerate(shares):
            answers[rank :: self.size] = share
        return answers

    def wait(self) -> None:
        """Wait until every rank has called this."""
        if self.size > 1:
            dist.barrier()


class AnyRank:
    """Combines flags over the ranks. With several ranks the result arrives one step late, so that nothing waits."""

    def __init__(self, world: World, device: torch.device) -> None:
        self.world, self.device = world, device
        self._before: DeferredValues | None = None

    def combine(self, *flags: bool) -> list[bool]:
        """Return for each flag whether it is True on any rank; with several ranks, those of the previous call."""
        if self.world.size == 1:
            return list(flags)
        before = self._before
        own = torch.tensor(flags, dtype=torch.float64, pin_memory=self.device.type == "cuda")
        self._before = self.world.deferred_sum(own.to(self.device, non_blocking=True))
        return [total > 0 for total in before()] if before is not None else [False] * len(flags)


def distribute(model: SegmentationNetwork, runtime: Runtime, world: World) -> nn.Module:
    """Return the module that the training loop calls; it shares its weights with ``model``.

    It is compiled if the runtime says so, and with several ranks it averages their gradients. On GPUs, batch norm in
    ``model`` is then replaced by batch norm over all ranks.
    """
    if world.size == 1:
        return runtime.compile(model)
    if model.norm == "batch" and runtime.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]  # replaces the layers in place
    elif model.norm == "batch" and world.is_main:
        warnings.warn(
            "On the CPU, each process computes the statistics of batch norm from its own part of the batch.",
            stacklevel=2,
        )
    return runtime.compile(DistributedDataParallel(model), captured=False)


def is_main_process() -> bool:
    """Return whether this process prints: it is the only one, or rank 0 of those that `torchrun` started."""
    return os.environ.get("RANK", "0") == "0"


def peer_is_lost(error: Exception) -> bool:
    """Return whether an error means that another rank is lost; with gloo only its text tells."""
    return isinstance(error, dist.DistError) or "gloo" in str(error)


@contextmanager
def join_world(cuda: bool) -> Iterator[World]:
    """Join the processes that `torchrun` started (it sets WORLD_SIZE); without it, the world is this process alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World()
        return
    world = World(int(os.environ["RANK"]), size, int(os.environ["LOCAL_RANK"]))
    if cuda:
        torch.cuda.set_device(world.local_rank)
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield world
    finally:
        dist.destroy_process_group()
