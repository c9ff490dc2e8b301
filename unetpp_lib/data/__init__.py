"""Images and masks: reading, checking, splitting, augmenting, drawing and fetching them."""

from importlib import import_module
from typing import TYPE_CHECKING

from unetpp_lib.data.augment import Augmentation, elastic_field, warp
from unetpp_lib.data.folder import FolderError, SegmentationFolder
from unetpp_lib.data.large import LargeImage, is_large
from unetpp_lib.data.reading import count_pages, read_image, read_mask
from unetpp_lib.data.split import Split, read_split, split_by_image, write_split

if TYPE_CHECKING:
    from unetpp_lib.data.catalog import find_dataset, is_stack, list_datasets, shipped_data
    from unetpp_lib.data.downloads import download
    from unetpp_lib.data.membranes import Drawing, draw_membranes, read_distractors, write_membranes

__all__ = [
    "Augmentation",
    "Drawing",
    "FolderError",
    "LargeImage",
    "SegmentationFolder",
    "Split",
    "count_pages",
    "download",
    "draw_membranes",
    "elastic_field",
    "find_dataset",
    "is_large",
    "is_stack",
    "list_datasets",
    "read_distractors",
    "read_image",
    "read_mask",
    "read_split",
    "shipped_data",
    "split_by_image",
    "warp",
    "write_membranes",
    "write_split",
]

# Imported when a name is first asked for (PEP 562): downloads needs a package beyond the core, the others take time.
_LAZY = {
    "catalog": {"find_dataset", "is_stack", "list_datasets", "shipped_data"},
    "downloads": {"download"},
    "membranes": {"Drawing", "draw_membranes", "read_distractors", "write_membranes"},
}


def __getattr__(name: str) -> object:
    for module, names in _LAZY.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
