"""The exercises of notebook 07: scores from counts, the rule for empty masks, what one score says about another."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unetpp_course.checks import ChoiceExercise, FunctionExercise, NumberExercise, Option
from unetpp_course.checks.comparison import alike, as_number
from unetpp_course.checks.isolation import Call, attempt
from unetpp_course.lab import pixel_error
from unetpp_lib.metrics import confusion_counts, dice, iou

NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class ScoreExercise(FunctionExercise):
    """A function that returns a score: what is rounded, or outside 0 to 1, is told so where no mistake has a name.

    ``errors`` are words of what an answer may raise, each with the sentence that says where it comes from.
    """

    errors: Sequence[tuple[str, str]] = ()

    def _known_mistake(self, calls: Sequence[Call]) -> str:
        raised = (sentence for words, sentence in self.errors if any(words in str(call.error) for call in calls))
        return super()._known_mistake(calls) or next(raised, "") or self._odd_score(calls)

    def _odd_score(self, calls: Sequence[Call]) -> str:
        """Return a sentence on scores that are rounded or outside 0 to 1, whatever other calls have raised."""
        done = [call for call in calls if call.error is None]
        scores = [score for score in (as_number(call.value) for call in done) if score is not None]
        if not scores or len(scores) < len(done):
            return ""
        outside = [score for score in scores if not (-1e-3 <= score <= 1.001 or math.isnan(score))]
        if outside:
            return f"You return {outside[0]:.3g}, but an IoU lies between 0 and 1."
        right = [self._right(call) for call in done]
        if _agree(scores, right):
            return ""
        for digits in range(1, 6):
            if _agree(scores, [round(score, digits) for score in right]):
                return f"You round to {digits} {'digit' if digits == 1 else 'digits'}. Return the number as it is."
        known = [pair for pair in zip(scores, right, strict=True) if not math.isnan(pair[1])]
        if {(score, math.floor(exact)) for score, exact in known} == {(0, 0), (1, 1)}:
            return "Your scores are rounded down to 0 or 1: divide with /, not with //."
        return ""

    def _right(self, call: Call) -> float:
        return as_number(attempt(self.reference, call.given).value) or 0.0


def _agree(scores: Sequence[float], others: Sequence[float]) -> bool:
    return np.allclose(scores, others, rtol=0, atol=1e-6, equal_nan=True)


def unsolved(helper: str) -> tuple[str, str]:
    """Return what is raised by a call of a function whose exercise is still to be solved, and what to do then."""
    sentence = "You use a function of yours that still returns the dots of its exercise: solve that one first, or use "
    return "ellipsis", f"{sentence}`{helper}`."


# Exercise 7.1: IoU from counts


def class_iou(counts: Tensor, k: int) -> float:
    """Return the IoU of class k from counts (K, K), rows truth and columns prediction; nan if k is in neither."""
    hit = union = 0
    for true in range(len(counts)):
        for called in range(len(counts)):
            if k in (true, called):
                union += int(counts[true, called])
            if true == called == k:
                hit += int(counts[true, called])
    return hit / union if union else NAN


def tables(random: np.random.Generator) -> Iterator[tuple[Tensor, int]]:
    """Yield confusion counts with a class, which is absent from the truth, the prediction or both in some."""
    small = torch.tensor([[4, 2], [1, 13]])
    yield from ((small, 1), (small, 0))
    yield torch.tensor([[50, 3, 2], [4, 20, 1], [0, 6, 14]]), 2
    yield torch.tensor([[0, 0], [7, 13]]), 0  # only the prediction has it
    yield torch.tensor([[0, 3], [0, 17]]), 0  # only the truth has it
    yield torch.tensor([[0, 0], [0, 20]]), 0
    for classes in (2, 3, 3, 4):
        yield torch.from_numpy(random.integers(1, 50, (classes, classes))), int(random.integers(classes))
    yield torch.tensor([[5, 0, 2], [0, 0, 0], [3, 0, 7]]), 1
    yield torch.tensor([[6, 0], [0, 14]]), 1  # all of it is right


@dataclass(frozen=True, kw_only=True)
class TableExercise(ScoreExercise):
    """A score from a table: an answer for two classes alone is told so, whatever it does where a class is absent."""

    def _known_mistake(self, calls: Sequence[Call]) -> str:
        sentence = super()._known_mistake(calls)
        present = [call for call in calls if not math.isnan(self._right(call))]
        two = [self._is_right(call) for call in present if len(call.given[0]) == 2]
        more = [self._is_right(call) for call in present if len(call.given[0]) > 2]
        if not sentence and all(two) and not any(more):
            return "This is right for two classes, but not for three: take all of row k and of column k."
        return sentence

    def _is_right(self, call: Call) -> bool:
        return call.error is None and alike(self._right(call), call.value, self.tolerance)


def both_of(counts, k):
    return counts[k].sum() + counts[:, k].sum()


def doubles_the_hits(counts, k):
    return 2 * counts[k, k] / both_of(counts, k)


def doubles_the_hits_and_raises(counts, k):
    return 2 * counts[k, k].item() / both_of(counts, k).item()


def counts_the_right(counts, k):
    return counts.diagonal().sum() / counts.sum()


def divides_by_the_row(counts, k):
    return counts[k, k] / counts[k].sum()


def divides_by_the_row_and_raises(counts, k):
    return counts[k, k].item() / counts[k].sum().item()


def divides_by_the_column(counts, k):
    return counts[k, k] / counts[:, k].sum()


def adds_row_and_column(counts, k):
    return counts[k, k] / both_of(counts, k)


def adds_row_and_column_and_raises(counts, k):
    return counts[k, k].item() / both_of(counts, k).item()


def scores_class_1(counts, k):
    return counts[1, 1] / (both_of(counts, 1) - counts[1, 1])


def holds_for_two_classes(counts, k):
    if k == 1:
        return counts[1, 1] / (counts[1, 1] + counts[0, 1] + counts[1, 0])
    else:
        return counts[0, 0] / (counts[0, 0] + counts[0, 1] + counts[1, 0])


def unpacks_two_classes(counts, k):
    (_, fp), (fn, tp) = counts
    return tp / (tp + fp + fn)


def gives_0_for_nothing(counts, k):
    union = both_of(counts, k) - counts[k, k]
    return (counts[k, k] / union).item() if union else 0.0


def gives_1_for_nothing(counts, k):
    union = both_of(counts, k) - counts[k, k]
    return (counts[k, k] / union).item() if union else 1.0


def gives_none_for_nothing(counts, k):
    union = both_of(counts, k) - counts[k, k]
    return (counts[k, k] / union).item() if union else None


def raises_for_nothing(counts, k):
    return counts[k, k].item() / (both_of(counts, k) - counts[k, k]).item()


def asks_the_truth_alone(counts, k):
    return counts[k, k] / (both_of(counts, k) - counts[k, k]) if counts[k].sum() else NAN


def asks_the_prediction_alone(counts, k):
    return counts[k, k] / (both_of(counts, k) - counts[k, k]) if counts[:, k].sum() else NAN


def gives_nan_where_nothing_is_shared(counts, k):
    return counts[k, k] / (both_of(counts, k) - counts[k, k]) if counts[k, k] else NAN


def gives_1_to_a_truth_without_it(counts, k):
    return counts[k, k] / (both_of(counts, k) - counts[k, k]) if counts[k].sum() else 1.0


def divides_by_everything(counts, k):
    return counts[k, k] / counts.sum()


def divides_by_the_mistakes(counts, k):
    return counts[k, k] / (both_of(counts, k) - 2 * counts[k, k])


def rounds_down(counts, k):
    return counts[k, k] // (both_of(counts, k) - counts[k, k])


def divides_by_the_row_or_gives_1(counts, k):
    return (counts[k, k] / counts[k].sum()).item() if counts[k].sum() else 1.0


def doubles_the_hits_or_gives_1(counts, k):
    return (2 * counts[k, k] / both_of(counts, k)).item() if both_of(counts, k) else 1.0


def adds_row_and_column_or_gives_1(counts, k):
    return (counts[k, k] / both_of(counts, k)).item() if both_of(counts, k) else 1.0


def adds_1_above_and_below(counts, k):
    return (counts[k, k] + 1) / (both_of(counts, k) - counts[k, k] + 1)


def adds_a_little_above_and_below(counts, k):
    return (counts[k, k] + 1e-5) / (both_of(counts, k) - counts[k, k] + 1e-5)


def scores_all_classes(counts, k):
    hit = counts.diagonal()
    return hit / (counts.sum(0) + counts.sum(1) - hit)


def takes_off_in_place(counts, k):
    hit = counts[k, k].clone()
    counts[k, k] = 0
    return hit / (counts[k].sum() + counts[:, k].sum() + hit)


def scores_class_1_by_its_cells(counts, k):
    return counts[1, 1] / (counts[1, 1] + counts[0, 1] + counts[1, 0])


def scores_class_1_by_its_cells_and_raises(counts, k):
    return counts[1, 1].item() / (counts[1, 1] + counts[0, 1] + counts[1, 0]).item()


def takes_all_mistakes(counts, k):
    return counts[k, k] / (counts[k, k] + counts.sum() - counts.diag().sum())


def takes_all_mistakes_or_nan(counts, k):
    mistakes = counts.sum() - counts.diag().sum()
    return counts[k, k] / (counts[k, k] + mistakes) if both_of(counts, k) else NAN


def takes_all_mistakes_and_raises(counts, k):
    return counts[k, k].item() / (counts[k, k] + counts.sum() - counts.diag().sum()).item()


def rounds_to_three_digits(counts, k):
    return round(class_iou(counts, k), 3)


def gives_the_per_cent(counts, k):
    return 100 * class_iou(counts, k)


def forgets_to_return(counts, k):
    counts[k, k] / (both_of(counts, k) - counts[k, k])


EXERCISE_7_1 = TableExercise(
    number="7.1",
    title="IoU from counts",
    difficulty="easy",
    minutes=6,
    reference=class_iou,
    cases=tables,
    mistakes=[
        (doubles_the_hits, "This is Dice, in which the shared pixels count twice."),
        (
            doubles_the_hits_and_raises,
            "This is Dice, in which the shared pixels count twice. Besides, Python's 0 / 0 raises: return nan instead.",
        ),
        (counts_the_right, "This is accuracy, the fraction of all pixels that are right. IoU looks at class k alone."),
        (
            divides_by_the_row,
            "You divide by the pixels of the truth alone. What is wrongly called k belongs to the union as well.",
        ),
        (
            divides_by_the_row_and_raises,
            "You divide by row k alone: add column k, what is called k. And where both are empty, return nan.",
        ),
        (
            divides_by_the_column,
            "You divide by the pixels that are called k. Those of class k that were missed belong to the union too.",
        ),
        (
            adds_row_and_column,
            "The shared pixels are in the row and in the column, so your union counts them twice. Subtract them once.",
        ),
        (
            adds_row_and_column_and_raises,
            "Your union counts the shared pixels twice: subtract them once. And where it is empty, return nan.",
        ),
        (
            scores_class_1,
            "You score class 1 of a table of two, whatever k is: take row k and column k, however many classes there "
            "are.",
        ),
        (
            scores_class_1_by_its_cells,
            "You take the cells of class 1 in a table of two, whatever k is: take row k and column k instead.",
        ),
        (
            scores_class_1_by_its_cells_and_raises,
            "You take the cells of class 1 in a table of two, whatever k is. Take row k and column k, and return nan "
            "where both are empty.",
        ),
        (
            takes_all_mistakes,
            "You add up all mistakes of the table. Those between two other classes are not in the union of class k.",
        ),
        (
            takes_all_mistakes_or_nan,
            "You add up all mistakes of the table, also those between two other classes: take only row k and column k.",
        ),
        (
            takes_all_mistakes_and_raises,
            "You add up all mistakes of the table: take only those in row k and column k. And where both are empty, "
            "return nan.",
        ),
        (
            unpacks_two_classes,
            "This is for two classes, and for class 1: take row k and column k, however many classes there are.",
        ),
        (gives_0_for_nothing, "You give 0 to a class that is in neither. It has no score: return float('nan')."),
        (
            gives_1_for_nothing,
            "You give 1 to a class that is in neither, which would lift a mean over classes: return float('nan').",
        ),
        (gives_none_for_nothing, "For a class that is in neither, return float('nan'), not None."),
        (raises_for_nothing, "A class that is in neither is 0 / 0: ask for it first, and return float('nan')."),
        (
            asks_the_truth_alone,
            "You ask the truth alone. A class that is only in the prediction is a mistake: its IoU is 0, not nan.",
        ),
        (
            asks_the_prediction_alone,
            "You ask the prediction alone. A class that is only in the truth was missed: its IoU is 0, not nan.",
        ),
        (
            gives_nan_where_nothing_is_shared,
            "You return nan wherever nothing is shared. That is right only if the class is in neither; else it is 0.",
        ),
        (
            gives_1_to_a_truth_without_it,
            "You give 1 wherever the truth is without the class, even if the prediction has it: then the IoU is 0.",
        ),
        (
            divides_by_everything,
            "You divide by all pixels. The union holds only those that are k in the truth or in the prediction.",
        ),
        (divides_by_the_mistakes, "You divide by the mistakes alone: the shared pixels belong to the union, once."),
        (
            divides_by_the_row_or_gives_1,
            "You divide by row k alone: add column k, what is called k. And a class in neither gets nan, not 1.",
        ),
        (
            doubles_the_hits_or_gives_1,
            "This is Dice, in which the shared pixels count twice. And a class that is in neither gets nan, not 1.",
        ),
        (
            adds_row_and_column_or_gives_1,
            "Your union counts the shared pixels twice: subtract them once. And a class in neither gets nan, not 1.",
        ),
        (adds_1_above_and_below, "You add 1 in numerator and denominator. Count exactly: a class in neither gets nan."),
        (
            adds_a_little_above_and_below,
            "You add a small number in numerator and denominator. Count exactly: a class in neither gets nan.",
        ),
    ],
    also_wrong=[
        (holds_for_two_classes, "right for two classes, but not for three"),
        (rounds_down, "divide with /, not with //"),
        (scores_all_classes, "should be one number, not a tensor"),
        (rounds_to_three_digits, "You round to 3 digits"),
        (gives_the_per_cent, "between 0 and 1"),
        (takes_off_in_place, "changes what it is given"),
        (forgets_to_return, "returns None"),
    ],
    seconds=2,
)


# Exercise 7.2: The rule for empty masks


def mean_over_classes(counts: Tensor, classes: Sequence[int]) -> float:
    """Return the mean IoU of those of some classes that are in truth or prediction; 1 where none of them is."""
    total, present = 0.0, 0
    for k in classes:
        score = class_iou(counts, k)
        if not math.isnan(score):
            total, present = total + score, present + 1
    return total / present if present else 1.0


def tables_with_classes(random: np.random.Generator) -> Iterator[tuple[Tensor, list[int]]]:
    """Yield confusion counts, in some of which classes are absent from truth, prediction or both."""
    yield torch.tensor([[50, 3, 2], [4, 20, 1], [0, 6, 14]]), [0, 1, 2]
    yield torch.tensor([[50, 0, 5], [0, 0, 0], [4, 0, 14]]), [0, 1, 2]  # class 1 in neither
    yield torch.tensor([[50, 3, 0], [0, 0, 0], [4, 2, 14]]), [1, 2]  # class 1 in the prediction alone
    yield torch.tensor([[50, 0, 0], [6, 0, 2], [0, 0, 14]]), [0, 1]  # class 1 in the truth alone
    yield torch.tensor([[50, 0, 5], [0, 0, 0], [4, 0, 14]]), [1, 0]  # the first one is in neither
    yield torch.tensor([[20, 0], [0, 0]]), [1]
    yield torch.tensor([[20, 3], [0, 0]]), [1]
    yield torch.tensor([[9, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]), [1, 2, 3]
    for classes in (2, 3, 4, 5):
        counts = torch.from_numpy(random.integers(1, 50, (classes, classes)))
        counts[int(random.integers(classes))] = 0
        absent = int(random.integers(classes))
        counts[absent] = 0
        counts[:, absent] = 0
        some = random.permutation(classes)[: int(random.integers(1, classes + 1))]
        yield counts, [int(k) for k in some]


def scores_of(counts, classes):
    return [class_iou(counts, k) for k in classes]


def present_of(scores):
    return [score for score in scores if not math.isnan(score)]


def mean(scores):
    return sum(scores) / len(scores)


def mean_or_1(scores):
    return mean(scores) if scores else 1.0


def lets_nan_into_the_mean(counts, classes):
    return mean(scores_of(counts, classes))


def gives_absent_classes_1(counts, classes):
    return mean([1.0 if math.isnan(score) else score for score in scores_of(counts, classes)])


def gives_absent_classes_0(counts, classes):
    return mean([0.0 if math.isnan(score) else score for score in scores_of(counts, classes)])


def ends_in_nan_for_none(counts, classes):
    return torch.tensor(scores_of(counts, classes)).nanmean()


def gives_0_for_none(counts, classes):
    found = present_of(scores_of(counts, classes))
    return mean(found) if found else 0.0


def raises_for_none(counts, classes):
    return mean(present_of(scores_of(counts, classes)))


def gives_none_for_none(counts, classes):
    found = present_of(scores_of(counts, classes))
    return mean(found) if found else None


def divides_by_all_that_were_asked(counts, classes):
    found = present_of(scores_of(counts, classes))
    return sum(found) / len(classes) if found else 1.0


def gives_1_if_one_is_absent(counts, classes):
    scores = scores_of(counts, classes)
    return mean(scores) if len(present_of(scores)) == len(scores) else 1.0


def gives_1_if_the_first_is_absent(counts, classes):
    scores = scores_of(counts, classes)
    return 1.0 if math.isnan(scores[0]) else mean(present_of(scores))


def gives_1_to_a_truth_without_them(counts, classes):
    return mean(present_of(scores_of(counts, classes))) if any(counts[k].sum() for k in classes) else 1.0


def takes_the_lowest_score(counts, classes):
    return min(present_of(scores_of(counts, classes)) or [1.0])


def takes_all_classes(counts, classes):
    return mean_or_1(present_of(scores_of(counts, range(len(counts)))))


def takes_the_foreground(counts, classes):
    return mean_or_1(present_of(scores_of(counts, range(1, len(counts)))))


def leaves_out_what_the_truth_lacks(counts, classes):
    return mean_or_1([class_iou(counts, k) for k in classes if counts[k].sum()])


def leaves_out_what_the_prediction_lacks(counts, classes):
    return mean_or_1([class_iou(counts, k) for k in classes if counts[:, k].sum()])


def leaves_out_scores_of_0(counts, classes):
    return mean_or_1([score for score in scores_of(counts, classes) if score > 0])


def pools_the_classes(counts, classes):
    hit = sum(counts[k, k].item() for k in classes)
    union = sum((both_of(counts, k) - counts[k, k]).item() for k in classes)
    return hit / union if union else 1.0


def weighs_by_the_truth(counts, classes):
    weights = [counts[k].sum().item() for k in classes]
    scores = [0.0 if math.isnan(score) else score for score in scores_of(counts, classes)]
    return sum(w * s for w, s in zip(weights, scores, strict=True)) / sum(weights) if sum(weights) else 1.0


def takes_the_mean_of_dice(counts, classes):
    return mean_or_1(present_of([float(doubles_the_hits(counts, k)) for k in classes]))


def adds_the_classes_up(counts, classes):
    return sum(present_of(scores_of(counts, classes)) or [1.0])


def takes_the_first_class(counts, classes):
    return mean_or_1(present_of(scores_of(counts, classes[:1])))


def returns_from_within_the_loop(counts, classes):
    scores = []
    for k in classes:
        scores.append(class_iou(counts, k))
        return mean_or_1(present_of(scores))


def returns_the_scores(counts, classes):
    return present_of(scores_of(counts, classes))


def takes_classes_out_of_the_list(counts, classes):
    for k in list(classes):
        if math.isnan(class_iou(counts, k)):
            classes.remove(k)
    return mean_or_1(scores_of(counts, classes))


def cuts_the_table_down(counts, classes):
    own = counts[classes][:, classes]
    return mean_or_1(present_of(scores_of(own, range(len(classes)))))


def takes_the_median(counts, classes):
    found = present_of(scores_of(counts, classes))
    return float(np.median(found)) if found else 1.0


def takes_the_best_score(counts, classes):
    return max(present_of(scores_of(counts, classes)) or [1.0])


def asks_an_unsolved_class_iou(counts, classes):
    return mean_or_1([score for score in [...] if not math.isnan(score)])  # what the stub of 7.1 returns


def rounds_to_two_digits(counts, classes):
    return round(mean_over_classes(counts, classes), 2)


def returns_no_mean(counts, classes):
    mean_or_1(present_of(scores_of(counts, classes)))


EXERCISE_7_2 = ScoreExercise(
    number="7.2",
    title="The rule for empty masks",
    difficulty="medium",
    minutes=7,
    reference=mean_over_classes,
    errors=[unsolved("score_class")],
    cases=tables_with_classes,
    mistakes=[
        (
            lets_nan_into_the_mean,
            "A class that is in neither makes the mean nan: leave it out. Ask with math.isnan(score): comparing with "
            "nan is never true.",
        ),
        (
            gives_absent_classes_1,
            "You give 1 to a class that is in neither. Leave it out of the mean, or it hides failures.",
        ),
        (gives_absent_classes_0, "You give 0 to a class that is in neither: leave it out of the mean."),
        (ends_in_nan_for_none, "If none of the classes is in either, the mean has no members: return 1."),
        (gives_0_for_none, "If none of the classes is in either, there was nothing to find, and nothing was found: 1."),
        (raises_for_none, "If none of the classes is in either, the list of scores is empty: then return 1."),
        (gives_none_for_none, "If none of the classes is in either, return 1, not None."),
        (divides_by_all_that_were_asked, "Divide by the number of classes that have a score, not by all of them."),
        (
            gives_1_if_one_is_absent,
            "You give 1 as soon as one of the classes is in neither. Leave it out, and take the mean of the others.",
        ),
        (
            gives_1_if_the_first_is_absent,
            "You give 1 if the first class is in neither: the others may still have a score. Is your `return 1` in the "
            "loop?",
        ),
        (
            gives_1_to_a_truth_without_them,
            "You give 1 if the truth is without all of the classes. If the prediction has one of them, its 0 counts.",
        ),
        (takes_the_lowest_score, "This is the lowest of the scores: the mean is asked for."),
        (takes_the_best_score, "This is the highest of the scores: the mean is asked for."),
        (takes_the_median, "This is the median of the scores: the mean is asked for."),
        (
            cuts_the_table_down,
            "You cut the table down to `classes`, and lose their mistakes with the other classes. Score the whole "
            "table.",
        ),
        (takes_all_classes, "You take all classes of the table: only those in `classes` are asked for."),
        (takes_the_foreground, "You take the classes from 1 on, whatever `classes` contains."),
        (
            leaves_out_what_the_truth_lacks,
            "You leave out every class that the truth is without. If the prediction has it, its IoU of 0 counts.",
        ),
        (
            leaves_out_what_the_prediction_lacks,
            "You leave out every class that the prediction is without. If the truth has it, its IoU of 0 counts.",
        ),
        (leaves_out_scores_of_0, "You leave out the classes that score 0, but these are mistakes: they count."),
        (
            pools_the_classes,
            "You add up the pixels of all classes first. Each class has its own IoU; then comes the mean.",
        ),
        (weighs_by_the_truth, "You weigh the classes by their pixels. In this mean, all classes count alike."),
        (takes_the_mean_of_dice, "This is the mean of Dice."),
        (adds_the_classes_up, "This is the sum of the scores: divide by their number."),
        (takes_the_first_class, "Only the first class counts: does the `return` stand within the loop?"),
    ],
    also_wrong=[
        (returns_the_scores, "should be one number, not a list"),
        (takes_classes_out_of_the_list, "changes what it is given"),
        (returns_no_mean, "returns None"),
        (asks_an_unsolved_class_iou, "still returns the dots of its exercise"),
        (rounds_to_two_digits, "You round to 2 digits"),
    ],
    seconds=2,
)


# Exercise 7.3: The other class


def other_iou(iou: float, fraction: float) -> float:
    """Return the IoU of the other of two classes, with as many pixels missed as wrongly found."""
    return pixel_error.other_iou(iou, fraction)


def published_scores(random: np.random.Generator) -> Iterator[tuple[float, float]]:
    """Yield IoUs of a class and its fraction of the pixels, with fewer mistakes than pixels of the other class."""
    yield from ((0.6, 0.75), (0.978, 0.78), (0.839, 0.13), (1.0, 0.78), (0.5, 0.5))
    for fraction in random.uniform(0.05, 0.95, 6):
        wrong = random.uniform(0.05, 0.9) * min(fraction, 1 - fraction)  # of one kind
        yield float((fraction - wrong) / (fraction + wrong)), float(fraction)


def one_kind(iou, fraction):
    return fraction * (1 - iou) / (1 + iou)


def takes_the_loss_for_each_kind(iou, fraction):
    e = fraction * (1 - iou)
    return (1 - fraction - e) / (1 - fraction + e)


def halves_the_loss(iou, fraction):
    e = fraction * (1 - iou) / 2
    return (1 - fraction - e) / (1 - fraction + e)


def stays_with_the_first_class(iou, fraction):
    e = one_kind(iou, fraction)
    return (fraction - e) / (fraction + e)


def forgets_the_false_in_the_union(iou, fraction):
    return (1 - fraction - one_kind(iou, fraction)) / (1 - fraction)


def adds_both_kinds_to_the_class(iou, fraction):
    e = one_kind(iou, fraction)
    return (1 - fraction - e) / (1 - fraction + 2 * e)


def forgets_to_subtract_the_missed(iou, fraction):
    e = one_kind(iou, fraction)
    return (1 - fraction) / (1 - fraction + e)


def forgets_the_fraction(iou, fraction):
    e = (1 - iou) / (1 + iou)
    return (1 - fraction - e) / (1 - fraction + e)


def scales_the_loss(iou, fraction):
    return 1 - (1 - iou) * fraction / (1 - fraction)


def turns_the_iou_round(iou, fraction):
    return 1 - iou


def takes_the_mean_of_both(iou, fraction):
    return (iou + other_iou(iou, fraction)) / 2


def swaps_hits_and_mistakes(iou, fraction):
    e = one_kind(iou, fraction)
    return e / (1 - fraction + e)


def returns_the_mistakes(iou, fraction):
    return one_kind(iou, fraction)


def solves_with_one_kind_of_mistake(iou, fraction):
    return pixel_error.other_iou(iou, fraction, missed=0)


def lets_all_be_missed(iou, fraction):
    e = fraction * (1 - iou)
    return (1 - fraction) / (1 - fraction + e)


def gives_the_accuracy(iou, fraction):
    return 1 - 2 * one_kind(iou, fraction)


def turns_e_upside_down(iou, fraction):
    e = fraction * (1 + iou) / (1 - iou)
    return (1 - fraction - e) / (1 - fraction + e)


def takes_half_of_what_is_lost(iou, fraction):
    e = (1 - iou) / 2
    return (1 - fraction - e) / (1 - fraction + e)


def takes_all_of_what_is_lost(iou, fraction):
    e = 1 - iou
    return (1 - fraction - e) / (1 - fraction + e)


def takes_the_reports_fraction(iou, fraction):
    e = 0.78 * (1 - iou) / (1 + iou)
    return (0.22 - e) / (0.22 + e)


def gives_the_dice(iou, fraction):
    return 2 * iou / (1 + iou)


def gives_per_cent(iou, fraction):
    return 100 * other_iou(iou, fraction)


def turns_a_sign_round(iou, fraction):
    e = fraction * (iou - 1) / (1 + iou)
    return (1 - fraction - e) / (1 - fraction + e)


def scales_by_the_sizes(iou, fraction):
    return iou * (1 - fraction) / fraction


def subtracts_the_class(iou, fraction):
    return (iou - fraction) / (1 - fraction)


def adds_both_kinds_and_keeps_the_class(iou, fraction):
    return (1 - fraction) / (1 - fraction + 2 * one_kind(iou, fraction))


def subtracts_both_kinds(iou, fraction):
    return (1 - fraction - 2 * one_kind(iou, fraction)) / (1 - fraction)


def exchanges_the_classes(iou, fraction):
    e = one_kind(iou, 1 - fraction)
    return (fraction - e) / (fraction + e)


def adds_1(iou, fraction):
    return iou + 1


def rounds_the_iou(iou, fraction):
    return round(other_iou(iou, fraction), 4)


def returns_no_iou(iou, fraction):
    e = one_kind(iou, fraction)
    (1 - fraction - e) / (1 - fraction + e)


def takes_e_as_given(iou, fraction, e):
    return (1 - fraction - e) / (1 - fraction + e)


EXERCISE_7_3 = ScoreExercise(
    number="7.3",
    title="The other class",
    difficulty="medium",
    minutes=7,
    reference=other_iou,
    cases=published_scores,
    mistakes=[
        (
            takes_the_loss_for_each_kind,
            "Your e is too large. 1 - iou is a fraction of the union, and the two kinds of mistakes share it. "
            "Solve (f - e) / (f + e) = iou for e.",
        ),
        (
            halves_the_loss,
            "This is near. But half of 1 - iou is a fraction of the union f + e, not of f. "
            "Solve (f - e) / (f + e) = iou for e.",
        ),
        (
            stays_with_the_first_class,
            "This is the IoU that you were given. Put 1 - fraction in the place of fraction, and keep e.",
        ),
        (
            forgets_the_false_in_the_union,
            "Your union is the other class alone. What is wrongly called so belongs to it, too. (This is Dice.)",
        ),
        (
            adds_both_kinds_to_the_class,
            "The union is the class plus what is wrongly called so, one e. The missed pixels are in the class already.",
        ),
        (
            forgets_to_subtract_the_missed,
            "Not all pixels of the other class were found: e of them were missed, so subtract e in the numerator.",
        ),
        (
            forgets_the_fraction,
            "Your e is a fraction of the first class, but it has to be one of all pixels: multiply it by `fraction`.",
        ),
        (
            scales_the_loss,
            "You scale 1 - iou by the sizes of the classes. But it is a fraction of a union, and the unions differ.",
        ),
        (
            turns_the_iou_round,
            "1 - iou is what this class lost. The other class loses the same pixels from another union.",
        ),
        (takes_the_mean_of_both, "This is the mean of both classes: the other class alone is asked for."),
        (swaps_hits_and_mistakes, "In your numerator are the mistakes: it should hold the pixels that were found."),
        (returns_the_mistakes, "This is e, the mistakes of one kind. What is the IoU of a class with these mistakes?"),
        (
            solves_with_one_kind_of_mistake,
            "You let all mistakes be pixels wrongly called the first class. Half of them are of the other kind.",
        ),
        (
            lets_all_be_missed,
            "You let all mistakes be pixels of the first class that were missed. Half of them are of the other kind.",
        ),
        (
            takes_half_of_what_is_lost,
            "Your e is half of 1 - iou. But 1 - iou is a fraction of the union f + e, and e is one of all pixels.",
        ),
        (
            takes_all_of_what_is_lost,
            "Your e is 1 - iou. But that is a fraction of the union, and of both kinds of mistakes together.",
        ),
        (
            gives_the_accuracy,
            "This is the accuracy: 2e of all pixels are wrong. The other class has an IoU of its own.",
        ),
        (
            turns_e_upside_down,
            "Your e is upside down: it should be 0 if the IoU is 1. Solve (f - e) / (f + e) = iou for e again.",
        ),
        (takes_the_reports_fraction, "You calculate with 0.78, whatever `fraction` is."),
        (
            turns_a_sign_round,
            "Your result is above 1, which no IoU can be. Is the fraction upside down, or has e the wrong sign?",
        ),
        (
            exchanges_the_classes,
            "You exchange the classes: `fraction` is the part of the pixels that the class with the IoU `iou` covers.",
        ),
        (
            scales_by_the_sizes,
            "You scale the IoU by the sizes of the classes. But the mistakes are what both share: find e first.",
        ),
        (
            subtracts_the_class,
            "You treat iou as if it were the fraction of right pixels. It is a fraction of a union: find e first.",
        ),
        (
            adds_both_kinds_and_keeps_the_class,
            "You count both kinds of mistakes in the union. The missed pixels are in the class already: subtract them "
            "in the numerator.",
        ),
        (
            subtracts_both_kinds,
            "You subtract both kinds of mistakes from the pixels that were found. Only the missed ones belong there; "
            "the others belong to the union.",
        ),
        (gives_the_dice, "This is the Dice of the class that you know. The IoU of the other class is asked for."),
        (gives_per_cent, "This is in per cent: return a number between 0 and 1."),
    ],
    also_wrong=[
        (returns_no_iou, "returns None"),
        (adds_1, "between 0 and 1"),
        (rounds_the_iou, "You round to 4 digits"),
        (takes_e_as_given, "cannot be called"),
    ],
    seconds=2,
)


EXERCISE_7_4 = NumberExercise(
    number="7.4",
    title="A pixel error as an IoU",
    difficulty="easy",
    minutes=3,
    question="the IoU of the interior for a pixel error of 0.0611",
    solution=0.88485,
    mistakes=[
        (0.88, "This is near, but rounded too far: give at least three digits."),
        (0.89, "This is near, but rounded too far: three digits or more are asked for."),
        (0.94, "This is the Dice, 1 - 0.0611, rounded. Which IoU belongs to it?"),
        (0.9389, "This is Dice, 1 - 0.0611. Which IoU belongs to it?"),
        (0.96849, "This is above 1 - 0.0611, the Dice, and the IoU is below it. Solve D = 2J / (1 + J) for J."),
        (0.8778, "This is 1 - 2 · 0.0611, which is near. But solve D = 2J / (1 + J) for J exactly."),
        (0.46945, "This is half of the Dice. Solve D = 2J / (1 + J) for J."),
        (0.03151, "You took 0.0611 itself for the Dice: the Dice is 1 - 0.0611."),
        (0.11515, "This is 1 - J. The IoU itself is asked for."),
        *((score, "This is in per cent: give a number between 0 and 1.") for score in (88.48, 88.485, 88.49)),
        (88.5, "This is in per cent, and rounded: give a number between 0 and 1, with three digits."),
        (0.48424, "You divide the Dice by 1 + D. Solve D = 2J / (1 + J) for J again, and mind the sign."),
        (0.6442, "This is the IoU of the membrane: the interior is asked for."),
        (0.0611, "This is the pixel error itself."),
        (0.88154, "This is the square of the Dice. Solve D = 2J / (1 + J) for J."),
    ],
    also_wrong=[
        (0.939, "This is Dice"),
        (0.968, "the IoU is below it"),
        (0.96945, "the IoU is below it"),
        (0.878, "which is near"),
        ("0.885", "leave out the quotation marks"),
    ],
)


EXERCISE_7_5 = ChoiceExercise(
    number="7.5",
    title="Which score was it?",
    difficulty="medium",
    minutes=4,
    question="Which score of the same pixels comes nearest to 0.908?",
    options={
        "a": Option(
            "the mean of both classes' IoU",
            "Yes: the background gets 0.974, and the mean with 0.839 is 0.907.",
            right=True,
        ),
        "b": Option(
            "the Dice of the nuclei",
            "It is 2 · 0.839 / 1.839 = 0.912: near, but another score comes nearer.",
        ),
        "c": Option(
            "the IoU of the background, which covers 87 % of the pixels",
            "It is 0.974: the background hardly notices these mistakes.",
        ),
        "d": Option(
            "the accuracy, the fraction of all pixels that are right",
            "It is 0.977: all mistakes together are 2.3 % of the pixels.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        (0.907, "by its letter"),
    ],
)


# Exercise 7.6: A score that stays

Batches = list[tuple[Tensor, Tensor]]


def mean_over_images(batches: Batches) -> float:
    """Return the IoU of class 1 of each image, then the mean of all images; an image without class 1 in both has 1."""
    scores = []
    for batch in batches:
        for prediction, truth in zip(*batch, strict=True):
            both = int(((prediction == 1) & (truth == 1)).sum())
            either = int(((prediction == 1) | (truth == 1)).sum())
            scores.append(both / either if either else 1.0)
    return sum(scores) / len(scores)


def batches_of(random: np.random.Generator) -> Iterator[tuple[Batches]]:
    """Yield lists of pairs (prediction, truth), uint8 (n, 1, h, w), with n that changes from batch to batch."""
    prediction = torch.tensor([[1, 1, 0], [1, 0, 0]], dtype=torch.uint8)[:, None, None]  # (2, 1, 1, 3)
    truth = torch.tensor([[1, 1, 1], [0, 0, 1]], dtype=torch.uint8)[:, None, None]
    empty = torch.zeros(1, 1, 1, 3, dtype=torch.uint8)
    one_pixel = torch.tensor([1, 0, 0], dtype=torch.uint8)[None, None, None]
    yield ([(prediction, truth), (1 - empty, 1 - empty)],)
    yield ([(prediction, truth), (one_pixel, empty)],)  # nothing to find, and something was found
    yield ([(prediction, truth), (empty, one_pixel)],)
    yield ([(prediction, truth), (empty, empty)],)
    for sizes in ((3, 2), (1, 4), (2, 2, 1)):
        pairs = []
        for n in sizes:
            true = random.random((n, 1, 4, 4)) < random.random((n, 1, 1, 1))
            wrong = random.random(true.shape) < 0.3
            pairs.append(tuple(torch.from_numpy(values.astype(np.uint8)) for values in (true ^ wrong, true)))
        yield (pairs,)  # type: ignore[misc]


def in_words(batches: Batches) -> str:
    """Return what the batches contain: whole where the images are of one row, else how many there are."""
    sizes = " and ".join(f"{len(truths)}" for _, truths in batches)
    height, width = batches[0][1].shape[-2:]
    if height > 1:
        return f"{len(batches)} batches, of {sizes} images of {height} × {width} pixels"
    pairs = [
        f"{prediction.flatten().tolist()} for {truth.flatten().tolist()}" for prediction, truth in images_of(batches)
    ]
    return f"batches of {sizes}, images of one row; prediction for truth: {', '.join(pairs)}"


def of_image(prediction, truth, k=1, nothing=1.0):
    both = ((prediction == k) & (truth == k)).sum()
    either = ((prediction == k) | (truth == k)).sum()
    return (both / either).item() if either else nothing


def images_of(batches):
    return [pair for predictions, truths in batches for pair in zip(predictions, truths, strict=True)]


def all_counts(batches):
    return torch.cat([confusion_counts(predictions, truths) for predictions, truths in batches])


def pools_each_batch(batches):
    return mean([of_image(predictions, truths) for predictions, truths in batches])


def weighs_the_batches(batches):
    images = sum(len(predictions) for predictions, _ in batches)
    return sum(of_image(predictions, truths) * len(predictions) / images for predictions, truths in batches)


def pools_everything(batches):
    return iou(all_counts(batches), average="pooled")


def averages_the_averages(batches):
    return mean([iou(confusion_counts(predictions, truths)) for predictions, truths in batches])


def scores_the_other_class(batches):
    return iou(all_counts(batches), of="background")


def scores_both_classes(batches):
    return iou(all_counts(batches), of="classes")


def scores_nothing_with_0(batches):
    return mean([of_image(*pair, nothing=0.0) for pair in images_of(batches)])


def scores_an_empty_truth_with_1(batches):
    return mean([of_image(*pair) if pair[1].any() else 1.0 for pair in images_of(batches)])


def scores_an_empty_prediction_with_1(batches):
    return mean([of_image(*pair) if pair[0].any() else 1.0 for pair in images_of(batches)])


def scores_the_first_batch(batches):
    return mean([of_image(*pair) for pair in images_of(batches[:1])])


def leaves_out_an_empty_truth(batches):
    return mean([of_image(*pair) for pair in images_of(batches) if pair[1].any()])


def leaves_out_nothing(batches):
    scores = [of_image(*pair, nothing=None) for pair in images_of(batches)]
    return mean([score for score in scores if score is not None])


def ends_in_nan(batches):
    pairs = images_of(batches)
    return torch.stack([((a == 1) & (t == 1)).sum() / ((a == 1) | (t == 1)).sum() for a, t in pairs]).mean()


def takes_dice(batches):
    return dice(all_counts(batches))


def adds_up(batches):
    return sum(of_image(*pair) for pair in images_of(batches))


def divides_by_the_batches(batches):
    return sum(of_image(*pair) for pair in images_of(batches)) / len(batches)


def scores_the_last_batch(batches):
    return mean([of_image(*pair) for pair in images_of(batches[-1:])])


def takes_accuracy(batches):
    return mean([(prediction == truth).float().mean().item() for prediction, truth in images_of(batches)])


def smooths_each_image(batches):
    scores = [((a & t).sum() + 1e-5) / ((a | t).sum() + 1e-5) for a, t in images_of(batches)]
    return sum(scores) / len(scores)


def adds_without_subtracting(batches):
    pairs = images_of(batches)
    scores = [((a & t).sum() / (a + t).sum()).item() if (a + t).any() else 1.0 for a, t in pairs]
    return mean(scores)


def smooths_with_1(batches):
    return mean([(((a & t).sum() + 1) / ((a | t).sum() + 1)).item() for a, t in images_of(batches)])


def scores_the_first_image(batches):
    return mean([of_image(predictions[0], truths[0]) for predictions, truths in batches])


def adds_an_unsolved_score(batches):
    return sum([... for _ in images_of(batches)])


def rounds_the_mean(batches):
    return round(mean_over_images(batches), 3)


def gives_the_list(batches):
    return [of_image(*pair) for pair in images_of(batches)]


def takes_one_batch(prediction, truth):
    return of_image(prediction, truth)


def returns_no_score(batches):
    mean([of_image(*pair) for pair in images_of(batches)])


def joins_lists(batches):
    return iou(confusion_counts(*torch.cat(batches)))


def returns_at_once(batches):
    return 1.0


def scores_a_batch_as_one_table(batches):
    return mean([class_iou(confusion_counts(*batch), 1) for batch in batches])


SEVERAL_TABLES = (  # where `confusion_counts` is scored as it is
    "Several numbers stand where one is needed. Do you score a whole batch as if it were one table? `confusion_counts` "
    "gives one table for each image, (n, 2, 2): take them one by one."
)

EXERCISE_7_6 = ScoreExercise(
    number="7.6",
    title="A score that stays",
    difficulty="medium",
    minutes=6,
    reference=mean_over_images,
    cases=batches_of,
    describe=in_words,
    errors=[
        unsolved("average_classes"),
        ("converted to", SEVERAL_TABLES),
        ("Boolean value of Tensor", SEVERAL_TABLES),
    ],
    mistakes=[
        (
            pools_each_batch,
            "This is the bug itself: each batch is counted as one image, and then the mean of the batches is taken.",
        ),
        (
            weighs_the_batches,
            "You weigh the batches by their images, but within a batch all pixels are still counted together.",
        ),
        (
            pools_everything,
            "This counts all pixels of all images together. It does not move, but the mean of the images is asked for.",
        ),
        (averages_the_averages, "This is the mean of the batches' means: an image in a small batch weighs more."),
        (scores_the_other_class, "This is the IoU of class 0: class 1 is asked for."),
        (scores_both_classes, "This is the mean of both classes: class 1 alone is asked for."),
        (scores_nothing_with_0, "An image with nothing to find and nothing found scores 1, not 0."),
        (
            scores_an_empty_truth_with_1,
            "You give 1 to every image with an empty truth. If a single pixel is found in it, the score is 0.",
        ),
        (
            scores_an_empty_prediction_with_1,
            "You give 1 to every image with an empty prediction. If the truth is not empty, all was missed: 0.",
        ),
        (scores_the_first_batch, "Only the first batch counts: does the `return` stand within the loop?"),
        (
            leaves_out_an_empty_truth,
            "You leave out every image with an empty truth: it scores 1 if nothing is found, and 0 if anything is.",
        ),
        (leaves_out_nothing, "You leave out the images with nothing to find and nothing found: they score 1."),
        (ends_in_nan, "An image with nothing to find and nothing found is 0 / 0: give it 1."),
        (
            smooths_each_image,
            "You add a smoothing, which moves the sixth digit. Count exactly, and give 1 where the union is empty.",
        ),
        (
            smooths_with_1,
            "You add 1 in numerator and denominator. Count exactly, and give 1 where the union is empty.",
        ),
        (
            adds_without_subtracting,
            "Your union is the sum of both masks, in which the shared pixels count twice: subtract them once.",
        ),
        (scores_the_first_image, "You score only the first image of each batch: all of them are asked for."),
        (takes_dice, "This is the mean of Dice."),
        (adds_up, "This is the sum of the images' scores: divide by the number of images."),
        (divides_by_the_batches, "You divide by the number of batches: divide by the number of images."),
        (scores_the_last_batch, "Only the last batch counts: does the list of scores start anew in each batch?"),
        (takes_accuracy, "This is accuracy, the fraction of pixels that are right."),
    ],
    also_wrong=[
        (gives_the_list, "should be one number, not a list"),
        (takes_one_batch, "cannot be called"),
        (returns_no_score, "returns None"),
        (adds_an_unsolved_score, "or use `average_classes`"),
        (scores_a_batch_as_one_table, "one table for each image"),
        (rounds_the_mean, "You round to 3 digits"),
        (joins_lists, "raises TypeError in line 2"),
        (returns_at_once, "whatever it is given"),
    ],
    seconds=3,
)


EXERCISE_7_7 = ChoiceExercise(
    number="7.7",
    title="One pixel",
    difficulty="medium",
    minutes=2,
    question="One pixel is erased between the two largest of 27 cells. To what does V_rand fall from 1?",
    options={
        "a": Option(
            "to 0.9995, like the IoU, because only one pixel has changed",
            "One pixel has changed, but it has joined all pixels of two cells, and V_rand counts pairs.",
        ),
        "b": Option(
            "to about 0.99",
            "It costs more: all pairs of a pixel in the one cell and a pixel in the other are now wrong.",
        ),
        "c": Option(
            "to about 0.96, because one of 27 cells is lost",
            "V_rand does not count cells but pairs of pixels, and large cells have far more pairs than small ones.",
        ),
        "d": Option(
            "below 0.8",
            "It is 0.785. All pairs of a pixel in the one cell and a pixel in the other are now wrong, and these two "
            "cells are large.",
            right=True,
        ),
    },
    also_wrong=[
        ("1", "by its letter"),
        (0.79, "by its letter"),
    ],
    prediction=True,
)


EXERCISE_7_8 = ChoiceExercise(
    number="7.8",
    title="One pixel thicker",
    difficulty="medium",
    minutes=2,
    question="A prediction has every membrane, but one pixel thicker on each side. What do the scores say?",
    options={
        "a": Option(
            "The membrane's IoU and V_rand both fall by more than 0.1.",
            "The IoU does. V_rand first gives the pixels of the membrane to the cells, and these are almost the same.",
        ),
        "b": Option(
            "V_rand falls by more than 0.1, the membrane's IoU by less than 0.01.",
            "This is what a gap does: it joins two cells and costs few pixels. A thick membrane joins nothing.",
        ),
        "c": Option(
            "The membrane's IoU falls by more than 0.1, V_rand by less than 0.01.",
            "Yes. IoU counts the pixels along every border. V_rand asks for the same cells, and nearly all are.",
            right=True,
        ),
        "d": Option(
            "Both fall by less than 0.01, because no membrane is missing.",
            "A membrane is 4 to 11 pixels wide, so two more are a good part of it, and IoU counts every one.",
        ),
    },
    also_wrong=[
        ("both", "by its letter"),
        (0.79, "by its letter"),
    ],
    prediction=True,
)


EXERCISES = (
    EXERCISE_7_1,
    EXERCISE_7_2,
    EXERCISE_7_3,
    EXERCISE_7_4,
    EXERCISE_7_5,
    EXERCISE_7_6,
    EXERCISE_7_7,
    EXERCISE_7_8,
)
