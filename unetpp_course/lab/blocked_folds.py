"""The five blocked folds of ISBI 2012: which slices train, choose and test, how these are scored, and intervals.

Fold k holds out slices 6k … 6k+5 of the stack for the test. The three slices after them (after the last comes the
first) choose the threshold of the Rand and information scores; the other 21 are trained on.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from unetpp_course.lab.base import RUNS, Outcome, Row, copy_pairs, last_network, read_answers
from unetpp_course.lab.intervals import Interval, crossed_interval
from unetpp_lib.data import SegmentationFolder, Split, find_dataset, write_split
from unetpp_lib.engine import Run
from unetpp_lib.metrics import classify, confusion_counts, em_scores, iou

SOURCE = "isbi2012"
FOLDS, TEST, VALIDATION = range(5), 6, 3  # slices of the stack, 30 in all
THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9)  # of cell interior, for the segments of the Rand and information scores
SCORES = ("white", "membrane", "class mean", "v_rand", "v_info")
SHARED = TEST / (30 - TEST - VALIDATION)  # test slices for each training slice
INTERVAL = "mean [95 %, folds and seeds]"


def split_fold(names: Sequence[str], fold: int) -> Split:
    """Divide the names of a stack, in its order: a block for the test, the next few to choose by, the rest to train."""
    turned = (*names[TEST * fold :], *names[: TEST * fold])
    chosen_by = turned[TEST : TEST + VALIDATION]
    return Split(tuple(sorted(turned[TEST + VALIDATION :])), chosen_by, turned[:TEST])


def fold_folder(fold: int) -> Path:
    """Return where a fold's images and split stand."""
    return RUNS / "folds" / f"{SOURCE}-fold{fold}"


def write_fold(fold: int) -> None:
    """Copy the stack, and write the fold's split beside it."""
    folder = fold_folder(fold)
    if not (folder / "split.json").exists():
        copy_pairs(find_dataset(SOURCE), folder)
        write_split(split_fold(SegmentationFolder(folder).names, fold), folder / "split.json")  # last: all is there


def score_slices(run: Run, *, last: bool = False) -> Outcome:
    """Return, by output, the scores of each test slice, and the threshold that its validation slices chose.

    The network is the run's best by validation, or the ``last``; where the only look is at the end, they are the same.

    White and membrane are IoU at probability ½. ``v_rand`` and ``v_info`` are at ``threshold``, the one of THRESHOLDS
    with the highest V_rand on the validation slices; ``best`` is what the best one for the test slices would give.
    """
    model = last_network(run) if last else None
    answers = read_answers(run, (*run.split.validation, *run.split.test), model)
    return {"readings": {output: score_reading(found, run.split) for output, found in answers.items()}}


def score_reading(found: Mapping[str, tuple[Tensor, Tensor]], split: Split) -> Outcome:
    """Return the scores of one reading, as `score_slices`; ``found`` has each slice's probability and mask, 1×1×H×W."""
    em = {name: [em_scores(*pair, threshold) for threshold in THRESHOLDS] for name, pair in found.items()}
    v_rand = {
        part: [fmean(em[name][k].v_rand for name in getattr(split, part)) for k in range(len(THRESHOLDS))]
        for part in ("validation", "test")
    }
    chosen, best = (values.index(max(values)) for values in v_rand.values())
    slices = {}
    for name in split.test:
        probability, mask = found[name]
        counts = confusion_counts(classify(probability), mask)
        values = {"white": iou(counts), "membrane": iou(counts, "background"), **em[name][chosen]._asdict()}
        slices[name] = {score: round(value, 5) for score, value in values.items()}
    v_info = fmean(em[name][best].v_info for name in split.test)
    of_best = {"threshold": THRESHOLDS[best], "v_rand": round(v_rand["test"][best], 5), "v_info": round(v_info, 5)}
    return {"threshold": THRESHOLDS[chosen], "slices": slices, "best": of_best}


def slice_rows(outcome: Outcome) -> Iterator[Row]:
    """Yield SCORES of each slice, and V_rand with the best threshold, by output: what `score_reading` measured."""
    for output, found in outcome["readings"].items():
        yield {"output": output, "score": "best V_rand", "value": found["best"]["v_rand"]}
        for name, scores in found["slices"].items():
            mean = (scores["white"] + scores["membrane"]) / 2
            for score, value in {**scores, "class mean": mean}.items():
                yield {"output": output, "slice": name, "score": score, "value": value}


def by_fold(values: ArrayLike) -> NDArray[np.float64]:
    """Return the means of values (seeds, slices) in each fold: (seeds, folds)."""
    table = np.asarray(values, dtype=float)
    return np.asarray(table.reshape(len(table), len(FOLDS), -1).mean(axis=2))


def lead_interval(values: ArrayLike) -> Interval:
    """Return the mean of differences (seeds, slices), with `crossed_interval` over seeds and folds."""
    return crossed_interval(by_fold(values), SHARED)
