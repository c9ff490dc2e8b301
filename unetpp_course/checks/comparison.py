"""How an answer differs from the expected one, and how both are shown: in one line each."""

import inspect
import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from unetpp_course.checks.verdict import GENERIC

KINDS = {
    list: "a list",
    tuple: "a tuple",
    dict: "a dictionary",
    set: "a set",
    frozenset: "a set",
    str: "a string",
    type: "a class",
}
SHOWN = 200  # characters of a value; more would hide the sentence that names the mistake


def difference(expected: object, received: object, tolerance: float, only_values: bool = False) -> str:
    """Return a sentence on how ``received`` differs from ``expected``, or nothing where it does not.

    A tensor or an array must have the expected kind, shape, dtype and device; with ``only_values`` shape and values
    are enough. A number may also be a tensor or an array of no dimension; a list may be a tuple; a dictionary may have
    any order. Values may differ by ``tolerance``, and by that share of themselves.

    >>> difference([1, 2], (1, 2.0), tolerance=0)
    ''
    >>> difference([1, 2], [1], tolerance=0)
    'The answer has length 1; it should have length 2.'
    >>> difference(np.zeros((2, 3)), np.zeros((3, 2)), tolerance=0)
    'The shape is (3, 2); it should be (2, 3).'
    >>> difference([(0, 0), (0, 1)], [(0, 0), "X01"], tolerance=0)
    'Entry 1 should be a tuple, not a string.'
    >>> difference(np.zeros(2), np.zeros(2, int), tolerance=0), difference(np.zeros(2), np.zeros(2, int), 0, True)
    ('The dtype is int64; it should be float64.', '')
    >>> difference({(0, 0): 1, (0, 1): 2}, {(0, 0): 1}, tolerance=0)
    'The entry (0, 1) is missing.'
    """
    if isinstance(expected, Tensor | np.ndarray):
        return _array_difference(expected, received, tolerance, only_values)
    if isinstance(expected, list | tuple):
        return _sequence_difference(expected, received, tolerance, only_values)
    if isinstance(expected, dict):
        return _mapping_difference(expected, received, tolerance, only_values)
    if as_number(expected) is not None and as_number(received) is None:
        return should_be("one number", received)
    return "" if alike(expected, received, tolerance) else GENERIC


def _array_difference(
    expected: Tensor | NDArray[np.generic], received: object, tolerance: float, only_values: bool
) -> str:
    library = Tensor if isinstance(expected, Tensor) else np.ndarray
    if not isinstance(received, Tensor | np.ndarray) or not (only_values or isinstance(received, library)):
        return should_be(kind_of(expected), received)
    if received.shape != expected.shape:
        return f"The shape is {tuple(received.shape)}; it should be {tuple(expected.shape)}."
    for name in () if only_values else ("dtype", "device"):  # arrays of NumPy before 2.0 have a dtype alone
        found, wanted = getattr(received, name, None), getattr(expected, name, None)
        if found != wanted:
            return f"The {name} is {found}; it should be {wanted}."
    return "" if alike(expected, received, tolerance) else GENERIC


def _sequence_difference(
    expected: list[object] | tuple[object, ...], received: object, tolerance: float, only_values: bool
) -> str:
    if not isinstance(received, list | tuple):
        return should_be(kind_of(expected), received)
    if len(received) != len(expected):
        return f"The answer has length {len(received)}; it should have length {len(expected)}."
    for number, pair in enumerate(zip(expected, received, strict=True)):
        found = difference(*pair, tolerance, only_values)
        if found:
            return found if found == GENERIC else _of_entry(number, found)
    return ""


def _mapping_difference(expected: dict[object, object], received: object, tolerance: float, only_values: bool) -> str:
    if not isinstance(received, dict):
        return should_be("a dictionary", received)
    for key in expected:
        if key not in received:
            return f"The entry {show(key)} is missing."
    for key in received:
        if key not in expected:
            return f"There is an entry {show(key)}, which should not be there."
    for key, value in expected.items():
        found = difference(value, received[key], tolerance, only_values)
        if found:
            return _of_entry(key, found)
    return ""


def _of_entry(key: object, sentence: str) -> str:
    """Return a sentence on an answer as one on an entry of it."""
    if sentence.startswith("The answer "):
        return sentence.replace("The answer", f"Entry {show(key)}", 1)
    return f"Entry {show(key)}: {sentence[0].lower()}{sentence[1:]}"


def alike(one: object, other: object, tolerance: float) -> bool:
    """Return whether two answers hold the same numbers in the same shape, of whatever kind, dtype or device they are.

    >>> alike(0.5, np.array(0.5), tolerance=0), alike([1, 2], np.array([1, 2]), tolerance=0)
    (True, False)
    """
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(alike(*pair, tolerance) for pair in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key], tolerance) for key in one)
    values, others = as_array(one), as_array(other)
    if values is None or others is None:
        return isinstance(one, str | bool | None) and type(one) is type(other) and one == other
    return values.shape == others.shape and np.allclose(others, values, rtol=tolerance, atol=tolerance, equal_nan=True)


