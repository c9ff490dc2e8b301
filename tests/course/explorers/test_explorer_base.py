"""What all explorers share: their controls, and how what the browser reports of them is taken up."""

import time
from threading import Thread

import pytest
import torch

from unetpp_course.explorers.base import (
    PictureExplorer,
    Press,
    Recent,
    choice,
    require_image,
    whole_number,
)
from unetpp_course.explorers.threshold import ThresholdExplorer
from unetpp_lib.errors import InputError
from unetpp_lib.models.blocks import require_network


def test_reports_from_two_threads_are_taken_up_one_after_another():
    _, slider = whole_number("n", 0, 0, 9)
    buttons = choice("c", ["a", "b"])
    events = []

    def follow(change):
        events.append("begins")
        time.sleep(0.05)
        events.append("ends")

    slider.observe(follow, "value")
    buttons.observe(follow, "value")
    threads = [
        Thread(target=slider.set_state, args=[{"value": 1}]),
        Thread(target=buttons.set_state, args=[{"index": 1}]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (slider.value, buttons.value) == (1, "b")
    assert events == ["begins", "ends"] * 2


def test_a_press_waits_for_what_another_control_has_begun():
    _, slider = whole_number("n", 0, 0, 9)
    button, events = Press(), []
    slider.observe(lambda _: (events.append("begins"), time.sleep(0.1), events.append("ends")), "value")
    button.on_click(lambda _: events.append("pressed"))
    first = Thread(target=slider.set_state, args=[{"value": 1}])
    first.start()
    while not events:
        time.sleep(0.001)
    button._handle_custom_msg({"event": "click"}, [])
    first.join()
    assert events == ["begins", "ends", "pressed"]


def test_a_choice_among_buttons_that_are_gone_is_no_choice():
    buttons = choice("c", ["a", "b", "c"])
    buttons.options = ["a", "b"]
    buttons.set_state({"index": 2})
    assert buttons.value == "a"
    buttons.set_state({"index": 1})
    assert buttons.value == "b"


def test_a_slider_has_a_field_of_the_same_name_and_number():
    box, slider = whole_number("draw", 3, 0, 9)
    _, field = box.children
    assert field.description == "draw"
    field.value = 7
    assert slider.value == 7


def test_what_was_made_last_is_kept_and_the_oldest_goes_first():
    recent, made = Recent(2), []
    for key in "abacb":
        assert recent.get(key, lambda key=key: made.append(key) or key.upper()) == key.upper()
    assert "".join(made) == "abcb"


def test_words_are_shown_as_words():
    explorer = PictureExplorer([])
    explorer.show(b"", 'a "quoted" <picture>', "1 < 2: that's it")
    assert 'alt="a &quot;quoted&quot; &lt;picture&gt;"' in explorer.children[-1].value
    assert "1 &lt; 2: that's it</p>" in explorer.children[-1].value


def test_what_is_no_image_and_what_is_no_network_is_refused():
    with pytest.raises(InputError, match=r"image is \(2, 8, 8\): give \(1, H, W\) or \(3, H, W\)"):
        require_image(torch.zeros(2, 8, 8))
    with pytest.raises(InputError, match="model is int"):
        require_network(3)


IMAGE, MASK = torch.rand(1, 8, 8), torch.zeros(1, 8, 8, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("image", "mask", "message"),
    [
        (IMAGE.numpy(), MASK, "image is of type ndarray; give a tensor, such as torch.from_numpy"),
        (IMAGE, MASK.numpy(), "mask is of type ndarray; give a tensor"),
        ((255 * IMAGE).byte(), MASK, r"image is torch\.uint8; give floating-point numbers from 0 to 1: divide bytes"),
        (255 * IMAGE, MASK, r"image has values from .* to .*; give floating-point numbers from 0 to 1"),
        (IMAGE[0], MASK, r"image is \(8, 8\): give \(1, H, W\) or \(3, H, W\)"),
        (IMAGE, MASK[0], r"mask \(8, 8\): give the mask as \(1, H, W\)"),
    ],
)
def test_what_is_no_image_in_0_to_1_is_named_before_it_is_shown(image, mask, message):
    with pytest.raises(InputError, match=message):
        require_image(image, mask)


@pytest.mark.parametrize(
    ("probabilities", "masks"), [(IMAGE[None].numpy(), MASK[None]), (IMAGE[None], MASK[None].numpy())]
)
def test_arrays_in_the_threshold_explorer_are_named(probabilities, masks):
    with pytest.raises(InputError, match="is of type ndarray; give a tensor"):
        ThresholdExplorer(probabilities, masks)
