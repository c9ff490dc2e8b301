"""The figures of notebook 10: where the time of a training step goes, and which numbers 16 bits can hold."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import ArrayLike

from unetpp_course.lab.base import Outcome

SMALL = ("augmentation", "loss", "Adam", "the rest")  # families too small for a colour of their own
FLOAT16 = {"exact": 2.0**-14, "lost": 2.0**-25}
"""Where float16 begins to lose digits, and below which it makes 0 of a number."""


def show_step_profile(outcome: Outcome, names: Mapping[str, str]) -> None:
    """Draw the seconds of a step by family of operations, a bar for each way; ``names`` says how the bars are called.

    ``outcome`` is that of a trial of ``step_profile``.
    """
    ways = {label: outcome["families"][way] for way, label in names.items()}
    families = [family for family in next(iter(ways.values())) if family not in SMALL]
    _, axis = plt.subplots(figsize=(8, 3.4))
    left = np.zeros(len(ways))
    for number, family in enumerate([*families, "all else"]):
        parts = SMALL if family == "all else" else (family,)
        widths = np.array([sum(way[part] for part in parts) for way in ways.values()])
        colour = "0.6" if family == "all else" else f"C{number}"
        axis.barh(range(len(ways)), widths, 0.7, left, color=colour, label=family)
        left += widths
    axis.set_yticks(range(len(ways)), list(ways))
    axis.set(ylim=(len(ways) - 0.4, -0.6), xlabel="seconds per step")
    axis.grid(visible=False, axis="y")
    axis.figure.legend(loc="outside lower center", ncols=4, frameon=False)


def show_gradients(gradients: ArrayLike, scale: float) -> None:
    """Draw how many gradients have which size, as they are and times ``scale``, and what float16 makes of them."""
    sizes = np.abs(np.asarray(gradients, dtype=np.float64).ravel())
    sizes = sizes[sizes > 0]
    exponents = np.arange(-50, 11)
    _, axes = plt.subplots(2, 1, figsize=(8, 3.6), sharex=True)
    for axis, factor, title in zip(axes, (1.0, scale), ("as they are", f"times {scale:,.0f}"), strict=True):
        axis.hist(np.log2(sizes * factor), bins=exponents, color="C0")
        axis.axvspan(-50, np.log2(FLOAT16["lost"]), color="C3", alpha=0.2, linewidth=0)
        axis.axvspan(np.log2(FLOAT16["lost"]), np.log2(FLOAT16["exact"]), color="C1", alpha=0.2, linewidth=0)
        lost = (sizes * factor < FLOAT16["lost"]).mean()
        axis.text(0.01, 0.83, f"{title}: float16 makes 0 of {lost:.1%}", transform=axis.transAxes)
        axis.set(yticks=[], xlim=(-50, 10))
    for power, label in ((-30, "becomes 0"), (-19.5, "loses digits"), (-5, "keeps all digits")):
        axes[0].text(power, 1.04, label, transform=axes[0].get_xaxis_transform(), ha="center")
    axes[1].set_xlabel("size of a gradient, as a power of two")
