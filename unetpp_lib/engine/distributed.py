"""One process or many: what `torchrun` tells, and what the ranks say to each other."""

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

    def total_later(self, values: Tensor) -> DeferredValues:
        """Start the sum of each value over all ranks; on a GPU, Python goes on at once."""
        sums = values.flatten()
        if self.size > 1:
            sums = sums.double()  # only here: Apple's GPU has no float64, and works alone
            dist.all_reduce(sums)
        if sums.device.type != "cuda":
            return sums.tolist
        arrived = torch.empty_like(sums, device="cpu", pin_memory=True).copy_(sums, non_blocking=True)
        done = torch.cuda.Event()  # type: ignore[no-untyped-call]
        done.record(torch.cuda.current_stream(sums.device))  # which need not be the current device

        def read() -> list[float]:
            done.synchronize()
            return arrived.tolist()

        return read

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of values over all ranks, on their device; nothing waits for it."""
        if self.size == 1:
            return values
        total = values.clone()
        dist.all_reduce(total)
        return total / self.size

    def share(self, work: Callable[[Sequence[Any]], list[Any]], items: Sequence[Any]) -> list[Any]:
        """Return what ``work`` answers for a list, item by item: each rank does its share, and all get all answers."""
        if self.size == 1:
            return work(items)
        shares: list[Any] = [None] * self.size
        dist.all_gather_object(shares, work(items[self.rank :: self.size]))
        answers = [None] * len(items)
        for rank, share in enumerate(shares):
            answers[rank :: self.size] = share
        return answers

    def wait(self) -> None:
        """Return when every rank has come here."""
        if self.size > 1:
            dist.barrier()


class Votes:
    """Flags that hold when any rank raises them. With several ranks that is one step later, so that nothing waits."""

    def __init__(self, world: World, device: torch.device) -> None:
        self.world, self.device = world, device
        self._before: DeferredValues | None = None

    def take(self, *flags: bool) -> list[bool]:
        """Return for each flag whether any rank raised it: a world of one at this step, several at the step before."""
        if self.world.size == 1:
            return list(flags)
        before = self._before
        own = torch.tensor(flags, dtype=torch.float64, pin_memory=self.device.type == "cuda")
        self._before = self.world.total_later(own.to(self.device, non_blocking=True))
        return [total > 0 for total in before()] if before is not None else [False] * len(flags)


def distribute(model: SegmentationNetwork, runtime: Runtime, world: World) -> nn.Module:
    """Return what the loop calls: ``model`` itself, compiled where asked, or wrapped so that ranks share gradients.

    The two share their weights. On GPUs, batch norm in ``model`` becomes batch norm over all ranks.
    """
    if world.size == 1:
        return runtime.compile(model)
    if model.norm == "batch" and runtime.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]  # replaces the layers in place
    elif model.norm == "batch" and world.is_main:
        warnings.warn(
            "On the CPU, batch norm takes its statistics from each process's share of the batch.", stacklevel=2
        )
    return runtime.compile(DistributedDataParallel(model), captured=False)


def is_main_process() -> bool:
    """Whether this process prints: the only one, or rank 0 of those that `torchrun` started."""
    return os.environ.get("RANK", "0") == "0"


def peer_is_lost(error: Exception) -> bool:
    """Whether an error says that another rank is gone; gloo says so in words alone."""
    return isinstance(error, dist.DistError) or "gloo" in str(error)


@contextmanager
def join_world(cuda: bool) -> Iterator[World]:
    """Join the processes that `torchrun` started (it sets WORLD_SIZE); without it, be a world of one."""
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
