"""Which network is best on real tissue? Six networks, five blocked folds of ISBI 2012, equal steps and equal seconds.

The folds are those of `blocked_folds`. No epoch is chosen: what is scored is the network at the end. Each network's
learning rate is the better of two, with seed 0, on the validation slices of fold 0. That is the one choice that sees
test slices of another fold, three of fold 1. The search ended at its lower rate, so a rate below both was tried
afterwards, with all folds and seeds: does the comparison hold there, and where each network has the best of the three?

Laptop size: widths 8 to 128, full resolution, eight passes over the slices in patches of 128×128. The control networks
are those of `architectures`. In the arm "seconds" each network gets about the time that U-Net's eight passes take.
`folds_full` is the same at the networks' full width, for a GPU.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from statistics import median
from typing import Any, Literal

import pandas as pd
import torch

from unetpp_course.lab import architectures
from unetpp_course.lab import blocked_folds as blocked
from unetpp_course.lab.architectures import DEEPEST
from unetpp_course.lab.base import Experiment, Outcome, Results, Trial, training_trial
from unetpp_course.lab.blocked_folds import FOLDS, INTERVAL, SCORES, lead_interval
from unetpp_course.lab.results import Row, final_scores
from unetpp_course.lab.tables import across, as_text, pick
from unetpp_course.lab.timing import make_prediction, make_step, timing_trial
from unetpp_lib.engine import PRESETS, TrainConfig
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

SEEDS = (0, 1, 2)
SEARCH_FOLD, SEARCH_SEED = 0, 0
SEARCH_SCORE = architectures.SEARCH_SCORE
POOLED = {
    "white": "iou/foreground/pooled", "membrane": "iou/background/pooled", "class mean": "iou/classes/pooled",
}  # fmt: skip
WHOLE = 512  # pixels: the side of a slice
PAIRS = (
    ("unetpp", "unet"), ("unetpp", "unet_wide"), ("unetpp", "unet_matched"), ("unetpp_plain", "unet"),
    ("unetpp_plain", "unet_matched"), ("unetpp", "unetplus"), ("unetpp", "unetpp_plain"), ("unet_matched", "unet"),
)  # fmt: skip
PAPER_PRUNING = (
    "paper (DLMIA 2018, figure 3): L1 to L4 have 0.1, 0.5, 2.2 and 9.0 M parameters; "
    "L3 takes 32.2% less time than L4 and loses 0.6 points of IoU"
)


def training_rows(outcome: Outcome) -> Iterator[Row]:
    """Yield the scores of the slices, the pooled ones, the search's (validation slices) and the training's seconds."""
    yield from blocked.slice_rows(outcome)
    yield from final_scores(outcome)
    look = outcome["history"][-1]["validation"]
    yield {"output": "search", "score": SEARCH_SCORE, "value": look[architectures.deepest(look)][SEARCH_SCORE]}
    yield {"score": "training seconds", "value": outcome["training_seconds"]}


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

    def rate(self, network: str, arm: Arm) -> float:
        """Return a network's learning rate."""
        if arm == "lower rate":
            return self.lower_rate
        return (self.wider_rate if arm == "wider search" else self.best_rate)[network]

    def variant(self, network: str, arm: Arm) -> str:
        """Return "seconds" where a network has trainings of its own for equal seconds, else "steps"."""
        return "seconds" if arm == "seconds" and network in self.epochs_in_equal_time else "steps"

    def trial_name(self, network: str, fold: int, seed: int, arm: Arm = "steps", rate: float | None = None) -> str:
        """Return the name of one training, at the rate of the arm unless another is given."""
        end = "-seconds" if self.variant(network, arm) == "seconds" else ""
        return f"{network}-lr{rate or self.rate(network, arm):g}-fold{fold}-seed{seed}{end}"

    def configuration(
        self, network: str, fold: int, seed: int, arm: Arm = "steps", rate: float | None = None
    ) -> TrainConfig:
        """Return the configuration of one training, at the rate of the arm unless another is given."""
        equal_time = self.epochs_in_equal_time if arm == "seconds" else {}
        epochs, data = equal_time.get(network, self.config.epochs), blocked.fold_folder(fold).as_posix()
        config = replace(
            self.config, **self.networks[network], lr=rate or self.rate(network, arm), data=data, seed=seed
        )
        return replace(config, epochs=epochs, evaluate_every=epochs)

    def experiment(self) -> Experiment:
        """Return the experiment."""
        question = "Which network is best on real tissue, at equal steps and at equal seconds?"
        return Experiment(self.name, question, tuple(self.trials()), self.table)

    def trials(self) -> Iterator[Trial]:
        """Yield all trials, seed by seed: equal steps, then equal seconds; the lower rate and the costs at the end."""
        for seed in SEEDS:
            for fold in FOLDS:
                searched = self.rates if (fold, seed) == (SEARCH_FOLD, SEARCH_SEED) else (None,)
                for rate, network in product(searched, self.networks):
                    yield self.trial(network, fold, seed, "steps", rate)
            for fold, network in product(FOLDS, self.epochs_in_equal_time):
                yield self.trial(network, fold, seed, "seconds")
        for seed, fold, network in product(SEEDS, FOLDS, self.networks):
            yield self.trial(network, fold, seed, "lower rate")
        configs = {network: self.configuration(network, 0, 0) for network in self.networks}
        whole = {name: replace(config, patch=WHOLE) for name, config in (configs | self.pruned()).items()}
        write = partial(blocked.write_fold, 0)
        yield timing_trial("step-seconds", make_step, configs, self.config, write, networks=self.networks)
        yield timing_trial("prediction-seconds", make_prediction, whole, self.config, write, networks=self.networks)

    def pruned(self) -> dict[str, TrainConfig]:
        """Return networks of the shapes that pruning leaves of UNet++."""
        config = self.configuration("unetpp", 0, 0)
        depths = range(1, len(config.widths) - 1)
        return {f"unetpp L{depth}": replace(config, widths=config.widths[: depth + 1]) for depth in depths}

    def trial(self, network: str, fold: int, seed: int, arm: Arm, rate: float | None = None) -> Trial:
        """Return one training; its fold is written when it is measured."""
        which = (network, fold, seed, arm, rate)
        columns = {"network": network, "fold": fold, "variant": self.variant(network, arm)}
        return training_trial(
            self.trial_name(*which), self.configuration(*which), blocked.score_slices,
            write=partial(blocked.write_fold, fold), columns=columns, rows=training_rows,
        )  # fmt: skip

    def search(self, results: Results) -> pd.DataFrame:
        """Return what the search goes by, membrane IoU (pooled) of the validation slices: rates × networks."""
        where = {"fold": SEARCH_FOLD, "seed": SEARCH_SEED, "variant": "steps", "output": "search"}
        return across(results.frame, "network", index="rate", **where)

    def rows(self, results: Results, network: str, arm: Arm = "steps") -> pd.DataFrame:
        """Return the rows of a network's trainings in one arm."""
        rate, variant = self.rate(network, arm), self.variant(network, arm)
        return pick(results.frame, network=network, rate=rate, variant=variant)

    def by_slice(
        self, results: Results, network: str, score: str, arm: Arm = "steps", output: str = DEEPEST
    ) -> pd.DataFrame:
        """Return a score of each slice of the stack, in its order: seeds × slices; the seeds that have all folds."""
        found = across(self.rows(results, network, arm), "slice", output=output, score=score)
        found = found[[name for name in found if pd.notna(name)]].dropna()
        return found if found.shape[1] == blocked.TEST * len(FOLDS) else found.iloc[:0]

    def leads(self, results: Results, pair: tuple[str, str], score: str, arm: Arm = "steps") -> pd.DataFrame:
        """Return by how much the first network's deepest head is ahead of the second's, paired, as `by_slice`."""
        one, other = (self.by_slice(results, network, score, arm) for network in pair)
        return (one - other).dropna()

    @staticmethod
    @cache
    def cost(config: TrainConfig) -> dict[str, str]:
        """Return a network's parameters and its multiply-accumulates for one slice, as they are printed."""
        with torch.device("meta"):  # shapes alone
            model = config.build_model()
        costs = profile(model, WHOLE, device="meta", repeats=1)
        return {"parameters": f"{costs.parameters:,}", "MACs": f"{costs.macs / 1e9:.2f} G"}

    def table(self, results: Results) -> str:
        """Return scores, paired differences with intervals, what the rate does, what pruning saves, and costs."""
        parts = [part(results, arm) for arm in QUESTION for part in (self._scores, self._leads)]
        if checks := self._rates(results):
            parts += [checks, *(self._leads(results, arm) for arm in RATE_CHECKS)]
        return "\n\n".join(part for part in [*parts, self._pruning(results), self._costs(results)] if part)

    def _scores(self, results: Results, arm: Arm) -> str:
        rows = []
        for network in self.networks:
            found = self.rows(results, network, arm)
            seeds = self.by_slice(results, network, "white", arm).index
            found = found[found["seed"].isin(seeds)]
            for output in found["output"][found["slice"].notna()].unique():
                means = pick(found, output=output).groupby("score")["value"].mean()
                row = {"network": network, "output": output, "seeds": len(seeds), **means[[*SCORES, "best V_rand"]]}
                rows.append(row | {f"{score}, pooled": means[key] for score, key in POOLED.items()})
        title = f"{TITLES[arm]}: mean over the seeds, of the 30 slices; then pooled in each fold"
        return f"{title}\n{as_text(rows, 'network', 'output')}"

    def _leads(self, results: Results, arm: Arm) -> str:
        rows = []
        for score in ("white", "membrane", "v_rand"):
            values = {network: self.by_slice(results, network, score, arm) for network in self.networks}
            for one, other in PAIRS:
                if len(lead := (values[one] - values[other]).dropna()):
                    rows.append({"score": score, "pair": f"{one} - {other}", INTERVAL: str(lead_interval(lead))})
        return f"{TITLES[arm]}: paired differences of the deepest heads\n{as_text(rows, 'score', 'pair')}"

    def _rates(self, results: Results) -> str:
        search, rows = self.search(results), []
        for network in self.networks:
            lower, chosen = (self.by_slice(results, network, "membrane", arm) for arm in ("lower rate", "steps"))
            if len(lead := (lower - chosen).dropna()):
                rows.append({"network": network, **search[network], INTERVAL: str(lead_interval(lead))})
        title = "did the search end too early? its scores at three rates, of which the lowest was tried afterwards; "
        title += "what that one adds to the chosen rate's membrane"
        return f"{title}\n{as_text(rows, 'network')}" if rows else ""

    def _pruning(self, results: Results) -> str:
        whole, timed = self.by_slice(results, "unetpp", "membrane"), results.get("prediction-seconds")
        if whole.empty or timed is None:
            return ""
        rows = []
        configs = self.pruned() | {"unetpp": self.configuration("unetpp", 0, 0)}
        for depth, (name, config) in enumerate(configs.items(), start=1):
            scores = {score: self.by_slice(results, "unetpp", score, output=f"head {depth}") for score in SCORES}
            seconds, all_seconds = median(timed[name]), median(timed["unetpp"])
            row = {"cut to": f"unetpp L{depth}", **self.cost(config), "seconds per slice": seconds}
            row["time saved"] = f"{1 - seconds / all_seconds:.0%}"
            row["membrane lost [95 %, folds and seeds]"] = str(lead_interval(whole - scores["membrane"]))
            rows.append(row | {score: values.to_numpy().mean() for score, values in scores.items()})
        return f"{as_text(rows, 'cut to')}\n{PAPER_PRUNING}"

    def _costs(self, results: Results) -> str:
        rows = []
        for network in self.networks:
            row: dict[str, object] = {"network": network, **self.cost(self.configuration(network, 0, 0))}
            for kind in ("step", "prediction"):
                seconds = results.get(f"{kind}-seconds", {}).get(network)
                row[f"seconds per {kind}"] = median(seconds) if seconds else None
            for arm in QUESTION:
                seeds = self.by_slice(results, network, "white", arm).index
                found = pick(self.rows(results, network, arm), score="training seconds")
                seconds = found["value"][found["seed"].isin(seeds)]
                row[f"training, {TITLES[arm]}"] = f"{seconds.median():.0f}" if len(seconds) else ""
            rows.append(row)
        title = "cost of each network: MACs for one slice; median seconds of a step, of a prediction, of a training run"
        return f"{title}\n{as_text(rows, 'network')}"


LAPTOP = Comparison(
    name="folds",
    config=replace(PRESETS["laptop"], epochs=8, patch=128, checkpoint_seconds=600),
    networks=architectures.NETWORKS,
    rates=(3e-3, 1e-2),
    lower_rate=1e-3,
    best_rate=dict.fromkeys(architectures.NETWORKS, 3e-3),
    wider_rate=dict.fromkeys(architectures.NETWORKS, 3e-3) | dict.fromkeys(("unet", "unet_wide", "unet_matched"), 1e-3),
    # steps of 1.27, 2.0, 2.0, 2.4 and 2.7 times U-Net's seconds on one core, bf16 (``step-seconds`` measures it anew)
    epochs_in_equal_time={"unet_wide": 6, "unet_matched": 4, "unetplus": 4, "unetpp_plain": 3, "unetpp": 3},
)

EXPERIMENT = LAPTOP.experiment()
