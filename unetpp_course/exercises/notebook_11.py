"""The exercises of notebook 11: what a head needs, which weights stay, what is saved, and which depth to choose."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option
from unetpp_lib.models.graph import Node

Wires = dict[Node, list[Node]]


def needed_nodes(wires: Wires, node: Node) -> list[Node]:
    """Return all nodes that a node's answer depends on, itself included, in ascending order."""
    needed = {node}
    for _ in wires:  # no way through the grid is longer than it has nodes
        for reader in list(needed):
            for source in wires[reader]:
                needed.add(source)
    return sorted(needed)


def grids(random: np.random.Generator) -> Iterator[tuple[Wires, Node]]:
    """Yield wires, with a node of theirs: UNet++, UNet+ and U-Net, then grids whose wires are drawn."""
    yield _nested(2), (0, 1)
    yield _nested(3), (0, 2)
    yield _nested(3), (0, 3)
    yield _nested(3), (1, 1)
    yield _unet(3), (1, 2)
    yield _unet(2), (0, 2)
    yield _nested(3, dense=False), (0, 2)
    for _ in range(3):
        wires = _nested(4)
        for node, sources in wires.items():
            if len(sources) > 1:
                wires[node] = [source for source in sources if random.random() < 0.6] or sources[:1]
        yield wires, (0, 4)


def _nested(depth: int, dense: bool = True) -> Wires:
    wires: Wires = {(0, 0): []}
    for i in range(1, depth + 1):
        wires[i, 0] = [(i - 1, 0)]
    for j in range(1, depth + 1):
        for i in range(depth - j + 1):
            wires[i, j] = [*((i, k) for k in range(0 if dense else j - 1, j)), (i + 1, j - 1)]
    return wires


def _unet(depth: int) -> Wires:
    wires: Wires = {(i, 0): [(i - 1, 0)] if i else [] for i in range(depth + 1)}
    for i in reversed(range(depth)):
        wires[i, depth - i] = [(i, 0), (i + 1, depth - i - 1)]
    return wires


def _readers(wires: Wires, node: Node) -> list[Node]:
    turned: Wires = {one: [other for other in wires if one in wires[other]] for one in wires}
    return needed_nodes(turned, node)


def _found_in_turn(wires: Wires, node: Node) -> list[Node]:
    """Return what a node needs in the order in which a walk back meets it, nearest first."""
    found = [node]
    for one in found:
        found += [source for source in wires[one] if source not in found]
    return found


def _lists_in_lists(wires: Wires, node: Node) -> list[object]:
    return [node, *(_lists_in_lists(wires, source) for source in wires[node])]


def _nothing(wires: Wires, node: Node) -> list[Node]:
    """Return what a function finds that asks the sources for theirs, and never adds a node of its own."""
    return sorted({found for source in wires[node] for found in _nothing(wires, source)})


def _all_ways(wires: Wires, node: Node) -> list[Node]:
    """Return the nodes of all ways back from a node: once for each way, deepest last."""
    return [node, *(found for source in wires[node] for found in _all_ways(wires, source))]


Keep = Callable[[list[int], int], bool]  # numbers in a name, and the depth


def kept_names(names: list[str], depth: int) -> list[str]:
    """Return the names of the weights that stay at a depth: those of X^{i,j} with i + j ≤ depth, and of its heads."""
    kept = []
    for name in names:
        kind, first, second, *_ = name.split(".")
        if kind == "nodes" and int(first) + int(second) <= depth:
            kept.append(name)
        if kind == "heads" and int(first) + 1 <= depth:
            kept.append(name)
    return kept


def state_names(random: np.random.Generator) -> Iterator[tuple[list[str], int]]:
    """Yield names of weights with a depth; the first ones can be followed by hand."""
    short = ["nodes.0.0.conv1.weight", "nodes.0.1.up.weight", "nodes.0.2.up.weight", "nodes.1.0.conv1.weight"]
    yield [*short, "nodes.1.1.up.weight", "heads.0.weight", "heads.1.weight"], 1
    for size, depth in ((3, 2), (3, 1), (4, 2), (4, 3), (4, 4)):
        yield _names(size), depth
    yield list(map(str, random.permutation(_names(4)))), 2


def _names(depth: int) -> list[str]:
    layers = ("conv1.weight", "norm1.running_mean", "norm1.num_batches_tracked")
    names = []
    for i in range(depth + 1):
        for j in range(depth - i + 1):
            names += [f"nodes.{i}.{j}.{'block.' if j else ''}{layer}" for layer in layers]
            names += [f"nodes.{i}.{j}.up.bias"] if j else []
    return names + [f"heads.{k}.{kind}" for k in range(depth) for kind in ("weight", "bias")]


