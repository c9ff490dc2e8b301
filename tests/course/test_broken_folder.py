"""The broken copy of a folder has one fault per image, and the library finds each of them."""

import numpy as np
import pytest
from PIL import Image

from unetpp_course.broken_folder import through_jpeg, write_broken_copy
from unetpp_lib.data import FolderError, SegmentationFolder, find_dataset


def test_each_pair_of_the_copy_has_a_fault_of_its_own(tmp_path):
    write_broken_copy(find_dataset("membranes"), tmp_path / "broken")
    with pytest.raises(FolderError) as caught:
        SegmentationFolder(tmp_path / "broken")
    words = ("has no partner", "height and width", "is JPEG", "distinct values", "cannot be read")
    assert len(caught.value.faults) == len(words)
    assert all(word in fault for word, fault in zip(words, caught.value.faults, strict=True))


def test_jpeg_puts_values_into_a_mask_that_are_no_class():
    mask = np.full((32, 32), 255, np.uint8)
    mask[:, 13:18] = 0
    values = np.unique(np.asarray(through_jpeg(Image.fromarray(mask))))
    assert len(values) > 2
