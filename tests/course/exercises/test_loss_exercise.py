"""A loss that has no gradient, or a wrong one, is not accepted, however right its value is."""

import pytest
import torch

from unetpp_course.checks import LossExercise
from unetpp_course.checks.losses import CHANGED_IN_PLACE, NO_GRADIENT, WRONG_GRADIENT
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


def test_a_tensor_that_is_changed_before_the_backward_pass_needs_it_is_told_so():
    def changed_in_place(z, scale):
        roots = z.exp()
        loss = scale * (roots.log() ** 2).mean()
        roots += 1
        return loss

    assert EXERCISE.examine(changed_in_place).sentence == CHANGED_IN_PLACE


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


def over_all_maps(maps):
    return sum(z.square().mean() for z in maps)


def lists_of_maps(random):
    yield ([torch.tensor([1.0, -2.0]), torch.tensor([3.0])],)
    yield ([torch.tensor([1.0, -3.0], requires_grad=True), torch.tensor([2.0], requires_grad=True)],)


LIST_EXERCISE = LossExercise(
    number="99.2", title="Maps", difficulty="easy", minutes=1, reference=over_all_maps, cases=lists_of_maps
)


def forgets_the_first_map(maps):
    return maps[0].detach().square().mean() + maps[1].square().mean()


def forgets_all_maps(maps):
    return sum(z.detach().square().mean() for z in maps)


@pytest.mark.parametrize(
    ("wrong", "sentence"), [(forgets_the_first_map, WRONG_GRADIENT), (forgets_all_maps, NO_GRADIENT)]
)
def test_the_gradient_is_asked_for_by_tensors_in_a_list_too(wrong, sentence):
    assert LIST_EXERCISE.examine(over_all_maps).mark is Mark.PASSED
    assert LIST_EXERCISE.examine(wrong).sentence == sentence
