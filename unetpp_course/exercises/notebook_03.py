"""The exercises of notebook 03: a U of one level, encoder and decoder of any depth, and what its skips carry."""

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

from unetpp_course.checks import ChoiceExercise, FunctionExercise, Option, WiringExercise
from unetpp_lib.models import ConvBlock, UNet

Blocks = tuple[nn.Module, ...]


class Scaled(nn.Module):
    """Takes the place of a block or a head: ``factor`` times the map, plus ``shift``, for any number of channels."""

    def __init__(self, factor: float, shift: float) -> None:
        super().__init__()
        self.factor, self.shift = factor, shift

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the same shape."""
        return self.factor * x + self.shift


class Repeated(nn.Module):
    """Takes the place of an up-convolution: each pixel four times, plus 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Return a map that is twice as wide and twice as high."""
        return interpolate(x, scale_factor=2) + 1


class Mixed(nn.Module):
    """Takes the place of the block that joins: the channels times 1, 2, 3 … are added up.

    It fits any number of channels, so that a wrong input gives wrong numbers where a convolution would only raise.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of one channel."""
        factors = torch.arange(1.0, x.shape[1] + 1)[:, None, None]
        return (factors * x).sum(dim=1, keepdim=True)


def halve(x: Tensor) -> Tensor:
    """Return a map (N, C, H, W) with the largest value of each 2×2 cell."""
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).amax(dim=(3, 5))


def random_image(random: np.random.Generator, *shape: int) -> Tensor:
    """Return an image of normal noise."""
    return torch.from_numpy(random.normal(size=shape)).float()


def whole_numbers(random: np.random.Generator, *shape: int) -> Tensor:
    """Return a small image that can be shown: of whole numbers below 0, where padding with 0 would be noticed."""
    return torch.from_numpy(random.integers(-9, 0, size=shape)).float()


def numbers_of(image: Tensor) -> list[list[int]]:
    """Return the whole numbers of an image (1, 1, H, W), row by row."""
    rows: list[list[int]] = image[0, 0].int().tolist()
    return rows


# Exercise 3.1: A U of one level


def one_level(net: SimpleNamespace, image: Tensor) -> Tensor:
    """Return the logits of a U with the layers first, bottom, up, join and head."""
    fine = net.first(image)
    deep = net.up(net.bottom(halve(fine)))
    channels = [*fine.unbind(dim=1), *deep.unbind(dim=1)]
    logits: Tensor = net.head(net.join(torch.stack(channels, dim=1)))
    return logits


def one_level_nets(random: np.random.Generator) -> Iterator[tuple[SimpleNamespace, Tensor]]:
    """Yield a toy whose maps can be calculated by hand, and real networks, each with an image.

    The toy's blocks turn large into small, so that halving before and after a block give different maps.
    """
    toy = SimpleNamespace(
        first=Scaled(-1, 1), bottom=Scaled(-10, 0), up=Repeated(), join=Mixed(), head=Scaled(1, -100), toy=True
    )
    yield toy, torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
    yield toy, whole_numbers(random, 1, 1, 4, 6)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        for width, shape in ((4, (1, 1, 8, 8)), (3, (2, 1, 4, 6))):
            net = SimpleNamespace(
                first=ConvBlock(1, width).eval(),
                bottom=ConvBlock(width, 2 * width).eval(),
                up=nn.ConvTranspose2d(2 * width, width, 2, stride=2),
                join=ConvBlock(2 * width, width).eval(),
                head=nn.Conv2d(width, 1, 1),
                toy=False,
            )
            yield net, random_image(random, *shape)


def describe_one_level(net: SimpleNamespace, image: Tensor) -> str:
    """Return in words what the function is called with."""
    if not net.toy:
        return f"a network of real layers, an image {tuple(image.shape)}"
    layers = (
        "first gives 1 - x, bottom multiplies by -10, up repeats each pixel and adds 1, join adds the channels times "
        "1, 2, …, head subtracts 100"
    )
    return f"a toy: {layers}; the image is {numbers_of(image)}"


def never_halves(net, image):
    fine = net.first(image)
    both = torch.cat([fine, net.up(net.bottom(fine))], dim=1)
    return net.head(net.join(both))


def leaves_the_skip_out(net, image):
    deep = net.bottom(max_pool2d(net.first(image), 2))
    return net.head(net.join(net.up(deep)))


def puts_the_skip_second(net, image):
    fine = net.first(image)
    deep = net.bottom(max_pool2d(fine, 2))
    return net.head(net.join(torch.cat([net.up(deep), fine], dim=1)))


def adds_instead(net, image):
    fine = net.first(image)
    deep = net.bottom(max_pool2d(fine, 2))
    return net.head(net.join(fine + net.up(deep)))


def averages_instead(net, image):
    fine = net.first(image)
    deep = net.bottom(max_pool2d(fine, 2))
    return net.head(net.join((fine + net.up(deep)) / 2))


def halves_after_the_bottom(net, image):
    fine = net.first(image)
    deep = max_pool2d(net.bottom(fine), 2)
    return net.head(net.join(torch.cat([fine, net.up(deep)], dim=1)))


def skips_the_image(net, image):
    fine = net.first(image)
    deep = net.bottom(max_pool2d(fine, 2))
    return net.head(net.join(torch.cat([image, net.up(deep)], dim=1)))


def halves_the_image(net, image):
    deep = net.bottom(max_pool2d(image, 2))
    return net.head(net.join(torch.cat([net.first(image), net.up(deep)], dim=1)))


def forgets_the_head(net, image):
    fine = net.first(image)
    deep = net.bottom(max_pool2d(fine, 2))
    return net.join(torch.cat([fine, net.up(deep)], dim=1))


def forgets_the_join(net, image):
    fine = net.first(image)
    deep = net.bottom(max_pool2d(fine, 2))
    return net.head(torch.cat([fine, net.up(deep)], dim=1))


def concatenates_the_batch(net, image):
    fine = net.first(image)
    deep = net.bottom(max_pool2d(fine, 2))
    return net.head(net.join(torch.cat([fine, net.up(deep)])))


def concatenates_the_rows(net, image):
    fine = net.first(image)
    deep = net.bottom(max_pool2d(fine, 2))
    return net.head(net.join(torch.cat([fine, net.up(deep)], dim=2)))


def halves_by_the_mean(net, image):
    fine = net.first(image)
    deep = net.bottom(avg_pool2d(fine, 2))
    return net.head(net.join(torch.cat([fine, net.up(deep)], dim=1)))


def leaves_the_bottom_out(net, image):
    fine = net.first(image)
    return net.head(net.join(torch.cat([fine, net.up(max_pool2d(fine, 2))], dim=1)))


def uses_the_first_block_twice(net, image):
    fine = net.first(image)
    deep = net.first(max_pool2d(fine, 2))
    return net.head(net.join(torch.cat([fine, net.up(deep)], dim=1)))


def doubles_without_the_layer(net, image):
    fine = net.first(image)
    deep = interpolate(net.bottom(max_pool2d(fine, 2)), scale_factor=2)
    return net.head(net.join(torch.cat([fine, deep], dim=1)))


def applies_the_sigmoid(net, image):
    return torch.sigmoid(one_level(net, image))


def decides(net, image):
    return (one_level(net, image) > 0).float()


def concatenates_the_skip_twice(net, image):
    fine = net.first(image)
    deep = net.bottom(max_pool2d(fine, 2))
    return net.head(net.join(torch.cat([fine, fine, net.up(deep)], dim=1)))


def concatenates_the_doubled_map_with_itself(net, image):
    deep = net.up(net.bottom(max_pool2d(net.first(image), 2)))
    return net.head(net.join(torch.cat([deep, deep], dim=1)))


def concatenates_the_first_map_with_itself(net, image):
    fine = net.first(image)
    return net.head(net.join(torch.cat([fine, fine], dim=1)))


def takes_every_second_pixel_of_the_first_map(net, image):
    fine = net.first(image)
    deep = net.bottom(fine[:, :, ::2, ::2])
    return net.head(net.join(torch.cat([fine, net.up(deep)], dim=1)))


def begins_again_with_the_halved_image(net, image):
    deep = net.bottom(net.first(max_pool2d(image, 2)))
    return net.head(net.join(torch.cat([net.first(image), net.up(deep)], dim=1)))


def gives_the_logits_in_a_list(net, image):
    return [one_level(net, image)]


def forgets_to_return_the_logits(net, image):
    one_level(net, image)


def concatenates_without_a_list(net, image):
    fine = net.first(image)
    deep = net.bottom(max_pool2d(fine, 2))
    return net.head(net.join(torch.cat(fine, net.up(deep), dim=1)))


def takes_the_image_alone(image):
    return image


EXERCISE_3_1 = FunctionExercise(
    number="3.1",
    title="A U of one level",
    difficulty="easy",
    minutes=6,
    reference=one_level,
    cases=one_level_nets,
    describe=describe_one_level,
    mistakes=[
        (
            never_halves,
            "Two maps of different sizes meet in `torch.cat`. Is the map halved on its way down, and doubled by "
            "`net.up` before it meets the skip?",
        ),
        (leaves_the_skip_out, "The skip is missing: the join reads the map of `net.first` as well as the doubled map."),
        (puts_the_skip_second, "The order is reversed: the skip's channels come first, then those of the doubled map."),
        (adds_instead, "You add the two maps. Concatenate them, so that the join can treat them differently."),
        (averages_instead, "You average the two maps. Concatenate them: put their channels one behind the other."),
        (halves_after_the_bottom, "You halve after the bottom block. Halve before it: it works on the small map."),
        (
            skips_the_image,
            "You concatenate the image itself. The skip is the map that `net.first` makes from the image.",
        ),
        (halves_the_image, "You halve the image. The bottom works on the map of `net.first`, halved."),
        (forgets_the_head, "The head is missing: `net.head` turns the channels of the join into the logit."),
        (
            forgets_the_join,
            "The block `net.join` is missing: it mixes the concatenated maps before the head reads them.",
        ),
        (
            concatenates_the_batch,
            "You concatenate along dimension 0, so you get twice as many images. The channels are dimension 1.",
        ),
        (
            concatenates_the_rows,
            "You concatenate along dimension 2, so the image gets twice as high. The channels are dimension 1.",
        ),
        (halves_by_the_mean, "You halve by the mean. Take the largest value of each cell, with `max_pool2d`."),
        (leaves_the_bottom_out, "The halved map has to go through `net.bottom` before it is doubled."),
        (uses_the_first_block_twice, "`net.first` works on the halved map, too. That is the task of `net.bottom`."),
        (doubles_without_the_layer, "You double the map yourself. The network has a layer for that: `net.up`."),
        (applies_the_sigmoid, "These are probabilities. Return the logits, as the head gives them."),
        (decides, "These are classes. Return the logits, as the head gives them."),
        (
            concatenates_the_skip_twice,
            "The join gets three maps, the skip twice among them: it reads one skip and the doubled map.",
        ),
        (
            concatenates_the_doubled_map_with_itself,
            "You concatenate the doubled map with itself. The first of the two should be the skip, the map of "
            "`net.first`.",
        ),
        (
            concatenates_the_first_map_with_itself,
            "You concatenate the skip with itself. The second map should be the one that `net.up` has doubled.",
        ),
        (
            takes_every_second_pixel_of_the_first_map,
            "You keep every second pixel. Keep the largest of each cell, with `max_pool2d`.",
        ),
        (
            begins_again_with_the_halved_image,
            "You halve the image and run `net.first` on it once more. Run it once, and halve the map that it returns.",
        ),
    ],
    also_wrong=[
        (gives_the_logits_in_a_list, "not a list"),
        (forgets_to_return_the_logits, "returns None"),
        (concatenates_without_a_list, "raises TypeError in line 4"),
        (takes_the_image_alone, "cannot be called"),
    ],
)


# Exercise 3.2: Down, with any number of blocks


def encode(blocks: Blocks, image: Tensor) -> list[Tensor]:
    """Return the map of every row, top first; each is computed from the image, whatever the others were."""
    maps = []
    for last in range(len(blocks)):
        x = blocks[0](image)
        for i in range(1, last + 1):
            x = blocks[i](halve(x))
        maps.append(x)
    return maps


def encoders(random: np.random.Generator) -> Iterator[tuple[Blocks, Tensor]]:
    """Yield toy encoders and real ones, each with an image.

    The toys' blocks turn large into small, so that halving before and after a block give different maps.
    """
    yield tuple(Scaled(-1, 10**i) for i in range(2)), torch.arange(16.0).reshape(1, 1, 4, 4)
    yield tuple(Scaled(-1, 10**i) for i in range(3)), whole_numbers(random, 1, 1, 8, 8)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        for widths in ((2, 4), (2, 3, 5), (2, 3, 4, 2, 3)):
            yield tuple(UNet(widths=widths).eval().encoder), random_image(random, 2, 1, 32, 64)


def describe_encoder(blocks: Blocks, image: Tensor) -> str:
    """Return in words what the function is called with."""
    if not isinstance(blocks[0], Scaled):
        return f"{len(blocks)} real blocks, an image {tuple(image.shape)}"
    rules = ", ".join(f"{block.shift:g} - x" for block in blocks)
    return f"{len(blocks)} toy blocks, which give {rules}; the image is {numbers_of(image)}"


def never_halves_a_map(blocks, image):
    maps = []
    for block in blocks:
        image = block(image)
        maps.append(image)
    return maps


def halves_the_image_first(blocks, image):
    maps = []
    for block in blocks:
        image = block(max_pool2d(image, 2))
        maps.append(image)
    return maps


def keeps_what_is_halved_after_the_block(blocks, image):
    maps = []
    for block in blocks:
        image = max_pool2d(block(image), 2)
        maps.append(image)
    return maps


def halves_after_the_block(blocks, image):
    maps = []
    for i in range(len(blocks)):
        image = blocks[i](image)
        if i > 0:
            image = max_pool2d(image, 2)
        maps.append(image)
    return maps


def keeps_what_goes_into_a_block(blocks, image):
    maps = []
    for i, block in enumerate(blocks):
        if i > 0:
            image = max_pool2d(image, 2)
        maps.append(image)
        image = block(image)
    return maps


def starts_from_the_image(blocks, image):
    return [block(max_pool2d(image, 2**i) if i else image) for i, block in enumerate(blocks)]


def starts_from_the_first_map(blocks, image):
    first = blocks[0](image)
    return [first] + [blocks[i](max_pool2d(first, 2**i)) for i in range(1, len(blocks))]


def halves_maps_by_the_mean(blocks, image):
    maps = [blocks[0](image)]
    for block in list(blocks)[1:]:
        maps.append(block(avg_pool2d(maps[-1], 2)))
    return maps


def takes_every_second_pixel(blocks, image):
    maps = [blocks[0](image)]
    for block in blocks[1:]:
        maps.append(block(maps[-1][:, :, ::2, ::2]))
    return maps


def starts_at_the_bottom(blocks, image):
    return encode(blocks, image)[::-1]


def keeps_the_image(blocks, image):
    return [image, *encode(blocks, image)]


def forgets_the_bottleneck(blocks, image):
    return encode(blocks, image)[:-1]


def forgets_the_top(blocks, image):
    return encode(blocks, image)[1:]


def keeps_the_last_map_alone(blocks, image):
    return encode(blocks, image)[-1:]


def returns_within_the_loop(blocks, image):
    return encode(blocks, image)[:1]


def uses_the_first_block_everywhere(blocks, image):
    maps = [blocks[0](image)]
    for _ in range(1, len(blocks)):
        maps.append(blocks[0](max_pool2d(maps[-1], 2)))
    return maps


def leaves_out_the_last_block(blocks, image):
    maps = encode(blocks, image)[:-1]
    return [*maps, max_pool2d(maps[-1], 2)]


def goes_one_block_too_far(blocks, image):
    maps = [blocks[0](image)]
    for i in range(len(blocks)):
        maps.append(blocks[i + 1](max_pool2d(maps[i], 2)))
    return maps


def returns_the_bottleneck(blocks, image):
    return encode(blocks, image)[-1]


def forgets_to_return_the_maps(blocks, image):
    encode(blocks, image)


def calls_the_list(blocks, image):
    return [blocks(image)]


EXERCISE_3_2 = FunctionExercise(
    number="3.2",
    title="The way down",
    difficulty="easy",
    minutes=5,
    reference=encode,
    cases=encoders,
    describe=describe_encoder,
    mistakes=[
        (never_halves_a_map, "No map is halved: from the second block on, halve the map before the block."),
        (halves_the_image_first, "The first block gets a halved image. It works on the image as it is."),
        (
            keeps_what_is_halved_after_the_block,
            "You keep each map after it has been halved. Keep what the block returns, and halve only what goes on to "
            "the next block.",
        ),
        (
            halves_after_the_block,
            "You halve after the block. Halve before it: every block but the first works on the smaller map.",
        ),
        (keeps_what_goes_into_a_block, "You keep what goes into each block. Keep what comes out of it."),
        (starts_from_the_image, "Every block starts from the image. It should take the map of the block before."),
        (
            starts_from_the_first_map,
            "Every block starts from the map of the first one. It should take the map of the block just before it.",
        ),
        (halves_maps_by_the_mean, "You halve by the mean: take `max_pool2d`."),
        (takes_every_second_pixel, "You keep every second pixel. Keep the largest of each cell: take `max_pool2d`."),
        (starts_at_the_bottom, "The order is reversed: the map of the first block, the largest, comes first."),
        (keeps_the_image, "The image itself is in the list: the first map is what the first block returns."),
        (forgets_the_bottleneck, "The last map, that of the bottleneck, is missing."),
        (forgets_the_top, "The map of the first block is missing: it is the first skip."),
        (keeps_the_last_map_alone, "Only the last map is in the list. The decoder needs all of them."),
        (
            returns_within_the_loop,
            "Only the first map is in the list. Does `return` stand inside the loop, so that it ends after one round?",
        ),
        (
            uses_the_first_block_everywhere,
            "The first block does the work of all: row i has its own block, `blocks[i]`.",
        ),
        (leaves_out_the_last_block, "The last map has been halved, but has not gone through its block."),
        (
            goes_one_block_too_far,
            "The loop asks for a block that is not there: the last one is `blocks[len(blocks) - 1]`.",
        ),
    ],
    also_wrong=[
        (returns_the_bottleneck, "should be a list, not a tensor"),
        (forgets_to_return_the_maps, "returns None"),
        (calls_the_list, "raises TypeError in line 2"),
    ],
)


# Exercise 3.3: Up, with any number of joins


class ToyJoin(nn.Module):
    """Takes the place of a join: ``factor`` times the skip, plus half of the map from below, stretched to its size."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, skip: Tensor, below: Tensor) -> Tensor:
        """Return a map of the size of the skip."""
        return self.factor * skip + 0.5 * interpolate(below, size=skip.shape[2:])


