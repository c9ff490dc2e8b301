"""Wrong answers to the exercises of notebook 08, each with words of the message that it must get."""


def family(name):
    return name.split("_copy")[0]


def divide(names, held_out):
    return [n for n in names if n not in held_out], [n for n in names if n in held_out]


def takes_families(names, count, reverse=False):
    held_out = []
    for one in sorted(set(map(family, names)), reverse=reverse):
        if len(held_out) < count:
            held_out += [n for n in names if family(n) == one]
    return held_out


def takes_single_names(names, count):
    ordered = sorted(names)
    return divide(names, ordered[:count])


def never_exceeds(names, count):
    held_out = []
    for one in sorted(set(map(family, names))):
        members = [n for n in names if family(n) == one]
        if len(held_out) + len(members) > count:
            break
        held_out += members
    return divide(names, held_out)


def takes_one_more_at_the_limit(names, count):
    held_out = []
    for one in sorted(set(map(family, names))):
        if len(held_out) <= count:
            held_out += [n for n in names if family(n) == one]
    return divide(names, held_out)


def counts_families(names, count):
    first = sorted(set(map(family, names)))[:count]
    return divide(names, [n for n in names if family(n) in first])


def begins_at_the_end(names, count):
    return divide(names, takes_families(names, count, reverse=True))


def swaps_the_parts(names, count):
    training, test = divide(names, takes_families(names, count))
    return test, training


def sorts_the_names(names, count):
    training, test = divide(names, takes_families(names, count))
    return sorted(training), sorted(test)


def compares_beginnings(names, count):
    chosen = {family(n) for n in takes_families(names, count)}
    return divide(names, [n for n in names if n.startswith(tuple(chosen))])


def compares_beginnings_by_family(names, count):
    held_out = []
    for one in sorted(set(map(family, names))):
        if len(held_out) < count:
            held_out += [n for n in names if n.startswith(one)]
    return [n for n in names if n not in held_out], held_out


def forgets_the_slices(names, count):
    return divide(names, [n for n in takes_families(names, count) if "copy" in n])


def loses_names(names, count):
    training, test = divide(names, takes_families(names, count))
    return [n for n in training if "copy" not in n], test


def cuts_the_list(names, count):
    return names[count:], names[:count]


def takes_families_as_they_come(names, count):
    held_out = []
    for one in dict.fromkeys(map(family, names)):
        if len(held_out) < count:
            held_out += [n for n in names if family(n) == one]
    return divide(names, held_out)


def keeps_the_test_by_family(names, count):
    held_out = takes_families(names, count)
    return [n for n in names if n not in held_out], held_out


def returns_sets(names, count):
    training, test = divide(names, takes_families(names, count))
    return set(training), set(test)


def returns_the_test_alone(names, count):
    return divide(names, takes_families(names, count))[1]


def forgets_to_return_a_split(names, count):
    divide(names, takes_families(names, count))


def looks_at_the_test(validation, test):
    return max(epoch.mean() for epoch in test)


def reports_validation(validation, test):
    return max(epoch.mean() for epoch in validation)


def reports_the_last(validation, test):
    return test.mean(axis=1)[-1]


def minimises(validation, test):
    return test.mean(axis=1)[validation.mean(axis=1).argmin()]


def chooses_by_one_image(validation, test):
    return test[validation.max(axis=1).argmax()].mean()


def returns_the_epoch(validation, test):
    return int(validation.mean(axis=1).argmax())


def mixes_both(validation, test):
    return test[(validation.mean(axis=1) + test.mean(axis=1)).argmax()].mean()


def forgets_the_last_mean(validation, test):
    return test[validation.mean(axis=1).argmax()]


def takes_the_wrong_axis(validation, test):
    return test[validation.mean(axis=0).argmax()].mean()


def averages_epochs(validation, test):
    return test.mean(axis=1).mean()


def forgets_to_return_a_score(validation, test):
    test[validation.mean(axis=1).argmax()].mean()


def asks_a_list(validation, test):
    return test[validation.mean(axis=1).index(0.5)].mean()


def chooses_in_a_flat_list(validation, test):
    return test[validation.argmax()].mean()


def takes_the_last_of_equals(validation, test):
    means = validation.mean(axis=1)
    return test[[epoch for epoch, mean in enumerate(means) if mean == means.max()][-1]].mean()


def averages_along_the_epochs(validation, test):
    return test.mean(axis=0)[validation.mean(axis=0).argmax()]


def reports_the_best_image(validation, test):
    return test[validation.mean(axis=1).argmax()].max()


def asks_torch_for_a_dim(validation, test):
    return test[validation.mean(dim=1).argmax()].mean()


WRONG = {
    "8.1": [("e", "by its letter"), (2, "by its letter")],
    "8.2": [
        (takes_single_names, "cut a family apart"),
        (never_exceeds, "stop too early"),
        (takes_one_more_at_the_limit, "already"),
        (counts_families, "count families"),
        (begins_at_the_end, "last family"),
        (swaps_the_parts, "are swapped"),
        (sorts_the_names, "another order"),
        (compares_beginnings, "beginning of a name"),
        (compares_beginnings_by_family, "of another family"),
        (forgets_the_slices, "slices themselves"),
        (loses_names, "Names get lost"),
        (cuts_the_list, "where it stands"),
        (takes_families_as_they_come, "as they come"),
        (keeps_the_test_by_family, "family by family"),
        (returns_sets, "not a value of type set"),
        (returns_the_test_alone, "not a value of type str"),
        (forgets_to_return_a_split, "returns None"),
    ],
    "8.3": [("e", "by its letter"), (0.5, "by its letter")],
    "8.4": [("animal", "by its letter"), (6, "by its letter")],
    "8.5": [
        (0.02323, "by √5"),
        (0.00929, "by 4, not by 5"),
        (0.00733, "of very many seeds"),
        (0.00374, "standard error"),
        (0.02077, "whole width"),
        (0.018, "mean of the differences"),
        (0.00837, "standard deviation"),
        ((0.0076, 0.0284), "one number"),
        (0.087, "as printed above"),
        (0.00863, "two groups of five"),
        (0.00465, "divide by 5"),
        (0.000087, "root is missing"),
        (0.01, "four decimals"),
    ],
    "8.6": [(6, "by its letter"), ("e", "by its letter")],
    "8.7": [
        (looks_at_the_test, "looked at once"),
        (reports_validation, "too good"),
        (reports_the_last, "last epoch"),
        (minimises, "not losses"),
        (chooses_by_one_image, "best single image"),
        (returns_the_epoch, "return the epoch"),
        (mixes_both, "test images choose nothing"),
        (forgets_the_last_mean, "score for each image"),
        (takes_the_wrong_axis, "axis 1"),
        (averages_epochs, "over all epochs"),
        (forgets_to_return_a_score, "returns None"),
        (asks_a_list, "raises AttributeError in line 2"),
        (chooses_in_a_flat_list, "highest single score"),
        (takes_the_last_of_equals, "you take the last"),
        (averages_along_the_epochs, "means over the epochs"),
        (reports_the_best_image, "best test image"),
        (asks_torch_for_a_dim, "raises TypeError in line 2"),
    ],
    "8.8": [("e", "by its letter"), (0.012, "by its letter")],
}
