"""The exercises of notebook 11: what a head needs, which weights stay, which depth to choose, and the control."""

from collections.abc import Iterator

import numpy as np

from unetpp_course.checks import ChoiceExercise, FunctionExercise, Option
from unetpp_lib.models.graph import Node, grid_nodes, node_inputs

# Exercise 11.1: What a head needs


Wires = dict[Node, list[Node]]


def needed_nodes(wires: Wires, node: Node) -> list[Node]:
    """Return all nodes that a node's map depends on, itself included, in ascending order."""
    needed = {node}
    for _ in wires:  # no way through the grid is longer than it has nodes
        for reader in list(needed):
            for source in wires[reader]:
                needed.add(source)
    return sorted(needed)


def grids(random: np.random.Generator) -> Iterator[tuple[Wires, Node]]:
    """Yield wires, with a node of theirs: UNet++, UNet+ and U-Net, then grids whose wires are drawn."""
    yield _nested(2), (0, 1)
    yield _unet(2), (1, 1)  # short enough to be shown whole
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
    return {node: node_inputs(node, dense) for node in grid_nodes(depth)}


def _unet(depth: int) -> Wires:
    wires: Wires = {(i, 0): [(i - 1, 0)] if i else [] for i in range(depth + 1)}
    for i in reversed(range(depth)):
        wires[i, depth - i] = [(i, 0), (i + 1, depth - i - 1)]
    return wires


def ways_back(wires, node):
    found, waiting = [node], [node]
    while waiting:
        for source in wires[waiting.pop(0)]:
            if source not in found:
                found.append(source)
                waiting.append(source)
    return found


def follows_the_wires_without_sorting(wires, node):
    return [one for one in wires if one in ways_back(wires, node)]


def never_adds_itself(wires, node):
    found = []
    for source in wires[node]:
        found += never_adds_itself(wires, source)
    return sorted(set(found))


def counts_diagonals_without_sorting(wires, node):
    return [(i, j) for i, j in wires if i + j <= sum(node)]


def appends_lists(wires, node):
    found = [node]
    for source in wires[node]:
        found.append(appends_lists(wires, source))
    return found


def takes_only_the_inputs(wires, node):
    return sorted(wires[node])


def sorts_backwards(wires, node):
    return sorted(ways_back(wires, node), reverse=True)


def takes_the_inputs(wires, node):
    return sorted({node} | set(wires[node]))


def follows_the_first_input(wires, node):
    found = [node]
    while wires[found[-1]]:
        found.append(wires[found[-1]][0])
    return sorted(found)


def gives_all_nodes(wires, node):
    return sorted(wires)


def cuts_a_rectangle(wires, node):
    return sorted((i, j) for i, j in wires if i <= node[0] and j <= node[1])


def takes_two_steps(wires, node):
    found = {node, *wires[node]}
    for source in wires[node]:
        found.update(wires[source])
    return sorted(found)


def forgets_itself(wires, node):
    return sorted(ways_back(wires, node)[1:])


def counts_diagonals(wires, node):
    return sorted((i, j) for i, j in wires if i + j <= node[0] + node[1])


def writes_out_the_triangle(wires, node):
    d = sum(node)
    return [(i, j) for i in range(d + 1) for j in range(d + 1 - i)]


def goes_forwards(wires, node):
    found = [node]
    for one in found:
        found += [other for other in wires if one in wires[other] and other not in found]
    return sorted(found)


def repeats_nodes(wires, node):
    found = [node]
    for one in found:
        found.extend(wires[one])
    return sorted(found)


def forgets_to_sort(wires, node):
    found = []

    def visit(one):
        if one not in found:
            found.append(one)
            for source in wires[one]:
                visit(source)

    visit(node)
    return found


def stays_in_its_row(wires, node):
    return sorted(one for one in ways_back(wires, node) if one[0] == node[0])


def drops_the_first_node(wires, node):
    return sorted(one for one in ways_back(wires, node) if wires[one])


def counts_nodes(wires, node):
    return len(ways_back(wires, node))


def gives_the_rest(wires, node):
    return sorted(one for one in wires if one not in ways_back(wires, node))


def gives_a_set(wires, node):
    return set(ways_back(wires, node))


