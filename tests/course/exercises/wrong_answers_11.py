"""Wrong answers to the exercises of notebook 11, each with words of the message that it must get."""


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


def takes_the_inputs(wires, node):
    return sorted({node} | set(wires[node]))


def takes_two_steps(wires, node):
    found = {node, *wires[node]}
    for source in wires[node]:
        found.update(wires[source])
    return sorted(found)


def forgets_itself(wires, node):
    return sorted(ways_back(wires, node)[1:])


def counts_diagonals(wires, node):
    return sorted((i, j) for i, j in wires if i + j <= node[0] + node[1])


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


def forgets_to_return_nodes(wires, node):
    sorted(ways_back(wires, node))


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


def forgets_to_return_names(names, depth):
    select(right_node, right_head)(names, depth)


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


def takes_the_deepest_in_time(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    return max(found) if found else None


def chosen(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    return min((d for d in found if found[d] >= max(found.values()) - max_drop), default=None)


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


def forgets_that_none_may_do(latencies, scores, max_latency, max_drop):
    found = in_time(latencies, scores, max_latency)
    best = max(found.values())
    return min(d for d in found if found[d] >= best - max_drop)


WRONG = {
    "11.1": [
        (takes_the_inputs, "after one step"),
        (takes_two_steps, "after two steps"),
        (forgets_itself, "node itself is missing"),
        (counts_diagonals, "count rows and columns"),
        (goes_forwards, "go forwards"),
        (repeats_nodes, "several times"),
        (forgets_to_sort, "another order"),
        (ways_back, "in which you found them"),
        (follows_the_wires_without_sorting, "order of `wires`"),
        (counts_diagonals_without_sorting, "count rows and columns"),
        (appends_lists, "lists in your list"),
        (never_adds_itself, "Nobody adds a node"),
        (stays_in_its_row, "in the node's row"),
        (drops_the_first_node, "has no inputs"),
        (counts_nodes, "You count them"),
        (gives_the_rest, "can be dropped"),
        (gives_a_set, "not a value of type set"),
        (forgets_to_return_nodes, "returns None"),
    ],
    "11.2": [
        (keeps_a_head_too_many, "one head too many"),
        (drops_all_heads, "drop every head"),
        (keeps_all_heads, "keep every head"),
        (keeps_the_last_head, "last head alone"),
        (cuts_a_square, "keep a square"),
        (looks_at_columns, "column alone"),
        (looks_at_rows, "row alone"),
        (stops_too_early, "too early"),
        (keeps_a_diagonal, "last diagonal"),
        (keeps_the_top_row, "row 0 alone"),
        (gives_what_goes, "what goes"),
        (drops_the_statistics, "running statistics"),
        (compares_text, "into `int` first"),
        (keeps_head_d, "heads.d alone"),
        (puts_heads_last, "nodes first"),
        (sorts_names, "another order"),
        (returns_inside_the_loop, "inside the loop"),
        (takes_the_first_number, "both kinds alike"),
        (adds_both_parts, "split at the dots"),
        (gives_a_dictionary, "not a value of type dict"),
        (forgets_to_return_names, "returns None"),
    ],
    "11.3": [("e", "by its letter"), (16, "by its letter")],
    "11.4": [("e", "by its letter"), (0.3, "by its letter")],
    "11.5": [
        (32.2, "saved on one image"),
        (67.8, "time that is left"),
        (1.475, "how many times"),
        (147.5, "take off the 100"),
        (0.475, "number of per cent"),
        (0.322, "number of per cent"),
        (210.6, "by the time that is left"),
        (310.6, "100 % were there"),
        (132.2, "add the time"),
        (50, "one third off"),
        ("47 %", "one number"),
    ],
    "11.6": [("L3", "by its letter"), (3, "by its letter")],
    "11.7": [
        (ignores_time, "forget the time"),
        (measures_by_the_best_of_all, "best of all depths"),
        (goes_deepest, "deepest that will do"),
        (takes_the_best, "whatever it costs"),
        (takes_the_fastest, "take the fastest"),
        (takes_the_deepest_in_time, "deepest in time"),
        (gives_the_index, "index 0 is depth 1"),
        (gives_the_score, "You give the IoU"),
        (excludes_the_time_limit, "just max_latency"),
        (excludes_the_tolerance, "just max_drop"),
        (takes_a_share, "not a share"),
        (gives_a_list, "all depths"),
        (forgets_that_none_may_do, "before you look for the best"),
        (gives_the_time, "give the time"),
        (measures_by_the_deepest, "with the deepest in time"),
        (gives_0_for_none, "not 0"),
        (takes_the_best_without_asking, "and it fails where none is"),
        (takes_the_first_ones, "take the first ones"),
    ],
    "11.8": [("e", "by its letter"), (0.1, "by its letter")],
}
