"""The options of a configuration, each checked against the type of its field."""

import math
import os
import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import numpy as np
import torch

from unetpp_lib.errors import InputError
from unetpp_lib.models.blocks import as_whole_number, as_widths


def check_option(name: str, value: Any, kind: Any) -> Any:
    """Return an option's value converted to ``kind``, the type of its field.

    NumPy numbers become Python numbers, sequences of widths become tuples, and text becomes a path if the field is one.
    Raises InputError, which names the option, the value and what it must be.
    """
    if get_origin(kind) is Literal:
        return _choose(name, value, get_args(kind))
    if kind == tuple[int, ...]:
        return as_widths(value)
    if kind == tuple[str, ...]:
        return _as_names(name, value)
    convert, wanted = _CONVERSIONS[kind]
    try:
        return convert(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name} is {value!r}; it must be {wanted}.") from error


def _choose(name: str, value: Any, choices: Sequence[str]) -> str:
    if isinstance(value, str) and value in choices:
        return str(value)
    *others, last = (f'"{choice}"' for choice in choices)
    raise InputError(f"{name} is {value!r}; it must be {', '.join(others)} or {last}.{_guess(value, choices)}")


def _guess(value: Any, choices: Sequence[str]) -> str:
    """Return " Did you mean …?" for a typing error and for another spelling of a choice, such as "UNet++" or "fp32"."""
    spelled = re.sub(r"[^a-z0-9]", "", str(value).lower().replace("++", "pp").replace("+", "plus"))
    spelled = re.sub(r"^fp?(?=\d)", "float", spelled.replace("bfloat", "bf"))
    bits = re.sub(r"[a-z]", "", spelled)  # another number of bits is not a typing error
    close = get_close_matches(spelled, [choice for choice in choices if choice.endswith(bits)], n=1)
    return f' Did you mean "{close[0]}"?' if close else ""


def as_number(value: Any) -> float:
    """Return a finite number as a Python float; raises TypeError, ValueError or OverflowError for anything else."""
    text_or_bool = isinstance(value, bool | np.bool_ | str | bytes | bytearray)
    if text_or_bool or getattr(value, "ndim", 0) > 0 or getattr(value, "dtype", None) is torch.bool:
        raise TypeError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _as_bool(value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise TypeError
    return bool(value)


def _as_text(value: Any) -> str:
    text = os.fspath(value)
    if not isinstance(text, str):
        raise TypeError
    return text


def _as_names(name: str, value: Any) -> tuple[str, ...]:
    names = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not all(isinstance(one, str) and one.strip() for one in names) or len(set(names)) < len(names):
        raise InputError(f"{name} is {value!r}; it must be a list of names, no two of them the same.")
    return names


def _as_path(value: Any) -> Path | None:
    return None if value is None else Path(value)


_CONVERSIONS: dict[Any, tuple[Callable[[Any], Any], str]] = {
    int: (as_whole_number, "a whole number"),
    float: (as_number, "a finite number"),
    bool: (_as_bool, "True or False"),
    str: (_as_text, "text"),
    Path | None: (_as_path, "a path or None"),
}
