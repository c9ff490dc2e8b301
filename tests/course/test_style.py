"""The look of the figures: readable at the size that they are shown at, also to colour-blind eyes."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from skimage.color import rgb2lab

from unetpp_course import MISTAKES, mark_mistakes, show_images, show_predictions, style, use_course_style
from unetpp_lib.errors import InputError

PAGE = 800  # CSS pixels: about the width of a notebook's page in JupyterLab, where wider figures are shrunk
CSS_POINT = 96 / 72  # CSS pixels

# Machado, Oliveira and Fernandes 2009, severity 1: what red, green and blue light looks like to colour-blind eyes
COLOUR_BLIND = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.fixture(autouse=True)
def own_style():
    plt.switch_backend("agg")
    with plt.rc_context():
        use_course_style()
        yield
    plt.close("all")


def seen(colour: str, eyes: str) -> np.ndarray:
    """Return a colour as colour-blind eyes see it, in CIELAB."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    mixed = (np.array(COLOUR_BLIND[eyes]) @ linear).clip(0, 1)
    return rgb2lab(np.where(mixed <= 0.0031308, mixed * 12.92, 1.055 * mixed ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("eyes", COLOUR_BLIND)
@pytest.mark.parametrize("colours", [style.LINE_COLOURS, tuple(MISTAKES.values())], ids=["lines", "mistakes"])
def test_colour_blind_eyes_tell_the_colours_apart(colours: tuple[str, ...], eyes: str):
    distances = {pair: np.linalg.norm(seen(pair[0], eyes) - seen(pair[1], eyes)) for pair in combinations(colours, 2)}
    assert min(distances.values()) > 10, min(distances, key=distances.get)  # 2.3 is just noticeable


def test_text_is_at_least_nine_points_high_on_the_page():
    show_images({"image": torch.zeros(1, 64, 64), "mask": torch.zeros(64, 64)}, legend=MISTAKES)
    plt.figure()
    plt.plot([0, 1], label="loss")
    plt.legend()
    for figure in map(plt.figure, plt.get_fignums()):
        shown = min(1, PAGE / (figure.get_figwidth() * figure.dpi)) * figure.dpi / 72 / CSS_POINT
        assert min(text.get_fontsize() for text in figure.findobj(Text)) * shown >= 9


def test_figures_bring_their_own_page_to_a_dark_theme():
    assert to_rgb(plt.figure().get_facecolor()) == (1, 1, 1)


def test_pictures_stand_in_rows_under_their_titles():
    show_images({f"head {k}": torch.rand(8, 8) for k in range(1, 6)}, columns=3)
    shown = [axis for axis in plt.gcf().axes if axis.images]
    assert [axis.get_title() for axis in shown] == ["head 1", "head 2", "head 3", "head 4", "head 5"]
    plt.gcf().canvas.draw()
    rows = [round(axis.get_position().y0, 2) for axis in shown]
    assert rows[0] == rows[1] == rows[2] > rows[3] == rows[4]


def test_a_row_of_two_is_no_wider_than_two_pictures_of_four():
    show_images({"image": torch.zeros(8, 8), "mask": torch.zeros(8, 8)})
    assert plt.gcf().get_figwidth() == style.WIDTH / 2


def test_the_first_picture_says_its_size():
    show_images({"image": torch.zeros(1, 48, 64)})
    assert plt.gca().get_xlabel() == "64 × 48 pixels"


@pytest.mark.parametrize(
    ("picture", "white"),
    [
        (torch.rand(4, 4) / 2, 1),
        (torch.eye(4, dtype=torch.uint8), 1),
        (torch.arange(4).reshape(2, 2), 3),
        (torch.zeros(2, 2, dtype=torch.uint8), 1),
    ],
    ids=["greys", "mask", "classes", "empty mask"],
)
def test_white_means_the_same_in_every_picture_of_a_kind(picture: torch.Tensor, white: int):
    show_images({"picture": picture})
    assert plt.gca().images[0].get_clim() == (0, white)


def test_classes_are_never_blended():
    show_images({"mask": torch.eye(4, dtype=torch.uint8)})
    assert plt.gca().images[0].get_interpolation() == "nearest"


def test_the_legend_shows_each_label_with_its_colour():
    show_images({"mask": torch.zeros(8, 8)}, legend=MISTAKES)
    legend = plt.gcf().legends[0]
    assert [text.get_text() for text in legend.get_texts()] == list(MISTAKES)
    assert [to_rgb(patch.get_facecolor()) for patch in legend.get_patches()] == list(map(to_rgb, MISTAKES.values()))


def test_every_kind_of_answer_has_its_own_colour():
    truth = torch.tensor([[[1, 0], [1, 0]]])
    answer = torch.tensor([[[[1, 0], [0, 1]]]])
    meanings = {tuple(round(255 * level) for level in to_rgb(colour)): label for label, colour in MISTAKES.items()}
    named = [[meanings[tuple(map(int, pixel))] for pixel in row] for row in mark_mistakes(truth, answer)]
    assert named == [
        ["interior, found", "membrane, found"],
        ["interior called membrane", "membrane called interior"],
    ]


def test_probabilities_are_no_decisions():
    with pytest.raises(InputError, match="may contain only 0 and 1"):
        mark_mistakes(torch.ones(1, 4, 4), torch.full((1, 4, 4), 0.7))


def test_masks_of_two_sizes_are_refused():
    with pytest.raises(InputError, match="two masks of one size"):
        mark_mistakes(torch.ones(1, 4, 4), torch.ones(1, 4, 5))


def test_a_batch_is_no_picture():
    with pytest.raises(InputError, match=r"\(2, 1, 4, 4\)"):
        show_images({"batch": torch.zeros(2, 1, 4, 4)})


def test_a_prediction_is_shown_with_its_mistakes_and_the_membranes_iou():
    truth = torch.tensor([[[0, 0, 0, 1], [1, 1, 1, 1]]], dtype=torch.uint8)  # three pixels of membrane
    found = torch.tensor([[[[0, 0, 1, 1], [0, 0, 1, 1]]]], dtype=torch.uint8)  # two of them, and two others
    show_predictions(truth, {"head 1": found, "perfect": truth}, image=torch.zeros(1, 2, 4))
    axes = plt.gcf().axes
    assert [axis.get_title() for axis in axes] == ["image", "truth", "head 1: IoU 0.40", "perfect: IoU 1.00"]
    assert np.array_equal(axes[2].images[0].get_array(), mark_mistakes(truth, found))


def test_predictions_are_shown_without_the_image_where_none_is_given():
    mask = torch.ones(1, 2, 4, dtype=torch.uint8)
    show_predictions(mask, {"head 1": mask})
    assert [axis.get_title() for axis in plt.gcf().axes] == ["truth", "head 1: IoU 1.00"]
