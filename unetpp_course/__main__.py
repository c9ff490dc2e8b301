"""The course's own commands: `python -m unetpp_course experiment NAME`, `… copy FOLDER` and `… draw FOLDER`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tyro.conf import Positional
from tyro.extras import SubcommandApp

from unetpp_course import lab
from unetpp_course.learners_copy import copy_notebooks, outdated_copies
from unetpp_course.membranes import write_membranes
from unetpp_lib.cli import let_output_pass
from unetpp_lib.errors import InputError

app = SubcommandApp()


@app.command
def experiment(name: Positional[str], /, only: str = "*") -> None:
    """Measure what is missing of an experiment of data/results/, and show what it says.

    Args:
        name: supervision …; a wrong name lists all.
        only: Measure only the trials whose names match this pattern, for example "*seed0".
    """
    found = lab.find_experiment(name)
    outcomes = lab.run_experiment(found, only)
    print(f"{found.question} {len(outcomes)} of {len(found.trials)} trials are measured.\n\n{found.table(outcomes)}")


@app.command
def copy(folder: Positional[Path], /) -> None:
    """Put the notebooks that a folder lacks into it; what is there is never written over.

    Args:
        folder: Where you work, such as my_course.
    """
    copies = copy_notebooks(folder)
    print(f"{len(copies)} new notebook{'s' * (len(copies) != 1)} in {folder}; yours are as you left them.")
    outdated = outdated_copies(folder)
    if outdated:
        print(
            f"The course has changed since you copied {', '.join(path.name for path in outdated)}. To get the new "
            f"version too, rename yours (to {outdated[0].stem}_mine.ipynb, say) and run this command again."
        )


@app.command
def draw(folder: Positional[Path], /, count: int = 40, size: int = 256, seed: int = 0) -> None:
    """Draw images that look like electron microscopy, with masks and distractors, as the embedded set has them.

    Args:
        folder: What to write; it must be new or empty.
        count: How many images.
        size: Their side in pixels.
        seed: The same seed draws the same images.
    """
    write_membranes(folder, count, size, seed)
    print(f"Drew {count} images of {size}×{size} pixels into {folder}. Train on them: unetpp train --data {folder}")


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; the process ends with 0, with 2 for wrong input, or with 130 after Ctrl-C."""
    let_output_pass()
    try:
        app.cli(prog="python -m unetpp_course", description="Copy notebooks, run experiments, draw images.", args=args)
    except (InputError, OSError) as error:  # an OSError names its file: no right to read it, for example
        print(f"unetpp_course: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Stopped. What was measured is kept; the same command goes on.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
