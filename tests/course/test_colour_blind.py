"""Colour-blind eyes tell apart what the explorers tell apart by colour: simulated, and measured in CIE Lab."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from skimage.color import deltaE_ciede2000, rgb2lab

from unetpp_course.explorers import head_step, ladder
from unetpp_course.explorers.depth_sheet import CHOSEN
from unetpp_course.explorers.receptive_field import FRAMES
from unetpp_course.explorers.sheet import LIGHT
from unetpp_course.graph_drawing import KINDS, QUIET
from unetpp_course.style import LINE_COLOURS, MISTAKES

LEAST = 10  # CIEDE2000 between two colours at least; 1 is what a trained eye just tells, side by side

# For eyes that lack the cones for long, middle or short waves wholly; they act on linear RGB.
# Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency, IEEE TVCG
# 15(6), 2009, table of severity 1.0.
EYES = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "all cones": np.eye(3),
}

# colours that one picture tells apart by colour alone
PALETTES = {
    "mistakes": list(MISTAKES.values()),
    "bridge: cells and membranes": [*LIGHT, "black"],
    "head × step: heads, mean, ground": [*head_step.COLOURS, "black", "white"],
    "receptive field: frames": list(FRAMES[:4]),
    "ladder: networks, all white, ground": [*LINE_COLOURS[:2], ladder.GREY, "white"],
    "wiring: kinds of wires, not wired": [*(KINDS[kind]["color"] for kind in KINDS), QUIET],
    "depth: curve, chosen, other mode": [LINE_COLOURS[0], CHOSEN, QUIET, "white"],
    "threshold: curve, today, best": list(LINE_COLOURS[:3]),
    "loss pull: down, none, up": [LINE_COLOURS[0], "white", LINE_COLOURS[3]],
}


def seen_by(eyes, colours):
    """Return colours in CIE Lab as eyes of a kind see them."""
    shown = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
    seen = (linear @ np.transpose(EYES[eyes])).clip(0, 1)
    return rgb2lab(np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("name", PALETTES)
def test_colours_that_mean_something_differ_to_all_eyes(name, eyes):
    lab = dict(zip(PALETTES[name], seen_by(eyes, PALETTES[name]), strict=True))
    distances = {pair: deltaE_ciede2000(*map(lab.get, pair)) for pair in combinations(lab, 2)}
    assert min(distances.values()) >= LEAST, sorted(distances.items(), key=lambda item: item[1])[:3]


def test_the_simulation_confuses_what_such_eyes_confuse():
    red, green = (0.75, 0.25, 0.2), (0.42, 0.45, 0.15)  # told apart by most, and not by those who lack a cone
    assert deltaE_ciede2000(*seen_by("all cones", [red, green])) > 3 * LEAST
    assert deltaE_ciede2000(*seen_by("deuteranopia", [red, green])) < LEAST
    white, grey = (1, 1, 1), (0.5, 0.5, 0.5)
    for eyes in EYES:
        assert deltaE_ciede2000(*seen_by(eyes, [white, grey])) == pytest.approx(
            deltaE_ciede2000(*seen_by("all cones", [white, grey])), abs=0.1
        )
