"""Exercises that are answered with a loss: beside its value, its gradient must be right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unetpp_course.checks.comparison import alike, as_number
from unetpp_course.checks.functions import FunctionExercise, tensors_in
from unetpp_course.checks.isolation import Call, attempt

NO_GRADIENT = (
    "The value is right, but it has no gradient, so nothing can be trained with it. Compute with tensors all the way: "
    "no .item(), .detach() or torch.tensor(…)."
)
NAN_GRADIENT = (
    "The value is right, but the gradient is nan. Does `torch.where` choose between two formulas? Both are "
    "differentiated, and where the one that is not chosen overflows, ∞ · 0 is nan."
)
WRONG_GRADIENT = (
    "The value is right, but the gradient is not: is a part of the computation cut off, as by .detach(), .item() or "
    "torch.tensor(…)?"
)

CHANGED_IN_PLACE = (
    "The value is right, but the gradient cannot be computed: `+=`, or a function whose name ends in _, has changed a "
    "tensor that the backward pass needs. Make a new tensor instead, as in `p = p + 1`."
)


@dataclass(frozen=True, kw_only=True)
class LossExercise(FunctionExercise):
    """A loss to write; it must give the number that ``reference`` gives, and have the same gradient.

    The number may be a tensor of any dtype. The gradient is asked for by those arguments, and tensors in lists, that
    require one; give at least one such case, behind others: what changes its arguments is told so only in cases
    without a gradient. An answer that has the right values and the gradient of one of ``gradient_mistakes`` is told so.
    """

    gradient_mistakes: Sequence[tuple[Callable[..., object], str]] = ()

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        return super()._fault(call, as_number(right), answer) or self._gradient_fault(call)

    def _gradient_fault(self, call: Call) -> str:
        if not _inputs(call):
            return ""
        if not isinstance(call.value, Tensor) or not call.value.requires_grad:
            return NO_GRADIENT
        expected = _gradients(attempt(self.reference, call.given))
        try:
            received = _gradients(call)
        except RuntimeError as error:
            if "inplace operation" in str(error):
                return CHANGED_IN_PLACE
            raise
        if alike(expected, received, max(self.tolerance, 1e-4)):
            return ""
        for wrong, sentence in self.gradient_mistakes:
            if alike(_gradients(attempt(wrong, call.given)), received, self.tolerance):
                return sentence
        broken = any(gradient is not None and gradient.isnan().any() for gradient in received)
        return NAN_GRADIENT if broken else WRONG_GRADIENT


def _inputs(call: Call) -> list[Tensor]:
    """Return the tensors that require a gradient: those among the arguments, and those in lists of them."""
    return [tensor for tensor in tensors_in(call.after) if tensor.requires_grad]


def _gradients(call: Call) -> list[Tensor | None]:
    assert isinstance(call.value, Tensor)
    return list(torch.autograd.grad(call.value, _inputs(call), allow_unused=True))
