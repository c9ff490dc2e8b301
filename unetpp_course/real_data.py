"""The real slices of tissue, for those who have downloaded them."""

import os

from unetpp_lib.data import SegmentationFolder, find_dataset
from unetpp_lib.errors import InputError

SWITCH = "UNETPP_REAL_IMAGES"


def real_slices() -> SegmentationFolder | None:
    """Return the thirty slices of ISBI 2012, or None where they have not been downloaded.

    Also None where the environment variable UNETPP_REAL_IMAGES is "never", which it is while notebooks are executed to
    be committed or tested: their outputs show the drawn images alone, on every machine.
    """
    if os.environ.get(SWITCH) == "never":
        return None
    try:
        return SegmentationFolder(find_dataset("isbi2012"))
    except InputError:
        return None