class RealJoin(nn.Module):
    """A node of the library's decoder, called with one skip instead of a list."""

    def __init__(self, node: nn.Module) -> None:
        super().__init__()
        self.node = node

    def forward(self, skip: Tensor, below: Tensor) -> Tensor:
        """Return the node's map."""
        joined: Tensor = self.node([skip], below)
        return joined


def decode(joins: Blocks, maps: list[Tensor]) -> Tensor:
    """Return the map of row 0; each row asks the one below for its map."""

    def map_of(row: int) -> Tensor:
        return maps[-1] if row == len(joins) else joins[row](maps[row], map_of(row + 1))

    return map_of(0)


def decoders(random: np.random.Generator) -> Iterator[tuple[Blocks, list[Tensor]]]:
    """Yield toy decoders and real ones, each with the maps of an encoder."""
    for depth in (2, 3):
        sides = [2 ** (depth - i) for i in range(depth + 1)]
        maps = [whole_numbers(random, 1, 1, side, side) for side in sides]
        yield tuple(ToyJoin(i + 1) for i in range(depth)), maps
    with torch.random.fork_rng(devices=()), torch.inference_mode():
        torch.manual_seed(0)
        for widths in ((2, 3, 5), (2, 4), (2, 3, 4, 2, 3)):
            net = UNet(widths=widths).eval()
            maps = [found.clone() for found in encode(tuple(net.encoder), random_image(random, 2, 1, 16, 32))]
            yield tuple(map(RealJoin, net.decoder)), maps


