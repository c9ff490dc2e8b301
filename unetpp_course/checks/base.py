"""What every exercise has: its number, its heading in the notebook, and the examination of an answer."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unetpp_course.checks.verdict import NOT_ATTEMPTED, Mark, Verdict

Difficulty = Literal["easy", "medium", "hard"]


@dataclass(frozen=True, kw_only=True)
class Exercise(ABC):
    """An exercise of the notebook that its number begins with: "4.2" is the second of notebook 04.

    Where a subclass has ``mistakes``, each is a wrong answer with the sentence that names it. ``also_wrong`` lists
    further wrong answers, each with words that its message must contain; only the tests use them.
    """

    number: str
    title: str
    difficulty: Difficulty
    minutes: int
    also_wrong: Sequence[tuple[object, str]] = ()

    @property
    def heading(self) -> str:
        """The exercise's heading, as it stands in the notebook."""
        return f"Exercise {self.number} · {self.title} · {self.difficulty} · {self.minutes} min"

    def examine(self, answer: object) -> Verdict:
        """Return what there is to say about an answer; never raises, whatever the answer is or does."""
        if answer is None or answer is ...:
            return NOT_ATTEMPTED
        try:
            return self._judge(answer)
        except Exception as error:  # an answer that raises when it is looked at, or that holds itself
            return Verdict(Mark.FAILED, f"This answer cannot be compared with the right one: {type(error).__name__}.")

    @abstractmethod
    def _judge(self, answer: object) -> Verdict:
        """Return the verdict on an answer that was attempted."""
