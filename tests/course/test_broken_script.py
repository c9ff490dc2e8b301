"""The script of notebook 09 has four faults and no other, and its figures read off what they should."""

import matplotlib.pyplot as plt
import pytest
import torch

from unetpp_course import broken_script
from unetpp_course.exercises import notebook_09
from unetpp_course.training_figures import show_checklist, show_memorised, show_script, smooth


def test_the_script_normalises_by_the_training_images():
    images, masks = broken_script.load_part("train")
    assert images.shape == masks.shape == (28, 1, 256, 256)
    normal = broken_script.normalise(images)
    assert normal.mean().item() == pytest.approx(0, abs=0.01)
    assert normal.std().item() == pytest.approx(1, abs=0.01)


def test_only_the_mask_of_a_batch_is_wrong_and_only_where_something_is_turned():
    images, masks = torch.rand(3, 1, 256, 256), torch.randint(0, 2, (3, 1, 256, 256), dtype=torch.uint8)
    equal = set()
    for seed in range(20):
        (x, y), (right_x, right_y) = (script.make_batch(images, masks, seed) for script in (broken_script, notebook_09))
        assert torch.equal(x, right_x)
        _, turns, _ = notebook_09.drawn(images, masks, seed)
        equal.add((turns == 0, torch.equal(y, right_y)))
    assert equal == {(True, True), (False, False)}


def test_the_loss_gets_probabilities_for_logits():
    net, (x, y) = notebook_09.SmallNet(0), (torch.randn(2, 1, 8, 8), torch.ones(2, 1, 8, 8))
    p = net(x)[0].sigmoid()
    assert torch.equal(broken_script.loss_of(net, x, y), notebook_09.bce_dice_loss(p, y))


def test_the_gradients_of_the_script_add_up():
    net, batch = notebook_09.SmallNet(0), (torch.randn(2, 1, 8, 8), torch.ones(2, 1, 8, 8))
    lengths = []
    for _ in range(3):
        broken_script.train(net, [batch], 0.0, notebook_09.loss_of)
        lengths.append(torch.cat([p.grad.flatten() for p in net.parameters()]).norm().item())
    assert lengths == pytest.approx([lengths[0], 2 * lengths[0], 3 * lengths[0]], rel=1e-3)


def test_the_script_predicts_from_images_that_are_not_normalised():
    net, image = notebook_09.SmallNet(0), torch.rand(1, 8, 8)
    repaired = notebook_09.predict(net, image * broken_script.SPREAD + broken_script.MEAN)
    assert torch.equal(broken_script.predict(net, image), repaired)


def test_a_smooth_curve_is_the_mean_of_the_losses_before():
    assert smooth([4.0, 2.0, 6.0, 8.0], window=2) == [4.0, 3.0, 4.0, 7.0]


def test_the_script_is_shown_as_a_learner_would_write_it(capsys):
    show_script()
    shown = capsys.readouterr().out
    assert shown.count("def ") == 4
    assert "type: ignore" not in shown


def test_a_memorised_piece_is_shown_with_its_score_and_every_test_with_its_evidence():
    mask = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    show_memorised(torch.zeros(1, 2, 2), mask, mask.byte())
    assert plt.gcf().axes[2].get_title() == "memorised: IoU 1.00"
    show_checklist({"the data": ("contrast -0.1", "contrast -1.5"), "one batch": ("stuck", "memorised")})
    assert {"1. the data", "contrast −0.1", "2. one batch"} <= {text.get_text() for text in plt.gcf().axes[0].texts}
    plt.close("all")
