"""How much of a score is leakage? U-Net and UNet++ on real slices, held out in three ways, with copies drawn before.

After the protocol that public reports use on ISBI 2012 (elastic copies of every slice first, then a random 80/20 split
over all of them), reduced to what a CPU trains in minutes: half the resolution, 4 copies of each slice for 14, widths
8 to 128, batches of 4. Training sees each image ten times, as there; nothing else is augmented, nothing is chosen.
Every protocol trains on 120 images for 300 steps and is scored on 30: six slices' worth, copies included.
`report_protocol` is the same at full size, for a GPU.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from unetpp_course.lab.base import RUNS, Experiment, Outcome, Results, Trial, training_trial, write_pair
from unetpp_course.lab.tables import across, interval
from unetpp_lib.data import SegmentationFolder, Split, elastic_field, find_dataset, split_by_image, warp, write_split
from unetpp_lib.engine import PRESETS, Run, evaluate
from unetpp_lib.engine.evaluation import MEAN

COMPARED = ("unet", "unetpp")
PROTOCOLS = ("copies", "slices", "blocked")
SEEDS = (0, 1, 2)
COPIES = 4
HELD_OUT = 0.2
SCORES = {"white": "iou/foreground/pooled", "membrane": "iou/background/pooled"}

CONFIG = replace(PRESETS["laptop"], epochs=10, evaluate_every=10, checkpoint_seconds=600, augment=False)


def data_folder(protocol: str, seed: int) -> Path:
    """Return where the images of one protocol and seed stand."""
    return RUNS / "leakage" / f"isbi2012-{protocol}-seed{seed}"


def copy_name(name: str, copy: int) -> str:
    """Return the name of a slice's copy; copy 0 is the slice itself."""
    return f"{name}_copy{copy}" if copy else name


def split_protocol(slices: Iterable[str], protocol: str, seed: int, copies: int = COPIES) -> Split:
    """Divide slices and their copies: "copies" at random over all, else by slice, at random or as one block."""
    family = {name: [copy_name(name, copy) for copy in range(copies + 1)] for name in slices}
    if protocol == "copies":
        everything = [name for names in family.values() for name in names]
        return split_by_image(everything, validation=0, test=HELD_OUT, seed=seed)
    split = split_by_image(family, validation=0, test=HELD_OUT, seed=seed, blocked=protocol == "blocked")
    train, test = (tuple(copy for name in part for copy in family[name]) for part in (split.train, split.test))
    return Split(train, (), test)


def draw_copies(image: Tensor, mask: Tensor, copies: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return a slice and its elastic copies: images (1 + copies, 1, H, W), and their masks, uint8."""
    field = elastic_field(copies, image.shape[1], image.shape[2], 3, 10.0, torch.Generator().manual_seed(seed))
    images = torch.cat([image[None], warp(image.expand(copies, -1, -1, -1), field, "bilinear")])
    return images, torch.cat([mask[None], warp(mask.expand(copies, -1, -1, -1), field, "nearest")])


def halve(images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Return images and masks (N, 1, H, W) at half the resolution, a mask's pixels by majority."""
    return avg_pool2d(images, 2), (avg_pool2d(masks.float(), 2) >= 0.5).to(torch.uint8)


def write_copies(slices: SegmentationFolder, folder: Path, copies: int, *, halved: bool) -> None:
    """Write every slice and its copies, as 8-bit images and masks; they are the same for all protocols and seeds."""
    for number, name in enumerate(slices.names):
        drawn = draw_copies(*slices[number], copies, seed=number)
        for copy, pair in enumerate(zip(*(halve(*drawn) if halved else drawn), strict=True)):
            write_pair(folder, copy_name(name, copy), *pair)


def write_data(protocol: str, seed: int) -> None:
    """Write one protocol's images, masks and split."""
    folder = data_folder(protocol, seed)
    if not (folder / "split.json").exists():
        slices = SegmentationFolder(find_dataset("isbi2012"))
        write_copies(slices, folder, COPIES, halved=True)
        write_split(split_protocol(slices.names, protocol, seed), folder / "split.json")  # last: all is there


def score_images(run: Run) -> Outcome:
    """Return the IoU of each held-out image, for what intervals over slices need."""
    model, card = run.load_model()
    folder = SegmentationFolder(find_dataset(run.config.data))
    answers = {name: evaluate(model, folder, card, [name]).answer for name in run.split.test}
    return {"by_image": {n: {s: round(a[key], 5) for s, key in SCORES.items()} for n, a in answers.items()}}


def make_trial(network: str, protocol: str, seed: int) -> Trial:
    """Return one trial: its data are drawn when it is measured."""
    config = replace(CONFIG, data=data_folder(protocol, seed).as_posix(), model=network, seed=seed)  # type: ignore[arg-type]
    return training_trial(
        f"{network}-{protocol}-seed{seed}", config, score_images, write=partial(write_data, protocol, seed),
        columns={"variant": protocol}, copies=COPIES, held_out=HELD_OUT,
    )  # fmt: skip


def by_seed(results: Results, score: str, output: str = MEAN) -> pd.DataFrame:
    """Return a score of the held-out images: seeds × (protocol, network). U-Net has one head, whatever the output."""
    outputs = results.frame["network"].map({"unet": "head 4", "unetpp": output})
    return across(results.frame[results.frame["output"] == outputs], ["variant", "network"], score=SCORES[score])


def leads(scores: pd.DataFrame, one: str = "unetpp", other: str = "unet") -> "dict[str, pd.Series[float]]":
    """Return by how much the first network is ahead of the other by protocol, and what leakage adds to that."""
    ahead = {protocol: scores[protocol, one] - scores[protocol, other] for protocol in PROTOCOLS}
    return ahead | {"copies - blocked": ahead["copies"] - ahead["blocked"]}


def table(results: Results) -> str:
    """Return the scores and, from two complete seeds on, what leakage adds to them and to UNet++'s lead."""
    lines = ["IoU of the held-out images (pooled), by seed"]
    for score in SCORES:
        scores = by_seed(results, score)
        for protocol, network in product(PROTOCOLS, COMPARED):
            found = scores[protocol, network].dropna() if (protocol, network) in scores else ()
            lines.append(f"{score:<10}{protocol:<9}{network:<8}" + "  ".join(f"{value:.3f}" for value in found))
    seeds = by_seed(results, "white").dropna().index
    if len(seeds) < 2:
        return "\n".join(lines)
    lines.append(f"\ndifferences, paired by seed: mean [95 % t-interval, {len(seeds)} seeds]")
    for score in SCORES:
        scores = by_seed(results, score).loc[seeds]
        for network, other in product(COMPARED, ("slices", "blocked")):
            gain = scores["copies", network] - scores[other, network]
            lines.append(f"{score:<10}{network:<8}copies - {other:<9}{interval(gain)}")
        for output in (MEAN, "head 4"):
            for protocol, lead in leads(by_seed(results, score, output).loc[seeds]).items():
                lines.append(f"{score:<10}UNet++ ({output}) - U-Net, {protocol:<18}{interval(lead)}")
    return "\n".join(lines)


QUESTION = "How much of a score on real slices is leakage, and does leakage make UNet++ look better than U-Net?"
TRIALS = tuple(make_trial(network, protocol, seed) for seed, protocol, network in product(SEEDS, PROTOCOLS, COMPARED))

EXPERIMENT = Experiment("leakage", QUESTION, TRIALS, table)
