"""A diagram shows what the network is: every node, wire and head once, what is grey exactly, and nothing hidden."""

from functools import partial
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Patch
from matplotlib.text import Text
from skimage.color import rgb2lab

from unetpp_course import draw_network
from unetpp_course.graph_drawing import COLOUR_MAP, KINDS, QUIET
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus, prune
from unetpp_lib.models.graph import read_graph

WIDTHS = (32, 64, 128, 256, 512, 1024, 2048)

SCORES = {(0, 1): 0.2, (0, 2): 0.45, (1, 1): 0.7}


def network(depth: int = 4, **options) -> UNetPlusPlus:
    return UNetPlusPlus(widths=[width // 8 for width in WIDTHS[: depth + 1]], **options)


def unet(depth: int = 4) -> UNet:
    return UNet(widths=[width // 8 for width in WIDTHS[: depth + 1]])


@pytest.fixture(scope="module", autouse=True)
def no_window():
    plt.switch_backend("agg")


def parts(figure) -> dict[str, Patch]:
    """Return what is drawn of the network under its name; nothing may be drawn twice."""
    named = [artist for artist in figure.findobj(Patch) if artist.get_gid()]
    assert len({artist.get_gid() for artist in named}) == len(named)
    return {artist.get_gid(): artist for artist in named}


def names(grid) -> set[str]:
    """Return the names that the parts of a grid are drawn under."""
    edges = {f"edge {start} {end}" for start, end in grid.edges}
    return edges | {f"node {node}" for node in grid.channels} | {f"head {node}" for node in grid.heads}


def loud(figure) -> set[str]:
    return {name for name, part in parts(figure).items() if to_hex(part.get_edgecolor()) != QUIET.lower()}


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def pixels(figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def written(figure) -> list[Text]:
    """Return every text on the page."""
    scales = [text for axes in figure.axes[1:] for text in axes.findobj(Text)]
    return [
        text
        for text in (*figure.axes[0].texts, *figure.legends[0].get_texts(), *scales)
        if text.get_text() and text.get_visible()
    ]


def face(figure, node) -> str:
    return to_hex(parts(figure)[f"node {node}"].get_facecolor())


PICTURES = {
    **{f"UNet++ of depth {depth}": (partial(network, depth), {}) for depth in range(1, 7)},
    **{f"U-Net of depth {depth}": (partial(unet, depth), {}) for depth in (1, 4, 6)},
    "UNet+": (partial(network, dense=False), {}),
    "one head": (partial(network, deep_supervision=False), {}),
    "pruned": (lambda: prune(network(), 2), {}),
    "greyed": (network, {"kept_depth": 2}),
    "highlighted": (network, {"highlight": (0, 3)}),
    "with values": (network, {"values": SCORES, "value_label": "IoU"}),
    "deep, with values": (partial(network, 6), {"values": SCORES, "value_label": "IoU"}),
}


@pytest.fixture(scope="module", params=PICTURES)
def picture(request):
    make, options = PICTURES[request.param]
    model = make()
    figure = draw_network(model, **options)
    pixels(figure)  # this lays out its texts
    return model, figure


def test_every_part_of_the_network_is_drawn_once_and_no_other(picture):
    model, figure = picture
    assert set(parts(figure)) == names(read_graph(model))


def test_no_arrow_runs_through_a_node(picture):
    _, figure = picture
    drawn = parts(figure)
    nodes = [part.get_bbox() for name, part in drawn.items() if name.startswith("node")]
    for name, part in drawn.items():
        if not name.startswith("node"):
            points = np.concatenate([curve(np.linspace(0, 1, 50)) for curve, _ in part.get_path().iter_bezier()])
            for box in nodes:
                inside = (points > box.min + 0.01) & (points < box.max - 0.01)  # inches; arrows do touch their nodes
                assert not inside.all(axis=1).any(), name


def test_every_text_is_on_the_page_and_hides_no_other(picture):
    _, figure = picture
    boxes = {text: text.get_window_extent() for text in written(figure)}
    for text, box in boxes.items():
        assert (figure.bbox.min < box.min).all(), text
        assert (figure.bbox.max > box.max).all(), text
    for (text, box), (other, other_box) in combinations(boxes.items(), 2):
        assert not box.overlaps(other_box), (text, other)


@pytest.mark.slow
def test_a_text_fits_into_its_node_and_others_stay_out():
    with torch.device("meta"):
        figure = draw_network(UNetPlusPlus(widths=WIDTHS))
    pixels(figure)
    nodes = [part.get_window_extent() for name, part in parts(figure).items() if name.startswith("node")]
    inside = [text for text in figure.axes[0].texts for box in nodes if box.overlaps(text.get_window_extent())]
    assert len(inside) == len(set(inside)) == 2 * len(nodes)
    for text in inside:
        box = text.get_window_extent()
        assert any(node.x0 < box.x0 and box.x1 < node.x1 and node.y0 < box.y0 and box.y1 < node.y1 for node in nodes)


def test_even_an_index_is_nine_points_high(picture):
    _, figure = picture
    indexed = 0.7  # what mathtext makes of a superscript
    for text in written(figure):
        assert text.get_fontsize() * (indexed if "$" in text.get_text() else 1) >= 9, text


def test_kinds_of_edges_can_be_told_apart_in_grey():
    for (_, one), (_, other) in combinations(KINDS.items(), 2):
        lightness = [rgb2lab(to_rgb(look["color"]))[0] for look in (one, other)]
        assert one["linestyle"] != other["linestyle"] or abs(np.subtract(*lightness)) > 25


def test_nodes_say_their_channels_and_rows_their_size():
    shown = texts(draw_network(UNetPlusPlus(widths=(6, 10, 14))))
    assert [shown.count(channels) for channels in ("6", "10", "14")] == [3, 2, 1]
    assert shown[-3:] == ["H × W", "H/2 × W/2", "H/4 × W/4"]


def test_heads_are_numbered_where_there_are_several():
    assert [text for text in texts(draw_network(network(3))) if "head" in text] == ["head 1", "head 2", "head 3"]
    assert [text for text in texts(draw_network(unet(3))) if "head" in text] == ["head"]


def test_an_unmarked_network_has_nothing_grey():
    assert loud(draw_network(network())) == names(read_graph(network()))


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_grey_is_exactly_what_pruning_drops(depth, dense):
    model = network(dense=dense)
    figure = draw_network(model, kept_depth=depth)
    assert loud(figure) == names(read_graph(prune(model, depth)))
    assert figure.legends[0].get_texts()[-1].get_text() == "dropped by pruning"


@pytest.mark.parametrize("node", [(0, 0), (2, 0), (0, 3), (1, 2)])
def test_a_highlight_is_a_node_and_its_inputs(node):
    inputs = read_graph(network()).inputs[node]
    figure = draw_network(network(), highlight=node)
    wires = {f"edge {source} {node}" for source in inputs}
    assert loud(figure) == {f"node {part}" for part in [node, *inputs]} | wires
    assert face(figure, node) == "#000000"


def test_highlighted_inputs_have_the_colour_of_their_edge():
    figure = draw_network(network(), highlight=(0, 2))
    assert face(figure, (0, 0)) == face(figure, (0, 1)) != face(figure, (1, 1))
    assert face(figure, (2, 0)) == "#ffffff"


def test_values_are_written_and_coloured_over_their_limits():
    figure = draw_network(network(), values=SCORES, value_label="IoU")
    assert [face(figure, node) for node in SCORES] == [to_hex(COLOUR_MAP(share)) for share in (0.0, 0.5, 1.0)]
    assert {"0.20", "0.45", "0.70"} <= set(texts(figure))
    assert figure.axes[1].get_xlabel() == "IoU"
    assert figure.axes[1].get_xlim() == (0.2, 0.7)


def test_channels_are_not_written_between_values():
    figure = draw_network(network(), values=SCORES, value_label="IoU")
    numbers = {text for text in texts(figure) if text.replace(".", "").isdigit()}
    assert numbers == {"0.20", "0.45", "0.70"}


def test_pictures_share_their_colours_where_they_share_limits():
    one, other = (draw_network(network(), values=v, value_limits=(0, 1)) for v in (SCORES, {(0, 1): 0.2}))
    assert face(one, (0, 1)) == face(other, (0, 1)) == to_hex(COLOUR_MAP(0.2))


def test_values_of_what_is_dropped_are_grey_but_count_for_the_scale():
    figure = draw_network(network(), values=SCORES, kept_depth=1)
    assert face(figure, (0, 1)) == to_hex(COLOUR_MAP(0.0))
    assert face(figure, (0, 2)) == face(figure, (1, 1)) == "#ffffff"
    assert figure.axes[1].get_xlim() == (0.2, 0.7)
    assert "0.70" in texts(figure)


def test_letters_stand_out_from_every_colour():
    nodes = read_graph(network()).channels
    figure = draw_network(network(), values={node: i for i, node in enumerate(nodes)})
    labels = [text for text in figure.axes[0].texts if "X" in text.get_text()]
    for node, label in zip(nodes, labels, strict=True):
        low, high = sorted(luminance(colour) for colour in (face(figure, node), label.get_color()))
        assert (high + 0.05) / (low + 0.05) > 4.3, node  # the best that a middle grey allows is 4.58


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722)


def test_the_legend_hides_no_part_of_the_network(picture):
    _, figure = picture
    legend = figure.legends[0].get_window_extent()
    assert not any(legend.overlaps(part.get_window_extent()) for part in parts(figure).values())
    assert not any(legend.overlaps(axes.get_tightbbox()) for axes in figure.axes[1:])


def test_the_same_network_gives_the_same_picture():
    one, other = (draw_network(network(), highlight=(0, 3), values=SCORES) for _ in range(2))
    assert np.array_equal(pixels(one), pixels(other))


def test_the_look_does_not_depend_on_the_sheet_of_the_notebook():
    def draw() -> np.ndarray:
        return pixels(draw_network(network(), values=SCORES, kept_depth=2))

    plain = draw()
    with plt.style.context("dark_background"):
        assert np.array_equal(draw(), plain)


def test_a_figure_is_shown_once_in_a_notebook():
    before = plt.get_fignums()
    draw_network(network())
    assert plt.get_fignums() == before


def test_drawing_leaves_chance_alone():
    model, chance = network(), torch.get_rng_state()
    draw_network(model, kept_depth=2)
    assert torch.equal(torch.get_rng_state(), chance)


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (
            network(2),
            {"highlight": (1, 2)},
            r"highlight names the node \(1, 2\); the nodes here are \(0, 0\), \(0, 1\)",
        ),
        (network(2), {"highlight": [0, 1]}, r"highlight names the node \[0, 1\]"),
        (unet(), {"highlight": (0, 1)}, r"highlight names the node \(0, 1\)"),
        (network(2), {"values": {(3, 0): 1.0}}, r"values names the node \(3, 0\)"),
        (network(2), {"kept_depth": 0}, "kept_depth=0: .*depth of 1 to 2"),
        (network(2), {"kept_depth": 3}, "kept_depth=3: .*depth of 1 to 2"),
        (unet(), {"kept_depth": 1}, "kept_depth=1: This UNet has only its deepest head"),
        (network(2), {"kept_depth": 1, "highlight": (0, 1)}, "highlight and kept_depth both"),
        (torch.nn.Identity(), {}, "model is Identity"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(model, options, message):
    with pytest.raises(InputError, match=message):
        draw_network(model, **options)
