"""A pretend GPU with a clock of its own: notebook 10 learns to time a GPU with it, on any machine."""

from collections.abc import Sequence

import matplotlib.pyplot as plt

Span = tuple[str, float, float]
"""Who is busy, from when to when."""


class PretendGPU:
    """Does as a GPU does: `launch_step` returns at once, and the work is done later, one step after the other.

    ``work`` is the seconds that its steps take, in turn; the last value holds for all further ones. Each launch takes
    ``launch`` seconds of Python's time. `clock` tells the time, and `synchronize` waits until all work is done.
    """

    def __init__(self, work: Sequence[float], launch: float = 0.001) -> None:
        self.work, self.launch = tuple(work), launch
        self.now = self.free = 0.0
        self.launched = 0
        self.spans: list[Span] = []

    def launch_step(self) -> None:
        """Hand one training step over to the GPU, and return without waiting for it."""
        start, self.now = self.now, self.now + self.launch
        begin = max(self.now, self.free)  # steps wait in line
        self.free = begin + self.work[min(self.launched, len(self.work) - 1)]
        self.launched += 1
        self.spans += [("Python", start, self.now), ("GPU", begin, self.free)]

    def synchronize(self) -> None:
        """Wait until the GPU has done all that was launched."""
        self.now = max(self.now, self.free)

    def clock(self) -> float:
        """Return the time in seconds."""
        return self.now

    def __repr__(self) -> str:
        return f"a GPU whose steps take {', '.join(f'{seconds:g}' for seconds in self.work)} s"


def show_timeline(gpu: PretendGPU) -> None:
    """Draw when Python launched and when the GPU worked, in milliseconds."""
    _, axis = plt.subplots(figsize=(8, 1.6))
    for row, (who, colour) in enumerate({"Python": "C1", "GPU": "C0"}.items()):
        bars = [(1000 * start, 1000 * (end - start)) for name, start, end in gpu.spans if name == who]
        axis.broken_barh(bars, (row - 0.3, 0.6), color=colour, edgecolor="white")
    axis.axvline(1000 * gpu.now, color="black", linestyle="--")
    axis.text(1000 * gpu.now, -0.45, " the clock now", va="bottom")
    axis.set_yticks([0, 1], ["Python launches", "the GPU works"])
    axis.set(ylim=(1.5, -0.5), xlabel="milliseconds")
    axis.grid(visible=False)
