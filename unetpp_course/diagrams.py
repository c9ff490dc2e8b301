"""Pictures of a network: its graph, read off the network itself, or one picture in the place of each node."""

from collections.abc import Iterable, Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Normalize, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from torch import Tensor, nn

from unetpp_course.graph_drawing import COLOUR_MAP, KINDS, GraphDrawing, edge_kind, formula_of, grid_position
from unetpp_course.probes import NodeProbes
from unetpp_course.style import MISTAKES, WIDTH, course_style, mark_mistakes
from unetpp_lib.errors import InputError
from unetpp_lib.models import NetworkGraph, prune, read_graph
from unetpp_lib.models.graph import Node


def draw_network(
    model: nn.Module,
    *,
    highlight: Node | None = None,
    kept_depth: int | None = None,
    values: Mapping[Node, float] | None = None,
    value_label: str = "value",
    value_limits: tuple[float, float] | None = None,
    value_format: str = ".2f",
) -> Figure:
    """Draw a network's nodes with their channels, the edges between them, and its heads; the figure is 8 inches wide.

    ``highlight=(0, 2)`` keeps that node and its inputs in colour and greys everything else; ``kept_depth=2`` greys what
    `prune` drops at that depth. ``values`` colours the nodes that are not grey by numbers, which are written in place
    of all channels; the colours run over ``value_limits``, by default from the lowest number to the highest.
    Raises InputError for a module that `read_graph` cannot read, a node that does not exist, a depth to which the
    network cannot be pruned, and ``highlight`` together with ``kept_depth``. Layout: figure 1 of Zhou et al. 2018.
    """
    values = values or {}
    graph = read_graph(model)
    loud, faces, colour_bar = graph, dict[Node, str](), None
    if highlight is not None and kept_depth is not None:
        raise InputError("highlight and kept_depth both decide what is grey: give one, or prune the model first.")
    if highlight is not None:
        require_nodes("highlight", [highlight], graph)
        loud = graph.neighbourhood(highlight)
        faces |= {source: tint(edge_kind((source, highlight))) for source in graph.inputs[highlight]}
        faces[highlight] = "black"
    if kept_depth is not None:
        loud = pruned_graph(model, kept_depth)
    require_nodes("values", values, graph)
    if values:
        scale = Normalize(*(value_limits or (min(values.values()), max(values.values()))))
        faces |= {node: to_hex(COLOUR_MAP(scale(value))) for node, value in values.items() if node in loud.channels}
        colour_bar = (scale, value_label)
    # channels between the values would be read as values
    texts = dict.fromkeys(graph.channels, "") if values else {}
    texts |= {node: format(value, value_format) for node, value in values.items()}
    return draw_graph(graph, loud, faces, texts, colour_bar, None if kept_depth is None else "dropped by pruning")


@course_style()
def draw_graph(
    graph: NetworkGraph,
    loud: NetworkGraph,
    faces: Mapping[Node, str],
    texts: Mapping[Node, str],
    colour_bar: tuple[Normalize, str] | None = None,
    quiet: str | None = None,
) -> Figure:
    """Draw a graph, with everything that is not in ``loud`` in grey.

    ``faces`` are the colours of nodes, white by default, and ``texts`` what is written in them, by default their
    channels. The colour bar explains the faces under a label; ``quiet`` says in the legend what is grey.
    """
    drawing = GraphDrawing(graph, colour_bar=colour_bar is not None)
    if colour_bar is not None:
        drawing.add_colour_bar(*colour_bar)
    for edge in graph.edges:
        drawing.add_edge(edge, loud=edge in loud.edges)
    for node in graph.heads:
        drawing.add_head(node, loud=node in loud.heads)
    for node, channels in graph.channels.items():
        drawing.add_node(node, texts.get(node, str(channels)), faces.get(node, "white"), loud=node in loud.channels)
    drawing.add_sizes()
    drawing.add_legend(quiet)
    return drawing.figure


def pruned_graph(model: nn.Module, depth: int) -> NetworkGraph:
    """Return the graph of the network that is left when a model is pruned."""
    try:
        return read_graph(prune(model, depth))  # type: ignore[arg-type]
    except InputError as error:
        raise InputError(f"kept_depth={depth}: {error}") from None


def require_nodes(argument: str, nodes: Iterable[Node], graph: NetworkGraph) -> None:
    """Raise InputError for the first of an argument's nodes that is not in the graph."""
    for node in nodes:
        if node not in list(graph.channels):  # a list also accepts a value that cannot be hashed
            there = ", ".join(map(str, graph.channels))
            raise InputError(f"{argument} names the node {node}; the nodes here are {there}.")


def tint(kind: str) -> str:
    """Return the light colour for a node that feeds another by an edge of this kind."""
    return to_hex((0.75 + 0.25 * np.array(to_rgb(KINDS[kind]["color"]))).tolist())


@course_style()
def draw_node_pictures(
    pictures: Mapping[Node, NDArray[np.uint8]], titles: Mapping[Node, str], width: float = WIDTH
) -> Figure:
    """Draw one picture (H, W, 3) in the place of each node; places without one stay empty. ``width`` is in inches."""
    pitch = width / (max(i for i, _ in pictures) + 1)
    height = (max(i for i, _ in pictures) + 1) * (pitch + 0.06)
    figure = plt.figure(figsize=(width, height), layout="none")
    plt.close(figure)  # a notebook shows it once, as the value of its cell
    side = pitch - 0.3
    for node, picture in pictures.items():
        column, row = grid_position(node)
        left, bottom = column * pitch + 0.15, height - (row + 1) * (pitch + 0.06) + 0.04
        axes = figure.add_axes((left / width, bottom / height, side / width, side / height))
        axes.imshow(picture, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.set_title(titles.get(node, ""), fontsize=10, pad=3)
        axes.grid(visible=False)
        axes.spines[:].set_visible(True)
    return figure


def draw_probes(probes: NodeProbes, truths: Tensor, image: int, width: float = WIDTH) -> Figure:
    """Draw every node's prediction for one scored image, with mistakes in colour, and its score over all of them."""
    pictures = {node: mark_mistakes(truths[image], mask[image]) for node, mask in probes.masks.items()}
    titles = {node: f"{formula_of(node)}  {probes.scores[node]:.2f}" for node in pictures}
    figure = draw_node_pictures(pictures, titles, width)
    patches = [Patch(facecolor=colour, edgecolor="black", label=label) for label, colour in MISTAKES.items()]
    figure.legend(handles=patches, loc="lower left")
    return figure
