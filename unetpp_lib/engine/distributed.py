"""One process or many: what `torchrun` tells, and what the ranks say to each other."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist


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

    def total(self, *values: float) -> list[float]:
        """Return the sum of each value over all ranks."""
        if self.size == 1:
            return list(values)
        sums = torch.tensor(values, dtype=torch.float64)
        if dist.get_backend() == "nccl":
            sums = sums.cuda(self.local_rank)
        dist.all_reduce(sums)
        return sums.tolist()

    def wait(self) -> None:
        """Return when every rank has come here."""
        if self.size > 1:
            dist.barrier()


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
