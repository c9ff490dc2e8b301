"""The parts of an explorer: controls, one picture with a description for screen readers, and a line of status."""

import base64
from collections.abc import Callable, Hashable, Mapping, Sequence
from html import escape
from threading import RLock
from typing import Any, Generic, TypeVar

import ipywidgets as widgets  # type: ignore[import-untyped]
from torch import Tensor

from unetpp_course.explorers.access import ACCESS, CLASS, STYLE
from unetpp_course.figures import shrink
from unetpp_lib.engine.preprocessing import check_image
from unetpp_lib.errors import InputError
from unetpp_lib.labels import require_tensor

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

LABEL, SLIDER, NUMBER = "12em", "27em", "5em"  # widths; labels of equal width align the controls


class Recent(Generic[Key, Value]):
    """A cache of at most ``most`` values by key; the value that was not used for longest is dropped first."""

    def __init__(self, most: int) -> None:
        self._most, self._kept = most, dict[Key, Value]()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """Return the value for a key; make it if it is not in the cache."""
        value = self._kept.pop(key) if key in self._kept else make()
        self._kept[key] = value  # the last one is the newest
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]
        return value


class Pictured(widgets.VBox):  # type: ignore[misc]
    """A widget with a picture that stands in where widgets cannot run, and a status that says what it shows."""

    png: bytes
    status: str

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.status}"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        picture = shrink(base64.b64encode(self.png))  # it is stored in the notebook's file
        return bundle | {"text/plain": repr(self), "image/png": picture}


class PictureExplorer(Pictured):
    """Controls above one picture; if widgets cannot run, only the picture is shown.

    ``status`` says in a sentence what the picture shows; `repr` contains it, and screen readers read it aloud.
    """

    def __init__(self, controls: Sequence[widgets.Widget]) -> None:
        self.png, self.status = b"", ""
        self._view = widgets.HTML()
        super().__init__([*controls, self._view])
        self.add_class(CLASS)

    def show(self, png: bytes, alt: str, status: str, over: str = "") -> None:
        """Replace the picture, its description and the line of status; ``over`` is HTML to lie over the picture."""
        self.png, self.status = png, status
        encoded = base64.b64encode(png).decode()
        self._view.value = (
            f'{STYLE}<div class="picture"><img alt="{escape(alt)}" onload="{ACCESS}" '
            f'src="data:image/png;base64,{encoded}">{over}</div>'
            f'<p role="status" style="white-space: pre-line">{escape(status, quote=False)}</p>'
        )


class OneAtATime:
    """A control whose reports from the browser are handled one after another, together with those of all controls.

    JupyterLab hands such reports to two threads of the kernel, and what they do must not overlap.
    """

    _lock = RLock()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Handle a report from the browser."""
        with self._lock:
            super().set_state(sync_data)  # type: ignore[misc]

    def _handle_custom_msg(self, content: Any, buffers: Any) -> None:
        with self._lock:
            super()._handle_custom_msg(content, buffers)  # type: ignore[misc]


class Slider(OneAtATime, widgets.IntSlider):  # type: ignore[misc]
    """A slider of whole numbers."""


class Number(OneAtATime, widgets.BoundedIntText):  # type: ignore[misc]
    """A field for a whole number."""


class Choice(OneAtATime, widgets.ToggleButtons):  # type: ignore[misc]
    """A row of buttons, one of which is chosen."""

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Handle a report from the browser, except for a click on a button that no longer exists."""
        with self._lock:
            if (sync_data.get("index") or 0) < len(self._options_full):
                super().set_state(sync_data)


class Switch(OneAtATime, widgets.ToggleButton):  # type: ignore[misc]
    """A button that is on or off."""


class Press(OneAtATime, widgets.Button):  # type: ignore[misc]
    """A button that does something when it is pressed."""


class Click(OneAtATime, widgets.Text):  # type: ignore[misc]
    """Receives clicks on a picture; it is hidden, and other controls can do the same as a click."""

    def __init__(self) -> None:
        super().__init__(layout={"display": "none"})
        self.add_class("clicked")


def whole_number(label: str, value: int, least: int, greatest: int, step: int = 1) -> tuple[widgets.HBox, Slider]:
    """Return a slider with a linked number field, which has the accessible name that a slider lacks; and the slider."""
    wide, hidden = (
        {"description_width": LABEL},
        {"description_width": "0px"},
    )  # shown at the slider only
    options = {"value": value, "min": least, "max": greatest, "step": step, "description": label}
    slider = Slider(**options, readout=False, style=wide, layout={"width": SLIDER})
    number = Number(**options, style=hidden, layout={"width": NUMBER})
    widgets.link((slider, "value"), (number, "value"))
    return widgets.HBox([slider, number]), slider


def choice(label: str, options: Sequence[Any] | Mapping[str, Any]) -> Choice:
    """Return a row of buttons, one of which is chosen; they are named after the options, or the keys of a mapping."""
    style = {"description_width": LABEL, "button_width": "auto"}
    layout = {"width": "auto", "display": "flex", "flex_flow": "row nowrap"}  # the label to the left, like a slider's
    return Choice(options=options, description=label, style=style, layout=layout)


def require_image(image: Tensor, mask: Tensor | None = None, channels: int | None = None) -> None:
    """Raise InputError unless the image is (C, H, W) in [0, 1] and the mask (1, H, W) of the same size."""
    require_tensor("image", image)
    wanted = "(1, H, W) or (3, H, W)" if channels is None else f"({channels}, H, W)"
    if image.ndim != 3 or len(image) not in ({1, 3} if channels is None else {channels}):
        raise InputError(f"image is {tuple(image.shape)}: give {wanted}, values from 0 to 1.")
    check_image(image, len(image))
    if mask is not None:
        require_tensor("mask", mask)
    if mask is not None and mask.shape != (1, *image.shape[1:]):
        raise InputError(
            f"image is {tuple(image.shape)}, mask {tuple(mask.shape)}: give the mask as (1, H, W) of the same size."
        )
