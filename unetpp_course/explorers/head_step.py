"""Explorer: what each head predicts as training proceeds."""

import io

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from unetpp_course.explorers.base import PictureExplorer, choice, whole_number
from unetpp_course.explorers.sheet import font, png
from unetpp_course.figures import coarse
from unetpp_course.heads_in_time import MEAN, KeptHeads
from unetpp_course.style import LINE_COLOURS, as_picture, course_style, mark_mistakes
from unetpp_lib.errors import InputError
from unetpp_lib.metrics import classify

CELL, CAPTION, GAP = 256, 22, 8  # pixels
LARGE = 2 * CELL + CAPTION  # two cells and the caption between them
ALL = "all"
COLOURS = tuple(LINE_COLOURS[number] for number in (5, 4, 2, 3))  # of the heads; not those of the mistakes
LEGEND = "Blue: interior called membrane; orange: membrane called interior."


class HeadStepExplorer(PictureExplorer):
    """Move through a training run: the heads side by side, or one of them enlarged, with mistakes in colour and IoU.

    ``kept`` is what `shipped_heads` or `keep_heads` returns, or a `KeptHeads` with your own probabilities.
    Controls: ``moment`` (the number of the kept step, from 0), ``head`` ("all", "1" …, "mean"), ``view`` ("decision",
    "probability"). Raises InputError for a moment that does not exist.
    """

    def __init__(self, kept: KeptHeads, threshold: float = 0.5, moment: int = -1) -> None:
        self.kept, self.threshold = kept, threshold
        self.steps = sorted(kept.steps)
        if not -len(self.steps) <= moment < len(self.steps):
            raise InputError(f"moment is {moment}; there are {len(self.steps)} kept steps, counted from 0.")
        self.scores = {output: kept.scores(output, threshold) for output in kept.outputs}
        self._chart, self._places = self._draw_chart()
        self._pictures: dict[tuple[int, str, str], bytes] = {}
        last = len(self.steps) - 1
        box, self.moment = whole_number("kept picture", moment % len(self.steps), 0, last)
        names = [ALL, *(output.removeprefix("head ") for output in kept.outputs)]
        self.head, self.view = choice("head", names), choice("picture", ["decision", "probability"])
        super().__init__([box, self.head, self.view])
        for control in (self.moment, self.head, self.view):
            control.observe(self._update, "value")
        self._update()

    @property
    def step(self) -> int:
        """The training step that is shown."""
        moment: int = self.moment.value
        return self.steps[moment]

    def _update(self, _: object = None) -> None:
        key = (self.step, self.head.value, self.view.value)
        if key not in self._pictures:  # each picture is drawn once
            self._pictures[key] = png(self._draw())
        shown = self._shown()
        said = ", ".join(f"{output} {self.scores[output][self.step]:.2f}" for output in shown)
        status = f"Step {self.step} of {self.steps[-1]}. IoU of the membrane: {said}."
        legend = LEGEND if self.view.value == "decision" else "White: surely interior; black: surely membrane."
        self.show(
            self._pictures[key],
            f"{self.view.value.capitalize()} of {', '.join(shown)}. {status}",
            f"{status}\n{legend}",
        )

    def _shown(self) -> list[str]:
        chosen = self.head.value
        if chosen == ALL:
            return [output for output in self.kept.outputs if output != MEAN]
        return [MEAN if chosen == MEAN else f"head {chosen}"]

    def _draw(self) -> Image.Image:
        """Return image (or truth), heads and chart as one picture: three cells per row, or two beside a large one."""
        image = self.kept.image
        first = np.asarray(self.kept.mask, dtype=float) if image is None else image.permute(1, 2, 0).squeeze(-1).numpy()
        cells = [("truth" if image is None else "image", _grey(as_picture(first)), "white")]
        for output in self._shown():
            title = f"{output}: IoU {self.scores[output][self.step]:.2f}"
            cells.append((title, self._panel(output), self._colour(output)))
        large = len(cells) == 2
        slots = 3 if large else len(cells) + 1
        columns = min(3, slots)
        rows = 2 if large else -(-slots // columns)
        width = CELL + GAP + LARGE if large else columns * (CELL + GAP) - GAP
        sheet = Image.new("RGB", (width, rows * (CELL + CAPTION)), "white")
        for number, (title, panel, colour) in enumerate(cells):
            row, column = (0, number) if large else divmod(number, columns)
            side = LARGE if large and number else CELL
            _paste(sheet, column * (CELL + GAP), row * (CELL + CAPTION), title, panel, colour, side)
        row, column = (1, 0) if large else divmod(slots - 1, columns)
        self._paste_chart(sheet, column * (CELL + GAP), row * (CELL + CAPTION))
        return sheet

    def _panel(self, output: str) -> NDArray[np.uint8]:
        probabilities = self.kept.probabilities(self.step, output)
        if self.view.value == "probability":
            return _grey(probabilities.numpy())
        return mark_mistakes(self.kept.mask, classify(probabilities[None, None], self.threshold))

    def _colour(self, output: str) -> str:
        return "black" if output == MEAN else COLOURS[self.kept.outputs.index(output) % len(COLOURS)]

    def _paste_chart(self, sheet: Image.Image, left: int, top: int) -> None:
        sheet.paste(self._chart, (left, top))
        place = left + self._places[self.moment.value]
        ImageDraw.Draw(sheet).line([(place, top + 28), (place, top + CELL - 22)], fill="black", width=1)

    @course_style()
    def _draw_chart(self) -> tuple[Image.Image, list[int]]:
        """Return a chart of the scores by kept step, and the horizontal position of each step in it, in pixels."""
        figure, axis = plt.subplots(figsize=(CELL / 100, (CELL + CAPTION) / 100), dpi=100)
        for output, points in self.scores.items():
            heights = [points[step] for step in self.steps]
            dashes = ":" if output == MEAN else "-"
            axis.plot(range(len(self.steps)), heights, dashes, color=self._colour(output), marker=".")
        labelled = range(0, len(self.steps), max(1, -(-len(self.steps) // 5)))
        axis.set_xticks(list(labelled), [str(self.steps[place]) for place in labelled])
        axis.set(title="IoU (dotted: mean)", xlabel="step (the kept ones)", ylim=(0, 1))
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        places = [round(axis.transData.transform((place, 0))[0]) for place in range(len(self.steps))]
        plt.close(figure)
        return Image.open(buffer).convert("RGB"), places


def _grey(pixels: NDArray[np.floating]) -> NDArray[np.uint8]:
    greys: NDArray[np.uint8] = (255 * coarse(pixels)).astype(np.uint8)
    return greys


def _paste(
    sheet: Image.Image, left: int, top: int, title: str, panel: NDArray[np.uint8], colour: str, side: int
) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.rectangle([(left, top + 4), (left + 12, top + 16)], fill=colour)
    draw.text((left + 18, top + 1), title, "black", font(14))
    picture = Image.fromarray(panel).convert("RGB")
    scale = side / max(picture.size)
    size = tuple(max(1, round(length * scale)) for length in picture.size)
    sheet.paste(picture.resize(size, Image.Resampling.NEAREST), (left, top + CAPTION))  # type: ignore[arg-type]
    # a white mask on a white page needs its frame
    draw.rectangle((left, top + CAPTION, left + size[0] - 1, top + CAPTION + size[1] - 1), outline="grey")