def as_array(value: object) -> NDArray[np.float64] | None:
    """Return a number, or the values of a dense tensor or array, as float64; None for anything else."""
    number = as_number(value)
    if number is not None:
        return np.array(number)
    if isinstance(value, np.ndarray):
        return np.asarray(value, dtype=float) if value.dtype.kind in "biuf" else None
    if not isinstance(value, Tensor) or value.is_complex():
        return None
    try:
        return value.detach().cpu().double().numpy()
    except (TypeError, RuntimeError, NotImplementedError):  # sparse, quantised, or on the meta device
        return None


def as_number(value: object) -> float | None:
    """Return a real number, also from a tensor or an array of no dimension; None for anything else, True and False too.

    >>> as_number(np.float32(0.5)), as_number(np.array(2)), as_number([2]), as_number(True)
    (0.5, 2.0, None, None)
    """
    if isinstance(value, np.generic | np.ndarray | Tensor) and value.ndim == 0:
        value = None if isinstance(value, Tensor) and value.is_meta else value.item()  # meta tensors have no values
    if not isinstance(value, int | float | Fraction) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def only_value(value: object) -> float | None:
    """Return the one number that a number, a tensor or an array consists of; None where there are several, or none."""
    array = as_array(value)
    return None if array is None or len(np.unique(array)) != 1 else float(array.flat[0])


def kind_of(value: object) -> str:
    """Return in words what sort of thing a value is."""
    if value is None or isinstance(value, bool | np.bool_):
        return str(value)
    if isinstance(value, Tensor | np.ndarray):
        return f"a {'tensor' if isinstance(value, Tensor) else 'NumPy array'} of shape {tuple(value.shape)}"
    if inspect.isroutine(value):
        return "a function"
    if as_number(value) is not None:
        return "a number"
    named = (name for kind, name in KINDS.items() if isinstance(value, kind))
    return next(named, f"a value of type {type(value).__name__}")


def should_be(wanted: str, value: object) -> str:
    """Return a sentence on an answer of the wrong kind: what it should have been, and what it is.

    >>> should_be("one number", (1, 2)), should_be("one number", math.nan)
    ('The answer should be one number, not a tuple.', 'The answer should be one number, not nan.')
    >>> should_be("a list", [].count)
    'The answer should be a list, not the function `count`: did you forget its brackets?'
    """
    start, number = f"The answer should be {wanted}, not", as_number(value)
    if number is not None and not math.isfinite(number):
        return f"{start} {show(number)}."
    if not inspect.isroutine(value):
        return f"{start} {kind_of(value)}."
    name = getattr(value, "__name__", "")
    found = f"the function `{name}`" if name.isidentifier() else "a function"
    return f"{start} {found}: did you forget its brackets?"


def show(value: object) -> str:
    """Return a value in one line: whole where it is small, shortened where it is large.

    >>> show(np.array([[1, 0], [0, 1]]))
    'array (2, 2) int64 [[1, 0], [0, 1]]'
    >>> show(0.1 + 0.2), show(np.int64(3)), show((1, "a"))
    ('0.3', '3', "(1, 'a')")
    >>> show({"A": (1.0, 0.7), "B": [2]})
    "{'A': (1, 0.7), 'B': [2]}"
    """
    if isinstance(value, Tensor | np.ndarray):
        name = "tensor" if isinstance(value, Tensor) else "array"
        dtype = str(value.dtype).removeprefix("torch.")
        return f"{name} {tuple(value.shape)} {dtype} {_elements(value)}".rstrip()
    if isinstance(value, list | tuple):
        text = ", ".join(show(element) for element in value[:SHOWN])
        return shorten(f"[{text}]" if isinstance(value, list) else f"({text})")
    if isinstance(value, dict):
        text = ", ".join(f"{show(key)}: {show(one)}" for key, one in list(value.items())[:SHOWN])
        return shorten(f"{{{text}}}")
    number = as_number(value)
    if number is not None:
        return f"{number:.6g}"
    return shorten(repr(value)) if isinstance(value, str | bool | None) else kind_of(value)


def shorten(text: str) -> str:
    """Return the text in one line of at most about SHOWN characters."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]} …"


def _elements(values: Tensor | NDArray[np.generic]) -> str:
    try:
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    except (TypeError, RuntimeError, NotImplementedError):  # NumPy has no such dtype or layout: its name must do
        return ""
    return shorten(np.array2string(array, precision=4, threshold=24, edgeitems=2, separator=", "))
