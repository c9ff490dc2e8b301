"""Which patches make up a batch: this follows from seed and step alone, so a run can stop and resume anywhere."""

import signal
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from unetpp_lib.data import SegmentationFolder
from unetpp_lib.errors import InputError
from unetpp_lib.models.blocks import mirror_index

Place = tuple[int, int, int]  # image, top, left

CACHE_BYTES = 2**30  # a training part of at most this size is kept in memory, decoded; all workers share the limit


def derived_seed(*numbers: int) -> int:
    """Return a seed derived from several numbers, such as (seed, step, rank)."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]) >> 1


class Patches(Dataset[tuple[Tensor, Tensor]]):
    """The training part of a folder, cut into square patches.

    The item ``[image, top, left]`` is a patch of that image, ``(channels, patch, patch)`` in [0, 1], and its mask,
    ``(1, patch, patch)``. An image smaller than the patch is mirrored at its bottom and right.
    """

    def __init__(self, folder: SegmentationFolder, indices: Sequence[int], patch: int) -> None:
        self.folder, self.indices, self.patch = folder, list(indices), patch
        self.sizes = [folder.sizes[index] for index in self.indices]
        self._cache: dict[int, tuple[Tensor, Tensor]] = {}
        self.share_with(workers=0)

    def share_with(self, workers: int) -> None:
        """Decide whether images are kept, once in each worker, and allocate what notes the image that each reads."""
        pixels = sum(height * width for height, width in self.sizes)
        self._keep = pixels * (4 * self.folder.channels + 1) * max(1, workers) <= CACHE_BYTES
        self._reading = torch.full((workers,), -1).share_memory_()  # type: ignore[no-untyped-call]  # -1: no image

    @property
    def names_being_read(self) -> list[str]:
        """The names of the images that workers are reading, or were reading when they died."""
        return [self.folder.names[self.indices[image]] for image in self._reading.tolist() if image >= 0]

    def _read(self, image: int) -> tuple[Tensor, Tensor]:
        if image in self._cache:
            return self._cache[image]
        worker = get_worker_info()
        if worker is not None:
            self._reading[worker.id] = image
        pair = self.folder[self.indices[image]]
        if worker is not None:
            self._reading[worker.id] = -1
        if self._keep:
            self._cache[image] = pair
        return pair

    def __getitem__(self, place: Place) -> tuple[Tensor, Tensor]:
        image, top, left = place
        return tuple(self._cut(tensor, top, left) for tensor in self._read(image))  # type: ignore[return-value]

    def _cut(self, tensor: Tensor, top: int, left: int) -> Tensor:
        for dim, start in ((1, top), (2, left)):
            length = tensor.shape[dim]
            if length >= self.patch:
                tensor = tensor.narrow(dim, start, self.patch)
            else:
                tensor = tensor.index_select(dim, mirror_index(length, self.patch, tensor.device))
        return tensor


def plan_epoch(sizes: Sequence[tuple[int, int]], patch: int, batch_size: int, seed: int) -> list[list[Place]]:
    """Return one epoch's batches: from each image as many random patches as fit into its area, shuffled.

    Patches that do not fill a last batch are left out; a set smaller than one batch is a single smaller batch.
    """
    random = np.random.default_rng(seed)
    places: list[Place] = []
    for image, (height, width) in enumerate(sizes):
        for _ in range(max(1, round(height * width / patch**2))):
            top, left = (int(random.integers(max(0, length - patch) + 1)) for length in (height, width))
            places.append((image, top, left))
    places = [places[i] for i in random.permutation(len(places))]
    count = max(1, len(places) // batch_size)
    return [places[i * batch_size : (i + 1) * batch_size] for i in range(count)]


class BatchPlan:
    """The batches of a whole run, starting at any step: the batch sampler of a DataLoader."""

    def __init__(
        self, patches: Patches, batch_size: int, epochs: int, seed: int, rank: int = 0, world_size: int = 1
    ) -> None:
        if batch_size % world_size:
            raise InputError(f"batch_size is {batch_size}; {world_size} processes need a multiple of {world_size}.")
        self.sizes, self.patch = patches.sizes, patches.patch
        self.batch_size, self.epochs, self.seed = batch_size, epochs, seed
        self.rank, self.world_size = rank, world_size
        self.first_step = 0
        first = self._epoch(0)
        if len(first[0]) % world_size:
            raise InputError(
                f"The training part has only {len(first[0])} patches, too few for {world_size} processes. "
                "Use fewer processes or smaller patches."
            )
        self.steps_per_epoch = len(first)

    def _epoch(self, epoch: int) -> list[list[Place]]:
        return plan_epoch(self.sizes, self.patch, self.batch_size, derived_seed(self.seed, epoch))

    def __len__(self) -> int:
        return self.epochs * self.steps_per_epoch

    def __iter__(self) -> Iterator[list[Place]]:
        epoch, skip = divmod(self.first_step, self.steps_per_epoch)
        for e in range(epoch, self.epochs):
            for batch in self._epoch(e)[skip:]:
                yield batch[self.rank :: self.world_size]
            skip = 0


def load_batches(patches: Patches, plan: BatchPlan, workers: int, pin: bool) -> DataLoader[tuple[Tensor, Tensor]]:
    """Return the loader of the plan's batches: images ``(N, C, patch, patch)`` and masks ``(N, 1, patch, patch)``."""
    patches.share_with(workers)
    context = "spawn" if workers else None  # fork is unsafe once PyTorch has started threads
    return DataLoader(
        patches,
        batch_sampler=plan,
        num_workers=workers,
        pin_memory=pin,
        multiprocessing_context=context,
        generator=torch.Generator(),  # otherwise it draws from the global state, and a resumed run differs
        worker_init_fn=_ignore_ctrl_c,
    )


def _ignore_ctrl_c(_: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the workers too; the loop handles it


def channel_statistics(folder: SegmentationFolder, indices: Sequence[int]) -> tuple[tuple[float, ...], ...]:
    """Return mean and standard deviation of each channel over all pixels of the images ``indices``."""
    pixels = sum(folder.sizes[index][0] * folder.sizes[index][1] for index in indices)
    total, squares = sum(
        (folder.sums[index] for index in indices), torch.zeros(2, folder.channels, dtype=torch.float64)
    )
    mean = total / pixels
    std = (squares / pixels - mean.square()).clamp(min=1e-12).sqrt()
    return tuple(mean.tolist()), tuple(std.tolist())


def brightness_range(folder: SegmentationFolder, indices: Sequence[int]) -> tuple[float, float]:
    """Return the mean value of the darkest and of the brightest of the images ``indices``."""
    means = [folder.sums[i, 0].mean().item() / (folder.sizes[i][0] * folder.sizes[i][1]) for i in indices]
    return min(means), max(means)