def describe_decoder(joins: Blocks, maps: list[Tensor]) -> str:
    """Return in words what the function is called with."""
    sides = ", ".join(f"{one.shape[2]} × {one.shape[3]}" for one in maps)
    rule = ": join i gives (i + 1) · skip + ½ · below, doubled" if isinstance(joins[0], ToyJoin) else ""
    return f"{len(joins)} {'toy' if rule else 'real'} joins{rule}; maps of {sides} pixels"


def starts_at_the_top(joins, maps):
    x = maps[-1]
    for i in range(len(joins)):
        x = joins[i](maps[i], x)
    return x


def reads_the_encoder_below(joins, maps):
    for i in reversed(range(len(joins))):
        x = joins[i](maps[i], maps[i + 1])
    return x


def stops_one_row_early(joins, maps):
    x = maps[-1]
    for i in range(len(joins) - 1, 0, -1):
        x = joins[i](maps[i], x)
    return x


def returns_after_the_first_join(joins, maps):
    return joins[-1](maps[-2], maps[-1])


def swaps_skip_and_below(joins, maps):
    x = maps[-1]
    for i in reversed(range(len(joins))):
        x = joins[i](x, maps[i])
    return x


def starts_above_the_bottleneck(joins, maps):
    x = maps[-2]
    for i in reversed(range(len(joins))):
        x = joins[i](maps[i], x)
    return x


