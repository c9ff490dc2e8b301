"""Explorer: which pixels of an image can reach one pixel of a head's answer."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from torch import Tensor, nn

from unetpp_lib.classroom.explorers.base import PictureExplorer, require_image, require_network, whole_number
from unetpp_lib.classroom.figures import coarse, png_of_figure
from unetpp_lib.classroom.plots import LINE_COLOURS, Pixels, as_picture, course_style
from unetpp_lib.errors import InputError
from unetpp_lib.models import SegmentationNetwork

BATCH = 32  # images at a time: little memory, and caches like it
FRAMES = (*LINE_COLOURS[:2], *LINE_COLOURS[3:])  # one a head


def reach(model: SegmentationNetwork, length: int) -> Tensor:
    """Return which columns of an image reach which columns of each head's answer, bool `(heads, length, length)`.

    ``reach(model, 256)[2, 100]`` is True at the columns of the image that the third head's column 100 can depend on.
    By the networks' symmetry the same holds for rows. Found by running a copy with one channel, no normalisation, all
    weights 1 and all biases 0, in which nothing cancels: one image for each column, with ones in that column alone.
    """
    arguments = model.arguments | {"norm": None, "dropout": 0.0, "widths": (1,) * len(model.widths)}
    copy = type(model)(**arguments).eval()
    for parameter in copy.parameters():
        nn.init.constant_(parameter, float(parameter.ndim > 1))
    # images of one row: the network mirrors it to as many as it needs, and only whether anything arrives is asked
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
    """Choose a head and a pixel: the frames show what each head can see for it, the right picture what the head sees.

    ``image`` is `(1, H, W)` or `(3, H, W)` in [0, 1], of any size; only the model's wiring counts, not its weights.
    InputError for a module that is no network of the library, and for other shapes.
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
        self.picture: Pixels = as_picture(image if len(image) == 1 else image.permute(1, 2, 0))
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
        figure = self._draw(self.head.value)
        self.show(png_of_figure(figure), f"The image with the frames of all heads. {status}", status)
        plt.close(figure)

    @course_style()
    def _draw(self, chosen: int) -> Figure:
        pixels = coarse(np.asarray(self.picture))
        figure, (whole, part) = plt.subplots(1, 2, figsize=(7, 4), layout=ConstrainedLayoutEngine(h_pad=0.1))
        whole.imshow(pixels, vmin=0, vmax=1, cmap="gray", interpolation="nearest")
        for head in range(1, len(self.rows) + 1):
            top, bottom, left, right = self.window(head)
            frame = Rectangle((left - 0.5, top - 0.5), right - left + 1, bottom - top + 1, fill=False)
            frame.set(edgecolor=FRAMES[(head - 1) % len(FRAMES)], linewidth=4 if head == chosen else 1.5)
            frame.set_label(f"head {head}: {bottom - top + 1} × {right - left + 1}")
            whole.add_patch(frame)
        top, bottom, left, right = self.window(chosen)
        extent = (left - 0.5, right + 0.5, bottom + 0.5, top - 0.5)
        seen = pixels[top : bottom + 1, left : right + 1]
        part.imshow(seen, extent=extent, interpolation="nearest", vmin=0, vmax=1, cmap="gray")
        titles = f"the image, {pixels.shape[0]} × {pixels.shape[1]} pixels", f"all that head {chosen} sees"
        for axis, title in zip((whole, part), titles, strict=True):
            axis.plot(self.column.value, self.row.value, "+", color="red", markersize=10)
            axis.set(title=title, xticks=[], yticks=[])
            axis.grid(False)
        figure.legend(
            *whole.get_legend_handles_labels(),
            loc="outside lower center",
            ncols=4,
            frameon=False,
            columnspacing=1.2,
            handlelength=1.2,
        )
        return figure
