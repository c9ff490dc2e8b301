"""The exercises of notebook 00: a first function, a first prediction, and a self-test of what the course expects."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option
from unetpp_course.checks.comparison import alike
from unetpp_course.checks.isolation import Call
from unetpp_course.checks.verdict import GENERIC

# Exercise 0.1: The fraction of foreground


class FractionExercise(FunctionExercise):
    """A function that returns a fraction: half precision is good enough, and a rounded one is told so."""

    def _fault(self, call: Call, right: object, answer: Callable[..., object]) -> str:
        fault = super()._fault(call, right, answer)
        if fault != GENERIC or not alike(right, call.value, 0.005):
            return fault
        half = getattr(call.value, "dtype", None) in (torch.float16, torch.bfloat16, np.dtype("float16"))
        return "" if half else "Nearly right, but only the first digits agree: do not round the fraction."


def foreground_fraction(mask: Tensor) -> float:
    """Return the fraction of the pixels of a mask (1, H, W) that are 1, counted one by one."""
    pixels: list[int] = [pixel for row in mask[0].tolist() for pixel in row]
    return pixels.count(1) / len(pixels)


def masks(random: np.random.Generator) -> Iterator[tuple[Tensor]]:
    """Yield masks (1, H, W) of 0 and 1: uint8 as they come out of a folder, one int64, one with more than 255 ones."""
    yield (torch.tensor([[[1, 0, 0], [1, 1, 1]]], dtype=torch.uint8),)
    yield (torch.zeros(1, 2, 2, dtype=torch.uint8),)
    yield (torch.ones(1, 1, 3, dtype=torch.int64),)
    for height, width in random.integers(2, 9, (8, 2)):
        yield (torch.from_numpy(random.integers(0, 2, (1, height, width), dtype=np.uint8)),)
    yield (torch.from_numpy((random.random((1, 20, 30)) < 0.7).astype(np.uint8)),)


def counts(mask):
    return len(mask.nonzero())


def counts_in_uint8(mask):
    total = 0
    for pixel in mask.to(torch.uint8).flatten():
        total = total + pixel
    return total / mask.numel()


def averages_whole_numbers(mask):
    return mask.mean()


def takes_the_background(mask):
    return (mask == 0).sum() / mask.numel()


def gives_a_percentage(mask):
    return (mask > 0).double().mean() * 100


def divides_by_the_background(mask):
    foreground = mask.sum()
    return foreground / (mask.numel() - foreground)


def divides_by_the_width(mask):
    return mask.sum() / len(mask[0, 0])


def divides_by_the_height(mask):
    return mask.sum() / len(mask[0])


def divides_by_the_height_squared(mask):
    return mask.sum() / mask.shape[1] ** 2


def divides_by_the_width_squared(mask):
    return mask.sum() / mask.shape[2] ** 2


def divides_by_the_sum_of_the_sides(mask):
    return mask.sum() / (mask.shape[1] + mask.shape[2])


def divides_by_the_size_of_our_image(mask):
    return mask.sum() / 256**2


def expects_255(mask):
    return mask.double().mean() / 255


def turns_it_upside_down(mask):
    return mask.numel() / mask.sum()


def counts_indices(mask):
    return mask.nonzero().numel() / mask.numel()


def drops_the_fraction(mask):
    return int(mask.sum() / mask.numel())


def rounds(mask):
    return (mask.float().mean() > 0.5).float()


def rounds_to_one_digit(mask):
    return round(mask.double().mean().item(), 1)


def rounds_to_two_digits(mask):
    return round(mask.double().mean().item(), 2)


def takes_the_maximum(mask):
    return float(1 in mask)


def averages_the_rows(mask):
    return mask.float().mean(dim=-1)


def looks_for_255(mask):
    return (mask == 255).float().mean()


def forgets_to_return(mask):
    mask.float().mean()


def prints_instead(mask):
    print(mask.float().mean())
    return "see above"


def scales_the_mask_itself(mask):
    mask *= 255
    return mask.sum() / (255 * mask.numel())


def unpacks_two_sides(mask):
    height, width = mask.shape
    return mask.sum() / (height * width)


def takes_the_sides_too(mask, height, width):
    return mask.sum() / (height * width)


def forgets_the_brackets(mask):
    return mask.float().mean


def returns_what_print_returns(mask):
    return print(mask.float().mean())


def never_ends(mask):
    while mask.numel():
        pass


EXERCISE_0_1 = FractionExercise(
    number="0.1",
    title="The fraction of foreground",
    difficulty="easy",
    minutes=3,
    reference=foreground_fraction,
    cases=masks,
    mistakes=[
        (
            counts,
            "This is the number of ones: divide it by the number of all pixels, `mask.numel()`. (`len(mask)` is 1, the "
            "number of channels.)",
        ),
        (
            counts_in_uint8,
            "Your count overflows: the mask is uint8, in which 255 + 1 is 0. Count with `mask.sum()`, which uses a "
            "larger type, or convert each pixel with `int`.",
        ),
        (
            averages_whole_numbers,
            "`mean` works on floats, and the mask contains whole numbers: turn it into floats first.",
        ),
        (takes_the_background, "This is the fraction of the background: count the pixels that are 1."),
        (gives_a_percentage, "This is a percentage: a fraction runs from 0 to 1."),
        (divides_by_the_background, "You divide by the pixels that are 0: divide by the number of all pixels."),
        (
            divides_by_the_width,
            "You divide by the width alone, but there are height times width pixels.",
        ),
        (
            divides_by_the_height,
            "You divide by the height alone, but there are height times width pixels.",
        ),
        (
            divides_by_the_height_squared,
            "You divide by the height squared: a mask need not be square, and has height times width pixels.",
        ),
        (
            divides_by_the_width_squared,
            "You divide by the width squared: a mask need not be square, and has height times width pixels.",
        ),
        (
            divides_by_the_sum_of_the_sides,
            "You divide by height plus width: the number of pixels is height times width.",
        ),
        (
            divides_by_the_size_of_our_image,
            "You divide by 256 × 256: that fits our image, but the function has to work for masks of any size.",
        ),
        (expects_255, "You divide by 255 as well, but the ones of this mask are 1, not 255."),
        (turns_it_upside_down, "This fraction is upside down: divide the ones by all pixels."),
        (
            counts_indices,
            "`nonzero()` gives three indices for each pixel, and you count them all: count the pixels instead.",
        ),
        (rounds_to_one_digit, "You round to one digit: return the fraction as it is."),
        (drops_the_fraction, "`//` or `int` drops everything after the decimal point: divide with `/`."),
        (rounds, "This is always 0 or 1, as if you rounded or took the median: return the fraction as it is."),
        (takes_the_maximum, "This is the largest value of the mask, not the fraction of ones."),
    ],
    also_wrong=[
        (averages_the_rows, "one number, not a tensor of shape (1, 2)"),
        (looks_for_255, "gives 0 whatever"),
        (rounds_to_two_digits, "do not round"),
        (forgets_to_return, "returns None"),
        (prints_instead, "one number, not a string"),
        (forgets_the_brackets, "one number, not the function `mean`: did you forget its brackets?"),
        (returns_what_print_returns, "It prints something and returns None"),
        (scales_the_mask_itself, "changes what it is given"),
        (unpacks_two_sides, "raises ValueError in line 2"),
        (takes_the_sides_too, "cannot be called"),
        (never_ends, "longer than"),
    ],
    tolerance=1e-5,
    seconds=2,
)


EXERCISE_0_2 = ChoiceExercise(
    number="0.2",
    title="What is left?",
    difficulty="easy",
    minutes=1,
    question="What IoU does the network have when it is cut to depth 1?",
    options={
        "a": Option(
            "below 0.1: it finds almost nothing",
            "It is 0.47. Most membranes are dark lines, and 1 % of the parameters is enough to find many of them.",
        ),
        "b": Option(
            "about 0.2",
            "It is 0.47. Most membranes are dark lines, and a small network finds more of them than you expected.",
        ),
        "c": Option(
            "about 0.8: almost as before",
            "It is 0.47. The small network misses more than a third of the membrane pixels, and it draws the rings.",
        ),
        "d": Option(
            "about 0.5",
            "It is 0.47: the small network misses more than a third of the membrane pixels, and it draws the rings.",
            right=True,
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (0.5, "by its letter"),
    ],
    prediction=True,
)


EXERCISE_0_3 = NumberExercise(
    number="0.3",
    title="Tensors and shapes",
    difficulty="easy",
    minutes=2,
    question="how many numbers `photos[0].mean(dim=0)` contains, for photos of shape (4, 3, 32, 48)",
    solution=1536,
    unit="numbers",
    mistakes=[
        (1, "`mean()` alone gives one number; `dim=0` averages over one dimension and keeps the others."),
        (4608, "This is 3 · 32 · 48, all numbers of `photos[0]`: `mean(dim=0)` then averages over the channels."),
        (6144, "This is 4 · 32 · 48, the channels averaged in all four images: `photos[0]` is only the first image."),
        (
            18_432,
            "This is every number in `photos`: `photos[0]` takes one image, and `mean` averages its channels.",
        ),
        (3, "This is one mean for each channel: `dim=0` averages over the channels and keeps the pixels."),
        (144, "You average over the rows: they are dimension 1 of `photos[0]`, not 0."),
        (96, "You average over the columns: they are dimension 2 of `photos[0]`, not 0."),
        (2, "This is the number of dimensions: multiply height by width."),
        (32, "This is the number of rows: each of them contains 48 numbers."),
        (48, "This is the number of columns: each of them contains 32 numbers."),
        (80, "You add height and width: multiply them."),
    ],
    also_wrong=[
        (torch.zeros(32, 48), "one number, not a tensor of shape (32, 48)"),
        ((32, 48), "one number, not a tuple"),
        ("1536", "leave out the quotation marks"),
        (float("nan"), "one number, not nan."),
    ],
)


EXERCISE_0_4 = ChoiceExercise(
    number="0.4",
    title="Broadcasting",
    difficulty="medium",
    minutes=2,
    question="What is the shape of `output - target`?",
    options={
        "a": Option(
            "(8,)",
            "Numbers are not paired by their position: shapes are compared from the right, so 1 meets 8.",
        ),
        "b": Option("(8, 1)", "The first tensor does not decide: each dimension of length 1 is stretched, in both."),
        "c": Option(
            "(8, 8)",
            "Yes: every output meets every target. A loss computed from this would be wrong, without any error.",
            right=True,
        ),
        "d": Option(
            "none: PyTorch raises an error",
            "It would be kinder. But a missing dimension counts as 1, and a 1 is stretched: the mistake is silent.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        ((8, 8), "by its letter"),
        ("a) (8, 8)", "by its letter"),
        (64, "by its letter"),
    ],
)


EXERCISE_0_5 = NumberExercise(
    number="0.5",
    title="Autograd",
    difficulty="easy",
    minutes=2,
    question="the number in `w.grad` after both calls of `backward`",
    solution=12,
    mistakes=[
        (6, "This is the gradient of one call: the second one adds its own to it."),
        (9, "This is the loss, w²: `w.grad` contains its slope, 2w."),
        (18, "These are two losses added up: `w.grad` adds up their slopes, 2w each."),
        (36, "The two gradients are added, not multiplied."),
        (3, "This is w itself: `backward` does not change it, and `w.grad` contains the slope of the loss."),
        (0, "Nothing has been cleared: only `zero_grad` does that."),
        (4, "The slope of w² is 2w, not 2."),
        (-12, "`w.grad` contains the gradient itself: only the optimiser's step subtracts it."),
        (24, "Each of the two slopes is 2w = 6."),
    ],
    also_wrong=[
        ("None", "one number, not a string"),
        (torch.tensor([12.0]), "one number, not a tensor of shape (1,)"),
    ],
)


EXERCISE_0_6 = ChoiceExercise(
    number="0.6",
    title="Modules",
    difficulty="medium",
    minutes=2,
    question="What does an optimiser change if it is given `Net().parameters()`?",
    options={
        "a": Option(
            "the weights and biases of all three layers",
            "A module finds the layers in its attributes, but it does not look into a Python list: "
            "`nn.ModuleList` is made for that.",
        ),
        "b": Option(
            "the weights and the bias of `first`",
            "Yes: the layers in the plain list keep their random weights, and no error tells you.",
            right=True,
        ),
        "c": Option(
            "the weights of `first`, but not its bias",
            "A bias is a parameter too: `nn.Linear(2, 5)` has 10 weights and 5 biases, and learns both.",
        ),
        "d": Option(
            "nothing, because there is no `forward` yet",
            "A layer has its parameters as soon as it is created; `forward` only says how they are used.",
        ),
    },
    also_wrong=[
        ("first", "by its letter"),
        (51, "by its letter"),
    ],
)


EXERCISE_0_7 = NumberExercise(
    number="0.7",
    title="A step of the optimiser",
    difficulty="easy",
    minutes=2,
    question="the value of w after one step of SGD with lr=0.1, from w = 3 on the loss w²",
    solution=2.4,
    tolerance=1e-4,
    mistakes=[
        (3.6, "You go uphill: a step goes against the gradient."),
        (-3, "The learning rate is missing: it multiplies the gradient."),
        (0.6, "This is how far w moves: what is its new value?"),
        (-0.6, "This is how much w changes: what is its new value?"),
        (3, "`backward` changes no parameter, but `step` does."),
        (2.9, "You subtract the learning rate alone: it multiplies the gradient."),
        (2.1, "You multiply the learning rate by the loss, 9: it multiplies the gradient."),
        (2.7, "You multiply the learning rate by w: the slope of w² is 2w."),
        (6, "This is the gradient, 2w: it says where to go, not where you arrive."),
        (0.3, "This is the learning rate times w: it multiplies the gradient, and that is subtracted from w."),
        (1.8, "You subtract two steps, but there is only one: `zero_grad` has cleared everything before it."),
        (8.4, "You subtract the step from the loss: it is subtracted from the parameter w."),
        (5.76, "This is the loss after the step: the question is what w is."),
    ],
    also_wrong=[
        ("2.4", "leave out the quotation marks"),
    ],
)


EXERCISE_0_8 = ChoiceExercise(
    number="0.8",
    title="Training and evaluation",
    difficulty="easy",
    minutes=2,
    question="What does `model.eval()` change?",
    options={
        "a": Option(
            "how dropout and batch norm compute",
            "Yes. Dropout passes everything on, batch norm uses its stored averages, and nothing else changes.",
            right=True,
        ),
        "b": Option(
            "the parameters are frozen, so a step of the optimiser changes nothing",
            "A step would change them. To freeze a parameter, set its `requires_grad` to False.",
        ),
        "c": Option(
            "no gradients are computed from here on",
            "That is `torch.no_grad()` or `torch.inference_mode()`. After `eval()`, `backward` works as before.",
        ),
        "d": Option(
            "the network becomes faster, and its numbers stay the same",
            "The numbers change: in training mode, the prediction for an image depends on the rest of its batch.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (True, "by its letter"),
    ],
)


EXERCISES = (
    EXERCISE_0_1,
    EXERCISE_0_2,
    EXERCISE_0_3,
    EXERCISE_0_4,
    EXERCISE_0_5,
    EXERCISE_0_6,
    EXERCISE_0_7,
    EXERCISE_0_8,
)
