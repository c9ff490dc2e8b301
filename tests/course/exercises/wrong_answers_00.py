"""Wrong answers to the exercises of notebook 00, each with words of the message that it must get."""

import torch


def counts(mask):
    return len(mask.nonzero())


def averages_whole_numbers(mask):
    return mask.mean()


def takes_the_background(mask):
    return (mask == 0).sum() / mask.numel()


def gives_a_percentage(mask):
    return (mask > 0).double().mean() * 100


def divides_by_the_background(mask):
    foreground = mask.sum()
    return foreground / (mask.numel() - foreground)


def divides_by_the_width(mask):
    return mask.sum() / len(mask[0, 0])


def divides_by_the_height(mask):
    return mask.sum() / len(mask[0])


def drops_the_fraction(mask):
    return int(mask.sum() / mask.numel())


def rounds(mask):
    return (mask.float().mean() > 0.5).float()


def takes_the_maximum(mask):
    return float(1 in mask)


def averages_the_rows(mask):
    return mask.float().mean(dim=-1)


def looks_for_255(mask):
    return (mask == 255).float().mean()


def forgets_to_return(mask):
    mask.float().mean()


def prints_instead(mask):
    print(mask.float().mean())
    return "see above"


def scales_the_mask_itself(mask):
    mask *= 255
    return mask.sum() / (255 * mask.numel())


def unpacks_two_sides(mask):
    height, width = mask.shape
    return mask.sum() / (height * width)


def takes_the_sides_too(mask, height, width):
    return mask.sum() / (height * width)


def never_ends(mask):
    while mask.numel():
        pass


WRONG = {
    "0.1": [
        (counts, "divide by the number of all pixels"),
        (averages_whole_numbers, "turn it into floats"),
        (takes_the_background, "share of the background"),
        (gives_a_percentage, "percentage"),
        (divides_by_the_background, "divide by the pixels that are 0"),
        (divides_by_the_width, "one side alone: you divide by the width"),
        (divides_by_the_height, "one side alone: you divide by the height"),
        (drops_the_fraction, "drops what follows the point"),
        (rounds, "round to 0 or 1"),
        (takes_the_maximum, "largest value"),
        (averages_the_rows, "one number, not a tensor of shape (1, 2)"),
        (looks_for_255, "gives 0 whatever"),
        (forgets_to_return, "returns None"),
        (prints_instead, "one number, not a value of type str"),
        (scales_the_mask_itself, "changes what it is given"),
        (unpacks_two_sides, "raises ValueError in line 2"),
        (takes_the_sides_too, "cannot be called"),
        (never_ends, "longer than"),
    ],
    "0.2": [
        (torch.zeros(4, 3, 32, 48).mean().numel(), "`mean()` alone"),
        (torch.zeros(4, 3, 32, 48).mean(dim=0).numel(), "lost its image dimension"),
        (torch.zeros(4, 3, 32, 48).mean(dim=1).numel(), "one mean for each image"),
        (torch.zeros(4, 3, 32, 48).numel(), "all the numbers"),
        (torch.zeros(3, 32, 48).mean(dim=(1, 2)).numel(), "each channel"),
        (torch.zeros(3, 32, 48).mean(dim=1).numel(), "over the rows"),
        (torch.zeros(3, 32, 48).mean(dim=2).numel(), "over the columns"),
        (torch.zeros(3, 32, 48).mean(dim=0).ndim, "count the dimensions"),
        (torch.zeros(32, 48), "one number, not a tensor of shape (32, 48)"),
        ((32, 48), "one number, not a list"),
    ],
    "0.3": [("e", "by its letter"), ((8, 8), "by its letter"), (64, "by its letter")],
    "0.4": [
        (2 * 3, "one call"),
        (3**2, "This is the loss"),
        (3**2 + 3**2, "two losses"),
        (6 * 6, "not multiplied"),
        (3.0, "w itself"),
        (0, "zero_grad"),
        (2 + 2, "not 2"),
        ("None", "one number, not a value of type str"),
        (torch.tensor([12.0]), "one number, not a tensor of shape (1,)"),
    ],
    "0.5": [("first", "by its letter"), (51, "by its letter")],
    "0.6": [
        (3 + 0.1 * 6, "uphill"),
        (3 - 6, "learning rate is missing"),
        (0.1 * 6, "how far w moves"),
        (-0.1 * 6, "how much w changes"),
        (3, "changes no parameter"),
        (3 - 0.1, "learning rate alone"),
        (3 - 0.1 * 9, "by the loss"),
        (3 - 0.1 * 3, "by w"),
        (2 * 3, "the gradient, 2w"),
        (2.4**2, "loss after the step"),
        ("2.4", "one number, not a value of type str"),
    ],
    "0.7": [("e", "by its letter"), (True, "by its letter")],
}
