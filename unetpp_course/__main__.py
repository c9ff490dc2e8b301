"""The course's own commands: `python -m unetpp_course experiment NAME`, `… merge NAME`, `… copy FOLDER`, `… draw …`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tyro.conf import Positional
from tyro.extras import SubcommandApp

from unetpp_course import lab
from unetpp_course.address import ROOT, fill_in
from unetpp_course.learners_copy import copy_notebooks, outdated_copies
from unetpp_course.membranes import write_membranes
from unetpp_lib.cli import let_output_pass
from unetpp_lib.errors import InputError

app = SubcommandApp()


@app.command
def experiment(name: Positional[str], /, only: str = "*") -> None:
    """Measure the missing trials of an experiment, store them in data/results/, and print its table.

    Args:
        name: such as supervision; a wrong name lists all.
        only: Measure only the trials whose names match this pattern, for example "*seed0".
    """
    found = lab.find_experiment(name)
    results = lab.run_experiment(found, only)
    print(f"{found.question} {len(results)} of {len(found.trials)} trials are measured.\n\n{found.table(results)}")


@app.command
def merge(name: Positional[str], /) -> None:
    """Move the finished trials of an experiment, a file each, into its one file, data/results/NAME.jsonl.

    Args:
        name: supervision …; a wrong name lists all.
    """
    count = lab.merge_results(lab.find_experiment(name).name)
    print(f"data/results/{name}.jsonl holds {count} trials.")


@app.command
def copy(folder: Positional[Path], /) -> None:
    """Copy the course's notebooks into a folder; notebooks that are already there are never overwritten.

    Args:
        folder: Your working folder, such as my_course.
    """
    copies = copy_notebooks(folder)
    notebooks = "notebook" if len(copies) == 1 else "notebooks"
    print(f"{len(copies)} new {notebooks} in {folder}; yours are unchanged.")
    outdated = outdated_copies(folder)
    if outdated:
        print(
            f"The course has changed since you copied {', '.join(path.name for path in outdated)}. To get the new "
            f"version too, rename yours (to {outdated[0].stem}_mine.ipynb, say) and run this command again."
        )


@app.command
def draw(folder: Positional[Path], /, count: int = 40, size: int = 256, seed: int = 0) -> None:
    """Draw images that look like electron microscopy, with masks and distractors, like those of the embedded set.

    Args:
        folder: What to write; it must be new or empty.
        count: How many images.
        size: Their side in pixels.
        seed: The same seed draws the same images.
    """
    write_membranes(folder, count, size, seed)
    print(f"Drew {count} images of {size}×{size} pixels into {folder}. Train on them: unetpp train --data {folder}")


@app.command
def address(url: Positional[str], /) -> None:
    """Write the address of the repository into every file that contains it: badges, notebooks, citation, links.

    Args:
        url: such as https://github.com/OWNER/REPOSITORY.
    """
    changed = fill_in(url)
    print(f"{len(changed)} files changed.", *(path.relative_to(ROOT) for path in changed), sep="\n  ")


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; the process exits with 0, with 2 after wrong input, or with 130 after Ctrl-C."""
    let_output_pass()
    try:
        app.cli(prog="python -m unetpp_course", description="Copy notebooks, run experiments, draw images.", args=args)
    except (InputError, OSError) as error:  # an OSError names its file, for example one without permission to read
        print(f"unetpp_course: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Stopped. Finished trials are kept; the same command continues.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
