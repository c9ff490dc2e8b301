"""What a check says about an answer."""

from dataclasses import dataclass
from enum import StrEnum

GENERIC = "This is not the expected answer."  # where no mistake could be named


class Mark(StrEnum):
    """How an exercise stands; the value is what the learner sees and what the progress file holds."""

    NOT_ATTEMPTED = "⬜"
    PASSED = "✅"
    FAILED = "❌"
    REVEALED = "🔎"  # a prediction that turned out otherwise, which is as good as one that came true


@dataclass(frozen=True)
class Verdict:
    """A mark, a sentence that names the mistake, and a small example of it; parts that are empty are not shown."""

    mark: Mark
    sentence: str
    given: str = ""
    expected: str = ""
    received: str = ""
    printed: str = ""
    measured: str = ""

    def __str__(self) -> str:
        parts = {"given": self.given, "expected": self.expected, "measured": self.measured}
        parts |= {"received": self.received, "printed": self.printed}
        return "\n".join([self.sentence, *(f"{label + ':':<10}{text}" for label, text in parts.items() if text)])


NOT_ATTEMPTED = Verdict(Mark.NOT_ATTEMPTED, "Not attempted yet: put your answer where the dots ... stand.")
