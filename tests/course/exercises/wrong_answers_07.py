"""Wrong answers to the exercises of notebook 07, each with words of the message that it must get."""

import torch

from unetpp_lib.metrics import confusion_counts, dice, iou


def doubles_the_hits(counts, k):
    whole = counts[k].sum() + counts[:, k].sum()
    return (2 * counts[k, k] / whole).item() if whole else 1.0


def counts_the_right(counts, k):
    return (counts.diagonal().sum() / counts.sum()).item()


def divides_by_the_row(counts, k):
    whole = counts[k].sum()
    return (counts[k, k] / whole).item() if whole else 1.0


def divides_by_the_column(counts, k):
    whole = counts[:, k].sum()
    return (counts[k, k] / whole).item() if whole else 1.0


def adds_row_and_column(counts, k):
    whole = counts[k].sum() + counts[:, k].sum()
    return (counts[k, k] / whole).item() if whole else 1.0


def forgets_the_class(counts, k):
    union = counts[1].sum() + counts[:, 1].sum() - counts[1, 1]
    return (counts[1, 1] / union).item() if union else 1.0


def gives_0_for_nothing(counts, k):
    union = counts[k].sum() + counts[:, k].sum() - counts[k, k]
    return (counts[k, k] / union).item() if union else 0.0


def divides_nothing_by_nothing(counts, k):
    return counts[k, k] / (counts[k].sum() + counts[:, k].sum() - counts[k, k])


def raises_for_nothing(counts, k):
    hit = counts[k, k].item()
    return hit / (counts[k].sum().item() + counts[:, k].sum().item() - hit)


def divides_by_everything(counts, k):
    return (counts[k, k] / counts.sum()).item()


def divides_by_the_mistakes(counts, k):
    wrong = counts[k].sum() + counts[:, k].sum() - 2 * counts[k, k]
    return (counts[k, k] / wrong).item() if wrong else 1.0


