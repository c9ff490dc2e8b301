"""The exercises of notebook 10: a clock, an estimate, Amdahl's law, and numbers of 16 bits."""

from collections.abc import Iterator
from statistics import mean, median

import numpy as np
from numpy.typing import NDArray

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option
from unetpp_course.pretend_gpu import PretendGPU

# Exercise 10.1: A clock that waits


def seconds_per_step(machine: PretendGPU, count: int) -> float:
    """Return the median seconds of ``count`` steps, each timed until it is done, after one step that is not timed."""
    machine.launch_step()
    seconds = []
    for _ in range(count):
        machine.synchronize()
        start = machine.clock()
        machine.launch_step()
        machine.synchronize()
        seconds.append(machine.clock() - start)
    return float(median(seconds))


def pretend_gpus(random: np.random.Generator) -> Iterator[tuple[PretendGPU, int]]:
    """Yield pretend GPUs with numbers of steps to time; an even number has two steps in the middle."""
    yield PretendGPU([2.0, 0.03, 0.03, 0.03]), 3
    yield PretendGPU([1.0, 0.25, 0.35], launch=0.01), 2
    yield PretendGPU([1.0, 0.03, 0.5, 0.04]), 3
    yield PretendGPU([1.0, 0.05, 0.02, 0.07, 0.02, 0.9]), 5
    yield PretendGPU([1.0, 0.06, 0.02, 0.3, 0.04]), 4
    for _ in range(3):
        yield PretendGPU([1.0, *random.uniform(0.01, 0.1, 5).round(3).tolist()], launch=0.002), 5


def time_steps(machine, count, warm_up=True, wait_before=True, wait_after=True):
    if warm_up:
        machine.launch_step()
    if wait_before:
        machine.synchronize()
    seconds = []
    for _ in range(count):
        start = machine.clock()
        machine.launch_step()
        if wait_after:
            machine.synchronize()
        seconds.append(machine.clock() - start)
    return seconds


def never_waits(machine, count):
    return median(time_steps(machine, count, wait_before=False, wait_after=False))


def leaves_the_first_step_running(machine, count):
    return median(time_steps(machine, count, wait_before=False))


def skips_the_warm_up(machine, count):
    return median(time_steps(machine, count, warm_up=False))


def counts_the_warm_up(machine, count):
    return median(time_steps(machine, count + 1, warm_up=False))


def times_one_step(machine, count):
    start = machine.clock()
    machine.launch_step()
    machine.synchronize()
    return machine.clock() - start


def drops_one_of_them(machine, count):
    return median(time_steps(machine, count, warm_up=False)[1:])


def takes_the_mean(machine, count):
    return mean(time_steps(machine, count))


def takes_the_fastest_step(machine, count):
    return min(time_steps(machine, count))


def takes_the_slowest_step(machine, count):
    return max(time_steps(machine, count))