def leaves_the_skips_out(joins, maps):
    x = maps[-1]
    for join in reversed(joins):
        x = join(x, x)
    return x


def takes_the_joins_from_the_top(joins, maps):
    x = maps[-1]
    for join, skip in zip(joins, maps[-2::-1], strict=True):
        x = join(skip, x)
    return x


def takes_the_skips_from_the_top(joins, maps):
    x = maps[-1]
    for join, skip in zip(reversed(joins), maps, strict=False):
        x = join(skip, x)
    return x


def joins_the_bottleneck_with_itself(joins, maps):
    x = maps[-1]
    for i in reversed(range(len(maps))):
        x = joins[i](maps[i], x)
    return x


def takes_the_skip_of_the_row_below(joins, maps):
    x = maps[-1]
    for i in reversed(range(len(joins))):
        x = joins[i](maps[i + 1], x)
    return x


def gives_the_bottleneck_to_every_join(joins, maps):
    for i in reversed(range(len(joins))):
        x = joins[i](maps[i], maps[-1])
    return x


def starts_from_the_first_map_of_all(joins, maps):
    x = maps[0]
    for i in reversed(range(len(joins))):
        x = joins[i](maps[i], x)
    return x


def takes_the_top_skip_everywhere(joins, maps):
    x = maps[-1]
    for i in reversed(range(len(joins))):
        x = joins[i](maps[0], x)
    return x


