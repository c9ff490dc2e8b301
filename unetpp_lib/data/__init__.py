"""Images and masks: reading, checking, splitting, augmenting and fetching them."""

from unetpp_lib.data.augment import Augmentation, elastic_field, warp
from unetpp_lib.data.catalog import find_dataset, is_stack, list_datasets, shipped_data
from unetpp_lib.data.downloads import download
from unetpp_lib.data.folder import FolderError, SegmentationFolder
from unetpp_lib.data.large import LargeImage, is_large
from unetpp_lib.data.reading import count_pages, read_distractors, read_image, read_mask
from unetpp_lib.data.split import Split, read_split, split_by_image, write_split
from unetpp_lib.data.stacks import find_groups, find_stacks, split_by_group, split_in_blocks

__all__ = [
    "Augmentation",
    "FolderError",
    "LargeImage",
    "SegmentationFolder",
    "Split",
    "count_pages",
    "download",
    "elastic_field",
    "find_dataset",
    "find_groups",
    "find_stacks",
    "is_large",
    "is_stack",
    "list_datasets",
    "read_distractors",
    "read_image",
    "read_mask",
    "read_split",
    "shipped_data",
    "split_by_group",
    "split_by_image",
    "split_in_blocks",
    "warp",
    "write_split",
]