def takes_the_upper_middle(machine, count):
    return sorted(time_steps(machine, count))[count // 2]


def takes_the_lower_middle(machine, count):
    return sorted(time_steps(machine, count))[(count - 1) // 2]


def takes_the_total(machine, count):
    return sum(time_steps(machine, count))


def takes_the_last(machine, count):
    return time_steps(machine, count)[-1]


def counts_milliseconds(machine, count):
    return 1000 * median(time_steps(machine, count))


def times_all_at_once(machine, count):
    machine.launch_step()
    machine.synchronize()
    start = machine.clock()
    for _ in range(count):
        machine.launch_step()
    machine.synchronize()
    return (machine.clock() - start) / count


def gives_all_times(machine, count):
    return time_steps(machine, count)


def forgets_to_return_the_median(machine, count):
    median(time_steps(machine, count))


EXERCISE_10_1 = FunctionExercise(
    number="10.1",
    title="A clock that waits",
    difficulty="medium",
    minutes=8,
    reference=seconds_per_step,
    cases=pretend_gpus,
    describe=lambda machine, count: f"machine = {machine!r}; count = {count}",
    mistakes=[
        (
            never_waits,
            "You stop the clock while the step is still running, so you time only its launch. Wait before you read it.",
        ),
        (leaves_the_first_step_running, "The first step is still running when you start the clock: wait for it."),
        (skips_the_warm_up, "Your first timed step is the slow one: make one step before, and do not time it."),
        (counts_the_warm_up, "The first step is among those that you time. It should not count."),
        (times_one_step, "You time the first step alone. Make a step that does not count, then time `count` of them."),
        (drops_one_of_them, "The first of your `count` steps is the one that does not count. Make one step more."),
        (takes_the_mean, "You take the mean. One slow step spoils it, so the median is asked for."),
        (takes_the_fastest_step, "You take the fastest step. The median is asked for."),
        (takes_the_slowest_step, "You take the slowest step. The median is asked for."),
        (
            takes_the_upper_middle,
            "For an even `count` the median is the mean of the middle two; you take the upper.",
        ),
        (
            takes_the_lower_middle,
            "For an even `count` the median is the mean of the middle two; you take the lower.",
        ),
        (takes_the_total, "You add the times up. The median of one step is asked for."),
        (takes_the_last, "You return the time of the last step. The median of all timed ones is asked for."),
        (counts_milliseconds, "You return milliseconds. Seconds are asked for."),
        (times_all_at_once, "You time all steps in one go, which gives their mean: wait after each of them."),
    ],
    also_wrong=[
        (gives_all_times, "not a list"),
        (forgets_to_return_the_median, "returns None"),
    ],
)


# Exercise 10.2: How long will it take?


def training_seconds(patches: int, batch_size: int, epochs: int, step: float, look: float) -> float:
    """Return the seconds of a training run: whole batches only, and one look at the validation images per epoch."""
    total = 0.0
    for _ in range(epochs):
        left = patches
        while left >= batch_size:
            total += step
            left -= batch_size
        total += look
    return total


def plans(random: np.random.Generator) -> Iterator[tuple[int, int, int, float, float]]:
    """Yield numbers of patches, batch sizes and epochs, with the seconds of a step and of a look."""
    yield 30, 4, 10, 0.5, 2.0
    yield 28, 8, 3, 1.0, 0.25
    yield 7, 1, 2, 0.125, 0.5
    for _ in range(4):
        patches, batch, epochs = (int(number) for number in random.integers([20, 3, 2], [90, 9, 40]))
        yield patches, batch, epochs, float(random.integers(1, 20) / 8), float(random.integers(1, 20) / 4)


def counts_a_broken_batch(patches, batch_size, epochs, step, look):
    return epochs * (-(-patches // batch_size) * step + look)


def counts_part_of_a_batch(patches, batch_size, epochs, step, look):
    return epochs * (patches / batch_size * step + look)


def rounds_the_batches(patches, batch_size, epochs, step, look):
    return epochs * (round(patches / batch_size) * step + look)


def adds_the_epochs(patches, batch_size, epochs, step, look):
    return epochs + patches // batch_size * step + look


def cuts_after_all_epochs(patches, batch_size, epochs, step, look):
    return epochs * patches // batch_size * step + epochs * look


def forgets_to_look(patches, batch_size, epochs, step, look):
    return epochs * (patches // batch_size) * step


def looks_once(patches, batch_size, epochs, step, look):
    return epochs * (patches // batch_size) * step + look


def looks_after_every_step(patches, batch_size, epochs, step, look):
    return epochs * (patches // batch_size) * (step + look)


def takes_one_epoch(patches, batch_size, epochs, step, look):
    return (patches // batch_size) * step + look


def steps_once_per_patch(patches, batch_size, epochs, step, look):
    return epochs * (patches * step + look)


def multiplies_by_the_batch(patches, batch_size, epochs, step, look):
    return epochs * (patches // batch_size * batch_size * step + look)


def counts_steps(patches, batch_size, epochs, step, look):
    return epochs * (patches // batch_size)


def counts_minutes(patches, batch_size, epochs, step, look):
    return epochs * (patches // batch_size * step + look) / 60


def swaps_step_and_look(patches, batch_size, epochs, step, look):
    return epochs * (patches // batch_size * look + step)


def forgets_to_return_seconds(patches, batch_size, epochs, step, look):
    training_seconds(patches, batch_size, epochs, step, look)


EXERCISE_10_2 = FunctionExercise(
    number="10.2",
    title="How long will it take?",
    difficulty="easy",
    minutes=5,
    reference=training_seconds,
    cases=plans,
    mistakes=[
        (counts_a_broken_batch, "You count a last batch that is not full. Such patches are left out."),
        (counts_part_of_a_batch, "You count parts of a batch. Patches that do not fill a batch are left out."),
        (rounds_the_batches, "You round the number of batches. Patches that do not fill a batch are always left out."),
        (adds_the_epochs, "You add the epochs. Each of them takes its steps and its look, so multiply."),
        (cuts_after_all_epochs, "You leave patches out once at the end. They are left out in every epoch."),
        (forgets_to_look, "You forget the look at the validation images after each epoch."),
        (looks_once, "You look once. There is a look after each epoch."),
        (looks_after_every_step, "You look after every step. There is one look per epoch."),
        (takes_one_epoch, "This is one epoch."),
        (steps_once_per_patch, "You make a step for each patch. A step takes a whole batch."),
        (
            multiplies_by_the_batch,
            "`step` is the time of a whole step, not of one patch: do not multiply by the batch.",
        ),
        (counts_steps, "You return the number of steps. Their seconds are asked for, and those of the looks."),
        (counts_minutes, "You return minutes. Seconds are asked for."),
        (swaps_step_and_look, "You have swapped `step` and `look`."),
    ],
    also_wrong=[(forgets_to_return_seconds, "returns None")],
)


EXERCISE_10_3 = ChoiceExercise(
    number="10.3",
    title="Read a profile",
    difficulty="medium",
    minutes=4,
    question="What helps where Python launches for 28 of 31 ms, and the GPU computes for 9?",
    options={
        "a": Option(
            "arithmetic with 16 bits, which halves the time of every convolution",
            "Then the GPU computes for 5 ms and waits for 26. The step takes as long as before.",
        ),
        "b": Option(
            "fewer, larger pieces of work, such as a larger batch",
            "Yes. Everything waits for the launches, so make fewer of them, or let each do more.",
            right=True,
        ),
        "c": Option(
            "more processes that read and augment the images",
            "Waiting for data takes 1 ms of 31. There is nothing to gain.",
        ),
        "d": Option(
            "a GPU that computes twice as fast, for twice the price",
            "It would be idle for 26 of 31 ms instead of 22.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        ("compile", "by its letter"),
    ],
)


# Exercise 10.4: Amdahl's law


def speedup(fraction: float, factor: float) -> float:
    """Return how many times as fast a whole becomes if a fraction of its time becomes ``factor`` times as fast."""
    before = 1.0
    untouched = before - fraction
    after = untouched + fraction / factor
    return before / after


def remedies(random: np.random.Generator) -> Iterator[tuple[float, float]]:
    """Yield fractions with factors; an infinite factor makes a part free, and a later cell asks for one."""
    yield 0.5, 2.0
    yield 0.8, 4.0
    yield 0.1, float("inf")
    yield 0.25, 1.0
    for _ in range(4):
        yield float(random.integers(5, 95) / 100), float(random.integers(12, 90) / 10)


def gives_the_new_time(fraction, factor):
    return 1 - fraction + fraction / factor


def gives_the_time_saved(fraction, factor):
    return fraction - fraction / factor


def averages_the_factors(fraction, factor):
    return 1 - fraction + fraction * factor


def speeds_up_everything(fraction, factor):
    return factor


def scales_the_factor(fraction, factor):
    return fraction * factor


def makes_it_free(fraction, factor):
    return 1 / (1 - fraction)


def forgets_the_rest(fraction, factor):
    return 1 / (fraction / factor)


def speeds_up_the_rest(fraction, factor):
    return 1 / (fraction + (1 - fraction) / factor)


def keeps_the_old_part(fraction, factor):
    return 1 / (1 + fraction / factor)


def saves_a_fraction(fraction, factor):
    return 1 / (1 - fraction / factor)


def gives_the_gain(fraction, factor):
    return 1 / (1 - fraction + fraction / factor) - 1


def multiplies_the_part(fraction, factor):
    return 1 / (1 - fraction + fraction * factor)


def adds_the_new_part_outside(fraction, factor):
    return 1 / (1 - fraction) + fraction / factor


def multiplies_by_the_factor(fraction, factor):
    return factor / (factor * (1 - fraction) + fraction)


def rounds_the_speedup(fraction, factor):
    return round(1 / (1 - fraction + fraction / factor), 2)


def gives_per_cent(fraction, factor):
    return 100 / (1 - fraction + fraction / factor)


def forgets_to_return_the_speedup(fraction, factor):
    speedup(fraction, factor)


EXERCISE_10_4 = FunctionExercise(
    number="10.4",
    title="Amdahl's law",
    difficulty="easy",
    minutes=5,
    reference=speedup,
    cases=remedies,
    mistakes=[
        (gives_the_new_time, "You return the new time. How many times as fast is that?"),
        (gives_the_time_saved, "You return the time that is saved. How many times as fast is the whole?"),
        (averages_the_factors, "You average the factors. Add up the times instead, then divide."),
        (speeds_up_everything, "You return the factor. Only a fraction of the time becomes that much faster."),
        (scales_the_factor, "You multiply the factor by the fraction. Add up the times instead."),
        (makes_it_free, "You make the fraction free. Its time is divided by `factor`, and what is left still counts."),
        (forgets_the_rest, "You forget the rest of the time, which stays as it was."),
        (speeds_up_the_rest, "You speed up the rest. It is `fraction` that becomes faster."),
        (keeps_the_old_part, "You keep the old time and add the new part. The old part is gone."),
        (saves_a_fraction, "`fraction / factor` is the new time of the part, not what is saved."),
        (gives_the_gain, "You return the gain. Where nothing changes, the answer is 1, not 0."),
        (gives_per_cent, "You return per cent. As fast as before is 1."),
        (multiplies_the_part, "You multiply the part's time by `factor`. What is faster takes less time: divide."),
        (adds_the_new_part_outside, "The whole new time belongs below the 1: put it into brackets."),
        (
            multiplies_by_the_factor,
            "Right for every finite factor, but an infinite one makes inf / inf, which is nan: divide by it instead.",
        ),
        (rounds_the_speedup, "You round the result. Return it as it is."),
    ],
    also_wrong=[(forgets_to_return_the_speedup, "returns None")],
)


EXERCISE_10_5 = ChoiceExercise(
    number="10.5",
    title="Count pixels in bf16",
    difficulty="easy",
    minutes=2,
    question="What comes out when 1 is added 65,536 times in bf16?",
    options={
        "a": Option(
            "about 65,500: right to two or three digits",
            "Each *single* rounding is that small. But they all go the same way, and there are thousands.",
        ),
        "b": Option(
            "infinity: the number is too large",
            "float16 ends at 65,504. bf16 has the exponent of float32, and ends near 3.4 · 10³⁸.",
        ),
        "c": Option(
            "65,536",
            "That number exists in bf16, and `torch.sum` finds it. One by one, you never get there.",
        ),
        "d": Option(
            "256",
            "Yes. 256 + 1 is rounded back to 256, and there it stays.",
            right=True,
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (256, "by its letter"),
    ],
    prediction=True,
)


# Exercise 10.6: Round to bf16


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


def multiplies_by_the_exponent(x):
    mantissa, exponent = np.frexp(x)
    return np.round(mantissa * 256) / 256 * 2 * exponent


EXERCISE_10_6 = FunctionExercise(
    number="10.6",
    title="Round to bf16",
    difficulty="medium",
    minutes=8,
    reference=round_to_bf16,
    cases=number_arrays,
    mistakes=[
        (truncates, "You cut digits off. Round to the nearest instead."),
        (rounds_down, "You always round down. Round to the nearest instead."),
        (
            rounds_to_eight_decimals,
            "Nothing is rounded yet: `np.round(m, 8)` counts decimal digits, bf16 keeps 8 *binary* ones.",
        ),
        (takes_eight_steps, "You keep 3 digits: eight binary digits are 2⁸ = 256 steps, not 8."),
        (rounds_up, "You always round up. Round to the nearest number instead."),
        (takes_255_steps, "Multiply by 2⁸ = 256: with 255, the powers of two are no longer exact."),
        (
            keeps_two_decimals_of_the_mantissa,
            "You round the mantissa to two decimals. bf16 keeps eight *binary* digits of it.",
        ),
        (
            keeps_three_decimals_of_the_mantissa,
            "You round the mantissa to three decimals. bf16 keeps eight *binary* digits of it.",
        ),
        (keeps_seven, "You keep 7 digits: 7 are stored, and the leading 1 makes them 8."),
        (keeps_nine, "You keep 9 digits: `frexp` begins with the leading 1, so 256 steps are 8 digits."),
        (forgets_to_split, "You round to multiples of 1/256 whatever the size: the gap grows with the number."),
        (
            keeps_two_decimals,
            "You round to two decimals. bf16 keeps binary digits of the mantissa.",
        ),
        (
            keeps_three_decimals,
            "You round to three decimals. bf16 keeps binary digits of the mantissa.",
        ),
        (takes_float16, "This is float16, which keeps 11 digits."),
        (rounds_halves_up, "You round halves up: of two numbers equally near, take the one that ends in 0."),
        (forgets_the_exponent, "You forget the exponent: put the number together again."),
        (forgets_to_divide, "You forget to divide by 256 again."),
        (loses_the_sign, "You lose the sign."),
        (multiplies_by_the_exponent, "`2 * e` is no power of two. `np.ldexp(m, e)` multiplies by 2 to the power of e."),
        (
            swaps_mantissa_and_exponent,
            "You have swapped mantissa and exponent: `frexp` returns the mantissa first, and `ldexp` takes it first.",
        ),
        (takes_a_logarithm, "Zero has no logarithm: `frexp` knows what to do with it."),
    ],
    only_values=True,
    also_wrong=[
        (returns_a_list, "not a list"),
        (forgets_to_return, "returns None"),
        (rounds_in_place, "changes what it is given"),
    ],
)


EXERCISE_10_7 = NumberExercise(
    number="10.7",
    title="Scale the loss",
    difficulty="easy",
    minutes=3,
    question="the smallest power of two that brings a gradient of 2 · 10⁻⁸ to at least 2⁻¹⁴",
    solution=4096,
    tolerance=0.5,
    mistakes=[
        (12, "This is the exponent. The power of two itself is asked for."),
        (2048, "Too small: 2048 · 2 · 10⁻⁸ is 4.1 · 10⁻⁵, and 2⁻¹⁴ is 6.1 · 10⁻⁵."),
        (1024, "Too small: 1024 · 2 · 10⁻⁸ is 2.0 · 10⁻⁵, and 2⁻¹⁴ is 6.1 · 10⁻⁵."),
        (8192, "It is large enough, but a smaller power of two is, too."),
        (3052, "This is the factor that is just enough. The next power of two is asked for."),
        (2.0**-12, "This is the inverse. The loss must become larger, not smaller."),
        (2, "2 · 10⁻⁸ becomes 4 · 10⁻⁸, which is no longer 0, but still far below 2⁻¹⁴."),
        (4, "That is enough not to become 0. To keep all its digits, the gradient must reach 2⁻¹⁴."),
        (2.0**14, "2¹⁴ is large enough, but a smaller power of two is, too."),
        (65536, "2¹⁶ is a common choice in practice. Here the smallest that is enough is asked for."),
    ],
    also_wrong=[
        (3051.76, "just enough"),
        ("4096", "leave out the quotation marks"),
    ],
)


EXERCISES = (
    EXERCISE_10_1,
    EXERCISE_10_2,
    EXERCISE_10_3,
    EXERCISE_10_4,
    EXERCISE_10_5,
    EXERCISE_10_6,
    EXERCISE_10_7,
)
