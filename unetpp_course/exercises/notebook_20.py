"""The exercises of extra/20_silent_bugs: parameters that never learn, and one up-convolution for three connections."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from unetpp_course.checks import FunctionExercise, NumberExercise
from unetpp_lib.models import UNetPlusPlus

# Exercise 20.1: Find the parameters that never learn


class Thrown(nn.Module):
    """A block whose normalisation changes nothing, for its result is thrown away."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.norm = nn.GroupNorm(1, 2)
        self.head = nn.Conv2d(2, 1, 1)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the logits."""
        x = self.conv(image)
        self.norm(x)
        return [self.head(x)]


class Forgotten(nn.Module):
    """Two branches, the second of which no head reads."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, channels, 1, bias=False)
        self.second = nn.Conv2d(1, channels, 1)
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the logits of two heads."""
        return [self.first(image), self.scale * image]


class Shut(nn.Module):
    """A ReLU that no value passes: the gradients before it are 0, which is not the same as none."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.head = nn.Conv2d(1, 1, 1)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the logits."""
        return [self.head(torch.relu(self.scale * image - 100))]


def dead_parameters(model: nn.Module, image: Tensor) -> list[str]:
    """Return the names of the parameters that no path leads to from any of the heads."""
    outputs = torch.stack([head.sum() for head in model(image)])
    names, parameters = zip(*model.named_parameters(), strict=True)
    gradients = torch.autograd.grad(outputs.sum(), parameters, allow_unused=True)
    return [name for name, gradient in zip(names, gradients, strict=True) if gradient is None]


def networks(random: np.random.Generator) -> Iterator[tuple[nn.Module, Tensor]]:
    """Yield networks with and without dead parameters, each with an image."""
    image = torch.from_numpy(random.normal(size=(2, 1, 8, 8))).float()
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        yield Thrown(), image
        yield Forgotten(2), image
        yield UNetPlusPlus(widths=(2, 3, 4)), image
        yield Forgotten(int(random.integers(3, 6))), image
        yield Shut(), image


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


EXERCISE_20_1 = FunctionExercise(
    number="20.1",
    title="Find the parameters that never learn",
    difficulty="medium",
    minutes=10,
    reference=dead_parameters,
    cases=networks,
    mistakes=[
        (names_the_living, "These are the parameters that do get a gradient: the others are asked for."),
        (forgets_backward, "You name all parameters: before `backward` none of them has a gradient."),
        (asks_the_first_head, "You ask the first head alone: what only another head needs is not dead."),
        (asks_the_last_head, "You ask the last head alone: what only another head needs is not dead."),
        (looks_for_zeros, "Do you look for gradients that are 0? Where no path leads, the gradient is None."),
        (
            counts_zeros_too,
            "A gradient of 0 is no sign of death: on another image the ReLU may open. Ask for None alone.",
        ),
        (
            goes_back_for_each_head,
            "Each `backward` frees what the next one needs: add up all heads first, and go back once.",
        ),
        (gives_the_parameters, "You give the parameters themselves: their names are asked for."),
        (names_weights_alone, "You name the weights alone: a bias can be dead as well."),
        (names_the_layers, "You name the layers: their parameters are asked for, such as `norm.weight`."),
    ],
    also_wrong=[
        (counts_them, "should be a list, not a number"),
        (forgets_to_return, "returns None"),
        (adds_no_heads, "raises AttributeError in line 2"),
        (tests_a_tensor, "raises AttributeError in line 3"),
    ],
    seconds=5,
)


EXERCISE_20_2 = NumberExercise(
    number="20.2",
    title="One up-convolution for three connections",
    difficulty="medium",
    minutes=5,
    question="the parameters that are missing if three connections from row 1 to row 0 share one up-convolution",
    solution=16_448,
    tolerance=0.5,
    unit="parameters",
    mistakes=[
        (8_224, "This is one up-convolution: three connections need three, so two are missing."),
        (24_672, "These are all three: one of them is still there."),
        (16_384, "The biases are missing: each up-convolution has 32."),
        (3 * 64 * 32 * 4, "These are all three, and without biases: two of them are missing, with 32 biases each."),
        (9_041_601 - 16_448, "This is what is left: how many fewer it is, is asked for."),
        (2 * (64 * 32 * 9 + 32), "A 2×2 kernel has four weights for each pair of channels, not nine."),
        (2 * (64 * 32 * 4 + 64), "A bias belongs to each channel that comes out, 32, not to each that goes in."),
    ],
)


EXERCISES = (EXERCISE_20_1, EXERCISE_20_2)
