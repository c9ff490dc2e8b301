"""Which network is best on real tissue? Six networks, five blocked folds of ISBI 2012, equal steps and equal seconds.

Fold k holds out slices 6k … 6k+5 of the stack for the test. The three slices after them (after the last comes the
first) choose the threshold of the Rand and information scores; the other 21 are trained on. No epoch is chosen: what is
scored is the network at the end. Each network's learning rate is the better of two, with seed 0, on the validation
slices of fold 0. That is the one choice that sees test slices of another fold, three of fold 1. The search ended at its
lower rate, so a rate below both was tried afterwards, with all folds and seeds: does the comparison hold there, and
where each network has the best of the three?

Laptop size: widths 8 to 128, full resolution, eight passes over the slices in patches of 128×128. The control networks
are those of `architectures`. In the arm "seconds" each network gets about the time that U-Net's eight passes take.
`folds_full` is the same at the networks' full width, for a GPU.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shutil import copytree
from statistics import fmean, median
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unetpp_course.lab import architectures
from unetpp_course.lab.base import RUNS, Experiment, Outcome, Trial, training_trial
from unetpp_course.lab.intervals import block_bootstrap, t_interval
from unetpp_course.lab.timing import time_predictions, time_training_steps
from unetpp_lib.data import SegmentationFolder, Split, find_dataset, write_split
from unetpp_lib.engine import PRESETS, Run, TrainConfig, choose_runtime
from unetpp_lib.engine.checkpoints import load_checkpoint
from unetpp_lib.engine.evaluation import read_image_heads
from unetpp_lib.metrics import classify, confusion_counts, em_scores, iou
from unetpp_lib.models import profile

Arm = Literal["steps", "seconds", "lower rate", "wider search"]
TITLES: Mapping[Arm, str] = {
    "steps": "equal steps",
    "seconds": "equal seconds",
    "lower rate": "equal steps, all at the rate below the search's",
    "wider search": "equal steps, each at the best of three rates",
}
QUESTION: tuple[Arm, ...] = ("steps", "seconds")
RATE_CHECKS: tuple[Arm, ...] = ("lower rate", "wider search")

SOURCE = "isbi2012"
FOLDS, TEST, VALIDATION = range(5), 6, 3  # slices of the stack, 30 in all
SEEDS = (0, 1, 2)
SEARCH_FOLD, SEARCH_SEED = 0, 0
SEARCH_SCORE = "iou/background/pooled"
THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9)  # of cell interior, for the segments of the Rand and information scores
SCORES = ("white", "membrane", "class mean", "v_rand", "v_info")
POOLED = ("iou/foreground/pooled", "iou/background/pooled", "iou/classes/pooled")
BLOCK = 6  # slices that stay together in the bootstrap
WHOLE = 512  # pixels: the side of a slice
ROUNDS = 15
PAIRS = (
    ("unetpp", "unet"), ("unetpp", "unet_wide"), ("unetpp", "unet_matched"), ("unetpp_plain", "unet"),
    ("unetpp_plain", "unet_matched"), ("unetpp", "unetplus"), ("unetpp", "unetpp_plain"), ("unet_matched", "unet"),
)  # fmt: skip
PAPER_PRUNING = (
    "paper (DLMIA 2018, figure 3): L1 to L4 have 0.1, 0.5, 2.2 and 9.0 M parameters; "
    "L3 takes 32.2% less time than L4 and loses 0.6 points of IoU"
)


def split_fold(names: Sequence[str], fold: int) -> Split:
    """Divide the names of a stack, in its order: a block for the test, the next few to choose by, the rest to train."""
    first = TEST * fold
    turned = [*names[first:], *names[:first]]
    return Split(
        tuple(sorted(turned[TEST + VALIDATION :])), tuple(turned[TEST : TEST + VALIDATION]), tuple(turned[:TEST])
    )


def fold_folder(fold: int) -> Path:
    """Return where a fold's images and split stand."""
    return RUNS / "folds" / f"{SOURCE}-fold{fold}"