def spoils_the_wires(wires, node):
    found = wires[node]  # no copy: the list of the wires grows
    found.append(node)
    for one in found:
        for source in wires[one]:
            if source not in found:
                found.append(source)
    return sorted(found)


def forgets_to_return_nodes(wires, node):
    sorted(ways_back(wires, node))


def makes_lists_of_the_nodes(wires, node):
    return [list(one) for one in needed_nodes(wires, node)]


def prints_instead_of_returning(wires, node):
    found = {node}
    for source in wires[node]:
        found |= set(prints_instead_of_returning(wires, source))
    print(sorted(found))


def nodes_are_tuples(value: object) -> str:
    """Return a sentence on nodes that cannot be looked up in the wires; "" where there are none."""
    nodes = value if isinstance(value, list | tuple) else []
    if all(isinstance(node, tuple) for node in nodes):
        return ""
    return "These are the right nodes, but as lists. Write each as a pair, as in `wires`: (0, 1), not [0, 1]."


EXERCISE_11_1 = FunctionExercise(
    number="11.1",
    title="What a head needs",
    difficulty="medium",
    minutes=10,
    reference=needed_nodes,
    cases=grids,
    mistakes=[
        (takes_the_inputs, "You stop after one step. What feeds the inputs is needed as well."),
        (takes_only_the_inputs, "You return what the node reads. Add the node itself, and what its inputs need."),
        (sorts_backwards, "These are the right nodes, but sorted from the last to the first."),
        (takes_two_steps, "You stop after two steps. Go on until nothing new is found."),
        (follows_the_first_input, "You follow only the first input of each node. All of its inputs are needed."),
        (gives_all_nodes, "You return every node of the network. Only those are asked for that lead to this one."),
        (cuts_a_rectangle, "You compare rows and columns with those of the node. Follow the wires instead."),
        (forgets_itself, "The node itself is missing. It is needed as well."),
        (counts_diagonals, "You compare i + j. Follow the wires instead: in U-Net, a node needs fewer nodes."),
        (
            writes_out_the_triangle,
            "You write out the triangle i + j ≤ d. That is right for UNet++ only: follow the wires instead.",
        ),
        (goes_forwards, "You go forwards, to the nodes that read this one. Go back, to the nodes that it reads."),
        (repeats_nodes, "Some nodes come several times, once for each path. Add a node only if it is not there yet."),
        (forgets_to_sort, "These are the right nodes, but in another order: sort them."),
        (ways_back, "These are the right nodes, in the order in which you found them: sort them."),
        (follows_the_wires_without_sorting, "These are the right nodes, in the order of `wires`: sort them."),
        (counts_diagonals_without_sorting, "You compare i + j. Follow the wires instead, and sort what you find."),
        (never_adds_itself, "No call adds its own node to what its sources need, so nothing is ever added."),
        (appends_lists, "There are lists inside your list. Join them with `+=`, not with `append`."),
        (stays_in_its_row, "You stay in the row of the node. One of its inputs is in the row below."),
        (drops_the_first_node, "X^{0,0} is missing. It has no inputs itself, but other nodes read it."),
        (counts_nodes, "You return how many there are. The nodes themselves are asked for."),
        (gives_the_rest, "You return the nodes that can be dropped. Those that stay are asked for."),
    ],
    also_wrong=[
        (gives_a_set, "not a set"),
        (spoils_the_wires, "changes what it is given"),
        (forgets_to_return_nodes, "returns None"),
        (makes_lists_of_the_nodes, "as in `wires`"),
        (prints_instead_of_returning, "only `return` hands a value over"),
    ],
    usable=nodes_are_tuples,
    seconds=3,
)


# Exercise 11.2: Which weights stay


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
    yield ["nodes.0.2.up.weight", "nodes.1.2.up.weight", "heads.0.weight", "heads.1.weight", "heads.2.weight"], 2
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


def numbers(name):
    return int(name.split(".")[1]), int(name.split(".")[2]) if name.startswith("nodes") else 0


def select(nodes, heads):
    def keep(names, depth):
        return [name for name in names if (nodes if "nodes" in name else heads)(*numbers(name), depth)]

    return keep


def right_node(i, j, depth):
    return i + j <= depth


def right_head(k, _, depth):
    return k + 1 <= depth


