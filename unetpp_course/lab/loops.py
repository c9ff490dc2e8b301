"""Training loops of experiments that vary what `train` has no option for; every step is the library's."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import torch
from torch import Tensor
from torch.optim import Optimizer

from unetpp_course.lab.base import open_set, stack_images
from unetpp_lib.engine import Card
from unetpp_lib.engine.batches import BatchPlan, Patches, channel_statistics, derived_seed, load_batches
from unetpp_lib.engine.loop import Augment, HeadsLoss, make_optimizer, prepare_batch, training_step
from unetpp_lib.engine.runtime import Runtime
from unetpp_lib.losses import deep_supervision_loss
from unetpp_lib.models import SegmentationNetwork

Batch = tuple[Tensor, Tensor]


class TrainingPart:
    """The training part of a data set that has a split.json, as batches; ``images`` takes its first images alone."""

    def __init__(
        self, data: str, batch_size: int, patch: int, seed: int, augment: Augment | None, images: int | None = None
    ) -> None:
        self.folder, self.split = open_set(data)
        self.names = self.split.train[:images]
        indices = [self.folder.index_of[name] for name in self.names]
        mean, std = channel_statistics(self.folder, indices)
        self.card = Card(mean, std)
        self.patches = Patches(self.folder, indices, patch)
        self.batch_size, self.seed, self.augment = batch_size, seed, augment

    def batches(self, steps: int) -> Iterator[Batch]:
        """Yield what the network gets in each step: images, normalised and augmented, and masks (N, 1, H, W)."""
        plan = BatchPlan(self.patches, self.batch_size, steps, self.seed)  # as many epochs: each has at least one step
        loader = load_batches(self.patches, plan, workers=0, pin=False)
        for step, (images, masks) in enumerate(islice(loader, steps)):
            seed = derived_seed(self.seed, step, 0)  # as the engine's first process
            yield prepare_batch(images, masks, self.card, self.augment, seed)

    def read(self, names: Iterable[str]) -> Batch:
        """Return whole images, normalised, and masks as they are on disk: (N, 1, H, W) each."""
        images, masks = stack_images(self.folder, names)
        return self.card.normalise(images), masks


def train_steps(
    network: SegmentationNetwork,
    batches: Iterable[Batch],
    rate: Callable[[int], float],
    runtime: Runtime,
    loss: HeadsLoss = deep_supervision_loss,
    seed: int = 0,
    optimizer: Optimizer | None = None,
) -> Iterator[Tensor]:
    """Make a step with each batch, at the rate of its number and by default with Adam; yield the loss before it."""
    optimizer = optimizer or make_optimizer(network)
    for step, (images, masks) in enumerate(batches):
        drawn = derived_seed(seed, step, 0)
        yield training_step(network.train(), optimizer, images, masks, rate(step), runtime, loss, drawn)


def random_batches(images: Tensor, masks: Tensor, size: int, epochs: int, seed: int) -> Iterator[Batch]:
    """Yield all images in batches of ``size``, in another order each epoch."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for chosen in torch.split(torch.randperm(len(images), generator=generator), size):
            yield images[chosen], masks[chosen]