def divides_in_whole_numbers(counts, k):
    union = counts[k].sum() + counts[:, k].sum() - counts[k, k]
    return int(counts[k, k] // union) if union else 1


def scores_all_classes(counts, k):
    hit = counts.diagonal()
    return hit / (counts.sum(0) + counts.sum(1) - hit)


def takes_off_in_place(counts, k):
    hit = counts[k, k].item()
    counts[k, k] = 0
    union = (counts[k].sum() + counts[:, k].sum()).item() + hit
    return hit / union if union else 1.0


def adds_row_and_column_and_ends_in_nan(counts, k):
    return counts[k, k] / (counts[k].sum() + counts[:, k].sum())


def adds_row_and_column_and_raises(counts, k):
    return counts[k, k].item() / (counts[k].sum().item() + counts[:, k].sum().item())


def gives_1_where_nothing_is_shared(counts, k):
    union = counts[k].sum() + counts[:, k].sum() - counts[k, k]
    return (counts[k, k] / union).item() if counts[k, k] else 1.0


def divides_by_the_row_and_ends_in_nan(counts, k):
    return counts[k, k] / counts[k].sum()


def unpacks_two_classes(counts, k):
    (_, fp), (fn, tp) = counts
    return (tp / (tp + fp + fn)).item()


def forgets_to_return(counts, k):
    counts[k, k] / (counts[k].sum() + counts[:, k].sum() - counts[k, k])


def of_image(answer, truth, k=1, nothing=1.0):
    both, either = ((answer == k) & (truth == k)).sum(), ((answer == k) | (truth == k)).sum()
    return (both / either).item() if either else nothing


def images_of(batches):
    return [pair for answers, truths in batches for pair in zip(answers, truths, strict=True)]


def mean(scores):
    return sum(scores) / len(scores)


def pools_each_batch(batches):
    return mean([of_image(answer, truth) for answer, truth in batches])


def weighs_the_batches(batches):
    images = sum(len(answer) for answer, _ in batches)
    return sum(of_image(answer, truth) * len(answer) / images for answer, truth in batches)


def pools_everything(batches):
    counts = torch.cat([confusion_counts(answer, truth) for answer, truth in batches])
    return iou(counts, average="pooled")


def averages_the_averages(batches):
    return mean([iou(confusion_counts(answer, truth)) for answer, truth in batches])


def scores_the_other_class(batches):
    counts = torch.cat([confusion_counts(answer, truth) for answer, truth in batches])
    return iou(counts, of="background")


def scores_nothing_with_0(batches):
    return mean([of_image(*pair, nothing=0.0) for pair in images_of(batches)])


def leaves_out_nothing(batches):
    scores = [of_image(*pair, nothing=None) for pair in images_of(batches)]
    return mean([score for score in scores if score is not None])


def ends_in_nan(batches):
    return torch.stack(
        [((a == 1) & (t == 1)).sum() / ((a == 1) | (t == 1)).sum() for a, t in images_of(batches)]
    ).mean()


def takes_dice(batches):
    return dice(torch.cat([confusion_counts(answer, truth) for answer, truth in batches]))


def adds_up(batches):
    return sum(of_image(*pair) for pair in images_of(batches))


def takes_accuracy(batches):
    return mean([(answer == truth).float().mean().item() for answer, truth in images_of(batches)])


def smooths_each_image(batches):
    scores = [((a & t).sum() + 1e-5) / ((a | t).sum() + 1e-5) for a, t in images_of(batches)]
    return sum(scores) / len(scores)


def gives_the_list(batches):
    return [of_image(*pair) for pair in images_of(batches)]


def takes_one_batch(answer, truth):
    return of_image(answer, truth)


def returns_no_score(batches):
    mean([of_image(*pair) for pair in images_of(batches)])


def joins_lists(batches):
    return iou(confusion_counts(*torch.cat(batches)))


def returns_at_once(batches):
    return 1.0


WRONG = {
    "7.1": [
        (doubles_the_hits, "This is Dice"),
        (counts_the_right, "This is accuracy"),
        (divides_by_the_row, "truth's pixels alone"),
        (divides_by_the_column, "answer's pixels alone"),
        (adds_row_and_column, "counted twice"),
        (adds_row_and_column_and_ends_in_nan, "not nan"),
        (adds_row_and_column_and_raises, "before you divide"),
        (gives_1_where_nothing_is_shared, "wherever nothing is shared"),
        (divides_by_the_row_and_ends_in_nan, "And 0 / 0 is to give 1"),
        (unpacks_two_classes, "however many classes"),
        (forgets_the_class, "class 1 whatever k is"),
        (gives_0_for_nothing, "in neither scores 1"),
        (divides_nothing_by_nothing, "0 / 0"),
        (raises_for_nothing, "raises ZeroDivisionError in line 3"),
        (divides_by_everything, "all pixels"),
        (divides_by_the_mistakes, "mistakes alone"),
        (scores_all_classes, "should be one number, not a tensor"),
        (takes_off_in_place, "changes what it is given"),
        (forgets_to_return, "returns None"),
    ],
    "7.2": [
        (0.978, "interior's IoU itself"),
        (0.9889, "Dice of the interior"),
        (0.951, "mean of both classes"),
        (0.921, "larger than 0.22"),
        (0.92, "rounded too far"),
        (0.925, "not of 0.78"),
        (0.8553, "again for FN"),
        ("0.924", "one number, not a value of type str"),
    ],
    "7.3": [("e", "by its letter"), (0.845, "by its letter")],
    "7.4": [("the mean", "by its letter"), (2, "by its letter")],
    "7.5": [
        (pools_each_batch, "This is the bug itself"),
        (weighs_the_batches, "within a batch"),
        (pools_everything, "pooled over all images"),
        (averages_the_averages, "mean of the batches' means"),
        (scores_the_other_class, "IoU of class 0"),
        (scores_nothing_with_0, "scores 1, not 0"),
        (leaves_out_nothing, "leave out"),
        (ends_in_nan, "is 0 / 0"),
        (takes_dice, "mean of Dice"),
        (adds_up, "sum of the images' scores"),
        (takes_accuracy, "This is accuracy"),
        (smooths_each_image, "add a smoothing"),
        (gives_the_list, "should be one number, not a list"),
        (takes_one_batch, "cannot be called"),
        (returns_no_score, "returns None"),
        (joins_lists, "raises TypeError in line 2"),
        (returns_at_once, "whatever it is given"),
    ],
    "7.6": [
        (0.7, "image B as well"),
        (0.2, "0 to image A"),
        (0.4, "two images without truth"),
        (0.267, "leave out image A"),
        (0.6, "image B or image D"),
        (0.95, "1 to image D, too"),
        (0.444, "pooled counts"),
        (0.472, "mean of Dice"),
    ],
    "7.7": [
        (0.811, "chosen on the test images"),
        (0.806, "validation score that"),
        (0.804, "mean over the thresholds"),
        (0.6, "This is the threshold"),
    ],
    "7.8": [("both", "by its letter"), (0.79, "by its letter")],
}
