"""The explorer of skips: its sliders fade the skips and nothing else, and the picture follows."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from unetpp_course import SkipsExplorer
from unetpp_course.explorers.skips import faded_skips
from unetpp_lib.engine import Card
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus


@pytest.fixture
def model():
    torch.manual_seed(0)
    return UNet(widths=(4, 6, 8)).eval()


@pytest.fixture
def explorer(model):
    torch.manual_seed(1)
    image = torch.rand(1, 32, 48)
    return SkipsExplorer(model, Card(mean=(0.5,), std=(0.2,)), image, (image > 0.4).byte())


def test_at_full_strength_the_answer_is_the_networks(explorer):
    expected = torch.sigmoid(explorer.model(explorer.card.normalise(explorer.image)[None])[0])
    assert torch.equal(explorer.predict(explorer.strengths), expected)


@torch.inference_mode()
def test_a_strength_scales_the_skip_of_its_row(model):
    x = torch.rand(1, 1, 32, 48)
    top = model.encoder[0](x)
    middle = model.encoder[1](torch.max_pool2d(top, 2))
    bottom = model.encoder[2](torch.max_pool2d(middle, 2))
    by_hand = model.heads[0](model.decoder[0]([0.25 * top], model.decoder[1]([0 * middle], bottom)))
    with faded_skips(model, [0.25, 0.0]):
        assert torch.equal(model(x)[0], by_hand)
    assert not torch.equal(model(x)[0], by_hand)


def test_joins_that_take_one_skip_fade_as_well(model):
    class Join(torch.nn.Module):
        def forward(self, skip, below):
            return skip + below

    model.decoder = torch.nn.ModuleList([Join(), Join()])
    with faded_skips(model, [0.5, 1.0]):
        assert model.decoder[0](torch.tensor(4.0), torch.tensor(1.0)) == 3


def test_after_an_error_no_skip_stays_faded(model):
    x = torch.rand(1, 1, 8, 8)
    expected = model(x)[0]
    with pytest.raises(ValueError, match="stop"), faded_skips(model, [0.0, 0.0]):
        raise ValueError("stop")
    assert torch.equal(model(x)[0], expected)


def test_the_picture_and_the_score_follow_a_slider(explorer):
    before, score, shown = explorer.png, explorer.score, explorer.children[-1].value
    explorer.sliders[0].value = 0
    assert explorer.strengths == [0, 100]
    assert explorer.png != before
    assert explorer.score != score
    assert explorer.children[-1].value != shown
    assert "row 0 0 %, row 1 100 %" in explorer.children[-1].value


def test_one_slider_moves_all(explorer):
    explorer.all.value = 30
    assert explorer.strengths == [30, 30]
    assert [box.children[1].value for box in explorer.children[:2]] == [30, 30]


def test_set_draws_once(explorer, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        explorer, "predict", lambda strengths: drawn.append(strengths) or torch.full((1, 1, 32, 48), 0.25)
    )
    explorer.set(5, 10)
    assert drawn == [[5, 10]]


def test_the_answer_does_not_depend_on_the_way_there(explorer):
    for slider, value in [(1, 40), (0, 70), (1, 45), (0, 0), (1, 100), (0, 70), (1, 45)]:
        explorer.sliders[slider].value = value
        picture, strengths = explorer.png, explorer.strengths
        assert SkipsExplorer(explorer.model, explorer.card, explorer.image, explorer.mask, strengths).png == picture


def test_a_network_that_trains_on_is_shown_as_it_was(explorer, model):
    explorer.set(100, 100)
    before = explorer.png
    with torch.no_grad():
        model.encoder[0].conv1.weight.zero_()
    explorer.set(0, 50)
    explorer.set(100, 100)
    assert explorer.png == before
    assert explorer.predict([0, 0]).std() > 0


def test_a_number_can_be_typed(explorer):
    explorer.children[1].children[1].value = 45
    assert explorer.strengths == [100, 45]


def test_the_picture_stands_where_widgets_cannot_run(explorer):
    bundle = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    picture = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).convert("RGB")
    assert np.asarray(picture).std() > 10
    assert repr(explorer).startswith(
        f"SkipsExplorer: Skips: row 0 100 %, row 1 100 %. IoU of the membrane: {explorer.score:.3f}."
    )


def test_the_picture_has_words(explorer):
    assert '<img alt="Image, probability and decision. Skips: row 0 100 %' in explorer.children[-1].value
    assert 'role="status"' in explorer.children[-1].value
    assert [slider.description for slider in explorer.sliders] == ["skip 0, 48 × 32, %", "skip 1, 24 × 16, %"]


def test_a_network_without_a_decoder_is_refused():
    with pytest.raises(InputError, match="UNetPlusPlus has no decoder"), faded_skips(UNetPlusPlus(widths=(2, 4)), [1]):
        pass


def test_every_skip_needs_a_strength(explorer):
    with pytest.raises(InputError, match="2 skips"), faded_skips(explorer.model, [1.0]):
        pass
    with pytest.raises(InputError, match="2 skips and 3 strengths"):
        explorer.set(1, 2, 3)


def test_what_does_not_fit_is_refused(model):
    card, image = Card(mean=(0.5,), std=(0.2,)), torch.rand(1, 32, 48)
    with pytest.raises(InputError, match="UNetPlusPlus has no decoder"):
        SkipsExplorer(UNetPlusPlus(widths=(2, 4)), card, image, image.byte())
    with pytest.raises(InputError, match=r"image is \(3, 32, 48\)"):
        SkipsExplorer(model, card, image.expand(3, -1, -1), image.byte())
    with pytest.raises(InputError, match=r"mask \(1, 32, 47\)"):
        SkipsExplorer(model, card, image, image.byte()[..., 1:])
