"""Wrong answers to the exercises of notebook 10, each with words of the message that it must get."""

import numpy as np


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


WRONG = {
    "10.1": [
        (12.85, "you counted one"),
        (8.57, "way forward alone"),
        (17.14, "two passes"),
        (32.13, "held out"),
        (2.57, "one epoch"),
        (2.14, "bent copies"),
        (29.99, "These are the 420 copies"),
        (23.99, "336 images"),
        (2570.4, "not 10¹²"),
        (25704, "factor of a thousand"),
        (4.28, "makes three passes"),
        ("26 s", "one number"),
    ],
    "10.2": [
        (truncates, "cut digits off"),
        (rounds_down, "always round down"),
        (keeps_seven, "keep 7 digits"),
        (keeps_nine, "keep 9 digits"),
        (rounds_up, "always round up"),
        (takes_255_steps, "with 255"),
        (keeps_two_decimals_of_the_mantissa, "mantissa to two decimal digits"),
        (keeps_three_decimals_of_the_mantissa, "mantissa to three decimal digits"),
        (rounds_to_eight_decimals, "Nothing is rounded"),
        (takes_eight_steps, "256 steps, not 8"),
        (forgets_to_split, "whatever the size"),
        (keeps_two_decimals, "two decimal digits"),
        (keeps_three_decimals, "three decimal digits"),
        (takes_float16, "float16"),
        (rounds_halves_up, "halves up"),
        (forgets_the_exponent, "forget the exponent"),
        (loses_the_sign, "lose the sign"),
        (takes_a_logarithm, "no logarithm"),
        (forgets_to_divide, "forget to divide"),
        (returns_float64, "dtype is float64"),
        (returns_a_list, "not a list"),
        (forgets_to_return, "returns None"),
        (rounds_in_place, "changes what it is given"),
        (swaps_mantissa_and_exponent, "raises TypeError in line 3"),
    ],
    "10.3": [("e", "by its letter"), (256, "by its letter")],
    "10.4": [
        (256, "usual order"),
        (32, "right neighbour"),
        (65536, "a row of all 8 images"),
        (1, "next channel"),
        (2097152, "next image"),
        (12, "in the picture"),
        (2048, "one after another"),
        (32768, "not bytes"),
        ((8192, 32), "one number"),
    ],
    "10.5": [("e", "by its letter"), ("compile", "by its letter")],
    "10.6": [("e", "by its letter"), (8, "by its letter")],
}
