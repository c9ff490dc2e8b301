"""The exercises of notebook 10: what a full training takes, in arithmetic, numbers, memory and time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option

# Exercise 10.1: The floor of a protocol


STEP = 119.0e9 * 2 * 3  # FLOP of one training step of exercise 10.1
RATE = 100e12  # FLOP a second


EXERCISE_10_1 = NumberExercise(
    number="10.1",
    title="The floor of a protocol",
    difficulty="easy",
    minutes=5,
    question="the floor of 10 epochs of 360 steps at 119.0 G MACs forward, at 100 TFLOP a second, in seconds",
    solution=3600 * STEP / RATE,
    tolerance=0.3,
    unit="seconds",
    mistakes=[
        (3600 * STEP / 2 / RATE, "A MAC is two operations, a product and a sum: you counted one."),
        (3600 * STEP / 3 / RATE, "This is the way forward alone: training goes back, twice as costly."),
        (3600 * STEP * 2 / 3 / RATE, "The way back costs two passes, not one: by the weights and by the inputs."),
        (4500 * STEP / RATE, "These are all 450 images: 90 of them are held out, and 360 train."),
        (4200 * STEP / RATE, "These are the 420 copies: of copies and slices together, 360 train."),
        (
            3360 * STEP / RATE,
            "These are 336 images, a part of the 420 copies: the slices are dealt out too, and 360 train.",
        ),
        (3600 * STEP / 1e12, "100 TFLOP are 10¹⁴, not 10¹²."),
        (360 * STEP / RATE, "This is one epoch: there are ten."),
        (300 * STEP / RATE, "The bent copies train, too: 360 images an epoch, not the slices alone."),
        (3600 * STEP / 100e9, "A T is 10¹², and a G 10⁹: you lost a factor of a thousand."),
        (3600 * STEP / 6 / RATE, "These are images by MACs: a MAC is two operations, and training makes three passes."),
    ],
    also_wrong=[
        (12.85, "you counted one"),
        (8.57, "way forward alone"),
        (17.14, "two passes"),
        (2.57, "one epoch"),
        (2.14, "bent copies"),
        (29.99, "These are the 420 copies"),
        (23.99, "336 images"),
        (4.28, "makes three passes"),
        ("26 s", "leave out the quotation marks"),
    ],
)


# Exercise 10.2: Round to bf16


Numbers = NDArray[np.float32]


def round_to_bf16(x: Numbers) -> Numbers:
    """Return the nearest bf16 numbers, ties to even, from the bits: a carry into the upper 16 of the 32 rounds up."""
    word = x.view(np.uint32)
    return ((word + 0x7FFF + ((word >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


def number_arrays(random: np.random.Generator) -> Iterator[tuple[Numbers]]:
    """Yield arrays of numbers of many sizes, none of them tiny."""
    for values in ([1.001, 257, 3.1416], [259, 1.00390625, 261], [-0.1, -259.5, -1.004], [0, 0.3, -700.7]):
        yield (np.array(values, dtype=np.float32),)
    for _ in range(3):
        size = random.uniform(-3, 9, 6)
        yield ((random.uniform(0.5, 1, 6) * 2.0**size * random.choice([-1, 1], 6)).astype(np.float32),)


def truncates(x):
    mantissa, exponent = np.frexp(x)
    return np.ldexp((mantissa * 256).astype(np.int32).astype(np.float32) / 256, exponent)


def rounds_down(x):
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.floor(mantissa * 256) / 256, exponent)


def keeps_seven(x):
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa * 2**7) / 2**7, exponent)


def keeps_nine(x):
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa * 2**9) / 2**9, exponent)


def rounds_up(x):
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.ceil(mantissa * 256) / 256, exponent)


def takes_255_steps(x):
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa * 255) / 255, exponent)


def keeps_two_decimals_of_the_mantissa(x):
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa, 2), exponent)


def keeps_three_decimals_of_the_mantissa(x):
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa, 3), exponent)


def rounds_to_eight_decimals(x):
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa, 8), exponent)


def takes_eight_steps(x):
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa * 8) / 8, exponent)


def forgets_to_split(x):
    return np.round(256 * x) / 256


def keeps_two_decimals(x):
    return x.round(2)


def keeps_three_decimals(x):
    return x.round(3)


def takes_float16(x):
    return np.float32(np.float16(x))


def rounds_halves_up(x):
    mantissa, exponent = np.frexp(x)
    size = np.floor(np.abs(mantissa) * 256 + 0.5)
    return np.ldexp(np.copysign(size, mantissa) / 256, exponent)


def forgets_the_exponent(x):
    mantissa, _ = np.frexp(x)
    return np.round(mantissa * 256) / 256


def loses_the_sign(x):
    mantissa, exponent = np.frexp(np.abs(x))
    return np.ldexp(np.round(mantissa * 256) / 256, exponent)


def takes_a_logarithm(x):
    with np.errstate(all="ignore"):
        gap = 2.0 ** (np.floor(np.log2(np.abs(x))) - 7)
        return (np.round(x / gap) * gap).astype(np.float32)


def forgets_to_divide(x):
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa * 256), exponent)


def returns_float64(x):
    mantissa, exponent = np.frexp(x.astype(float))
    return np.ldexp(np.round(mantissa * 256) / 256, exponent)


def returns_a_list(x):
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa * 256) / 256, exponent).tolist()


def forgets_to_return(x):
    mantissa, exponent = np.frexp(x)
    np.ldexp(np.round(mantissa * 256) / 256, exponent)


def rounds_in_place(x):
    mantissa, exponent = np.frexp(x)
    x[:] = np.ldexp(np.round(mantissa * 256) / 256, exponent)
    return x


def swaps_mantissa_and_exponent(x):
    exponent, mantissa = np.frexp(x)
    return np.ldexp(np.round(mantissa * 256) / 256, exponent)


EXERCISE_10_2 = FunctionExercise(
    number="10.2",
    title="Round to bf16",
    difficulty="medium",
    minutes=8,
    reference=round_to_bf16,
    cases=number_arrays,
    mistakes=[
        (truncates, "You cut digits off: round to the nearest instead."),
        (rounds_down, "You always round down: below 0 that leads away from the number. Round to the nearest."),
        (
            rounds_to_eight_decimals,
            "Nothing is rounded yet: `np.round(m, 8)` counts decimal digits, bf16 keeps 8 *binary* ones.",
        ),
        (takes_eight_steps, "You keep 3 digits: eight binary digits are 2⁸ = 256 steps, not 8."),
        (rounds_up, "You always round up: round to the nearest instead."),
        (takes_255_steps, "Multiply by 2⁸ = 256: with 255, the powers of two are no longer exact."),
        (
            keeps_two_decimals_of_the_mantissa,
            "You round the mantissa to two decimal digits: bf16 keeps eight *binary* ones.",
        ),
        (
            keeps_three_decimals_of_the_mantissa,
            "You round the mantissa to three decimal digits: bf16 keeps eight *binary* ones.",
        ),
        (keeps_seven, "You keep 7 digits: 7 are stored, and the leading 1 makes them 8."),
        (keeps_nine, "You keep 9 digits: `frexp` begins with the leading 1, so 256 steps are 8 digits."),
        (forgets_to_split, "You round to multiples of 1/256 whatever the size: the gap grows with the number."),
        (
            keeps_two_decimals,
            "You round to two decimal digits behind the point: bf16 keeps binary digits of the mantissa.",
        ),
        (
            keeps_three_decimals,
            "You round to three decimal digits behind the point: bf16 keeps binary digits of the mantissa.",
        ),
        (takes_float16, "This is float16, which keeps 11 digits."),
        (rounds_halves_up, "You round halves up: of two numbers equally near, take the one that ends in 0."),
        (forgets_the_exponent, "You forget the exponent: put the number together again."),
        (forgets_to_divide, "You forget to divide by 256 again."),
        (loses_the_sign, "You lose the sign."),
        (takes_a_logarithm, "Zero has no logarithm: `frexp` knows what to do with it."),
    ],
    also_wrong=[
        (returns_float64, "dtype is float64"),
        (returns_a_list, "not a list"),
        (forgets_to_return, "returns None"),
        (rounds_in_place, "changes what it is given"),
        (swaps_mantissa_and_exponent, "raises TypeError in line 3"),
    ],
)


EXERCISE_10_3 = ChoiceExercise(
    number="10.3",
    title="Count pixels in bf16",
    difficulty="easy",
    minutes=2,
    question="What comes out when 1 is added 65,536 times in bf16?",
    options={
        "a": Option(
            "65,536",
            "That number exists in bf16, and `torch.sum` gives it. One by one, you never get there.",
        ),
        "b": Option(
            "about 65,500: right to two or three digits",
            "Each *single* rounding is that small. But these all go the same way, and there are thousands.",
        ),
        "c": Option(
            "256",
            "Yes. 256 + 1 is rounded back to 256, and so it stays.",
            right=True,
        ),
        "d": Option(
            "infinity: the number is too large",
            "float16 ends at 65,504. bf16 has the exponent of float32, and ends near 3.4 · 10³⁸.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (256, "by its letter"),
    ],
    prediction=True,
)


EXERCISE_10_4 = NumberExercise(
    number="10.4",
    title="One row down",
    difficulty="easy",
    minutes=3,
    question="the step in memory from a pixel to the one below it, shape (8, 32, 256, 256), channels last",
    solution=32 * 256,
    tolerance=0.5,
    unit="numbers",
    mistakes=[
        (256, "That is so in the usual order: here every pixel of the row brings all its channels."),
        (32, "That is the right neighbour: the pixel below is a whole row further."),
        (
            256 * 256,
            "That is a whole map, the next channel in the usual order; or a row of all 8 images, which lie apart.",
        ),
        (1, "That is the next channel of the same pixel."),
        (32 * 256 * 256, "That is the next image of the batch."),
        (12, "That is the step in the picture, with 3 channels and 4 pixels a row: put your own numbers in."),
        (8 * 256, "The images of a batch lie one after another: a row is 256 pixels of 32 channels each."),
        (4 * 32 * 256, "Count numbers, not bytes."),
        (32 * 255, "One row down is 256 pixels further, not 255."),
    ],
    also_wrong=[
        ((8192, 32), "one number"),
    ],
)


EXERCISE_10_5 = ChoiceExercise(
    number="10.5",
    title="Read a profile",
    difficulty="medium",
    minutes=5,
    question="What helps where Python launches for 28 of 31 ms, and the GPU computes for 9?",
    options={
        "a": Option(
            "bf16: arithmetic in half the time",
            "Then the GPU computes for 5 ms, and waits for 26: the step takes as long as before.",
        ),
        "b": Option(
            "more processes that read images",
            "Waiting for data takes 1 ms of 31. There is nothing to gain.",
        ),
        "c": Option(
            "fewer, larger pieces of work: compile the network, or larger batches",
            "Yes. The launches are what all wait for: make fewer of them, or let each do more.",
            right=True,
        ),
        "d": Option(
            "a GPU of twice the rate",
            "It would be idle for 26 of 31 ms instead of 22, and cost more.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        ("compile", "by its letter"),
    ],
)


EXERCISE_10_6 = ChoiceExercise(
    number="10.6",
    title="From one GPU to four",
    difficulty="medium",
    minutes=4,
    question="Which command makes the same training on four GPUs as `--batch-size 8` on one?",
    options={
        "a": Option(
            "`torchrun --nproc-per-node=4 -m unetpp_lib train --preset full --batch-size 8`",
            "Yes. The batch is counted over all processes: each gets two patches, and the steps are the same.",
            right=True,
        ),
        "b": Option(
            "`torchrun --nproc-per-node=4 -m unetpp_lib train --preset full --batch-size 32`",
            "Each GPU works as before, but a step now averages 32 patches, and an epoch has a quarter of the "
            "steps: another training, which wants another learning rate.",
        ),
        "c": Option(
            "`torchrun --nproc-per-node=4 -m unetpp_lib train --preset full --batch-size 2`",
            "Here the batch size counts over all processes, so two patches for four of them are refused.",
        ),
        "d": Option(
            "`unetpp train` four times with four seeds, and the mean of the four networks' weights",
            "Networks that were trained apart have their channels in different orders: a mean of their weights "
            "is no network that was trained.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (8, "by its letter"),
    ],
)


EXERCISES = (EXERCISE_10_1, EXERCISE_10_2, EXERCISE_10_3, EXERCISE_10_4, EXERCISE_10_5, EXERCISE_10_6)
