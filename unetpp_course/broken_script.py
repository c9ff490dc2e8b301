"""The training script of notebook 09. It raises no error, and four of its lines are wrong on purpose: leave them so."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from unetpp_lib.data import SegmentationFolder, find_dataset, read_split
from unetpp_lib.losses import bce_dice_loss

MEAN, SPREAD = 0.516, 0.154  # of the grey values of the training images

Batch = tuple[Tensor, Tensor]
Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]


def load_part(part: str) -> Batch:
    """Return images (N, 1, 256, 256) in [0, 1] and masks of the "train", "validation" or "test" part, drawn membranes.

    Nothing is wrong here.
    """
    root = find_dataset("membranes")
    folder = SegmentationFolder(root)
    names = getattr(read_split(root / "split.json"), part)
    pairs = [folder[folder.index_of[name]] for name in names]
    return torch.stack([image for image, _ in pairs]), torch.stack([mask for _, mask in pairs])


def normalise(images: Tensor) -> Tensor:
    """Return images with mean 0 and spread 1. Nothing is wrong here."""
    return (images - MEAN) / SPREAD


def make_batch(images: Tensor, masks: Tensor, seed: int) -> Batch:
    """Return four random pieces and their masks, (4, 1, 64, 64) each, turned by a random number of quarter turns."""
    random = torch.Generator().manual_seed(seed)
    chosen = torch.randint(len(images), (4,), generator=random)
    top, left = torch.randint(256 - 64 + 1, (2,), generator=random).tolist()
    turns = int(torch.randint(4, (1,), generator=random))  # quarter turns
    x = images[chosen, :, top : top + 64, left : left + 64]
    y = masks[chosen, :, top : top + 64, left : left + 64]
    x = torch.rot90(x, turns, (2, 3))
    return normalise(x), y.float()


def loss_of(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Return ½BCE + Dice for a batch."""
    p = net(x)[0].sigmoid()
    return bce_dice_loss(p, y)


def train(net: nn.Module, batches: Sequence[Batch], rate: float, loss_of: Loss) -> list[float]:
    """Make one step with each batch; return the losses."""
    net.train()
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    losses = []
    for x, y in batches:
        loss = loss_of(net, x, y)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return losses


def predict(net: nn.Module, image: Tensor) -> Tensor:
    """Return the predicted mask (1, H, W) of one image (1, H, W) in [0, 1]."""
    net.eval()
    with torch.no_grad():
        logits: Tensor = net(image[None])[0]
    return (logits[0] > 0).to(torch.uint8)
