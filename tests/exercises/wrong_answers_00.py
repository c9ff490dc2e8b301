"""Wrong answers to the exercises of notebook 00, each with words of the message that it must get."""


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
    ]
}