def _filter(node: Keep, head: Keep) -> Callable[[list[str], int], list[str]]:
    def keep(names: list[str], depth: int) -> list[str]:
        found = []
        for name in names:
            numbers = [int(part) for part in name.split(".")[1:3] if part.isdigit()]
            if (node if name.startswith("nodes") else head)(numbers, depth):
                found.append(name)
        return found

    return keep


def _numbers_of_all(names: list[str], depth: int) -> list[str]:
    return [name for name in names if sum(int(part) for part in name.split(".")[1:3]) <= depth]


def _node(numbers: list[int], depth: int) -> bool:
    return sum(numbers) <= depth


def _head(numbers: list[int], depth: int) -> bool:
    return numbers[0] < depth


Budget = tuple[list[float], list[float], float, float]


def smallest_depth(latencies: list[float], scores: list[float], max_latency: float, max_drop: float) -> int | None:
    """Return the smallest depth in time whose IoU is at most ``max_drop`` below the best in time; None for none."""
    in_time = [depth for depth in range(1, len(scores) + 1) if latencies[depth - 1] <= max_latency]
    if not in_time:
        return None
    best = max(scores[depth - 1] for depth in in_time)
    return min(depth for depth in in_time if best - scores[depth - 1] <= max_drop)


def budgets(random: np.random.Generator) -> Iterator[Budget]:
    """Yield latencies and scores, L1 first, with budgets: in halves and quarters, where no rounding decides."""
    latencies, scores = [10.0, 20.0, 40.0, 60.0], [0.5, 0.625, 0.75, 0.875]
    yield latencies, scores, 50.0, 0.125
    yield latencies, scores, 100.0, 0.25
    yield latencies, scores, 60.0, 0.03125
    yield latencies, scores, 40.0, 0.0625
    yield latencies, scores, 5.0, 0.5
    yield latencies, [0.5, 0.875, 0.75, 0.625], 60.0, 0.125
    yield latencies, [0.5, 0.25, 0.75, 0.875], 50.0, 0.25
    yield latencies, [0.3125, 0.375, 0.5, 0.4375], 60.0, 0.25
    yield [10.0, 40.0, 20.0, 60.0], scores, 30.0, 0.125
    for _ in range(6):
        drawn = random.integers(8, 31, 4) / 32
        yield latencies, drawn.tolist(), float(random.choice([15, 40, 50, 70])), float(random.integers(1, 10) / 32)


def _chosen(
    pick: Callable[[Sequence[int]], object], best_of_all: bool = False, all_in_time: bool = False
) -> Callable[..., object]:
    """Return a function that chooses as `smallest_depth` does, but for what is named."""

    def choose(latencies: list[float], scores: list[float], max_latency: float, max_drop: float) -> object:
        depths = range(1, len(scores) + 1)
        in_time = [depth for depth in depths if all_in_time or latencies[depth - 1] <= max_latency]
        best = max((scores[depth - 1] for depth in (depths if best_of_all else in_time)), default=0.0)
        good = [depth for depth in in_time if best - scores[depth - 1] <= max_drop]
        return pick(good) if good or pick is list else None

    return choose


def _instead(change: Callable[[int, list[float]], float]) -> Callable[..., float | None]:
    """Return a function that makes something else of the depth that is asked for, and of the scores."""

    def choose(latencies: list[float], scores: list[float], max_latency: float, max_drop: float) -> float | None:
        depth = smallest_depth(latencies, scores, max_latency, max_drop)
        return None if depth is None else change(depth, scores)

    return choose


def _among(pick: Callable[[list[int], list[float]], int]) -> Callable[..., int | None]:
    """Return a function that picks a depth among those in time, by their scores alone or by none."""

    def choose(latencies: list[float], scores: list[float], max_latency: float, max_drop: float) -> int | None:
        del max_drop
        in_time = [depth for depth, latency in enumerate(latencies, start=1) if latency <= max_latency]
        return pick(in_time, scores) if in_time else None

    return choose


def _by_the_deepest(latencies: list[float], scores: list[float], max_latency: float, max_drop: float) -> int | None:
    in_time = [depth for depth, latency in enumerate(latencies, start=1) if latency <= max_latency]
    return next((depth for depth in in_time if scores[in_time[-1] - 1] - scores[depth - 1] <= max_drop), None)


