"""A loss that has no gradient, or a wrong one, is not accepted, however right its value is."""

import pytest
import torch

from unetpp_course.checks import LossExercise
from unetpp_course.checks.losses import NO_GRADIENT, WRONG_GRADIENT
from unetpp_course.checks.verdict import Mark


def squares(z, scale):
    return scale * (z * z).mean()


def cases(random):
    yield torch.tensor([1.0, -2.0]), 1.0
    yield torch.from_numpy(random.normal(size=5)).float(), 3.0
    yield torch.from_numpy(random.normal(size=5)).float().requires_grad_(), 2.0


EXERCISE = LossExercise(
    number="99.1", title="A loss", difficulty="easy", minutes=1, reference=squares, cases=cases, tolerance=1e-5
)


def one_by_one(z, scale):
    return sum(scale * value**2 for value in z) / len(z)


def in_double_precision(z, scale):
    return scale * z.double().square().mean()


@pytest.mark.parametrize("right", [squares, one_by_one, in_double_precision])
def test_a_right_loss_passes_in_any_style_and_dtype(right):
    assert EXERCISE.examine(right).mark is Mark.PASSED


def detached(z, scale):
    return scale * z.detach().square().mean()


def a_number(z, scale):
    return scale * z.square().mean().item()


def an_array(z, scale):
    return scale * (z.detach().numpy() ** 2).mean()


def made_new(z, scale):
    return torch.tensor(scale * z.square().mean().item())


def by_another_leaf(z, scale):
    return scale * z.detach().clone().requires_grad_().square().mean()


@pytest.mark.parametrize("wrong", [detached, a_number, an_array, made_new])
def test_a_loss_without_a_gradient_is_told_so(wrong):
    verdict = EXERCISE.examine(wrong)
    assert (verdict.mark, verdict.sentence) == (Mark.FAILED, NO_GRADIENT)


def half_detached(z, scale):
    return scale * (z * z.detach()).mean()


@pytest.mark.parametrize("wrong", [half_detached, by_another_leaf])
def test_a_loss_with_a_wrong_gradient_is_told_so(wrong):
    verdict = EXERCISE.examine(wrong)
    assert (verdict.mark, verdict.sentence) == (Mark.FAILED, WRONG_GRADIENT)


def test_a_wrong_value_is_told_before_the_gradient():
    assert EXERCISE.examine(lambda z, scale: z.detach().square().sum()).sentence == "This is not the expected answer."


def test_a_loss_that_changes_its_arguments_is_told_so():
    def in_place(z, scale):
        value = squares(z, scale)
        z.zero_()
        return value

    assert EXERCISE.examine(in_place).sentence.startswith("It changes what it is given")
