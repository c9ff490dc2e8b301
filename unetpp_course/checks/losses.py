"""Exercises that are answered with a loss: beside its value, its gradient must be right."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from unetpp_course.checks.comparison import alike, as_number
from unetpp_course.checks.functions import FunctionExercise, tensors_in
from unetpp_course.checks.isolation import Trial, attempt

NO_GRADIENT = (
    "The value is right, but it has no gradient, so nothing can be trained with it. Compute with tensors all the way: "
    "no .item(), .detach() or torch.tensor(…)."
)
NAN_GRADIENT = (
    "The value is right, but the gradient is nan. Does `torch.where` choose between two formulas? Both are "
    "differentiated, and where the one that is not chosen overflows, ∞ · 0 is nan."
)
WRONG_GRADIENT = "The value is right, but the gradient is not: is a part of the computation cut off, as by .detach()?"


@dataclass(frozen=True, kw_only=True)
class LossExercise(FunctionExercise):
    """A loss to write; it must give the number that ``reference`` gives, and have the same gradient.

    The number may be a tensor of any dtype. The gradient is asked for by those arguments, and tensors in lists, that
    require one; give at least one such case, behind others: what changes its arguments is told so only in cases
    without a gradient.
    """

    def _fault(self, trial: Trial, right: object, answer: Callable[..., object]) -> str:
        return super()._fault(trial, as_number(right), answer) or self._gradient_fault(trial)

    def _gradient_fault(self, trial: Trial) -> str:
        if not _inputs(trial):
            return ""
        if not isinstance(trial.value, Tensor) or not trial.value.requires_grad:
            return NO_GRADIENT
        expected = _gradients(attempt(self.reference, trial.given))
        received = _gradients(trial)
        if alike(expected, received, max(self.tolerance, 1e-4)):
            return ""
        broken = any(gradient is not None and gradient.isnan().any() for gradient in received)
        return NAN_GRADIENT if broken else WRONG_GRADIENT


def _inputs(trial: Trial) -> list[Tensor]:
    """Return the tensors that require a gradient: those among the arguments, and those in lists of them."""
    return [tensor for tensor in tensors_in(trial.after) if tensor.requires_grad]


def _gradients(trial: Trial) -> list[Tensor | None]:
    assert isinstance(trial.value, Tensor)
    return list(torch.autograd.grad(trial.value, _inputs(trial), allow_unused=True))
