"""How much of the score of the report that the course starts from is leakage? Its protocol, at its own resolution.

The report is Vinayak-VG's, in the repository My-Projects on GitHub. What its code does: 30 slices of 512×512; 14
elastic copies of each (3 control points, sigma 10); then a random fifth of the 450 images is held out ("copies");
batch 1, Adam at 1e-3, ten epochs, ½·BCE + Dice, group norm. Its UNet++ is trained without deep supervision, so a single
head gives the prediction; here that network is called "unetpp_plain". The same steps are then repeated with a fifth of
the slices held out together with all their copies: slices drawn at random ("slices"), or neighbours ("blocked"). With
the report's own split, copies of the same slice are on both sides; notebook 08 shows what that does.

The report's figures, 95.3 % for U-Net and 97.8 % for UNet++, compare two recipes as well as two networks. Here both
networks get the recipe of its UNet++, so that only the network differs. The report trained its U-Net with SGD (rate
1e-3, momentum 0.99) and BCE alone, for a number of epochs that it does not state, and called a pixel white from a
probability of 0.622 on. Our trainer has no SGD, so that recipe is not repeated.

What else differs from the report's UNet++:

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
from pathlib import Path
from typing import Any

from unetpp_course.lab import architectures, leakage
from unetpp_course.lab.base import RUNS, Experiment, Outcome, Results, Trial, training_trial
from unetpp_course.lab.results import Row
from unetpp_course.lab.tables import across, as_text, interval
from unetpp_lib.data import SegmentationFolder, Split, find_dataset, write_split
from unetpp_lib.engine import PRESETS

COPIES = 14
NETWORKS = {name: architectures.NETWORKS[name] for name in ("unet", "unetpp_plain")}
CLAIM = {"unet": 0.953, "unetpp_plain": 0.978}  # IoU of white, as the report gives it
CONFIG = replace(
    PRESETS["full"], norm="group", epochs=10, batch_size=1, patch=512, lr=1e-3, augment=False, evaluate_every=1
)
TRAININGS = [(name, protocol, seed) for protocol in leakage.PROTOCOLS for seed in leakage.SEEDS for name in NETWORKS]


def write_data(source: str, folder: Path, protocol: str, seed: int) -> None:
    """Write every slice and its copies, and what the protocol holds out."""
    if (folder / "split.json").exists():
        return
    slices = SegmentationFolder(find_dataset(source))
    leakage.write_copies(slices, folder, COPIES, halved=False)
    split = leakage.split_protocol(slices.names, protocol, seed, COPIES)
    # held out as the validation part: the engine then looks at it after each epoch
    write_split(Split(split.train, split.test, ()), folder / "split.json")


def make_trial(network: str, protocol: str, seed: int, source: str = "isbi2012", **changes: Any) -> Trial:
    """Return one trial, its copies drawn when it is measured; ``changes`` are options of its training."""
    folder = RUNS / "report_protocol" / f"{Path(source).name}-{protocol}-seed{seed}"
    config = replace(CONFIG, data=folder.as_posix(), seed=seed, **NETWORKS[network])
    write = partial(write_data, source, folder, protocol, seed)
    columns = {"network": network, "variant": protocol}
    return training_trial(
        f"{network}-{protocol}-seed{seed}", replace(config, **changes), write=write, columns=columns, rows=epoch_rows,
        copies=COPIES, held_out=leakage.HELD_OUT,
    )  # fmt: skip


def epoch_rows(outcome: Outcome) -> Iterator[Row]:
    """Yield white and membrane IoU of the held-out fifth after each epoch and at the end, and the seconds."""
    for number, epoch in enumerate(outcome["history"], start=1):
        for score, key in leakage.SCORES.items():
            yield {"epoch": number, "score": score, "value": epoch["validation"]["head 4"][key]}
            if number == len(outcome["history"]):
                yield {"output": "last", "score": score, "value": epoch["validation"]["head 4"][key]}
    trivial = outcome["scores"]["scores"]["all foreground"][leakage.SCORES["white"]]
    yield {"output": "all white", "score": "white", "value": trivial}
    yield {"score": "seconds", "value": outcome["training_seconds"]}


def seconds_until(outcome: Outcome, network: str) -> float | None:
    """Return the seconds of training, scoring left out, to the report's own IoU; None where it is not reached."""
    history = outcome["history"]
    images = history[0]["step"] * CONFIG.batch_size  # of one epoch
    seconds: float = 0
    for epoch in history:
        seconds += images / epoch["images_per_second"]
        if epoch["validation"]["head 4"][leakage.SCORES["white"]] >= CLAIM[network]:
            return seconds
    return None


def table(results: Results) -> str:
    """Return each training's scores after its last epoch, its seconds, those to the report's IoU, and what leaks."""
    rows = []
    for trial, found in results.frame.groupby("trial", sort=False):
        values = found[found["epoch"].isna()].set_index(["output", "score"])["value"]
        row: dict[str, object] = {"training": trial, "white": values["last", "white"]}
        row |= {"membrane": values["last", "membrane"], "all white": values["all white", "white"]}
        row["seconds"] = f"{found[found['score'] == 'seconds']['value'].iloc[0]:.0f}"
        network, protocol = found[["network", "variant"]].iloc[0]
        if protocol == "copies":
            reached = seconds_until(results[trial], network)
            row["to the report's IoU of white"] = f"{CLAIM[network]:.3f}: " + (
                "not reached" if reached is None else f"{reached:.0f} s"
            )
        rows.append(row)
    lines = ["unetpp_plain is UNet++ without deep supervision, as in the report", as_text(rows, "training")]
    lines.append("Where copies of a slice are on both sides of the split, a score does not measure new tissue.")
    return "\n".join([*lines, *differences(results)])


def differences(results: Results) -> list[str]:
    """Return, from two complete seeds on, what leakage adds to each score and to the lead of UNet++ over U-Net."""
    lines = []
    for score in leakage.SCORES:
        last = across(results.frame, ["variant", "network"], output="last", score=score).dropna()
        if len(last) < 2 or last.shape[1] < len(NETWORKS) * len(leakage.PROTOCOLS):
            return []
        rows = {
            f"{network}: copies - {other}": last["copies", network] - last[other, network]
            for network in NETWORKS
            for other in ("slices", "blocked")
        }
        leads = leakage.leads(last, "unetpp_plain")
        rows |= {f"unetpp_plain - unet, {protocol}": lead for protocol, lead in leads.items()}
        lines += [f"{score:<10}{label:<40}{interval(values)}" for label, values in rows.items()]
    return [f"\ndifferences, paired by seed: mean [95 % t-interval, {len(last)} seeds]", *lines]


EXPERIMENT = Experiment(
    name="report_protocol",
    question="What do the report's own steps give, in how many seconds, and how much of it is leakage?",
    trials=tuple(make_trial(*training) for training in TRAININGS),
    table=table,
)
