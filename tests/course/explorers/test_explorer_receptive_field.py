"""The explorer of receptive fields shows what can reach a pixel, of any network and at any size."""

import pytest
import torch

from unetpp_course import ReceptiveFieldExplorer
from unetpp_course.explorers.receptive_field import first_and_last, reach
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus

PNG = b"\x89PNG"


def sides(model, length, middle):
    ends = first_and_last(reach(model, length))[:, middle]
    return [sorted(set((head[:, 1] - head[:, 0] + 1).tolist())) for head in ends]


def test_the_fields_of_the_heads_are_those_known():
    model = UNetPlusPlus(widths=(2, 2, 2, 2))
    assert sides(model, 160, slice(72, 88)) == [[18], [44], [92, 100]]


def test_bilinear_heads_see_farther():
    model = UNetPlusPlus(widths=(2, 2, 2), upsample="bilinear")
    assert sides(model, 128, slice(56, 72)) == [[20], [48, 52]]


def test_a_unet_sees_as_far_as_the_deepest_head():
    assert torch.equal(reach(UNet(widths=(2, 2, 2)), 64)[0], reach(UNetPlusPlus(widths=(2, 2, 2)), 64)[1])


def test_no_pixel_outside_the_field_changes_the_answer_and_one_inside_does():
    torch.manual_seed(0)
    model = UNetPlusPlus(widths=(4, 4, 4)).eval()
    image = torch.rand(1, 1, 64, 64)
    seen = reach(model, 64)[0, 30]
    outside, inside = image.clone(), image.clone()
    outside[..., ~seen] += 1
    inside[..., seen] += 1
    with torch.inference_mode():
        answer, blindfolded, changed = (model(x)[0][..., 30] for x in (image, outside, inside))
    torch.testing.assert_close(answer, blindfolded)
    assert not torch.allclose(answer, changed)


def test_a_control_changes_status_and_picture():
    explorer = ReceptiveFieldExplorer(UNetPlusPlus(widths=(2, 2, 2)), torch.rand(3, 50, 70), row=20, column=30)
    before = explorer.png
    assert explorer.status == "Head 1, pixel (20, 30): it sees rows 12–29 and columns 22–39, 18 × 18 pixels."
    explorer.head.value = 2
    assert explorer.status.startswith("Head 2, pixel (20, 30)")
    assert explorer.png != before
    assert explorer.status in explorer.children[-1].value
    assert "alt=" in explorer.children[-1].value


def test_a_picture_stands_where_no_widget_runs():
    explorer = ReceptiveFieldExplorer(UNetPlusPlus(widths=(2, 2)), torch.rand(1, 32, 32))
    assert explorer.png.startswith(PNG)
    assert explorer._repr_mimebundle_().keys() >= {"image/png", "text/plain"}
    assert repr(explorer).startswith("ReceptiveFieldExplorer: Head 1, pixel (0, 0)")


def test_a_pixel_outside_the_image_is_refused():
    with pytest.raises(InputError, match="32 rows"):
        ReceptiveFieldExplorer(UNetPlusPlus(widths=(2, 2)), torch.rand(1, 32, 32), row=32)


def test_what_is_no_network_or_no_image_is_refused():
    with pytest.raises(InputError, match="model is Linear"):
        ReceptiveFieldExplorer(torch.nn.Linear(1, 1), torch.rand(1, 32, 32))
    with pytest.raises(InputError, match=r"image is \(32, 32\)"):
        ReceptiveFieldExplorer(UNetPlusPlus(widths=(2, 2)), torch.rand(32, 32))
