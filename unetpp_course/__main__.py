"""The course's own commands, such as `python -m unetpp_course copy FOLDER`; `--help` lists them.

The learner's are `copy` and `draw`; a teacher's `handout`, `slides`, `figures`, `marks` and `project`; the laboratory's
`experiment` and `merge`; `address` is for whoever publishes the course.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from tyro.conf import Positional
from tyro.extras import SubcommandApp

from unetpp_course import lab
from unetpp_course.address import ROOT, fill_in, read_address
from unetpp_course.learners_copy import NOTEBOOKS, copy_notebooks, originals, outdated_copies
from unetpp_course.membranes import write_membranes
from unetpp_course.teaching.handout import write_handout
from unetpp_course.teaching.project import IMAGES, SIZE, write_project
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
def draw(
    folder: Positional[Path], /, count: int = 40, size: int = 256, seed: int = 0, distractors: bool = True
) -> None:
    """Draw images that look like electron microscopy, with masks and distractors, like those of the embedded set.

    Args:
        folder: What to write; it must be new or empty.
        count: How many images.
        size: Their side in pixels.
        seed: The same seed draws the same images.
        distractors: Whether the images have rings that are no membranes; without them the masks are the same.
    """
    write_membranes(folder, count, size, seed, distractors)
    print(f"Drew {count} images of {size}×{size} pixels into {folder}. Train on them: unetpp train --data {folder}")


@app.command
def handout(folder: Positional[Path], /) -> None:
    """Copy the notebooks into a folder without hints and solutions; notebooks that are there are never overwritten.

    Args:
        folder: The folder to hand out.
    """
    copies = write_handout(folder)
    print(f"{len(copies)} notebooks without hints and solutions in {folder}.")


@app.command
def slides(folder: Positional[Path], /, only: str = "") -> None:
    """Make slides of the notebooks' figures and questions, one HTML file each, which need no network.

    Args:
        folder: What to write into.
        only: How the names of the notebooks begin, such as 03; without it, all.
    """
    from unetpp_course.teaching.slides import write_slides  # here, because what it needs is not needed to learn

    written = write_slides(folder, named(only))
    print(f"Slides of {len(written)} notebooks in {folder}. Open one in a browser; to get a PDF, print it from there.")


@app.command
def figures(archive: Positional[Path], /, only: str = "") -> None:
    """Run the notebooks and write all their figures, as SVG and PNG, with their licence, into a ZIP file.

    Args:
        archive: The file to write, such as figures.zip.
        only: How the names of the notebooks begin, such as 03; without it, all: that takes some ten minutes.
    """
    from unetpp_course.teaching.figures import archive_figures

    count = archive_figures(archive, named(only), ROOT, read_address())
    print(f"{count} figures in {archive}.")


@app.command
def marks(folder: Positional[Path], /, out: Path, recheck: bool = False, only: str = "") -> None:
    """Write the marks of a class into one CSV file.

    Args:
        folder: It contains a folder for each learner, with their notebooks and progress.json.
        out: The CSV file to write.
        recheck: Run the answered notebooks, and check them again. THIS RUNS THE LEARNERS' CODE with your rights.
        only: How the names of the notebooks begin, such as 03; without it, all.
    """
    from unetpp_course.teaching.marks import collect_marks, summary, write_csv

    rows = collect_marks(folder, recheck, only)
    write_csv(out, rows)
    print(summary(rows), f"{len(rows)} rows in {out}.", sep="\n")


@app.command
def project(folder: Positional[Path], /, student: str, group: str = "", count: int = IMAGES, size: int = SIZE) -> None:
    """Draw a student's own images for the final project, and write their task beside them.

    Args:
        folder: What to write; it must be new or empty.
        student: The name or number that the project belongs to.
        group: The class, such as 2027; another class gets other projects.
        count: How many images.
        size: Their side in pixels.
    """
    variant = write_project(folder, student, group, count, size)
    print(f"{folder}: {variant.question} Images of seed {variant.images}; the task is in PROJECT.md.")


def named(only: str) -> list[Path]:
    """Return the notebooks whose names begin so."""
    return [path for path in originals(NOTEBOOKS) if path.name.startswith(only) and path.stem != "glossary"]


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
        app.cli(
            prog="python -m unetpp_course",
            description="Copy notebooks, teach with them, run experiments, draw images.",
            args=args,
        )
    except (InputError, OSError) as error:  # an OSError names its file, for example one without permission to read
        print(f"unetpp_course: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Stopped. Finished trials are kept; the same command continues.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
