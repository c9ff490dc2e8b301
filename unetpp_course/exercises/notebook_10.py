"""The exercises of notebook 10: what a full training takes, in arithmetic, numbers, memory and time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option

Numbers = NDArray[np.float32]

STEP = 119.0e9 * 2 * 3  # FLOP of one training step of exercise 10.1
RATE = 100e12  # FLOP a second


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


def _rounded(x: Numbers, steps: int = 256, how: object = np.round) -> Numbers:
    mantissa, exponent = np.frexp(x)
    return np.asarray(np.ldexp(how(mantissa * steps) / steps, exponent))  # type: ignore[operator]


def _half_up(x: Numbers) -> Numbers:
    mantissa, exponent = np.frexp(x)
    return np.asarray(np.ldexp(np.sign(mantissa) * np.floor(np.abs(mantissa) * 256 + 0.5) / 256, exponent))


def _logarithm(x: Numbers) -> Numbers:
    """Find the gap by a logarithm, which zero has not."""
    with np.errstate(all="ignore"):
        gap = 2.0 ** (np.floor(np.log2(np.abs(x))) - 7)
        return np.asarray(np.round(x / gap) * gap).astype(np.float32)


EXERCISES = (
    NumberExercise(
        number="10.1",
        title="The floor of a protocol",
        difficulty="easy",
        minutes=5,
        question="the floor of 10 epochs of 360 steps at 119.0 G MACs forward, at 100 TFLOP a second, in seconds",
        solution=3600 * STEP / RATE,
        tolerance=0.3,
        unit="seconds",
        mistakes={
            "A MAC is two operations, a product and a sum: you counted one.": 3600 * STEP / 2 / RATE,
            "This is the way forward alone: training goes back, twice as costly.": 3600 * STEP / 3 / RATE,
            "The way back costs two passes, not one: by the weights and by the inputs.": 3600 * STEP * 2 / 3 / RATE,
            "These are all 450 images: 90 of them are held out, and 360 train.": 4500 * STEP / RATE,
            "These are the 420 copies: of copies and slices together, 360 train.": 4200 * STEP / RATE,
            "These are 336 images, a part of the 420 copies: the slices are dealt out too, and 360 train.": 3360
            * STEP
            / RATE,
            "100 TFLOP are 10¹⁴, not 10¹².": 3600 * STEP / 1e12,
            "This is one epoch: there are ten.": 360 * STEP / RATE,
            "The bent copies train, too: 360 images an epoch, not the slices alone.": 300 * STEP / RATE,
            "A T is 10¹², and a G 10⁹: you lost a factor of a thousand.": 3600 * STEP / 100e9,
            "These are images by MACs: a MAC is two operations, and training makes three passes.": 3600
            * STEP
            / 6
            / RATE,
        },
    ),
    FunctionExercise(
        number="10.2",
        title="Round to bf16",
        difficulty="medium",
        minutes=8,
        reference=round_to_bf16,
        cases=number_arrays,
        mistakes={
            "You cut digits off: round to the nearest instead.": lambda x: _rounded(x, how=np.trunc),
            "You always round down: below 0 that leads away from the number. Round to the nearest.": lambda x: _rounded(
                x, how=np.floor
            ),
            "Nothing is rounded yet: `np.round(m, 8)` counts decimal digits, bf16 keeps 8 *binary* ones.": lambda x: (
                x.copy()
            ),
            "You keep 3 digits: eight binary digits are 2⁸ = 256 steps, not 8.": lambda x: _rounded(x, 8),
            "You always round up: round to the nearest instead.": lambda x: _rounded(x, how=np.ceil),
            "Multiply by 2⁸ = 256: with 255, the powers of two are no longer exact.": lambda x: _rounded(x, 255),
            "You round the mantissa to two decimal digits: bf16 keeps eight *binary* ones.": lambda x: _rounded(x, 100),
            "You round the mantissa to three decimal digits: bf16 keeps eight *binary* ones.": lambda x: _rounded(
                x, 1000
            ),
            "You keep 7 digits: 7 are stored, and the leading 1 makes them 8.": lambda x: _rounded(x, 128),
            "You keep 9 digits: `frexp` begins with the leading 1, so 256 steps are 8 digits.": lambda x: _rounded(
                x, 512
            ),
            "You round to multiples of 1/256 whatever the size: the gap grows with the number.": lambda x: (
                np.round(x * 256) / 256
            ),
            "You round to two decimal digits behind the point: bf16 keeps binary digits of the mantissa.": lambda x: (
                np.round(x, 2)
            ),
            "You round to three decimal digits behind the point: bf16 keeps binary digits of the mantissa.": lambda x: (
                np.round(x, 3)
            ),
            "This is float16, which keeps 11 digits.": lambda x: x.astype(np.float16).astype(np.float32),
            "You round halves up: of two numbers equally near, take the one that ends in 0.": _half_up,
            "You forget the exponent: put the number together again.": lambda x: np.round(np.frexp(x)[0] * 256) / 256,
            "You forget to divide by 256 again.": lambda x: np.ldexp(np.round(np.frexp(x)[0] * 256), np.frexp(x)[1]),
            "You lose the sign.": lambda x: _rounded(np.abs(x)),
            "Zero has no logarithm: `frexp` knows what to do with it.": _logarithm,
        },
    ),
    ChoiceExercise(
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
        prediction=True,
    ),
    NumberExercise(
        number="10.4",
        title="One row down",
        difficulty="easy",
        minutes=3,
        question="the step in memory from a pixel to the one below it, shape (8, 32, 256, 256), channels last",
        solution=32 * 256,
        tolerance=0.5,
        unit="numbers",
        mistakes={
            "That is so in the usual order: here every pixel of the row brings all its channels.": 256,
            "That is the right neighbour: the pixel below is a whole row further.": 32,
            "That is a whole map, the next channel in the usual order; or a row of all 8 images, which lie apart.": 256
            * 256,
            "That is the next channel of the same pixel.": 1,
            "That is the next image of the batch.": 32 * 256 * 256,
            "That is the step in the picture, with 3 channels and 4 pixels a row: put your own numbers in.": 12,
            "The images of a batch lie one after another: a row is 256 pixels of 32 channels each.": 8 * 256,
            "Count numbers, not bytes.": 4 * 32 * 256,
            "One row down is 256 pixels further, not 255.": 32 * 255,
        },
    ),
    ChoiceExercise(
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
    ),
    ChoiceExercise(
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
    ),
)
