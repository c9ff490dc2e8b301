"""What each node knows: the triangle of linear read-outs of one or more networks."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped]
from torch import Tensor

from unetpp_lib.classroom.explorers.wiring import as_html, name_of, picture_of
from unetpp_lib.classroom.readouts import Readout, triangle_of
from unetpp_lib.errors import InputError

WIDTH = 7.0  # inches


class NodeExplorer(widgets.VBox):  # type: ignore[misc]
    """Look at what the nodes of several networks say of an image; mistakes are in the colours of `mark_mistakes`.

    ``readouts`` are what `read_nodes` returned for each network, under its name; ``truths`` the masks (N, 1, H, W) that
    they were scored on. The controls are attributes (``network``, ``image``), ``status`` is the line below the picture.
    """

    def __init__(self, readouts: Mapping[str, Readout], truths: Tensor) -> None:
        if not readouts:
            raise InputError("readouts is empty: give what read_nodes returned for at least one network.")
        for name, readout in readouts.items():
            if any(mask.shape != truths.shape for mask in readout.masks.values()):
                raise InputError(
                    f"truths are {tuple(truths.shape)}; the read-out of {name!r} holds masks of other shapes."
                )
        self._readouts, self._truths = dict(readouts), truths
        self._pictures: dict[tuple[str, int], str] = {}
        self.network = widgets.ToggleButtons(options=list(readouts), description="network")
        self.network.style.button_width = "auto"
        last = len(truths) - 1
        self.image = widgets.IntSlider(0, 0, last, description="image", readout=False)
        number = widgets.BoundedIntText(0, 0, last, description="image", layout={"width": "9em"})
        widgets.link((self.image, "value"), (number, "value"))
        self._view = widgets.HTML()
        self._update()
        for control in (self.network, self.image):
            control.observe(self._update, names="value")
        super().__init__([self.network, widgets.HBox([self.image, number]), self._view])

    def _update(self, *_: object) -> None:
        key = (self.network.value, self.image.value)
        if key not in self._pictures:  # once drawn, a picture comes back at once
            self._pictures[key] = picture_of(triangle_of(self._readouts[key[0]], self._truths, key[1], WIDTH))
        self._picture = self._pictures[key]
        scores = ", ".join(f"{name_of(node)} {score:.2f}" for node, score in sorted(self._scores.items()))
        self._view.value = as_html(self._picture, f"Masks read out of the nodes. Membrane IoU: {scores}.", self.status)

    @property
    def _scores(self) -> dict[tuple[int, int], float]:
        return self._readouts[self.network.value].scores

    @property
    def status(self) -> str:
        """The best and the worst node, in one line."""
        scores = self._scores
        best, worst = max(scores, key=scores.__getitem__), min(scores, key=scores.__getitem__)
        return (
            f"{self.network.value}, image {self.image.value}: over all images {name_of(best)} knows most "
            f"(membrane IoU {scores[best]:.2f}), {name_of(worst)} least ({scores[worst]:.2f})."
        )

    def __repr__(self) -> str:
        return f"NodeExplorer({self.status})"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Add the picture, which stands where widgets cannot run."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return bundle | {"image/png": self._picture}