def uses_the_top_join_everywhere(joins, maps):
    x = maps[-1]
    for i in reversed(range(len(joins))):
        x = joins[0](maps[i], x)
    return x


def forgets_to_keep_what_the_join_returns(joins, maps):
    x = maps[-1]
    for i in reversed(range(len(joins))):
        joins[i](maps[i], x)
    return x


def takes_maps_away(joins, maps):
    x = maps.pop()
    for join in reversed(joins):
        x = join(maps.pop(), x)
    return x


def returns_all_maps(joins, maps):
    found = [maps[-1]]
    for i in reversed(range(len(joins))):
        found.append(joins[i](maps[i], found[-1]))
    return found


def gives_the_skip_alone(joins, maps):
    x = maps[-1]
    for i in reversed(range(len(joins))):
        x = joins[i](maps[i])
    return x


def forgets_to_return_the_map(joins, maps):
    decode(joins, maps)


EXERCISE_3_3 = FunctionExercise(
    number="3.3",
    title="The way up",
    difficulty="medium",
    minutes=8,
    reference=decode,
    cases=decoders,
    describe=describe_decoder,
    mistakes=[
        (starts_at_the_top, "The loop runs from the top to the bottom. The lowest join has to come first."),
        (
            reads_the_encoder_below,
            "Each join reads the encoder's map of the row below. It should read what the join below it has made.",
        ),
        (stops_one_row_early, "The loop ends one row too early: the join of row 0 is missing."),
        (
            returns_after_the_first_join,
            "Only the lowest join has run. Does `return` stand inside the loop, so that it ends after one round?",
        ),
        (swaps_skip_and_below, "The two arguments are swapped: a join takes the skip first, then the map from below."),
        (
            starts_above_the_bottleneck,
            "It starts from the map above the bottleneck. The bottleneck's map is the last one, `maps[-1]`.",
        ),
        (leaves_the_skips_out, "The skips are missing: the join of row i reads `maps[i]` and the map from below."),
        (uses_the_top_join_everywhere, "The join of row 0 does the work of all: row i has its own, `joins[i]`."),
        (takes_the_joins_from_the_top, "The skips run upwards, but the joins downwards: skip i belongs to `joins[i]`."),
        (takes_the_skips_from_the_top, "The joins run upwards, but the skips downwards: join i reads `maps[i]`."),
        (
            joins_the_bottleneck_with_itself,
            "The loop asks for a join that is not there: the bottleneck has none, so there is one join fewer.",
        ),
        (
            takes_the_skip_of_the_row_below,
            "Each join gets the encoder's map of the row below as its skip. The skip of row i is `maps[i]`.",
        ),
        (
            gives_the_bottleneck_to_every_join,
            "Every join gets the bottleneck's map from below. It should get what the join below it has made.",
        ),
        (starts_from_the_first_map_of_all, "It starts from `maps[0]`, the top. The way up starts from the last map."),
        (
            forgets_to_keep_what_the_join_returns,
            "It returns the bottleneck's map unchanged. Is the map that a join returns given a name, as in `x = …`?",
        ),
        (takes_the_top_skip_everywhere, "Every join gets the skip of row 0. The skip of row i is `maps[i]`."),
    ],
    also_wrong=[
        (takes_maps_away, "changes what it is given"),
        (returns_all_maps, "not a list"),
        (gives_the_skip_alone, "raises TypeError in line 4"),
        (forgets_to_return_the_map, "returns None"),
    ],
)


