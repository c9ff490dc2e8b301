"""`folds` at the networks' full width, for a GPU: widths 32 to 512, sixty passes over the slices, patches of 256×256.

The controls are the paper's wide U-Net and `compute_matched_unet`. Equal seconds are equal arithmetic here, until
``step-seconds`` is measured on the GPU at hand; the lower rate stands for all networks until the search is made. On two
CPU cores one training takes hours.
"""

from dataclasses import replace

from unetpp_course.lab import architectures
from unetpp_course.lab.folds import Comparison
from unetpp_lib.engine import PRESETS

FULL = Comparison(
    name="folds_full",
    config=replace(PRESETS["full"], epochs=60),
    networks={
        **architectures.NETWORKS,
        "unet_wide": {"model": "unet", "widths": (35, 70, 140, 280, 560)},
        "unet_matched": {"model": "unet", "widths": (51, 102, 204, 408, 816)},
    },
    rates=(1e-3, 3e-3),
    lower_rate=3e-4,
    best_rate=dict.fromkeys(architectures.NETWORKS, 1e-3),
    wider_rate=dict.fromkeys(architectures.NETWORKS, 1e-3),
    epochs_in_equal_time={"unet_wide": 50, "unet_matched": 24, "unetplus": 30, "unetpp_plain": 24, "unetpp": 24},
)

EXPERIMENT = FULL.experiment()
