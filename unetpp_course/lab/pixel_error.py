"""Put scores of the ISBI 2012 challenge, of the report and of this course side by side, as pixel error and as IoU.

The challenge's pixel error is 1 minus the F-score of white (cell interior) at the best threshold, all slices counted
together: http://brainiac2.mit.edu/isbi_challenge/evaluation, and the class `PixelError` of Fiji's plugin Trainable
Segmentation. The F-score of pooled counts is Dice, so it follows from the IoU, and the IoU from it.
`python -m unetpp_course.lab.pixel_error` prints the comparison.
"""

import math

import pandas as pd

from unetpp_course.lab import best_model
from unetpp_course.lab.base import read_results
from unetpp_lib.errors import InputError

WHITE = 0.78  # the fraction of ISBI 2012's training slices that is cell interior
PUBLISHED = {  # table 1 of Ronneberger et al. 2015, as of March 2015
    "U-Net's entry to the challenge": 0.0611,
    "the lowest pixel error of its table": 0.0582,
    "the human values of its table": 0.0010,
}
REPORTED = {"the report's U-Net": 0.953, "the report's UNet++": 0.978}  # IoU of white
MISSED = {"only white": 1.0, "both equally": 0.5, "only membrane": 0.0}
ROUNDING = 1e-9


def pixel_error(iou: float) -> float:
    """Return the pixel error of a class, 1 - F-score, from its IoU; both are of pooled counts, in [0, 1]."""
    _check("iou", iou)
    return 1 - 2 * iou / (1 + iou)


def iou_of(error: float) -> float:
    """Return the IoU of a class from its pixel error; both are of pooled counts, in [0, 1]."""
    _check("error", error)
    f_score = 1 - error
    return f_score / (2 - f_score)


def other_iou(iou: float, fraction: float, missed: float = 0.5) -> float:
    """Return the IoU of the other of two classes, from the IoU of one that covers `fraction` of the pixels.

    The IoU of one class does not say of which kind the mistakes are, so `missed` does: the fraction of the wrong pixels
    that belong to the first class. At 0.5 false positives and false negatives balance. All counts are pooled. Raises
    `InputError` for values outside [0, 1], and where more of the other class would be wrong than there is of it.
    """
    for name, value in {"iou": iou, "fraction": fraction, "missed": missed}.items():
        _check(name, value)
    # iou = (fraction - missed * wrong) / (fraction + (1 - missed) * wrong), solved for the fraction of wrong pixels
    slope = missed + (1 - missed) * iou
    wrong = fraction * (1 - iou) / slope if slope else math.inf
    hits = 1 - fraction - (1 - missed) * wrong
    if hits < -ROUNDING:
        raise InputError(
            f"iou is {iou}: a class that covers {fraction} of the pixels cannot score so low with missed={missed}; "
            "give a higher IoU, or more missed pixels."
        )
    union = 1 - fraction + missed * wrong
    return max(hits, 0.0) / union if union else 1.0


def measured() -> dict[str, tuple[float, float]]:
    """Return the IoU of white and of membrane of two U-Nets of this course, means over the 30 slices and the seeds."""
    results = read_results(best_model.EXPERIMENT.name)
    scores = [best_model.by_slice(results, score) for score in ("white", "membrane")]
    ways = {"our U-Net, blocked folds": best_model.START, "our best U-Net, blocked folds": best_model.CHOSEN}
    return {title: (_mean(scores[0][way]), _mean(scores[1][way])) for title, way in ways.items()}


def table() -> str:
    """Return pixel error, IoU of white, and IoU of membrane: by the kind of mistake, and measured where it was."""
    ours = measured()
    whites = {name: iou_of(error) for name, error in PUBLISHED.items()} | REPORTED
    whites |= {name: white for name, (white, _) in ours.items()}
    lines = [
        f"{'':<37}pixel error   IoU of white   IoU of membrane, if the mistakes miss",
        f"{'':<64}" + "".join(f"{kind:<15}" for kind in MISSED) + "measured",
    ]
    for name, white in whites.items():
        membranes = [f"{other_iou(white, WHITE, missed):.3f}" for missed in MISSED.values()]
        membranes += [f"{ours[name][1]:.3f}"] if name in ours else []
        cells = f"{pixel_error(white):<14.4f}{white:<13.3f}" + "".join(f"{membrane:<15}" for membrane in membranes)
        lines.append(f"{name:<37}{cells}".rstrip())
    return "\n".join(lines)


def _mean(slices: pd.DataFrame) -> float:
    return float(slices.to_numpy().mean())


def _check(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise InputError(f"{name} is {value}: give a fraction between 0 and 1.")


if __name__ == "__main__":
    print(table())
