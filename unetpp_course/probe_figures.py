"""Pictures of what the nodes of a network know: a mask in each node's place."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from unetpp_course.graph import Node
from unetpp_course.probes import Readout
from unetpp_course.style import WIDTH, course_style, mark_mistakes


@course_style()
def draw_triangle(
    pictures: Mapping[Node, NDArray[np.uint8]], titles: Mapping[Node, str], width: float = WIDTH
) -> Figure:
    """Draw one picture for each node, in the places of figure 1 of Zhou et al. 2018; places without one stay empty."""
    depth = max(i for i, _ in pictures)
    pitch = width / (depth + 1)
    height = (depth + 1) * (pitch + 0.06)
    figure = plt.figure(figsize=(width, height), layout="none")
    plt.close(figure)  # a notebook shows it once, as the value of its cell
    side = pitch - 0.3
    for (i, j), picture in pictures.items():
        left, bottom = (j + i / 2) * pitch + 0.15, height - (i + 1) * (pitch + 0.06) + 0.04
        axes = figure.add_axes((left / width, bottom / height, side / width, side / height))
        axes.imshow(picture, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.set_title(titles.get((i, j), ""), fontsize=10, pad=3)
        axes.grid(visible=False)
        axes.spines[:].set_visible(True)
    return figure


def triangle_of(readout: Readout, truths: Tensor, image: int, width: float = WIDTH) -> Figure:
    """Draw what every node says of one scored image, its mistakes in colour, and its score over all scored images."""
    pictures = {node: mark_mistakes(truths[image], mask[image]) for node, mask in readout.masks.items()}
    titles = {(i, j): f"$X^{{{i},{j}}}$  {readout.scores[i, j]:.2f}" for i, j in pictures}
    return draw_triangle(pictures, titles, width)
