"""From the tidy table of results to text: pick rows, lay them side by side, subtract what is paired, write it down."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from unetpp_course.lab.intervals import t_interval


def pick(frame: pd.DataFrame, **where: Any) -> pd.DataFrame:
    """Return the rows whose columns have the given values."""
    rows = np.arange(len(frame))
    for column, value in where.items():
        rows = rows[frame[column].take(rows) == value]
    return frame.take(rows)


Names = str | list[str]


def across(frame: pd.DataFrame, columns: Names, index: Names = "seed", **where: Any) -> pd.DataFrame:
    """Return the picked values with a row for each ``index`` and a column for each of ``columns``.

    What is paired stands in one row, so a difference of two columns is paired; NaN where one is missing.
    Raises ValueError where two values would share a cell: pick more.
    """
    named = [*where, *([columns] if isinstance(columns, str) else columns)]
    named += [index] if isinstance(index, str) else index
    frame = frame.assign(**{name: None for name in named if name not in frame})  # no trial at hand has it
    return pick(frame, **where).pivot(index=index, columns=columns, values="value")


def interval(values: Sequence[float]) -> str:
    """Return the mean of the values with its 95 % t-interval, NaN left out; "" for fewer than two."""
    found = pd.Series(values, dtype=float).dropna().tolist()
    return str(t_interval(found)) if len(found) > 1 else ""


def each(values: Sequence[float], form: str = ".3f") -> str:
    """Return the values one by one, a dash where one is missing."""
    return " ".join("–" if pd.isna(value) else format(value, form) for value in values)


def as_text(rows: Sequence[Mapping[str, object]], *labels: str) -> str:
    """Return rows as text, under the names of their cells; ``labels`` are the cells on the left.

    Numbers that are not whole get three digits, and what a row lacks is left blank.
    """
    if not rows:
        return ""
    frame = pd.DataFrame(rows, dtype=object).set_index(list(labels))
    return str(frame.map(_cell).to_string(sparsify=False, index_names=False))


def titled(parts: Mapping[str, str]) -> str:
    """Return texts one below the other, each under its title; those that are empty are left out."""
    return "\n\n".join(f"{title}\n{text}" for title, text in parts.items() if text)


def _cell(value: object) -> str:
    if value is None or value != value:  # NaN
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
