"""What a long training leaves, made up: for the tables of `converged` and `full_width`."""

from unetpp_course.lab import Outcome


def long_outcome(membrane: float, passes: int) -> Outcome:
    """Return the scores of two slices, and a curve that rises to ``membrane``, by 42 steps a pass, in two minutes."""
    slices = {name: {"white": 0.9, "membrane": membrane, "v_rand": 0.8} for name in ("a", "b")}
    looks = [
        {
            "epoch": number,
            "step": 42 * number,
            "validation": {"head 4": {"iou/background/pooled": membrane * number / passes}},
        }
        for number in (passes // 2, passes)
    ]
    readings = {"head 4": {"slices": slices, "best": {"v_rand": 0.8}}}
    return {"history": [{"epoch": 1, "step": 42}, *looks], "readings": readings, "training_seconds": 120.0}
