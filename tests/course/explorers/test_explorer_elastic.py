"""The elastic explorer shows what the library's own field and warp do."""

import base64
import io

import pytest
import torch
from PIL import Image

from unetpp_course import ElasticExplorer
from unetpp_course.explorers.sheet import CAPTION, GAP
from unetpp_lib.data import elastic_field, warp
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import confusion_counts, iou


@pytest.fixture
def pair():
    rows, columns = torch.meshgrid(torch.arange(48), torch.arange(64), indexing="ij")
    mask = ((rows // 8 + columns // 8) % 2).to(torch.uint8)[None]
    return 0.25 + 0.5 * mask.float(), mask


def fields(explorer, height=48, width=64):
    generators = (torch.Generator().manual_seed(2 * explorer.draw.value + number) for number in (0, 1))
    return [elastic_field(1, height, width, 3, float(explorer.strength.value), generator) for generator in generators]


def test_moved_together_with_nearest_the_mask_fits_and_stays_a_mask(pair):
    assert ElasticExplorer(*pair).scores == {"membrane IoU": 1.0, "between": 0.0}


def test_moved_apart_the_score_is_that_of_two_warps(pair):
    explorer = ElasticExplorer(*pair)
    explorer.partners.value = "apart"
    moved, other = (warp(pair[1][None], field, "nearest") for field in fields(explorer))
    assert explorer.scores["membrane IoU"] == iou(confusion_counts(other, moved), "background") < 0.9


def test_a_bilinear_mask_holds_values_that_are_no_class(pair):
    explorer = ElasticExplorer(*pair)
    explorer.mask_values.value = "bilinear"
    values = warp(pair[1][None].float(), fields(explorer)[0], "bilinear")
    share = ((values > 1e-4) & (values < 1 - 1e-4)).float().mean().item()
    assert explorer.scores["between"] == pytest.approx(share)
    assert share > 0.05


def test_strength_0_bends_nothing(pair):
    explorer = ElasticExplorer(*pair, strength=0)
    explorer.partners.value, explorer.mask_values.value = "apart", "bilinear"
    assert explorer.scores["membrane IoU"] == 1.0


@pytest.mark.parametrize("control", ["strength", "points", "draw", "partners", "mask_values"])
def test_every_control_changes_the_picture_and_its_words(pair, control):
    explorer = ElasticExplorer(*pair)
    before = explorer.children[-1].value
    widget = getattr(explorer, control)
    widget.value = widget.options[1] if hasattr(widget, "options") else widget.value + 1
    assert explorer.children[-1].value != before
    assert explorer.status in explorer.children[-1].value


def test_the_number_beside_a_slider_moves_it(pair):
    explorer = ElasticExplorer(*pair)
    explorer.children[0].children[1].value = 25
    assert explorer.strength.value == 25


def test_where_no_widget_runs_a_picture_and_the_settings_stand(pair):
    explorer = ElasticExplorer(*pair, draw=3)
    bundle = explorer._repr_mimebundle_()
    picture = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert picture.size == (3 * 6 * 64 + 2 * GAP, 6 * 48 + CAPTION)  # enlarged to 256 pixels or more
    assert bundle["text/plain"] == repr(explorer)
    assert repr(explorer).startswith(
        "ElasticExplorer: Strength 10 pixels, 3 × 3 grid points, draw 3, together, nearest. Mask against bent image: "
        "membrane IoU 1.000; 0.0% of"
    )


def test_the_arguments_stay_as_they_are(pair):
    copies = [tensor.clone() for tensor in pair]
    ElasticExplorer(*pair).strength.value = 30
    assert all(torch.equal(copy, tensor) for copy, tensor in zip(copies, pair, strict=True))


def test_image_and_mask_of_two_sizes_are_refused(pair):
    with pytest.raises(InputError, match=r"give the mask as \(1, H, W\)"):
        ElasticExplorer(pair[0], pair[1][:, 1:])


def test_an_image_of_colours_is_refused(pair):
    with pytest.raises(InputError, match=r"image is \(3, 48, 64\): give \(1, H, W\)"):
        ElasticExplorer(pair[0].expand(3, -1, -1), pair[1])