def write_fold(fold: int) -> None:
    """Copy the stack, and write the fold's split beside it."""
    folder, source = fold_folder(fold), find_dataset(SOURCE)
    if (folder / "split.json").exists():
        return
    for part in ("images", "masks"):
        copytree(source / part, folder / part, dirs_exist_ok=True)
    write_split(split_fold(SegmentationFolder(folder).names, fold), folder / "split.json")  # last: all is there


def score_slices(run: Run, *, last: bool = False) -> Outcome:
    """Return, by reading, the scores of each test slice, and the threshold that its validation slices chose.

    The network is the run's best by validation, or the ``last``; where the only look is at the end, they are the same.

    White and membrane are IoU at probability ½. ``v_rand`` and ``v_info`` are at ``threshold``, the one of THRESHOLDS
    with the highest V_rand on the validation slices; ``best`` is what the best one for the test slices would give.
    """
    model, card = run.load_model()
    if last:
        model.load_state_dict(load_checkpoint(run.checkpoint)["model"])
    folder = SegmentationFolder(find_dataset(run.config.data))
    runtime = choose_runtime(run.config.device, run.config.precision)
    model = runtime.place(model).eval()
    answers: dict[str, dict[str, tuple[Tensor, Tensor]]] = {}
    for name in (*run.split.validation, *run.split.test):
        image, mask = folder[folder.index_of[name]]
        for reading, probability in read_image_heads(model, image, card, runtime).items():
            answers.setdefault(reading, {})[name] = probability.float(), mask[None]
    return {"readings": {reading: score_reading(found, run.split) for reading, found in answers.items()}}


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
    return {
        "threshold": THRESHOLDS[chosen],
        "slices": slices,
        "best": {
            "threshold": THRESHOLDS[best],
            "v_rand": round(v_rand["test"][best], 5),
            "v_info": round(fmean(em[name][best].v_info for name in split.test), 5),
        },
    }


