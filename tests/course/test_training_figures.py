"""The curve of a training run in notebook 10 has every measured point, and the name of its network at its end."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from unetpp_course.training_figures import show_curves


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


CURVES = pd.DataFrame({"unet": [0.3, 0.6], "unetpp": [0.4, 0.5]}, index=[2, 20])


def test_every_look_is_a_point_of_its_network():
    show_curves(CURVES)
    lines = {line.get_color(): dict(line.get_xydata().tolist()) for line in plt.gca().lines}
    assert sorted(lines.values(), key=lambda curve: curve[2]) == [{2: 0.3, 20: 0.6}, {2: 0.4, 20: 0.5}]
    for text in plt.gca().texts:
        network = {"U-Net": "unet", "UNet++": "unetpp"}[text.get_text().strip()]
        assert lines[text.get_color()] == CURVES[network].to_dict()


def test_the_name_of_the_higher_curve_is_above_the_other():
    show_curves(CURVES)
    assert {text.get_text().strip(): text.get_va() for text in plt.gca().texts} == {"U-Net": "bottom", "UNet++": "top"}


def test_one_network_alone_is_drawn_too():
    show_curves(CURVES[["unetpp"]])
    assert [text.get_text().strip() for text in plt.gca().texts] == ["UNet++"]
