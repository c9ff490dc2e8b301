"""Wrong answers to the exercises of notebook 04, each with words of the message that it must get."""

from unetpp_lib.models import UNet, UNetPlusPlus, read_graph


def takes_the_left_neighbour(i, j):
    return [(i, j - 1), (i + 1, j - 1)]


def takes_the_encoder_alone(i, j):
    return (i, 0), (i + 1, j - 1)


def goes_straight_down(i, j):
    return [(i, k) for k in range(j)] + [(i + 1, j)]


def takes_the_encoder_below(i, j):
    return [(i, k) for k in range(j)] + [(i + 1, 0)]


def counts_rows_upwards(i, j):
    return [(i, k) for k in range(j)] + [(i - 1, j - 1)]


def sees_itself(i, j):
    return [(i, k) for k in range(j + 1)] + [(i + 1, j - 1)]


def forgets_below(i, j):
    return [(i, k) for k in range(j)]


def swaps_row_and_column(i, j):
    return [(k, i) for k in range(j)] + [(j - 1, i + 1)]


def begins_at_one(i, j):
    return [(i, k) for k in range(1, j)] + [(i + 1, j - 1)]


def begins_below(i, j):
    return [(i + 1, j - 1)] + [(i, k) for k in range(j)]


def goes_from_right_to_left(i, j):
    return [(i, j - 1 - k) for k in range(j)] + [(i + 1, j - 1)]


def swaps_the_row_alone(i, j):
    return [(k, i) for k in range(j)] + [(i + 1, j - 1)]


def takes_all_below(i, j):
    return [(row, k) for row in (i, i + 1) for k in range(j)]


def gives_names(i, j):
    return [f"X{i}{k}" for k in range(j)] + [f"X{i + 1}{j - 1}"]


def gives_a_set(i, j):
    return {(i, k) for k in range(j)} | {(i + 1, j - 1)}


def forgets_to_return_inputs(i, j):
    [(i, k) for k in range(j)] + [(i + 1, j - 1)]


def joins_wrongly(i, j):
    return [(i, k) for k in range(j)] + (i + 1, j - 1)


def takes_a_node(node):
    return [(node[0], k) for k in range(node[1])] + [(node[0] + 1, node[1] - 1)]


def learn(model, image):
    sum(head.sum() for head in model(image)).backward()
    return dict(model.named_parameters())


def names_the_living(model, image):
    return [name for name, parameter in learn(model, image).items() if parameter.grad is not None]


def forgets_backward(model, image):
    model(image)
    return [name for name, parameter in model.named_parameters() if parameter.grad is None]


def asks_the_first_head(model, image):
    model(image)[0].sum().backward()
    return [name for name, parameter in model.named_parameters() if parameter.grad is None]


def asks_the_last_head(model, image):
    model(image)[-1].sum().backward()
    return [name for name, parameter in model.named_parameters() if parameter.grad is None]


def looks_for_zeros(model, image):
    parameters = learn(model, image).items()
    return [name for name, parameter in parameters if parameter.grad is not None and parameter.grad.abs().max() == 0]


def gives_the_parameters(model, image):
    return [parameter for parameter in learn(model, image).values() if parameter.grad is None]


def names_weights_alone(model, image):
    parameters = learn(model, image).items()
    return [name for name, parameter in parameters if parameter.grad is None and name.endswith("weight")]


def names_the_layers(model, image):
    parameters = learn(model, image).items()
    return list(dict.fromkeys(name.rpartition(".")[0] for name, parameter in parameters if parameter.grad is None))


def counts_zeros_too(model, image):
    parameters = learn(model, image).items()
    return [name for name, parameter in parameters if parameter.grad is None or not parameter.grad.any()]


def goes_back_for_each_head(model, image):
    for head in model(image):
        head.mean().backward()
    return [name for name, parameter in model.named_parameters() if parameter.grad is None]


def counts_them(model, image):
    return sum(parameter.grad is None for parameter in learn(model, image).values())


def forgets_to_return(model, image):
    [name for name, parameter in learn(model, image).items() if parameter.grad is None]


def adds_no_heads(model, image):
    model(image).backward()
    return []


def tests_a_tensor(model, image):
    parameters = learn(model, image)
    return [name for name, parameter in parameters.items() if not parameter.grad.any()]


UNET = read_graph(UNet(widths=(2, 2, 2, 2))).inputs
UNET_PLUS = read_graph(UNetPlusPlus(widths=(2, 2, 2, 2), dense=False)).inputs

WRONG = {
    "4.1": [
        (takes_the_left_neighbour, "This is UNet+"),
        (takes_the_encoder_alone, "This is U-Net"),
        (goes_straight_down, "of the same column"),
        (takes_the_encoder_below, "below is of column 0"),
        (counts_rows_upwards, "go up a row"),
        (sees_itself, "sees itself"),
        (forgets_below, "node below is missing"),
        (swaps_row_and_column, "are swapped"),
        (begins_at_one, "Column 0, the encoder, is missing"),
        (begins_below, "another order"),
        (goes_from_right_to_left, "from right to left"),
        (swaps_the_row_alone, "In the pairs of the row"),
        (takes_all_below, "whole row below"),
        (gives_names, "should be a list, not a value of type str"),
        (gives_a_set, "not a value of type set"),
        (forgets_to_return_inputs, "returns None"),
        (joins_wrongly, "raises TypeError in line 2"),
        (takes_a_node, "cannot be called"),
    ],
    "4.2": [
        (192, "halves the channels"),
        (128, "four skips alone"),
        (64, "This is U-Net"),
        (32, "not what it reads"),
        ("160", "one number, not a value of type str"),
    ],
    "4.3": [("e", "by its letter"), (147, "by its letter")],
    "4.4": [
        (UNET, "This is U-Net"),
        (UNET_PLUS | {(0, 2): [(0, 0), (0, 1), (1, 1)]}, "X^{0,0} → X^{0,2} does not belong"),
        (UNET_PLUS | {(1, 2): [(1, 1)]}, "X^{1,2} does not see"),
        (UNET_PLUS | {(1, 2): [(1, 1), (2, 0)]}, "X^{2,0} → X^{1,2} does not belong"),
        ({(target, source) for target, sources in UNET_PLUS.items() for source in sources}, "wrong way"),
        ("UNet+", "set of edges"),
        (UNET_PLUS | {(1, 0): (0, 0)}, "inputs as a list"),
    ],
    "4.5": [("(1, 2)", "by its letter"), ((1, 2), "by its letter")],
    "4.6": [
        (names_the_living, "do get a gradient"),
        (forgets_backward, "before `backward`"),
        (asks_the_first_head, "first head alone"),
        (asks_the_last_head, "last head alone"),
        (looks_for_zeros, "Where no path leads"),
        (counts_zeros_too, "no sign of death"),
        (goes_back_for_each_head, "go back once"),
        (gives_the_parameters, "their names"),
        (names_weights_alone, "weights alone"),
        (names_the_layers, "name the layers"),
        (counts_them, "should be a list, not a number"),
        (forgets_to_return, "returns None"),
        (adds_no_heads, "raises AttributeError in line 2"),
        (tests_a_tensor, "raises AttributeError in line 3"),
    ],
    "4.7": [
        (8224, "one up-convolution"),
        (24_672, "all three"),
        (16_384, "biases"),
        (36_928, "four weights"),
        (9_025_153, "what is left"),
    ],
}