@dataclass(frozen=True)
class Comparison:
    """The comparison at one size."""

    name: str
    config: TrainConfig
    networks: Mapping[str, Mapping[str, Any]]
    """What makes each network, as options of the configuration."""
    rates: tuple[float, float]
    """The two learning rates of the search, the lower first."""
    lower_rate: float
    """A rate below the search's, to see whether it ended too early."""
    best_rate: Mapping[str, float]
    """Each network's rate, as the stored search has it; a test holds one against the other."""
    wider_rate: Mapping[str, float]
    """The same, had the search known the lower rate."""
    epochs_in_equal_time: Mapping[str, int]
    """The epochs that take as long as all of U-Net's."""

    def trial_name(self, network: str, fold: int, seed: int, arm: Arm = "steps", rate: float | None = None) -> str:
        """Return the name of one training, at the rate that was chosen unless another is given."""
        end = "-seconds" if arm == "seconds" and network in self.epochs_in_equal_time else ""
        return f"{network}-lr{rate or self.rate(network, arm):g}-fold{fold}-seed{seed}{end}"

    def rate(self, network: str, arm: Arm) -> float:
        """Return a network's learning rate."""
        if arm == "lower rate":
            return self.lower_rate
        return (self.wider_rate if arm == "wider search" else self.best_rate)[network]

    def configuration(
        self, network: str, fold: int, seed: int, arm: Arm = "steps", rate: float | None = None
    ) -> TrainConfig:
        """Return the configuration of one training."""
        epochs = self.epochs_in_equal_time.get(network) if arm == "seconds" else None
        config = replace(
            self.config,
            **self.networks[network],
            data=fold_folder(fold).as_posix(),
            lr=rate or self.rate(network, arm),
            seed=seed,
            epochs=epochs or self.config.epochs,
        )
        return replace(config, evaluate_every=config.epochs)

    def experiment(self) -> Experiment:
        """Return the experiment."""
        question = "Which network is best on real tissue, at equal steps and at equal seconds?"
        return Experiment(self.name, question, tuple(self.trials()), self.table)

    def trials(self) -> Iterator[Trial]:
        """Yield all trials, seed by seed: equal steps, then equal seconds; the lower rate and the costs at the end."""
        for seed in SEEDS:
            for fold in FOLDS:
                for rate in self.rates if (fold, seed) == (SEARCH_FOLD, SEARCH_SEED) else (None,):
                    yield from (self._trial(network, fold, seed, "steps", rate) for network in self.networks)
            for fold in FOLDS:
                yield from (self._trial(network, fold, seed, "seconds") for network in self.epochs_in_equal_time)
        for seed in SEEDS:
            for fold in FOLDS:
                yield from (self._trial(network, fold, seed, "lower rate") for network in self.networks)
        settings = json.loads(self.config.to_json()) | {"networks": self.networks, "rounds": ROUNDS}
        settings = json.loads(json.dumps(settings))
        configs = {network: self.configuration(network, 0, 0) for network in self.networks}
        whole = {
            name: replace(config, patch=WHOLE) for name, config in (configs | self.pruned(configs["unetpp"])).items()
        }
        yield Trial("step-seconds", settings, lambda: _timed(time_training_steps, configs))
        yield Trial("prediction-seconds", settings, lambda: _timed(time_predictions, whole))

    @staticmethod
    def pruned(config: TrainConfig) -> dict[str, TrainConfig]:
        """Return networks of the shapes that pruning leaves of a UNet++."""
        depths = range(1, len(config.widths) - 1)
        return {f"unetpp L{depth}": replace(config, widths=config.widths[: depth + 1]) for depth in depths}

    def _trial(self, network: str, fold: int, seed: int, arm: Arm, rate: float | None = None) -> Trial:
        name = self.trial_name(network, fold, seed, arm, rate)
        config = self.configuration(network, fold, seed, arm, rate)
        return training_trial(name, config, score_slices, write=partial(write_fold, fold))

    def search_score(self, outcomes: Mapping[str, Outcome], network: str, rate: float) -> float:
        """Return what the search goes by: membrane IoU (pooled) of the validation slices."""
        look = outcomes[self.trial_name(network, SEARCH_FOLD, SEARCH_SEED, rate=rate)]["history"][-1]["validation"]
        return float(look[architectures.deepest(look)][SEARCH_SCORE])

    def found_rate(self, outcomes: Mapping[str, Outcome], network: str, rates: Sequence[float]) -> float:
        """Return the rate that a search among ``rates`` finds."""
        return max(rates, key=partial(self.search_score, outcomes, network))

    def seeds(self, outcomes: Mapping[str, Outcome], arm: Arm, *networks: str) -> list[int]:
        """Return the seeds of which these networks have all folds."""
        names = {seed: [self.trial_name(n, fold, seed, arm) for n in networks for fold in FOLDS] for seed in SEEDS}
        return [seed for seed, needed in names.items() if outcomes.keys() >= set(needed)]

    def by_slice(
        self,
        outcomes: Mapping[str, Outcome],
        network: str,
        score: str,
        arm: Arm = "steps",
        reading: str | None = None,
        seeds: Sequence[int] | None = None,
    ) -> NDArray[np.float64]:
        """Return a score of each slice of the stack, in its order, by seed: (seeds, 30).

        The reading is the deepest head's unless another is named; the seeds are those that have all folds.
        """
        seeds = self.seeds(outcomes, arm, network) if seeds is None else seeds
        names = [[self.trial_name(network, fold, seed, arm) for fold in FOLDS] for seed in seeds]
        rows = [[value for name in row for value in values_of(outcomes[name], score, reading)] for row in names]
        return np.array(rows).reshape(len(rows), TEST * len(FOLDS))

    def leads(
        self, outcomes: Mapping[str, Outcome], pair: tuple[str, str], score: str, arm: Arm = "steps"
    ) -> NDArray[np.float64]:
        """Return by how much the first network's deepest head is ahead of the second's, as `by_slice`."""
        seeds = self.seeds(outcomes, arm, *pair)
        one, other = (self.by_slice(outcomes, network, score, arm, seeds=seeds) for network in pair)
        return one - other

    def cost(self, config: TrainConfig) -> tuple[int, int]:
        """Return a network's parameters and its multiply-accumulates for one slice."""
        with torch.device("meta"):  # shapes alone
            model = config.build_model()
        costs = profile(model, WHOLE, device="meta", repeats=1)
        return costs.parameters, costs.macs

    def table(self, outcomes: Mapping[str, Outcome]) -> str:
        """Return scores, paired differences with intervals, what the rate does, what pruning saves, and costs."""
        lines = []
        for arm in QUESTION:
            lines += [*self._score_lines(outcomes, arm), "", *self._lead_lines(outcomes, arm), ""]
        lines += [*self._rate_lines(outcomes), *self._pruning_lines(outcomes), *self._cost_lines(outcomes)]
        return "\n".join(lines)

    def _score_lines(self, outcomes: Mapping[str, Outcome], arm: Arm) -> list[str]:
        lines = [
            f"{TITLES[arm]}: mean over the seeds",
            f"{'':37}{'mean of the 30 slices':<72}pooled in each fold",
            f"{'':30}seeds  {_cells([*SCORES, 'best V_rand', *SCORES[:3]])}",
        ]
        for network in self.networks:
            seeds = self.seeds(outcomes, arm, network)
            found = [outcomes[self.trial_name(network, fold, seed, arm)] for seed in seeds for fold in FOLDS]
            for reading in found[0]["readings"] if found else ():
                name = network + (f", {reading}" if len(found[0]["readings"]) > 1 else "")
                scores = [self.by_slice(outcomes, network, score, arm, reading) for score in SCORES]
                pooled = [fmean(outcome["scores"]["scores"][reading][key] for outcome in found) for key in POOLED]
                best = fmean(outcome["readings"][reading]["best"]["v_rand"] for outcome in found)
                cells = _cells(f"{value:.3f}" for value in (*(values.mean() for values in scores), best, *pooled))
                lines.append(f"{name:<30}{len(seeds):<7}{cells}")
        return lines

    def _lead_lines(self, outcomes: Mapping[str, Outcome], arm: Arm) -> list[str]:
        lines = [
            f"{TITLES[arm]}: paired differences of the deepest heads, "
            "mean [95 %: t over the folds] [t over the seeds, from two on] [blocks of slices]",
        ]
        for score in ("white", "membrane", "v_rand"):
            for pair in PAIRS:
                lead = self.leads(outcomes, pair, score, arm)
                if lead.size:
                    lines.append(f"{score:<10}{' - '.join(pair):<28}{intervals(lead)}")
        return lines

    def _rate_lines(self, outcomes: Mapping[str, Outcome]) -> list[str]:
        rates = (self.lower_rate, *self.rates)
        lines = [
            f"did the search end too early? its scores at the rates {rates}, of which the first was tried afterwards, "
            "and what that one adds to the chosen rate's membrane, intervals as above",
        ]
        for network in self.networks:
            both = [self.seeds(outcomes, arm, network) for arm in ("steps", "lower rate")]
            seeds = sorted(set(both[0]) & set(both[1]))
            if seeds:
                found = [self.search_score(outcomes, network, rate) for rate in rates]
                chosen, lower = (
                    self.by_slice(outcomes, network, "membrane", arm, seeds=seeds) for arm in ("steps", "lower rate")
                )
                cells = "".join(f"{score:<8.3f}" for score in found)
                lines.append(f"{network:<14}{cells}{intervals(lower - chosen)}")
        if len(lines) == 1:
            return []
        for arm in RATE_CHECKS:
            lines += ["", *self._lead_lines(outcomes, arm)]
        return [*lines, ""]

    def _pruning_lines(self, outcomes: Mapping[str, Outcome]) -> list[str]:
        whole = self.by_slice(outcomes, "unetpp", "membrane")
        timed = outcomes.get("prediction-seconds")
        if not whole.size or timed is None:
            return []
        lines = [
            "pruned      parameters      MACs  one slice  time saved  membrane lost [95 %, folds]  " + _cells(SCORES)
        ]
        config = self.configuration("unetpp", 0, 0)
        slowest = median(timed["unetpp"])
        for depth, made in enumerate((*self.pruned(config).values(), config), start=1):
            name = f"unetpp L{depth}"
            parameters, macs = self.cost(made)
            seconds = median(timed[name] if name in timed else timed["unetpp"])
            scores = {score: self.by_slice(outcomes, "unetpp", score, reading=f"head {depth}") for score in SCORES}
            lost = t_interval(by_fold(whole - scores["membrane"]))
            lines.append(
                f"{name:<12}{parameters:>10,}{macs / 1e9:>8.2f} G{seconds:>9.3f} s{1 - seconds / slowest:>11.0%} "
                f"{lost!s:>28}  " + _cells(f"{values.mean():.3f}" for values in scores.values())
            )
        return [*lines, PAPER_PRUNING, ""]

    def _cost_lines(self, outcomes: Mapping[str, Outcome]) -> list[str]:
        lines = [
            "cost of each network: parameters, MACs for one slice; seconds of a step and of an answer; "
            "median seconds of a training, at equal steps and at equal seconds"
        ]
        for network in self.networks:
            parameters, macs = self.cost(self.configuration(network, 0, 0))
            kinds = [outcomes.get(f"{kind}-seconds", {}).get(network) for kind in ("step", "prediction")]
            cells = "".join(f"{median(seconds):>8.3f} s" for seconds in kinds if seconds)
            for arm in QUESTION:
                names = [self.trial_name(network, f, s, arm) for s in self.seeds(outcomes, arm, network) for f in FOLDS]
                cells += f"{median(outcomes[name]['training_seconds'] for name in names):>8.0f} s" if names else ""
            lines.append(f"{network:<14}{parameters:>10,}{macs / 1e9:>8.2f} G{cells}")
        return lines


