"""Explorer: the peephole game, in which a small window must decide between membrane and distractor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import ipywidgets as widgets  # type: ignore[import-untyped]
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn.functional import max_pool2d

from unetpp_course.explorers.base import LABEL, PictureExplorer, Press, choice, require_image
from unetpp_course.explorers.sheet import mark
from unetpp_course.figures import png_of_image
from unetpp_lib.engine import Card
from unetpp_lib.errors import InputError
from unetpp_lib.models import SegmentationNetwork
from unetpp_lib.models.blocks import require_network
from unetpp_lib.models.mode import evaluation_mode

Sample = tuple[Tensor, Tensor, Tensor]  # image, mask and distractors, each (1, H, W)
Label = Literal["membrane", "distractor"]

WINDOWS = (18, 44, 92, 188)  # pixels: the smallest windows of heads 1 to 4 of a UNet++ with transposed up-sampling
SIDE = 376  # pixels of the shown picture, twice the largest window
KINDS = 3  # sizes of distractors


@dataclass(frozen=True)
class Question:
    """A pixel on a contour: its true label, the picture in the window around it, and the heads' labels."""

    label: Label
    picture: NDArray[np.uint8]
    heads: tuple[Label, ...]


class PeepholeGame(PictureExplorer):
    """Label the contour at the cross, seen through one of four windows; a table compares your errors with the heads'.

    ``samples`` are images (1, H, W) in [0, 1] with masks and distractor maps of the same shape. Each window has
    ``count`` questions of its own, half of them membranes; the window of 18 pixels belongs to head 1, and so on.
    `answer` takes an answer, as the buttons do. Raises InputError if the middle of the images, where a window fits
    entirely, contains too few contours.
    """

    def __init__(
        self, model: SegmentationNetwork, card: Card, samples: Sequence[Sample], count: int = 20, seed: int = 0
    ) -> None:
        require_network(model)
        for image, mask, distractors in samples:
            require_image(image, mask, channels=1)
            require_image(image, distractors, channels=1)
        rng = np.random.default_rng(seed)
        answers = [_call(model, card, image) for image, _, _ in samples]
        self.windows = WINDOWS[: len(model.head_depths)]
        self.questions = {
            window: _draw_questions(samples, answers, window, count, max(self.windows), rng) for window in self.windows
        }
        self.answers: dict[int, list[Label]] = {window: [] for window in self.windows}
        self.window = choice("window, pixels", list(self.windows))
        buttons = {label: Press(description=label) for label in ("membrane", "distractor")}
        row = widgets.HBox([*buttons.values()], layout={"margin": f"0 0 0 {LABEL}", "flex_flow": "row wrap"})
        super().__init__([self.window, row])
        for label, button in buttons.items():
            button.on_click(lambda _, label=label: self.answer(label))
        self.window.observe(lambda _: self._update(""), "value")
        self._update("")

    @property
    def asked(self) -> int:
        """The number, from 0, of the question that is shown; after the last answer, the last one."""
        window = self.window.value
        return min(len(self.answers[window]), len(self.questions[window]) - 1)

    def answer(self, label: Label) -> None:
        """Answer the question with "membrane" or "distractor" and go on to the next; else raises InputError."""
        if label not in ("membrane", "distractor"):
            raise InputError(f'{label!r} is not an answer: give "membrane" or "distractor".')
        given, questions = self.answers[self.window.value], self.questions[self.window.value]
        if len(given) == len(questions):
            self._update("All questions of this window are answered: take another window. ")
            return
        truth = questions[len(given)].label
        given.append(label)
        self._update(f"{'Right' if label == truth else 'Wrong'}: it was a {truth}. ")

    @property
    def scores(self) -> str:
        """A table of your errors and, for each window that you have played, of its head's errors."""
        lines = ["window   you: wrong of answered   the head: wrong of all"]
        for number, window in enumerate(self.windows):
            questions, given = self.questions[window], self.answers[window]
            yours = sum(question.label != label for question, label in zip(questions, given, strict=False))
            heads = sum(question.label != question.heads[number] for question in questions)
            you = f"{yours} of {len(given)}"
            head = f"{heads} of {len(questions)}" if given else "shown when you have played"
            lines.append(f"{window:>3} px   {you:<22}   head {number + 1}: {head}")
        return "\n".join(lines)

    def _update(self, reply: str) -> None:
        window = self.window.value
        number = f"question {self.asked + 1} of {len(self.questions[window])}"
        status = f"{reply}Window of {window} pixels, {number}: membrane or distractor?"
        picture = self.questions[window][self.asked].picture
        alt = f"{reply}A piece of the image, {window} pixels wide, with a cross on the contour in its middle."
        self.show(_enlarge(picture), alt, status)
        self._view.value += f"<pre>{self.scores}</pre>"


def _call(model: SegmentationNetwork, card: Card, image: Tensor) -> Tensor:
    """Return where each head predicts membrane, bool `(heads, H, W)`."""
    with torch.inference_mode(), evaluation_mode(model):
        heads = model(card.normalise(image)[None])
    return torch.cat([torch.sigmoid(head[0]) <= card.threshold for head in heads])


def _draw_questions(
    samples: Sequence[Sample], calls: Sequence[Tensor], window: int, count: int, margin: int, rng: np.random.Generator
) -> list[Question]:
    """Draw `count` pixels in the middle of contours: half membranes, half distractors of all sizes in turn."""
    kinds = [0 if number % 2 else 1 + number // 2 % KINDS for number in range(count)]
    places = [_places(samples, kind, margin // 2) for kind in range(KINDS + 1)]
    if not all(len(places[kind]) for kind in kinds):
        raise InputError(
            f"These images hold no contour of every kind at least {margin // 2} pixels from their borders: "
            "give more images or larger ones."
        )
    questions = []
    for kind in rng.permutation(kinds):
        index, row, column = places[kind][rng.integers(len(places[kind]))]
        half = window // 2
        part = samples[index][0][0, row - half : row + half, column - half : column + half]
        heads: tuple[Label, ...] = tuple(
            "membrane" if call else "distractor" for call in calls[index][:, row, column].tolist()
        )
        label: Label = "distractor" if kind else "membrane"
        questions.append(Question(label, (255 * part).byte().numpy(), heads))
    return questions


def _places(samples: Sequence[Sample], kind: int, margin: int) -> NDArray[np.intp]:
    """Return (sample, row, column) of pixels surrounded by their own kind: 0 is membrane, 1 … are distractors."""
    found = []
    for index, (_, mask, distractors) in enumerate(samples):
        contour = distractors[0] == kind if kind else mask[0] == 0
        inner = max_pool2d((~contour).float()[None, None], 3, stride=1, padding=1)[0, 0] == 0
        inner[:margin], inner[-margin:], inner[:, :margin], inner[:, -margin:] = False, False, False, False
        rows, columns = inner.nonzero().T.numpy()
        found.append(np.stack([np.full_like(rows, index), rows, columns], axis=1))
    return np.concatenate(found)


def _enlarge(picture: NDArray[np.uint8]) -> bytes:
    image = Image.fromarray(picture).convert("RGB").resize((SIDE, SIDE), Image.Resampling.NEAREST)
    mark(ImageDraw.Draw(image), SIDE // 2, SIDE // 2)
    return png_of_image(image)
