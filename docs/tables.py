"""Put what the experiments say into docs/results_tables.md: `python docs/tables.py`; a test compares the two."""

import re
from functools import cache
from pathlib import Path

from unetpp_course.lab import find_experiment, read_results

PAGE = Path(__file__).parent / "results_tables.md"
BLOCK = re.compile(
    r"(`python -m unetpp_course experiment (\w+)` prints:\n\n```text\n).*?(^```)", re.DOTALL | re.MULTILINE
)


def fill(text: str) -> str:
    """Return the page with the table of each experiment as its stored results have it, and what they cost."""
    return BLOCK.sub(lambda found: f"{found[1]}{table(found[2])}\n\n{cost(found[2])}\n{found[3]}", text)


@cache
def table(name: str) -> str:
    """Return what an experiment's stored results say."""
    text = find_experiment(name).table(read_results(name))
    return "\n".join(line.rstrip() for line in text.splitlines())


def cost(name: str) -> str:
    """Return how many trials were measured, in how many seconds, and on what."""
    results = read_results(name).records.values()
    machines = sorted({f"{r['provenance']['processor']}, torch {r['provenance']['torch']}" for r in results})
    seconds = sum(result["seconds"] for result in results)
    return f"{len(results)} trials, {seconds:.0f} s in all, scoring included; {'; '.join(machines)}"


if __name__ == "__main__":
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
