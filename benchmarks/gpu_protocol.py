"""The report's protocol in a limited time: U-Net, then UNet++ without supervision, each in half of what is left.

    python benchmarks/gpu_protocol.py --seconds 150 --out FOLDER

The steps are those of `unetpp_course/lab/report_protocol.py`, with copies of a slice on both sides of the split. A
network trains for the report's ten epochs, or until the next epoch would no longer fit; the learning rate follows the
schedule of ten epochs all the same. A run with a callback waits for the loss of every step, so it is a little slower
than one that is not.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tyro

from unetpp_course.lab.leakage import SCORES
from unetpp_course.lab.report_protocol import CLAIM, CONFIG, NETWORKS, write_data
from unetpp_lib.engine import choose_runtime, train
from unetpp_lib.engine.runtime import provenance
from unetpp_lib.engine.trainer import Trainer
from unetpp_lib.files import write_atomically

LABELS = {"unet": "U-Net", "unetpp_plain": "UNet++ without supervision"}

History = list[dict[str, Any]]


@dataclass(frozen=True)
class Settings:
    """How long, on what, and at which size; the defaults are the report's."""

    out: Path
    """The folder for report_protocol.json and, where matplotlib is installed, report_protocol.png."""
    seconds: float = 150
    """Time for all of it: drawing the copies, and both networks."""
    source: str = "isbi2012"
    """The slices: a data set's name, or a folder."""
    device: str = "auto"
    """auto, cpu, cuda …"""
    patch: int = CONFIG.patch
    """Side of the square patches, in pixels."""
    widths: tuple[int, ...] = CONFIG.widths
    """Channels of each level."""


class Deadline:
    """Stops a run at the end of the last epoch that fits, and at the moment itself where even the first does not."""

    def __init__(self, moment: float) -> None:
        self.moment, self.epoch_began = moment, time.monotonic()

    def __call__(self, trainer: Trainer) -> bool:
        now = time.monotonic()
        if trainer.step % trainer.plan.steps_per_epoch:
            return now >= self.moment
        spent, self.epoch_began = now - self.epoch_began, now
        return now + spent > self.moment


def measure(settings: Settings) -> dict[str, History]:
    """Return the epochs that each network finished in its time."""
    end = time.monotonic() + settings.seconds
    histories = {}
    with TemporaryDirectory() as folder:
        data = Path(folder, "copies")
        write_data(settings.source, data, "copies", seed=0)
        for number, (name, options) in enumerate(NETWORKS.items()):
            config = replace(CONFIG, data=data.as_posix(), out=Path(folder, name), device=settings.device, **options)
            config = replace(config, patch=settings.patch, widths=settings.widths)
            now = time.monotonic()
            deadline = Deadline(now + (end - now) / (len(NETWORKS) - number))
            histories[name] = train(config, callback=deadline).history
    return histories


def white_scores(history: History) -> list[float]:
    """Return the IoU of white of the held-out fifth after each epoch; both networks have a single head."""
    return [next(iter(epoch["validation"].values()))[SCORES["white"]] for epoch in history]


def table(histories: Mapping[str, History]) -> str:
    """Return for each network its epochs, its speed, its last score and the report's."""
    lines = [f"{'':28}epochs  images/s  IoU of white  in the report"]
    for name, history in histories.items():
        lines.append(
            f"{LABELS[name]:28}{len(history):<8}{history[-1]['images_per_second']:<10.1f}"
            f"{white_scores(history)[-1]:<14.3f}{CLAIM[name]:.3f}"
        )
    return "\n".join(lines)


def draw(histories: Mapping[str, History], path: Path) -> None:
    """Draw the loss and the score of each network by epoch, and the report's scores."""
    import matplotlib.pyplot as plt

    from unetpp_course.style import LINE_COLOURS, course_style

    with course_style():
        figure, (losses, scores) = plt.subplots(1, 2, figsize=(8, 3.4))
        for (name, history), colour in zip(histories.items(), LINE_COLOURS, strict=False):
            epochs = [epoch["epoch"] for epoch in history]
            losses.plot(epochs, [epoch["loss"] for epoch in history], "o-", color=colour, label=LABELS[name])
            scores.plot(epochs, white_scores(history), "o-", color=colour)
            scores.axhline(CLAIM[name], color=colour, linestyle=":")
        losses.set(xlabel="epoch", ylabel="training loss")
        scores.set(xlabel="epoch", ylabel="IoU of white (dotted: the report)")
        losses.legend()
        figure.savefig(path)
        plt.close(figure)


def main(settings: Settings) -> None:
    histories = measure(settings)
    chosen = {name: value for name, value in asdict(settings).items() if name != "out"}
    result = {"settings": chosen, "histories": histories, "provenance": provenance(choose_runtime(settings.device))}
    write_atomically(settings.out / "report_protocol.json", json.dumps(result, indent=1) + "\n")
    missing = [name for name, history in histories.items() if not history]
    if missing:
        raise SystemExit(f"Not one epoch of {' and '.join(missing)} fitted into {settings.seconds:g} s: give more.")
    print(table(histories))
    try:
        draw(histories, settings.out / "report_protocol.png")
    except ImportError as error:
        print(f"No curves are drawn: {error.name} is not installed.")


if __name__ == "__main__":
    main(tyro.cli(Settings, description=__doc__))
