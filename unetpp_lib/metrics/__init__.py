"""Scores of a segmentation: overlap of pixels (`overlap`) and, for electron microscopy, of segments (`em`).

`segments` and `em_scores` need scipy and scikit-image (pip install "unetpp[metrics]"); everything else works without.
"""

from unetpp_lib.metrics.em import EMScores, em_scores, segments, v_info, v_rand
from unetpp_lib.metrics.overlap import (
    classify,
    confusion_counts,
    dice,
    dice_by_class,
    iou,
    iou_by_class,
    pixel_accuracy,
    score_table,
)

__all__ = [
    "EMScores",
    "classify",
    "confusion_counts",
    "dice",
    "dice_by_class",
    "em_scores",
    "iou",
    "iou_by_class",
    "pixel_accuracy",
    "score_table",
    "segments",
    "v_info",
    "v_rand",
]
