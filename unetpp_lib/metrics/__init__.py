"""Scores of a segmentation: overlap of pixels (`overlap`) and, for electron microscopy, of segments (`em`).

The names of `em` need scipy and scikit-image (pip install "unetpp[metrics]") and are imported at first use, so that
everything else works without.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from unetpp_lib.metrics.overlap import classify, confusion_counts, dice, iou, pixel_accuracy, score_table

if TYPE_CHECKING:
    from unetpp_lib.metrics.em import EMScores, em_scores, segments, v_info, v_rand

__all__ = [
    "EMScores",
    "classify",
    "confusion_counts",
    "dice",
    "em_scores",
    "iou",
    "pixel_accuracy",
    "score_table",
    "segments",
    "v_info",
    "v_rand",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module("unetpp_lib.metrics.em"), name)
    except ModuleNotFoundError as error:
        remedy = f'{error.name} is missing, and {name} needs it: pip install "unetpp[metrics]".'
        raise ModuleNotFoundError(remedy, name=error.name) from error