keeps_a_head_too_many = select(right_node, lambda k, _, depth: k <= depth)
drops_all_heads = select(right_node, lambda k, _, depth: None)
keeps_all_heads = select(right_node, lambda k, _, depth: 1)
keeps_the_last_head = select(right_node, lambda k, _, depth: k + 1 == depth)
cuts_a_square = select(lambda i, j, depth: i <= depth and j <= depth, right_head)
looks_at_columns = select(lambda i, j, depth: j <= depth, right_head)
looks_at_rows = select(lambda i, j, depth: i <= depth, right_head)
stops_too_early = select(lambda i, j, depth: i + j < depth, right_head)
keeps_a_diagonal = select(lambda i, j, depth: i + j == depth, right_head)
keeps_the_top_row = select(lambda i, j, depth: not i and j <= depth, right_head)


always_cuts_to_depth_1 = select(lambda i, j, _: i + j <= 1, lambda k, *_: k + 1 <= 1)
always_cuts_to_depth_2 = select(lambda i, j, _: i + j <= 2, lambda k, *_: k + 1 <= 2)


def gives_all_names(names, depth):
    return list(names)


def compares_text_with_the_depth(names, depth):
    return [name for name in names if name.split(".")[1] <= depth]


def compares_text(names, depth):
    return [name for name in names if "".join(name.split(".")[1:3]) <= str(depth)]


keeps_head_d = select(right_node, lambda k, _, depth: k == depth)


def puts_heads_last(names, depth):
    kept = select(right_node, right_head)(names, depth)
    return [name for name in kept if "nodes" in name] + [name for name in kept if "heads" in name]


def returns_inside_the_loop(names, depth):
    return select(right_node, right_head)([names[0]], depth)


def takes_the_first_number(names, depth):
    return [name for name in names if int(name.split(".")[1]) <= depth]


def adds_both_parts(names, depth):
    kept = []
    for name in names:
        row, column = name.split(".")[1:3]
        if int(row) + int(column) <= depth:
            kept.append(name)
    return kept


def gives_what_goes(names, depth):
    return [name for name in names if name not in select(right_node, right_head)(names, depth)]


def drops_the_statistics(names, depth):
    return [
        name for name in select(right_node, right_head)(names, depth) if "running" not in name and "num" not in name
    ]


def sorts_names(names, depth):
    return sorted(select(right_node, right_head)(names, depth))


def gives_a_dictionary(names, depth):
    return dict.fromkeys(select(right_node, right_head)(names, depth))


def gives_a_set_of_names(names, depth):
    return set(select(right_node, right_head)(names, depth))


def forgets_to_return_names(names, depth):
    select(right_node, right_head)(names, depth)


EXERCISE_11_2 = FunctionExercise(
    number="11.2",
    title="Which weights stay",
    difficulty="easy",
    minutes=6,
    reference=kept_names,
    cases=state_names,
    mistakes=[
        (keeps_a_head_too_many, "You keep one head too many: `heads.0` is head 1."),
        (drops_all_heads, "You drop every head. Without a head, a node predicts nothing."),
        (keeps_all_heads, "You keep every head. Those of the dropped nodes have nothing to read."),
        (keeps_the_last_head, "You keep only the last head. Heads 1 to d stay."),
        (cuts_a_square, "You keep a square, i ≤ d and j ≤ d. It is the sum i + j that decides."),
        (looks_at_columns, "You look only at the column. It is the sum i + j that decides."),
        (looks_at_rows, "You look only at the row. It is the sum i + j that decides."),
        (stops_too_early, "You stop too early: the nodes with i + j = d stay, too."),
        (keeps_a_diagonal, "You keep only the nodes with i + j = d. All with i + j ≤ d stay."),
        (keeps_the_top_row, "You keep only row 0. Its nodes read the rows below."),
        (gives_what_goes, "You return the names that go. Those that stay are asked for."),
        (
            drops_the_statistics,
            "You keep only weights and biases. The running statistics of batch norm belong to the network, too.",
        ),
        (gives_all_names, "You return every name. Those of nodes and heads beyond the depth must go."),
        (always_cuts_to_depth_1, "You cut to depth 1, whatever `depth` is."),
        (always_cuts_to_depth_2, "You cut to depth 2, whatever `depth` is."),
        (
            compares_text_with_the_depth,
            "The parts of a name are text, and the depth is a number. Turn the parts into `int` first.",
        ),
        (compares_text, "You compare text with text. Turn the numbers into `int` first."),
        (keeps_head_d, "You keep only `heads.d`. Heads 1 to d stay, and `heads.0` is head 1."),
        (puts_heads_last, "You list the nodes first, then the heads. Keep the order in which the names come."),
        (sorts_names, "These are the right names in another order. Keep the order in which they come."),
        (
            returns_inside_the_loop,
            "It ends with the first name, because `return` is inside the loop. Move it to the left.",
        ),
        (
            takes_the_first_number,
            "You treat nodes and heads alike. A node has two numbers, i and j, and `heads.0` is head 1.",
        ),
        (
            adds_both_parts,
            "It turns a text into a number that is not one. A node has two numbers in its name, a head has only one.",
        ),
    ],
    also_wrong=[
        (gives_a_dictionary, "not a dictionary"),
        (gives_a_set_of_names, "not a set"),
        (forgets_to_return_names, "returns None"),
    ],
    seconds=3,
)