def _best_of_none(latencies: list[float], scores: list[float], max_latency: float, max_drop: float) -> int:
    depth = smallest_depth(latencies, scores, max_latency, max_drop)
    if depth is None:
        raise ValueError("max() of nothing")
    return depth


def _best_whatever_it_costs(latencies: list[float], scores: list[float], max_latency: float, max_drop: float) -> int:
    del max_drop
    in_time = [depth for depth, latency in enumerate(latencies, start=1) if latency <= max_latency]
    return max(in_time, key=lambda depth: scores[depth - 1])


def _first_ones(latencies: list[float], scores: list[float], max_latency: float, max_drop: float) -> int | None:
    count = sum(latency <= max_latency for latency in latencies)
    return smallest_depth(latencies[:count], scores[:count], float("inf"), max_drop)


def _scores_in_time(latencies: list[float], scores: list[float], max_latency: float) -> list[float]:
    pairs = zip(latencies, scores, strict=True)
    return [score for latency, score in pairs if latency <= max_latency] or [0.0]


EXERCISES = (
    FunctionExercise(
        number="11.1",
        title="What a head needs",
        difficulty="medium",
        minutes=8,
        reference=needed_nodes,
        cases=grids,
        mistakes={
            "You stop after one step: what feeds the inputs is needed too.": (
                lambda wires, node: sorted([node, *wires[node]])
            ),
            "You stop after two steps: go on until nothing new is found.": (
                lambda wires, node: sorted({node, *wires[node], *(n for s in wires[node] for n in wires[s])})
            ),
            "The node itself is missing: it is needed as well.": (
                lambda wires, node: sorted({*needed_nodes(wires, node)} - {node})
            ),
            "You count rows and columns: follow the wires. In U-Net a node needs fewer.": (
                lambda wires, node: sorted(other for other in wires if sum(other) <= sum(node))
            ),
            "You go forwards, to what reads the node: go back, to what it reads.": _readers,
            "Nodes come several times, once for each way that leads to them: keep a set.": (
                lambda wires, node: sorted(_all_ways(wires, node))
            ),
            "The right nodes in another order: sort them.": (
                lambda wires, node: list(dict.fromkeys(_all_ways(wires, node)))
            ),
            "The right nodes, in the order in which you found them: sort them.": _found_in_turn,
            "The right nodes, in the order of `wires`: sort them.": (
                lambda wires, node: [other for other in wires if other in needed_nodes(wires, node)]
            ),
            "You count rows and columns: follow the wires, and sort what you find.": (
                lambda wires, node: [other for other in wires if sum(other) <= sum(node)]
            ),
            "Nobody adds a node: each call must add its own node to what its sources need.": _nothing,
            "There are lists in your list: join them with `+=`, not with `append`.": _lists_in_lists,
            "You stay in the node's row: an input may stand in another.": (
                lambda wires, node: [other for other in needed_nodes(wires, node) if other[0] == node[0]]
            ),
            "X^{0,0} is missing: that it has no inputs does not mean that nobody needs it.": (
                lambda wires, node: [other for other in needed_nodes(wires, node) if wires[other]]
            ),
            "You count them: the nodes themselves are asked for.": lambda wires, node: len(needed_nodes(wires, node)),
            "You give the nodes that can be dropped: those that stay are asked for.": (
                lambda wires, node: sorted({*wires} - {*needed_nodes(wires, node)})
            ),
        },
        seconds=3,
    ),
    FunctionExercise(
        number="11.2",
        title="Which weights stay",
        difficulty="easy",
        minutes=6,
        reference=kept_names,
        cases=state_names,
        mistakes={
            "You keep one head too many: heads.0 is head 1.": _filter(_node, lambda n, depth: n[0] <= depth),
            "You drop every head: nodes without a head answer nothing.": _filter(_node, lambda *_: False),
            "You keep every head: those of dropped nodes have nothing to read.": _filter(_node, lambda *_: True),
            "You keep the last head alone: heads 1 to d stay.": _filter(_node, lambda n, depth: n[0] == depth - 1),
            "You keep a square, i ≤ d and j ≤ d: the sum of row and column decides.": (
                _filter(lambda n, depth: max(n) <= depth, _head)
            ),
            "You look at the column alone: i + j decides.": _filter(lambda n, depth: n[1] <= depth, _head),
            "You look at the row alone: i + j decides.": _filter(lambda n, depth: n[0] <= depth, _head),
            "You stop one diagonal too early: i + j = d stays.": _filter(lambda n, depth: sum(n) < depth, _head),
            "You keep the last diagonal alone: all with i + j ≤ d stay.": (
                _filter(lambda n, depth: sum(n) == depth, _head)
            ),
            "You keep row 0 alone: its nodes read the rows below.": (
                _filter(lambda n, depth: n[0] == 0 and n[1] <= depth, _head)
            ),
            "You give the names of what goes: those of what stays are asked for.": (
                lambda names, depth: [name for name in names if name not in kept_names(names, depth)]
            ),
            "You keep weights and biases alone: batch norm's running statistics belong to the network too.": (
                lambda names, depth: [name for name in kept_names(names, depth) if name.endswith(("weight", "bias"))]
            ),
            "You compare text with text: turn the numbers into `int` first.": (
                _filter(lambda n, depth: f"{n[0]}{n[1]}" <= str(depth), _head)
            ),
            "You keep heads.d alone: heads 1 to d stay, and heads.0 is head 1.": _filter(
                _node, lambda n, depth: n[0] == depth
            ),
            "You list nodes first, then heads: keep the order in which the names come.": (
                lambda names, depth: sorted(kept_names(names, depth), key=lambda name: name.startswith("heads"))
            ),
            "The right names in another order: keep the order in which they are given.": (
                lambda names, depth: sorted(kept_names(names, depth))
            ),
            "It ends with the first name: `return` stands inside the loop, move it to the left.": (
                lambda names, depth: kept_names(names[:1], depth)
            ),
            "You treat both kinds alike: a node has two numbers, i + j, and heads.0 is head 1.": _filter(
                lambda n, depth: n[0] <= depth, lambda n, depth: n[0] <= depth
            ),
            "It makes a number of text that is none: split at the dots. A node has two numbers, a head has one.": (
                _numbers_of_all
            ),
        },
        seconds=3,
    ),
    ChoiceExercise(
        number="11.3",
        title="Why does it differ?",
        difficulty="hard",
        minutes=5,
        question="Why is the network cut by hand equal at 64 × 64 and at 96 × 80, and not at 152 × 136?",
        options={
            "a": Option(
                "rounding: another order of the sums",
                "That would show at every size, and all over the image. Here most pixels are equal to the last bit.",
            ),
            "b": Option(
                "batch norm: it is still in training mode",
                "Then every pixel would differ, at every size. Both networks are in evaluation mode.",
            ),
            "c": Option(
                "a node with i + j ≤ 2 was forgotten",
                "Then the weights could not have been loaded, and no size would be equal.",
            ),
            "d": Option(
                "padding: the whole network fills up to a multiple of 16, the small one to a multiple of 4",
                "Yes. 152 × 136 can be halved twice as it is. But the whole network, which halves four times, saw "
                "160 × 144: mirrored pixels to the right and below.",
                right=True,
            ),
        },
    ),
    ChoiceExercise(
        number="11.4",
        title="What does L2 cost?",
        difficulty="medium",
        minutes=2,
        question="L2 keeps 6 % of the parameters. Which share of the whole network's time does it take?",
        options={
            "a": Option(
                "about 6 %: as many as parameters",
                "The parameters that go are those of the deep rows. They work on small maps, so they take little time.",
            ),
            "b": Option(
                "about 15 %",
                "More: the top rows, where the maps are large, stay.",
            ),
            "c": Option(
                "a quarter to a third",
                "Yes: 30 % of the multiply-accumulates. The share of the time is near it, and differs by machine.",
                right=True,
            ),
            "d": Option(
                "about two thirds",
                "That is near L3. Of row 0, L2 has dropped two of five nodes, and the widest ones.",
            ),
        },
        prediction=True,
    ),
    NumberExercise(
        number="11.5",
        title="More images in an hour",
        difficulty="easy",
        minutes=3,
        question="by how many per cent more images L3 reads in an hour, if each takes 32.2 % less time",
        solution=100 * (1 / 0.678 - 1),
        tolerance=0.6,
        unit="%",
        mistakes={
            "This is the time saved on one image: an hour holds 1 / 0.678 times as many.": 32.2,
            "This is the time that is left: an hour holds 1 / 0.678 times as many.": 67.8,
            "This is how many times as many: by how many per cent is that more?": 1 / 0.678,
            "This is the share of the old number, in per cent: take off the 100 that you had before.": 100 / 0.678,
            "This is a share of 1: the answer is a number of per cent.": 1 / 0.678 - 1,
            "You divide by the time that is saved: divide by the time that is left.": 100 * (1 / 0.322 - 1),
            "You divide by the time that is saved, and 100 % were there before.": 100 / 0.322,
            "You add the time that is saved: take the inverse of the time that is left.": 132.2,
            "You take one third off, and then the inverse of the rest: the figure is 32.2 %.": 50.0,
        },
    ),
    ChoiceExercise(
        number="11.6",
        title="Choose under a budget",
        difficulty="medium",
        minutes=4,
        question="At most 40 ms an image, and at most .03 IoU below the best that can be had in that time",
        options={
            "a": Option(
                "L1: it is the fastest",
                "It keeps the time. But it is .22 below the best that keeps it.",
            ),
            "b": Option(
                "L2: it keeps the time, and costs half of L3",
                "It is .16 below the best that keeps the time; .03 are allowed.",
            ),
            "c": Option(
                "L3: the best that keeps the time, and no smaller one comes near",
                "Yes. First the time: L1, L2 and L3 are left. Then the tolerance: only L3 is within .03 of the best.",
                right=True,
            ),
            "d": Option(
                "L4: no other is within .03 of it",
                "It takes 62 ms. What you cannot afford does not count, not even as a yardstick.",
            ),
        },
    ),
    FunctionExercise(
        number="11.7",
        title="The smallest that will do",
        difficulty="medium",
        minutes=8,
        reference=smallest_depth,
        cases=budgets,
        mistakes={
            "You forget the time: a depth may take at most max_latency.": _chosen(min, all_in_time=True),
            "You compare with the best of all depths: take the best of those in time.": _chosen(min, best_of_all=True),
            "You take the deepest that will do: the smallest is asked for.": _chosen(max),
            "You take the best in time, whatever it costs: a smaller one within max_drop will do.": (
                _among(lambda in_time, scores: max(in_time, key=lambda depth: scores[depth - 1]))
            ),
            "You take the fastest: its IoU may be too low.": _among(lambda in_time, _: in_time[0]),
            "You take the deepest in time: the smallest within max_drop of the best is asked for.": (
                _among(lambda in_time, _: in_time[-1])
            ),
            "You give the index: index 0 is depth 1.": _instead(lambda depth, _: depth - 1),
            "You give the IoU: the depth is asked for.": _instead(lambda depth, scores: scores[depth - 1]),
            "A depth that takes just max_latency is in time: `<=`, not `<`.": (
                lambda latencies, scores, max_latency, max_drop: smallest_depth(
                    latencies, scores, max_latency - 1e-6, max_drop
                )
            ),
            "An IoU that is just max_drop below the best will do: `<=`, not `<`.": (
                lambda latencies, scores, max_latency, max_drop: smallest_depth(
                    latencies, scores, max_latency, max_drop - 1e-6
                )
            ),
            "max_drop is a difference of IoU, not a share of the best.": (
                lambda latencies, scores, max_latency, max_drop: smallest_depth(
                    latencies, scores, max_latency, max_drop * max(_scores_in_time(latencies, scores, max_latency))
                )
            ),
            "You give the time: the depth is asked for.": (
                lambda latencies, *rest: (d := smallest_depth(latencies, *rest)) and latencies[d - 1]
            ),
            "You compare with the deepest in time: a smaller one may be the best.": _by_the_deepest,
            "Where no depth is in time, return None, not 0.": lambda *budget: smallest_depth(*budget) or 0,
            "It fails where no depth is in time: return None before you look for the best.": _best_of_none,
            "You take the best in time, whatever it costs, and it fails where none is: see max_drop, and None.": (
                _best_whatever_it_costs
            ),
            "You take the first ones, as many as are in time: times need not rise with the depth.": _first_ones,
            "You give all depths that will do: the smallest is asked for.": _chosen(list),
        },
        seconds=3,
    ),
    ChoiceExercise(
        number="11.8",
        title="Cut, or trained alone?",
        difficulty="easy",
        minutes=2,
        question="Head 2 of the full network, or an L2 trained alone for as many seconds: which has the higher IoU?",
        options={
            "a": Option(
                "the cut one: the deep nodes have taught the shallow ones",
                "So one might hope. But even for as many steps, the cut one is not ahead; for as many seconds it is "
                "behind.",
            ),
            "b": Option(
                "about equal: the same network, the same images",
                "So it is for as many steps. In as many seconds the small network takes many more of them.",
            ),
            "c": Option(
                "the one trained alone, by about .1",
                "Yes. A second of training buys it more than twice as many steps, and deep nodes were not seen to help "
                "head 2.",
                right=True,
            ),
            "d": Option(
                "the cut one by far: without deep heads a small network learns little",
                "It has a loss at each of its own heads. What it lacks is depth, and so does the cut one.",
            ),
        },
        prediction=True,
    ),
)