# Exercise 3.4: Find the lost connection


LOST = ((1, 0), (1, 2))  # the skip that the network of exercise 3.4 lost


EXERCISE_3_4 = WiringExercise(
    number="3.4",
    title="Find the lost connection",
    difficulty="medium",
    minutes=5,
    question="the connection that a U-Net has and the other network has not",
    solution=frozenset({LOST}),
    mistakes=[
        (frozenset({((0, 0), (0, 3))}), "The skip of row 0 is there: `a` reaches the last join untouched."),
        (
            frozenset({((2, 0), (2, 1))}),
            "The skip of row 2 is there: `c` is overwritten only after its join has read it.",
        ),
        (
            frozenset({LOST[::-1]}),
            "These are the right boxes. Write the one that gives first, then the one that reads.",
        ),
        (frozenset({((2, 1), (1, 2))}), "X^{1,2} does read the map of X^{2,1}, doubled. What else should it read?"),
        (frozenset({((3, 0), (2, 1))}), "X^{2,1} does read the bottleneck's map, `x`."),
        (frozenset({((1, 2), (0, 3))}), "X^{0,3} does read the map of X^{1,2}, which is called `b` by then."),
        *(
            (
                frozenset({((1, 0), (1, j))}),
                f"There is no X^{{1,{j}}} here: in this network the join of row 1 is X^{{1,2}}.",
            )
            for j in (1, 3, 4)
        ),
        (frozenset({((0, 0), (1, 0))}), "X^{0,0} → X^{1,0} lies in the encoder, which is the same in both networks."),
        (frozenset({((1, 0), (2, 0))}), "X^{1,0} → X^{2,0} lies in the encoder, which is the same in both networks."),
        (frozenset({((2, 0), (3, 0))}), "X^{2,0} → X^{3,0} lies in the encoder, which is the same in both networks."),
    ],
    also_wrong=[
        ({LOST, ((0, 0), (0, 3))}, "does not belong here"),
        (set(), "X^{1,2} does not see"),
        ((1, 0), "a pair of boxes"),
        ("row 1", "a pair of boxes"),
        ({(1, 2): 1}, "a pair of boxes"),
    ],
)


