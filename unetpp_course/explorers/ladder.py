"""Explorer: the ladder of honesty, one pair of networks scored by protocols that are harder and harder to fool."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unetpp_course.explorers.base import PictureExplorer, choice
from unetpp_course.figures import png_of_figure
from unetpp_course.lab import leakage, read_results
from unetpp_course.lab.intervals import t_interval
from unetpp_course.lab.tables import across
from unetpp_course.style import LINE_COLOURS, course_style
from unetpp_lib.errors import InputError

RUNGS = {"copies": "copies", "slices": "random slices", "blocked": "block of slices"}
TITLES = {"unet": "U-Net", "unetpp": "UNet++"}
CLAIM = {"U-Net": 0.953, "UNet++": 0.978}  # white IoU in a public report
SCORES = ("white", "class mean", "membrane")
SIZE = (7.5, 4.0)  # inches
PLACE = (0.08, 0.2, 0.9, 0.71)  # of the axes: left, bottom, width and height as shares
GREY = "#767676"


class Scored(NamedTuple):
    """The pooled IoU of one network on its held-out images, and the white IoU of an all-white prediction for them."""

    protocol: str
    network: str
    seed: int
    white: float
    membrane: float
    all_white: float

    def read(self, score: str) -> float:
        """Return one of SCORES; the class mean is the mean of white and membrane."""
        return {"white": self.white, "membrane": self.membrane, "class mean": (self.white + self.membrane) / 2}[score]

    def lazy(self, score: str) -> float:
        """Return the score of the all-white prediction, which finds no membrane."""
        return self._replace(white=self.all_white, membrane=0.0).read(score)


def stored_scores() -> list[Scored]:
    """Return the scores that the experiment "leakage" measured on real slices."""
    results = read_results("leakage")
    white, membrane = (leakage.by_seed(results, score) for score in ("white", "membrane"))
    all_white = across(results.frame, ["variant", "network"], output="all foreground", score=leakage.SCORES["white"])
    found = []
    for protocol, network in product(RUNGS, TITLES):
        if (protocol, network) in white:
            scores = pd.concat([table[protocol, network] for table in (white, membrane, all_white)], axis=1).dropna()
            found += [Scored(RUNGS[protocol], TITLES[network], *values) for values in scores.itertuples()]
    return found


class LadderExplorer(PictureExplorer):
    """Step down from copies to a block of slices, change the class, and look at the networks or at their difference.

    ``scored`` (default: the stored results) has one or two networks and any number of protocols, top rung first. Add
    your own with ``LadderExplorer([*stored_scores(), Scored("mine", "U-Net", 0, 0.91, 0.66, 0.78)])``. Every point is a
    seed, and every bar a 95 % t-interval over seeds; for the gap, it is an interval of paired differences. ``claim`` is
    a reported white IoU by network. Controls: ``protocol``, ``score``, ``view`` ("networks", "gap").
    Raises InputError for a score outside 0 … 1, a seed given twice, and more than two networks.
    """

    def __init__(self, scored: Iterable[Scored] | None = None, claim: Mapping[str, float] | None = None) -> None:
        self.scored = stored_scores() if scored is None else list(scored)
        self.claim = dict(CLAIM if claim is None else claim)
        _require_scores(self.scored)
        self.rungs = list(dict.fromkeys(point.protocol for point in self.scored))
        self.networks = list(dict.fromkeys(point.network for point in self.scored))
        if len(self.networks) > 2:
            raise InputError(f"There are {len(self.networks)} networks, {', '.join(self.networks)}: give one or two.")
        self._pictures: dict[tuple[str, str, str], bytes] = {}
        self.protocol = choice("held out by", self.rungs)
        self.score = choice("IoU of", SCORES)
        self.view = choice("show", ["networks", "gap"] if len(self.networks) == 2 else ["networks"])
        for control in (self.protocol, self.score, self.view):
            control.observe(self._update, "value")
        super().__init__([self.protocol, self.score, self.view])
        self._update()

    def values(self, rung: str) -> dict[str, list[float]]:
        """Return the values at a rung, one per seed, by network; for the gap, the paired differences."""
        by = {name: {p.seed: p.read(self.score.value) for p in self._at(rung, name)} for name in self.networks}
        if self.view.value == "networks":
            return {name: list(seeds.values()) for name, seeds in by.items()}
        first, second = self.networks
        paired = sorted(by[first].keys() & by[second].keys())
        return {f"{second} − {first}": [by[second][seed] - by[first][seed] for seed in paired]}

    def lazy(self, rung: str) -> float:
        """Return the score of an all-white prediction at a rung, averaged over its splits; for the gap, 0."""
        if self.view.value == "gap":
            return 0.0
        found = [point.lazy(self.score.value) for point in self.scored if point.protocol == rung]
        return sum(found) / len(found)

    def _at(self, rung: str, network: str) -> list[Scored]:
        return [point for point in self.scored if (point.protocol, point.network) == (rung, network)]

    def _update(self, _: Any = None) -> None:
        rung, score, view = key = (self.protocol.value, self.score.value, self.view.value)
        if key not in self._pictures:  # each picture is drawn once
            figure = self._draw()
            self._pictures[key] = png_of_figure(figure)
            plt.close(figure)
        said = "; ".join(_say(name, values, signed=view == "gap") for name, values in self.values(rung).items())
        lazy = "Two all-white answers: no gap" if view == "gap" else f"An all-white answer: {self.lazy(rung):.3f}"
        status = f"Held out by {rung}, IoU of {score}. {said}. {lazy}."
        self.show(self._pictures[key], f"Points for each seed, down to the rung {rung}. {status}", status)

    @course_style()
    def _draw(self) -> Figure:
        figure = plt.figure(figsize=SIZE, layout="none")  # finding a layout would take half of the time
        axis = figure.add_axes(PLACE)
        chosen = self.rungs.index(self.protocol.value)
        axis.axvspan(chosen - 0.45, chosen + 0.45, color="#f0f0f0", zorder=0)
        for place, rung in enumerate(self.rungs[: chosen + 1]):
            lazy = self.lazy(rung)
            axis.plot(
                [place - 0.4, place + 0.4], [lazy, lazy], "--", color=GREY, label="all white" if place == 0 else ""
            )
            for number, (name, values) in enumerate(self.values(rung).items()):
                shift = 0.0 if self.view.value == "gap" else 0.24 * number - 0.12 * (len(self.networks) - 1)
                _draw_values(axis, place + shift, values, LINE_COLOURS[number], name if place == 0 else "")
        self._draw_claim(axis)
        title = f"IoU of {self.score.value}"
        if self.view.value == "gap":
            title += f", {next(iter(self.values(self.rungs[0])))}"
        axis.set(title=title, xlim=(-0.5, len(self.rungs) - 0.5), ylim=self._limits())
        axis.set_xticks(range(len(self.rungs)), self.rungs)
        axis.grid(False, axis="x")
        figure.legend(loc="lower center", ncols=5, frameon=False)
        return figure

    def _claimed(self) -> dict[str, float]:
        """Return the claims about what is shown."""
        if self.score.value != "white" or not set(self.networks) <= self.claim.keys():
            return {}
        claims = {name: self.claim[name] for name in self.networks}
        if self.view.value == "networks":
            return claims
        first, second = claims.values()
        return {"claimed": second - first}

    def _draw_claim(self, axis: Axes) -> None:
        for number, (name, value) in enumerate(self._claimed().items()):
            said = f"claimed: {value:+.3f}" if self.view.value == "gap" else f"claimed for {name}: {value:.3f}"
            axis.axhline(value, color=LINE_COLOURS[number], linestyle=":", linewidth=1.5)
            axis.annotate(said, (-0.45, value), (0, 3), textcoords="offset points")

    def _limits(self) -> tuple[float, float]:
        """Return the range of all rungs, so that the scale stays the same while you step down."""
        values = [self.lazy(rung) for rung in self.rungs] + list(self._claimed().values())
        for found in (found for rung in self.rungs for found in self.values(rung).values()):
            ends = t_interval(found) if len(found) > 1 else None
            values += found + ([ends.low, ends.high] if ends else [])
        room = 0.08 * (max(values) - min(values)) or 0.05
        return min(values) - room, max(values) + room


def _draw_values(axis: Axes, place: float, values: Sequence[float], colour: str, label: str) -> None:
    if not values:
        return
    beside = [place + 0.03 * (number - len(values)) for number in range(len(values))]  # equal points do not overlap
    axis.plot(beside, values, "o", mfc="white", color=colour, label=label, markersize=7, zorder=3)
    if len(values) > 1:
        interval = t_interval(values)
        axis.plot([place + 0.03] * 2, [interval.low, interval.high], color=colour)
        axis.plot(place + 0.03, interval.mean, "_", color=colour, markersize=12)


def _say(name: str, values: Sequence[float], signed: bool) -> str:
    form = "+.3f" if signed else ".3f"
    if len(values) < 2:
        return f"{name}: " + (f"{values[0]:{form}}, one seed, so no interval" if values else "no results")
    interval = t_interval(values)
    unit = "pairs" if signed else "seeds"
    return f"{name}: {interval.mean:{form}} [{interval.low:{form}}, {interval.high:{form}}], {len(values)} {unit}"


def _require_scores(scored: Sequence[Scored]) -> None:
    if not scored:
        raise InputError("scored is empty: give at least one Scored, or nothing for the stored results.")
    seen = set()
    for point in scored:
        if not all(0 <= value <= 1 for value in (point.white, point.membrane, point.all_white)):
            raise InputError(f"{point} has a score outside 0 … 1: write 97.8 % as 0.978.")
        key = (point.protocol, point.network, point.seed)
        if key in seen:
            raise InputError(f"{point.protocol}, {point.network}, seed {point.seed} occurs twice: give it once.")
        seen.add(key)
