"""Explorer: which pixels of an image can influence one pixel of a head's prediction."""

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn

from unetpp_course.explorers.base import PictureExplorer, require_image, whole_number
from unetpp_course.explorers.sheet import Picture, font, grey, mark, png
from unetpp_course.figures import png_of_image
from unetpp_course.style import LINE_COLOURS
from unetpp_lib.errors import InputError
from unetpp_lib.models import SegmentationNetwork
from unetpp_lib.models.blocks import require_network

BATCH = 32  # images at a time: this needs little memory and suits the caches
SIDE, GAP, LINE, LETTERS = 340, 16, 24, 14  # pixels: a picture's longer side, gap, line of text, letters
FRAMES = (*LINE_COLOURS[:2], *LINE_COLOURS[3:])  # one per head


def reach(model: SegmentationNetwork, length: int) -> Tensor:
    """Return which columns of an image influence which columns of each head, bool `(heads, length, length)`.

    ``reach(model, 256)[2, 100]`` is True at the columns of the image on which column 100 of the third head can depend.
    The networks are symmetric, so the same holds for rows. It is found with a copy of the network that has one channel,
    no normalisation, all weights 1 and all biases 0, so that nothing cancels: it is given one image per column, with
    ones in that column only.
    """
    arguments = model.arguments | {"norm": None, "dropout": 0.0, "widths": (1,) * len(model.widths)}
    with torch.device("meta"):  # no weights are drawn: all are set below
        copy = type(model)(**arguments)
    copy.to_empty(device="cpu").eval()
    for parameter in copy.parameters():
        nn.init.constant_(parameter, float(parameter.ndim > 1))
    # one row is enough: the network mirrors it, and only whether a value arrives matters
    images = torch.eye(length)[:, None, None].expand(-1, model.in_channels, 1, -1)
    with torch.inference_mode():
        parts = [torch.stack([head[:, 0, 0] for head in copy(part)]) for part in torch.split(images, BATCH)]
    return torch.cat(parts, dim=1).transpose(1, 2) > 0


def first_and_last(seen: Tensor) -> Tensor:
    """Return the first and the last True along the last dimension: `(…, length)` bool → `(…, 2)`."""
    length = seen.shape[-1]
    first = seen.int().argmax(-1)
    return torch.stack([first, length - 1 - seen.flip(-1).int().argmax(-1)], dim=-1)


class ReceptiveFieldExplorer(PictureExplorer):
    """Choose a head and a pixel: frames show what each head can see there, the right picture what the chosen one sees.

    ``image`` is `(1, H, W)` or `(3, H, W)` in [0, 1], of any size. Only the architecture of the model matters, not its
    weights. Raises InputError for a module that is not a network of the library, and for other shapes.
    """

    def __init__(self, model: SegmentationNetwork, image: Tensor, head: int = 1, row: int = 0, column: int = 0) -> None:
        require_network(model)
        require_image(image)
        height, width = image.shape[-2:]
        if not (1 <= head <= len(model.head_depths) and 0 <= row < height and 0 <= column < width):
            raise InputError(
                f"head={head}, row={row}, column={column}: this network has heads 1 to {len(model.head_depths)}, "
                f"this image {height} rows and {width} columns, counted from 0."
            )
        coloured = len(image) == 3
        self._encode = png_of_image if coloured else png  # the palette of sheets has too few colours
        self.picture: Picture = (
            np.rint(255 * image.permute(1, 2, 0).clamp(0, 1).numpy()).astype(np.uint8) if coloured else grey(image[0])
        )
        rows = reach(model, height)
        columns = rows if width == height else reach(model, width)
        self.rows, self.columns = first_and_last(rows).numpy(), first_and_last(columns).numpy()
        head_box, self.head = whole_number("head", head, 1, len(model.head_depths))
        row_box, self.row = whole_number("row", row, 0, height - 1)
        column_box, self.column = whole_number("column", column, 0, width - 1)
        super().__init__([head_box, row_box, column_box])
        for slider in (self.head, self.row, self.column):
            slider.observe(self._update, "value")
        self._update()

    def window(self, head: int) -> tuple[int, int, int, int]:
        """Return the first and last row, and the first and last column, that a head (from 1) sees for the pixel."""
        (top, bottom), (left, right) = self.rows[head - 1, self.row.value], self.columns[head - 1, self.column.value]
        return int(top), int(bottom), int(left), int(right)

    def _update(self, _: object = None) -> None:
        top, bottom, left, right = self.window(self.head.value)
        status = (
            f"Head {self.head.value}, pixel ({self.row.value}, {self.column.value}): it sees rows {top}–{bottom} and "
            f"columns {left}–{right}, {bottom - top + 1} × {right - left + 1} pixels."
        )
        alt = f"The image with the frames of all heads. {status}"
        self.show(self._encode(self._draw(self.head.value)), alt, status)

    def _draw(self, chosen: int) -> Image.Image:
        """Return the image with a frame per head, beside it what the chosen head sees, and below them a legend."""
        top, bottom, left, right = self.window(chosen)
        row, column = self.row.value, self.column.value
        height, width = self.picture.shape[:2]
        titles = f"the image, {height} × {width} pixels", f"all that head {chosen} sees"
        parts = self.picture, self.picture[top : bottom + 1, left : right + 1]
        corners, places = ((0, 0), (SIDE + GAP, 0)), ((row, column), (row - top, column - left))
        sheet = Image.new("RGB", (2 * SIDE + GAP, SIDE + 3 * LINE), "white")
        draw = ImageDraw.Draw(sheet)
        for title, part, (x, _), place in zip(titles, parts, corners, places, strict=True):
            scale = SIDE / max(part.shape[:2])
            size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
            draw.text((x, 2), title, "black", font(LETTERS))
            sheet.paste(Image.fromarray(part).resize(size, Image.Resampling.NEAREST), (x, LINE))
            if x == 0:
                self._draw_frames(draw, chosen, scale)
            mark(draw, x + (place[1] + 0.5) * scale, LINE + (place[0] + 0.5) * scale)
        return sheet

    def _draw_frames(self, draw: ImageDraw.ImageDraw, chosen: int, scale: float) -> None:
        """Draw each head's frame on the image, the chosen one thicker, with its name and size below."""
        for head in sorted(
            range(1, len(self.rows) + 1), key=lambda head: head == chosen
        ):  # the chosen one last, on top
            top, bottom, left, right = self.window(head)
            colour = FRAMES[(head - 1) % len(FRAMES)]
            ends = (scale * left, LINE + scale * top, scale * (right + 1) - 1, LINE + scale * (bottom + 1) - 1)
            draw.rectangle(ends, outline=colour, width=5 if head == chosen else 2)
            x, y = (head - 1) % 4 * (2 * SIDE + GAP) // 4, SIDE + LINE + 8 + (head - 1) // 4 * LINE
            draw.rectangle((x, y, x + 20, y + 13), outline=colour, width=5 if head == chosen else 2)
            draw.text((x + 26, y - 2), f"head {head}: {bottom - top + 1} × {right - left + 1}", "black", font(LETTERS))
