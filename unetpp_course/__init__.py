"""The course's own code: figures, exercises, explorers, experiments, and a check of the learner's machine."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from unetpp_course.machine import check_machine, describe_machine

if TYPE_CHECKING:
    from unetpp_course.checking import check, commit, yours
    from unetpp_course.course_map import draw_course_map
    from unetpp_course.diagrams import draw_network
    from unetpp_course.explorers.board import LoopBoard, TrainingBoard
    from unetpp_course.explorers.bridge import BridgeExplorer, thin_membranes
    from unetpp_course.explorers.cut import CutExplorer
    from unetpp_course.explorers.depth import DepthExplorer
    from unetpp_course.explorers.elastic import ElasticExplorer
    from unetpp_course.explorers.head_step import HeadStepExplorer
    from unetpp_course.explorers.ladder import LadderExplorer, Scored, stored_scores
    from unetpp_course.explorers.loss_gradient import LossGradientExplorer
    from unetpp_course.explorers.nodes import NodeExplorer
    from unetpp_course.explorers.peephole import PeepholeGame
    from unetpp_course.explorers.receptive_field import ReceptiveFieldExplorer
    from unetpp_course.explorers.skips import SkipsExplorer
    from unetpp_course.explorers.threshold import ThresholdExplorer
    from unetpp_course.explorers.wiring import HiddenWire, WiringExplorer
    from unetpp_course.progress import progress_board
    from unetpp_course.shipped import shipped_model
    from unetpp_course.style import (
        MISTAKES,
        mark_mistakes,
        show_images,
        show_numbers,
        show_predictions,
        use_course_style,
    )

__all__ = [
    "MISTAKES",
    "BridgeExplorer",
    "CutExplorer",
    "DepthExplorer",
    "ElasticExplorer",
    "HeadStepExplorer",
    "HiddenWire",
    "LadderExplorer",
    "LoopBoard",
    "LossGradientExplorer",
    "NodeExplorer",
    "PeepholeGame",
    "ReceptiveFieldExplorer",
    "Scored",
    "SkipsExplorer",
    "ThresholdExplorer",
    "TrainingBoard",
    "WiringExplorer",
    "check",
    "check_machine",
    "commit",
    "describe_machine",
    "draw_course_map",
    "draw_network",
    "mark_mistakes",
    "progress_board",
    "shipped_model",
    "show_images",
    "show_numbers",
    "show_predictions",
    "stored_scores",
    "thin_membranes",
    "use_course_style",
    "yours",
]

# imported at first use, because the check of the machine must run even if torch or matplotlib is missing
_LAZY = {
    "course_map": {"draw_course_map"},
    "diagrams": {"draw_network"},
    "checking": {"check", "commit", "yours"},
    "explorers.board": {"LoopBoard", "TrainingBoard"},
    "explorers.bridge": {"BridgeExplorer", "thin_membranes"},
    "explorers.cut": {"CutExplorer"},
    "explorers.depth": {"DepthExplorer"},
    "explorers.elastic": {"ElasticExplorer"},
    "explorers.head_step": {"HeadStepExplorer"},
    "explorers.ladder": {"LadderExplorer", "Scored", "stored_scores"},
    "explorers.loss_gradient": {"LossGradientExplorer"},
    "explorers.nodes": {"NodeExplorer"},
    "explorers.peephole": {"PeepholeGame"},
    "explorers.receptive_field": {"ReceptiveFieldExplorer"},
    "explorers.skips": {"SkipsExplorer"},
    "explorers.threshold": {"ThresholdExplorer"},
    "explorers.wiring": {"HiddenWire", "WiringExplorer"},
    "shipped": {"shipped_model"},
    "style": {
        "MISTAKES",
        "mark_mistakes",
        "show_images",
        "show_numbers",
        "show_predictions",
        "use_course_style",
    },
    "progress": {"progress_board"},
}


def __getattr__(name: str) -> Any:
    for module, names in _LAZY.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