EXERCISE_3_5 = ChoiceExercise(
    number="3.5",
    title="A small loss and a black picture",
    difficulty="medium",
    minutes=3,
    question="Why is the loss near 0 and the prediction black?",
    options={
        "a": Option(
            "No pixel of this mask is equal to 1.",
            "Yes: the mask contains 0 and 255. The loss takes every pixel that is not 1 for membrane, so a black "
            "prediction is perfect.",
            right=True,
        ),
        "b": Option(
            "The learning rate is too high for this mask.",
            "Then the loss would jump or grow. This one falls, and close to 0.",
        ),
        "c": Option(
            "The network has too few parameters.",
            "The same network learned the same picture a moment ago. Only the file of the mask has changed.",
        ),
        "d": Option(
            "Most of the pixels in the mask are black.",
            "It is the other way round: most of the pixels are inside a cell, and white.",
        ),
    },
    also_wrong=[
        ("white", "by its letter"),
        (2, "by its letter"),
    ],
)


EXERCISE_3_6 = ChoiceExercise(
    number="3.6",
    title="Which skip would you miss most?",
    difficulty="medium",
    minutes=2,
    question="One of the four skips is switched off. Which one costs the most IoU?",
    options={
        "a": Option(
            "the lowest one, in row 3, which has 64 channels",
            "It has the most channels, but each of its pixels stands for 8 × 8 pixels of the image, and the bottleneck "
            "sees even further. Without it, the network loses little.",
        ),
        "b": Option(
            "all four about equally",
            "They carry different things: one of them costs more than the three others together.",
        ),
        "c": Option(
            "none of them, because the bottleneck has seen the whole image",
            "It has seen a large part of it, but in this network it has hardly learned to pass on fine positions, "
            "because the skips did.",
        ),
        "d": Option(
            "the top one, in row 0, which has 8 channels",
            "Yes. It alone is as fine as the image, and this network has learned to take fine positions from it.",
            right=True,
        ),
    },
    also_wrong=[
        ("row 0", "by its letter"),
        (0, "by its letter"),
    ],
    prediction=True,
)


EXERCISE_3_7 = ChoiceExercise(
    number="3.7",
    title="A skip from another image",
    difficulty="medium",
    minutes=2,
    question="The top skip comes from image 2, the rest from image 1. Which mask does the prediction fit better?",
    options={
        "a": Option(
            "that of image 1, which gave four of the five maps",
            "Four maps come from image 1, and yet the prediction fits the mask of image 2 better.",
        ),
        "b": Option(
            "neither, because the maps contradict each other",
            "It is far from either mask, but not equally far: it fits that of image 2 better.",
        ),
        "c": Option(
            "that of image 2, which gave the top skip",
            "Yes, although four of the five maps come from image 1.",
            right=True,
        ),
        "d": Option(
            "both equally, because the join mixes what it reads",
            "The join does mix them, but not half and half: the prediction fits the mask of image 2 better.",
        ),
    },
    also_wrong=[
        ("e", "by its letter"),
        ("image 2", "by its letter"),
    ],
    prediction=True,
)


EXERCISES = (EXERCISE_3_1, EXERCISE_3_2, EXERCISE_3_3, EXERCISE_3_4, EXERCISE_3_5, EXERCISE_3_6, EXERCISE_3_7)
