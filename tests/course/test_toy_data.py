"""The beads of notebook 13: three classes that only a rim tells apart, in a folder without faults."""

import numpy as np

from unetpp_course.toy_data import CLASSES, colleagues_mask, draw_beads, write_beads
from unetpp_lib.data import SegmentationFolder


def test_a_drawing_follows_from_its_seed_and_holds_every_class():
    (image, mask), (again, _) = (draw_beads(150, 220, np.random.default_rng(1)) for _ in range(2))
    assert np.array_equal(image, again)
    assert image.shape == (150, 220, 3)
    assert image.dtype == mask.dtype == np.uint8
    assert sorted(np.unique(mask)) == list(range(len(CLASSES)))


def test_the_inside_of_a_bead_does_not_tell_its_class():
    image, mask = draw_beads(600, 600, np.random.default_rng(0))
    grey = image.mean(-1)
    inside = {kind: grey[(mask == kind) & (grey > 70) & (grey < 186)] for kind in (1, 2)}
    assert abs(inside[1].mean() - inside[2].mean()) < 8
    assert (grey[mask == 1] < 50).mean() > 0.05
    assert (grey[mask == 2] > 205).mean() > 0.05


def test_the_folder_has_no_faults_and_mixed_sizes(tmp_path):
    write_beads(tmp_path, count=4)
    folder = SegmentationFolder(tmp_path, channels=3, num_classes=3)
    assert folder.names == ("bead_00", "bead_01", "bead_02", "bead_03")
    assert len(set(folder.sizes)) == 4
    assert min(folder.class_shares) > 0.05


def test_the_colleagues_mask_has_a_rim_of_class_1_around_beads_of_class_2():
    mask = np.zeros((40, 40), np.uint8)
    mask[11:30, 11:30] = 2
    assert set(np.unique(colleagues_mask(mask))) == {0, 1, 2}
