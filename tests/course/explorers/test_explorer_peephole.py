"""The peephole game asks about contours, keeps count, and lets the heads answer the same questions."""

import pytest
import torch

from unetpp_course import PeepholeGame
from unetpp_lib.engine import Card
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNetPlusPlus

SIDE = 200


@pytest.fixture(scope="module")
def samples():
    image = torch.linspace(0, 1, SIDE * SIDE).view(1, SIDE, SIDE)
    mask, distractors = torch.ones(2, 1, SIDE, SIDE, dtype=torch.uint8)
    mask[:, 94:98] = 0
    distractors[:] = 0
    for kind, column in ((1, 94), (2, 98), (3, 102)):
        distractors[:, 99:105, column : column + 4] = kind
    return [(image, mask, distractors)]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return UNetPlusPlus(widths=(2, 2, 2, 2, 2)).eval()


@pytest.fixture
def game(model, samples):
    return PeepholeGame(model, Card(), samples, count=6)


def test_half_of_the_questions_are_membranes(game):
    for window, questions in game.questions.items():
        assert [question.label for question in questions].count("membrane") == 3
        assert all(question.picture.shape == (window, window) for question in questions)


def test_the_picture_is_centred_on_the_contour(game, samples):
    image, mask, _ = samples[0]
    greys = (255 * image[0]).byte().numpy()
    for questions in game.questions.values():
        for question in questions:
            half = len(question.picture) // 2
            places = (greys == question.picture[half, half]).nonzero()
            on_membrane = {int(mask[0, row, column]) == 0 for row, column in zip(*places, strict=True)}
            assert (question.label == "membrane") in on_membrane


def test_answers_are_counted_and_the_last_question_stays(game):
    truths = [question.label for question in game.questions[18]]
    for truth in truths[:-1]:
        game.answer(truth)
    game.answer("membrane" if truths[-1] == "distractor" else "distractor")
    assert game.status.startswith("Wrong: it was a")
    assert "18 px   1 of 6" in game.scores
    game.answer("membrane")
    assert game.status.startswith("All questions of this window are answered")
    assert len(game.answers[18]) == 6


def test_a_heads_mistakes_are_shown_for_the_windows_that_were_played(game):
    assert game.scores.count("shown when you have played") == 4
    game.answer("membrane")
    played, *others = game.scores.splitlines()[1:]
    assert played.endswith(" of 6")
    assert all(line.endswith("shown when you have played") for line in others)


def test_each_window_keeps_its_own_answers(game):
    game.answer("membrane")
    game.window.value = 92
    assert game.status == "Window of 92 pixels, question 1 of 6: membrane or distractor?"
    game.window.value = 18
    assert game.asked == 1


def test_the_heads_answers_are_those_of_the_network(game, model, samples):
    with torch.inference_mode():
        calls = [head[0, 0] <= 0 for head in model(samples[0][0][None])]
    always = [len({bool(x) for x in call[94:106, 94:106].flatten()}) == 1 for call in calls]
    for questions in game.questions.values():
        for question in questions:
            assert len(question.heads) == 4
            for call, same, said in zip(calls, always, question.heads, strict=True):
                assert not same or (said == "membrane") == bool(call[100, 100])


def test_a_seed_gives_the_same_game(model, samples, game):
    again = PeepholeGame(model, Card(), samples, count=6)
    assert again.png == game.png
    assert repr(again) == repr(game) == "PeepholeGame: Window of 18 pixels, question 1 of 6: membrane or distractor?"
    assert again._repr_mimebundle_().keys() >= {"image/png", "text/plain"}


def test_what_is_no_answer_is_refused(game):
    with pytest.raises(InputError, match='"membrane" or "distractor"'):
        game.answer("yes")


def test_images_without_distractors_are_refused(model, samples):
    image, mask, distractors = samples[0]
    with pytest.raises(InputError, match="no contour of every kind"):
        PeepholeGame(model, Card(), [(image, mask, torch.zeros_like(distractors))])


def test_a_sample_of_two_sizes_is_refused(model, samples):
    image, mask, distractors = samples[0]
    with pytest.raises(InputError, match=r"give the mask as \(1, H, W\)"):
        PeepholeGame(model, Card(), [(image, mask, distractors[:, 1:])])
