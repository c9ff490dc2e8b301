"""Classes have colours of their own."""

import numpy as np
import torch

from unetpp_lib.engine.pictures import CLASS_COLOURS, IGNORED_COLOUR, colour_classes


def test_each_class_has_its_colour_and_what_is_ignored_is_grey():
    labels = torch.tensor([[[0, 1], [2, 255]]], dtype=torch.uint8)
    colours = colour_classes(labels)
    assert colours.shape == (2, 2, 3)
    assert np.array_equal(colours.reshape(4, 3), [*CLASS_COLOURS[:3], IGNORED_COLOUR])
    assert np.array_equal(colours, colour_classes(labels[0].numpy()))
    assert len({tuple(colour) for colour in (*CLASS_COLOURS, IGNORED_COLOUR)}) == len(CLASS_COLOURS) + 1