def _timed(measure: Callable[[Mapping[str, TrainConfig], int], Outcome], configs: Mapping[str, TrainConfig]) -> Outcome:
    write_fold(0)
    return measure(configs, ROUNDS)


def _cells(texts: Iterable[str]) -> str:
    return "".join(f"{text:<12}" for text in texts)


def values_of(outcome: Outcome, score: str, reading: str | None = None) -> list[float]:
    """Return a score of a training's test slices, in the stack's order; of the deepest head unless another is named."""
    slices = outcome["readings"][reading or architectures.deepest(outcome["readings"])]["slices"]
    if score == "class mean":
        return [(scores["white"] + scores["membrane"]) / 2 for scores in slices.values()]
    return [scores[score] for scores in slices.values()]


def by_fold(values: NDArray[np.float64]) -> list[float]:
    """Return the mean of values (seeds, slices) in each fold."""
    return [float(mean) for mean in values.mean(axis=0).reshape(len(FOLDS), -1).mean(axis=1)]


def intervals(values: NDArray[np.float64]) -> str:
    """Return the mean of values (seeds, slices), and its interval over folds, over seeds (from two on) and over blocks.

    None of the three sees everything that varies: folds share training slices, seeds share the slices, and blocks of
    slices share the networks.
    """
    found = [t_interval(by_fold(values))]
    found += [t_interval(values.mean(axis=1))] if len(values) > 1 else []
    found.append(block_bootstrap(list(values.mean(axis=0)), BLOCK))
    return f"{found[0].mean:+.3f} " + " ".join(f"[{one.low:+.3f}, {one.high:+.3f}]" for one in found)


LAPTOP = Comparison(
    name="folds",
    config=replace(PRESETS["laptop"], epochs=8, patch=128, checkpoint_seconds=600),
    networks=architectures.NETWORKS,
    rates=(3e-3, 1e-2),
    lower_rate=1e-3,
    best_rate=dict.fromkeys(architectures.NETWORKS, 3e-3),
    wider_rate={
        **dict.fromkeys(("unet", "unet_wide", "unet_matched"), 1e-3),
        **dict.fromkeys(("unetplus", "unetpp_plain", "unetpp"), 3e-3),
    },
    # steps of 1.27, 2.0, 2.0, 2.4 and 2.7 times U-Net's seconds on one core, bf16 (``step-seconds`` measures it anew)
    epochs_in_equal_time={"unet_wide": 6, "unet_matched": 4, "unetplus": 4, "unetpp_plain": 3, "unetpp": 3},
)

EXPERIMENT = LAPTOP.experiment()
