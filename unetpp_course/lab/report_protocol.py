"""How much of the score of the report that the course starts from is leakage? Its protocol, at its own resolution.

The report is Vinayak-VG's, in the repository My-Projects on GitHub. What its code does: 30 slices of 512×512; 14
elastic copies of each (3 control points, sigma 10); then a random fifth of the 450 images is held out ("copies");
batch 1, Adam at 1e-3, ten epochs, ½·BCE + Dice, group norm. Its UNet++ is trained without deep supervision, so a single
head gives the prediction; here that network is called "unetpp_plain". The same steps are then repeated with a fifth of
the slices held out together with all their copies: slices drawn at random ("slices"), or neighbours ("blocked"). With
the report's own split, copies of the same slice are on both sides; notebook 08 shows what that does.

The report's figures, 95.3 % for U-Net and 97.8 % for UNet++, compare two recipes as well as two networks. Here both
networks get the recipe of its UNet++, so that only the network differs; `recipes` trains both by both, at half the
resolution and without a GPU. What else differs from the report's UNet++:

- The widths are 32 to 512, not 64 to 1024. At the report's widths U-Net costs 4 times as much, and UNet++ 5 times.
- The nodes are wired as in the paper. In the report, X^{1,2} reads X^{2,0} in place of X^{2,1}, and three edges share
  one up-convolution.
- Group norm has 8 groups, not 16. The report also computes one normalisation whose result it does not use.
- There is no dropout. The report has a dropout of 0.5 after every block.
- The rate warms up to 1e-3 and then falls as a cosine, because our trainer has no constant rate.
- Training ends after ten epochs. The report resumed its runs of ten; its plot shows about 33 epochs.
- Masks are stored without loss. The report's masks are JPEG files, rounded at one half.
- The score counts the pixels of all held-out images together, after the last epoch. The report averages over images
  and keeps the epoch that is best on the same held-out fifth.

The held-out fifth is scored after each epoch; that costs time but changes no weight. One training run has 3600 steps,
of 714 GFLOP each for UNet++ and 289 for U-Net. That is work for a GPU: on two CPU cores it takes hours.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from unetpp_course.lab import architectures, leakage
from unetpp_course.lab.architectures import DEEPEST
from unetpp_course.lab.base import RUNS, Experiment, Outcome, Results, Row, Trial, training_trial
from unetpp_course.lab.results import unnest
from unetpp_course.lab.tables import across, as_text, interval
from unetpp_lib.data import SegmentationFolder, Split, find_dataset, write_split
from unetpp_lib.engine import PRESETS

COPIES = 14
NETWORKS = {name: architectures.NETWORKS[name] for name in ("unet", "unetpp_plain")}
CLAIM = {"unet": 0.953, "unetpp_plain": 0.978}  # IoU of white, as the report gives it
WHITE = leakage.SCORES["white"]
CONFIG = replace(
    PRESETS["full"], norm="group", epochs=10, batch_size=1, patch=512, lr=1e-3, augment=False, evaluate_every=1
)
TRAININGS = [(name, protocol, seed) for protocol, seed, name in product(leakage.PROTOCOLS, leakage.SEEDS, NETWORKS)]


def write_data(source: str, folder: Path, protocol: str, seed: int) -> None:
    """Write every slice and its copies, and what the protocol holds out."""
    if not (folder / "split.json").exists():
        slices = SegmentationFolder(find_dataset(source))
        leakage.write_copies(slices, folder, COPIES, halved=False)
        split = leakage.split_protocol(slices.names, protocol, seed, COPIES)
        # held out as the validation part: the engine then looks at it after each epoch
        write_split(Split(split.train, split.test, ()), folder / "split.json")


def trial_name(network: str, protocol: str, seed: int) -> str:
    """Return the name of one training."""
    return f"{network}-{protocol}-seed{seed}"


def make_trial(network: str, protocol: str, seed: int, source: str = "isbi2012", **changes: Any) -> Trial:
    """Return one trial, its copies drawn when it is measured; ``changes`` are options of its training."""
    folder = RUNS / "report_protocol" / f"{Path(source).name}-{protocol}-seed{seed}"
    config = replace(CONFIG, data=folder.as_posix(), seed=seed, **NETWORKS[network])
    return training_trial(
        trial_name(network, protocol, seed), replace(config, **changes),
        write=partial(write_data, source, folder, protocol, seed), columns={"network": network, "variant": protocol},
        rows=last_rows, copies=COPIES, held_out=leakage.HELD_OUT,
    )  # fmt: skip


def last_rows(outcome: Outcome) -> Iterator[Row]:
    """Yield white and membrane IoU of the held-out fifth after the last epoch."""
    look = outcome["history"][-1]["validation"][DEEPEST]
    return unnest({score: look[key] for score, key in leakage.SCORES.items()}, "score")


def seconds_until(outcome: Outcome, claim: float) -> str:
    """Return the seconds of training, scoring left out, until white has the IoU that the report claims."""
    images = outcome["history"][0]["step"] * CONFIG.batch_size  # of one epoch
    seconds = 0.0
    for epoch in outcome["history"]:
        seconds += images / epoch["images_per_second"]
        if epoch["validation"][DEEPEST][WHITE] >= claim:
            return f"{seconds:.0f} s"
    return "not reached"


def table(results: Results) -> str:
    """Return each training's scores after its last epoch, its seconds, those to the report's IoU, and what leaks."""
    rows = []
    for network, protocol, seed in TRAININGS:
        if outcome := results.get(trial_name(network, protocol, seed)):
            row = {"training": trial_name(network, protocol, seed)}
            row |= {score["score"]: score["value"] for score in last_rows(outcome)}
            row["all white"] = outcome["scores"]["scores"]["all foreground"][WHITE]
            row["seconds"] = f"{outcome['training_seconds']:.0f}"
            if protocol == "copies":
                claim = CLAIM[network]
                row["to the report's IoU of white"] = f"{claim:.3f}: {seconds_until(outcome, claim)}"
            rows.append(row)
    lines = ["unetpp_plain is UNet++ without deep supervision, as in the report", as_text(rows, "training")]
    lines.append("Where copies of a slice are on both sides of the split, a score does not measure new tissue.")
    return "\n".join([*lines, *differences(results)])


def differences(results: Results) -> list[str]:
    """Return, from two complete seeds on, what leakage adds to each score and to the lead of UNet++ over U-Net."""
    lines = []
    for score in leakage.SCORES:
        last = across(results.frame, ["variant", "network"], score=score).dropna()
        if len(last) < 2 or last.shape[1] < len(NETWORKS) * len(leakage.PROTOCOLS):
            return []
        for network, other in product(NETWORKS, ("slices", "blocked")):
            gain = last["copies", network] - last[other, network]
            lines.append(f"{score:<10}{network + ': copies - ' + other:<40}{interval(gain)}")
        for protocol, lead in leakage.leads(last, "unetpp_plain").items():
            lines.append(f"{score:<10}unetpp_plain - unet, {protocol:<19}{interval(lead)}")
    return [f"\ndifferences, paired by seed: mean [95 % t-interval, {len(last)} seeds]", *lines]


QUESTION = "What do the report's own steps give, in how many seconds, and how much of it is leakage?"
EXPERIMENT = Experiment("report_protocol", QUESTION, tuple(make_trial(*training) for training in TRAININGS), table)
