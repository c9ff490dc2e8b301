"""The explorer in the browser as a widget of JupyterLab, VS Code and Colab."""

import anywidget
from traitlets import Bool, Bytes, Dict, Int, List, Unicode

from unetpp_course.explorers.base import OneAtATime
from unetpp_course.live.bundle import module, style


class LiveDepth(OneAtATime, anywidget.AnyWidget):
    """What `depth_explorer.js` shows; the values are kept equal with the browser's.

    ``about`` is that of `about_explorer`, ``packs`` those of `image_pack`, and ``network`` that of `network_bytes` or
    empty. The button "prune and keep" is there with ``can_keep``, and sends ``{"keep": True}``.
    """

    _esm = module("depth_widget.js")
    _css = style()

    about = Dict().tag(sync=True)
    packs: List[bytes] = List().tag(sync=True)
    network = Bytes().tag(sync=True)
    depth = Int(1).tag(sync=True)
    image = Int(0).tag(sync=True)
    threshold = Int(50).tag(sync=True)
    mode = Unicode("fast").tag(sync=True)
    news = Unicode().tag(sync=True)
    can_keep = Bool(False).tag(sync=True)
    whole_page = Bool(False).tag(sync=True)
