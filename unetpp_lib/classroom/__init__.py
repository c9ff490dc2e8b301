"""What only the notebooks need: a look at the machine, the course's trained networks, its plots and diagrams."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from unetpp_lib.classroom.environment import check_machine, describe_machine

if TYPE_CHECKING:
    from unetpp_lib.classroom.diagrams import draw_network
    from unetpp_lib.classroom.grids import wiring
    from unetpp_lib.classroom.networks import shipped_model
    from unetpp_lib.classroom.plots import MISTAKES, mark_mistakes, show_images, use_course_style

__all__ = [
    "MISTAKES",
    "check_machine",
    "describe_machine",
    "draw_network",
    "mark_mistakes",
    "shipped_model",
    "show_images",
    "use_course_style",
    "wiring",
]

# where what is not a plot lives
HOMES = {"draw_network": "diagrams", "shipped_model": "networks", "wiring": "grids"}


def __getattr__(name: str) -> Any:
    # imported at first use: the check of the machine must run where torch or matplotlib is missing
    if name in __all__:
        return getattr(import_module(f"{__name__}.{HOMES.get(name, 'plots')}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