EXERCISE_11_3 = ChoiceExercise(
    number="11.3",
    title="Why does it differ?",
    difficulty="medium",
    minutes=5,
    question="Why is your network equal at 64 × 64 and at 96 × 80, and not at 152 × 136?",
    options={
        "a": Option(
            "padding: one of them fills up to a multiple of 16, the other of 4",
            "Yes. 152 × 136 can be halved twice without a remainder. The whole network halves four times, so it fills "
            "the image up to 160 × 144, with mirrored pixels at the right and at the bottom.",
            right=True,
        ),
        "b": Option(
            "rounding: the two networks add up the same numbers in another order",
            "Rounding would show all over the image, and far behind the decimal point. Here most pixels are equal to "
            "the last bit, and the others differ by up to whole units.",
        ),
        "c": Option(
            "batch norm: one of the two networks is still in training mode",
            "Then every pixel would differ, at every size. Both networks are in evaluation mode.",
        ),
        "d": Option(
            "the wiring: a node with i + j ≤ 2 was forgotten, and head 2 misses its map",
            "Then `load_state_dict` would have complained, and no size would be equal.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (16, "by its letter"),
    ],
)


EXERCISE_11_4 = ChoiceExercise(
    number="11.4",
    title="Where does L2 save?",
    difficulty="medium",
    minutes=2,
    question="L2 saves 70 % of the arithmetic. Which fraction of what it saves was done in rows 3 and 4?",
    options={
        "a": Option(
            "about 95 %, because L2 has lost these two rows altogether",
            "So it is with the parameters that L2 saves: most were in rows 3 and 4. But their maps are small.",
        ),
        "b": Option(
            "about two thirds",
            "It is less. The nodes of rows 3 and 4 do an eighth of the network's arithmetic, and L2 saves 70 %.",
        ),
        "c": Option(
            "about a fifth, and the rest in rows 0 to 2",
            "Yes. Rows 0 to 2 stay, but each loses two nodes at its right end, and these are the most expensive ones.",
            right=True,
        ),
        "d": Option(
            "next to nothing",
            "It is 18 %. A map in row 3 has few pixels, but there are many channels to work on.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (0.3, "by its letter"),
    ],
    prediction=True,
)


# Exercise 11.5: The smallest that will do


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
    yield [40.0, 10.0, 20.0, 60.0], [0.75, 0.75, 0.75, 0.5], 50.0, 0.125
    yield [40.0, 10.0, 20.0, 60.0], [0.75, 0.75, 0.75, 0.5], 30.0, 0.125
    for _ in range(6):
        drawn = random.integers(8, 31, 4) / 32
        yield latencies, drawn.tolist(), float(random.choice([15, 40, 50, 70])), float(random.integers(1, 10) / 32)


def places(latencies, scores):
    return list(zip([1, 2, 3, 4], latencies, scores, strict=True))


def ignores_time(latencies, scores, max_latency, max_drop):
    return next(d for d, _, score in places(latencies, scores) if score >= max(scores) - max_drop)


def measures_by_the_best_of_all(latencies, scores, max_latency, max_drop):
    for d, latency, score in places(latencies, scores):
        if latency <= max_latency and score >= max(scores) - max_drop:
            return d
    return None


def in_time(latencies, scores, max_latency):
    return {d: score for d, latency, score in places(latencies, scores) if latency <= max_latency}


def goes_deepest(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    return max((d for d in found if found[d] >= max(found.values()) - max_drop), default=None)


def takes_the_best(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    return max(found, key=found.get) if found else None


def takes_the_fastest(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    return min(found) if found else None


def takes_the_fastest_good_one(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    good = [d for d in found if found[d] >= max(found.values()) - max_drop]
    return min(good, key=lambda d: latencies[d - 1], default=None)


def stops_at_the_first_too_slow(latencies, scores, max_latency, max_drop):
    found = []
    for latency, score in zip(latencies, scores, strict=True):
        if latency > max_latency:
            break
        found.append(score)
    return next((index + 1 for index, score in enumerate(found) if score >= max(found) - max_drop), None)


def takes_the_deepest_in_time(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    return max(found) if found else None


def chosen(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    return min((d for d in found if found[d] >= max(found.values()) - max_drop), default=None)


def gives_the_index_in_time(latencies, scores, max_latency, max_drop):
    found = list(in_time(latencies, scores, max_latency).values())
    return next((index + 1 for index, score in enumerate(found) if score >= max(found) - max_drop), None)


def compares_with_the_whole_network(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    return min((d for d in found if scores[-1] - found[d] <= max_drop), default=None)


def names_the_depth(*budget):
    depth = chosen(*budget)
    return depth and f"L{depth}"


def gives_the_index(*budget):
    return chosen(*budget) and chosen(*budget) - 1


def gives_the_score(latencies, scores, *budget):
    depth = chosen(latencies, scores, *budget)
    return depth and scores[depth - 1]


def excludes_the_time_limit(latencies, scores, max_latency, max_drop):
    return chosen([latency if latency != max_latency else 999 for latency in latencies], scores, max_latency, max_drop)


def excludes_the_tolerance(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    return min((d for d in found if max(found.values()) - found[d] < max_drop), default=None)


def takes_a_share(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    return min((d for d in found if found[d] >= max(found.values()) * (1 - max_drop)), default=None)


def gives_a_list(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    return [d for d in found if found[d] >= max(found.values(), default=0) - max_drop]


def gives_the_time(latencies, *budget):
    depth = chosen(latencies, *budget)
    return depth and latencies[depth - 1]


def measures_by_the_deepest(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    return min((d for d in found if found[max(found)] - found[d] <= max_drop), default=None)


def takes_the_best_without_asking(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    return max(found, key=found.get)


def takes_the_first_ones(latencies, scores, max_latency, max_drop):
    fast = [latency for latency in latencies if latency <= max_latency]
    if not fast:
        return None
    best = max(scores[: len(fast)])
    return [best - score <= max_drop for score in scores].index(True) + 1


def gives_0_for_none(*budget):
    return chosen(*budget) or 0


def gives_minus_1_for_none(*budget):
    return chosen(*budget) or -1


def forgets_that_none_may_do(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    best = max(found.values())
    return min(d for d in found if found[d] >= best - max_drop)


def gives_a_float(*budget):
    depth = chosen(*budget)
    return depth and float(depth)


def depth_is_whole(value: object) -> str:
    """Return a sentence on a depth that cannot be an index; "" where there is none."""
    if value is None or isinstance(value, int | np.integer):
        return ""
    return "The depth is right, but not a whole number of type `int`: return 3, not 3.0."


EXERCISE_11_5 = FunctionExercise(
    number="11.5",
    title="The smallest that will do",
    difficulty="medium",
    minutes=8,
    reference=smallest_depth,
    cases=budgets,
    mistakes=[
        (ignores_time, "You forget the time: a depth may take at most `max_latency`."),
        (
            measures_by_the_best_of_all,
            "You compare with the best of all depths. Compare with the best of those in time.",
        ),
        (
            compares_with_the_whole_network,
            "You compare with the last depth, L4. Compare with the best of those in time.",
        ),
        (goes_deepest, "You take the deepest that is good enough. The smallest is asked for."),
        (takes_the_best, "You take the best in time, whatever it costs. A smaller one within `max_drop` is enough."),
        (takes_the_fastest, "You take the smallest in time, but its IoU may be too low."),
        (takes_the_fastest_good_one, "You take the fastest that is good enough. The smallest depth is asked for."),
        (takes_the_deepest_in_time, "You take the deepest in time. The smallest within `max_drop` is asked for."),
        (gives_the_index, "You return the index: index 0 is depth 1."),
        (gives_the_index_in_time, "You return a position in your shorter list. Which depth is at that position?"),
        (gives_the_score, "You return the IoU. The depth is asked for."),
        (excludes_the_time_limit, "A depth that takes exactly `max_latency` is in time: `<=`, not `<`."),
        (excludes_the_tolerance, "An IoU exactly `max_drop` below the best is good enough: `<=`, not `<`."),
        (takes_a_share, "`max_drop` is a difference of two IoUs, not a fraction of the best."),
        (gives_the_time, "You return the time. The depth is asked for."),
        (measures_by_the_deepest, "You compare with the deepest in time. A smaller one may be better."),
        (gives_0_for_none, "Where no depth is in time, return None, not 0."),
        (gives_minus_1_for_none, "Where no depth is in time, return None, not −1."),
        (forgets_that_none_may_do, "It fails where no depth is in time. Return None before you look for the best."),
        (
            takes_the_best_without_asking,
            "You take the best in time, whatever it costs, and it fails where none is in time.",
        ),
        (stops_at_the_first_too_slow, "You stop at the first depth that is too slow. A deeper one may be in time."),
        (takes_the_first_ones, "You take the first ones, as many as are in time. Times need not rise with the depth."),
        (gives_a_list, "You return all depths that are good enough. The smallest is asked for."),
    ],
    also_wrong=[(names_the_depth, "not a string"), (gives_a_float, "of type `int`")],
    usable=depth_is_whole,
    seconds=3,
)


EXERCISE_11_6 = ChoiceExercise(
    number="11.6",
    title="Which experiment decides?",
    difficulty="medium",
    minutes=4,
    question="Does head 2 of the full network only need more epochs, as L2 did? Which run tells?",
    options={
        "a": Option(
            "L2 alone for 106 epochs, to see whether its curve still rises after 53",
            "That tells more about L2 alone. Whether head 2 of the full network would rise, too, stays open.",
        ),
        "b": Option(
            "the full network, also trained for longer; then look at its head 2",
            "Yes. If head 2 catches up with L2, the length of training was the reason for L2's lead.",
            right=True,
        ),
        "c": Option(
            "L2 alone for 20 epochs, with ten more seeds for a narrower interval",
            "That settles how the two compare after 20 epochs. What happens later, it cannot tell.",
        ),
        "d": Option(
            "L3 alone for 53 epochs, because it sees twice as far as L2",
            "That changes the view as well as the length, so you could not say which of them made a difference.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (2, "by its letter"),
    ],
)


EXERCISE_11_7 = ChoiceExercise(
    number="11.7",
    title="Cut, or trained alone?",
    difficulty="easy",
    minutes=2,
    question="After 60 epochs each, on images with rings: where are head 2, L2 trained alone, and head 4?",
    options={
        "a": Option(
            "L2 alone is ahead of head 2 by 0.1 or more, as it was after 53 epochs.",
            "That lead was one in epochs: L2 had 53, and head 2 had 20. With equally many, no lead as large is seen.",
        ),
        "b": Option(
            "Head 2 catches up with head 4: all it needed was more time.",
            "More time has helped it, but head 4 has moved on as well.",
        ),
        "c": Option(
            "Head 2 and L2 alone are less than 0.05 apart, and both 0.1 or more below head 4.",
            "Yes. L2 led after 53 epochs because head 2 had only 20. Both lack what comes with depth.",
            right=True,
        ),
        "d": Option(
            "Head 2 is ahead of L2 alone by 0.1 or more, because the deep nodes have taught it.",
            "So one might hope, for the paper trains all depths together. But no such lead was seen.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (0.1, "by its letter"),
    ],
    prediction=True,
)


EXERCISES = (
    EXERCISE_11_1,
    EXERCISE_11_2,
    EXERCISE_11_3,
    EXERCISE_11_4,
    EXERCISE_11_5,
    EXERCISE_11_6,
    EXERCISE_11_7,
)
