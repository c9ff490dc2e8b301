"""U-Net and UNet++ against the published counts and against equation 1 written out."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unetpp_lib.errors import InputError
from unetpp_lib.models import ConvBlock, UNet, UNetPlusPlus, compute_matched_unet, wide_unet

SMALL = (4, 6, 8, 10, 12)
NORMS = ["batch", "group", "instance", None]


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ({"norm": None}, (7_759_521, 9_282_246, 8_728_257, 9_041_601)),
        ({"norm": "batch"}, (7_765_409, 9_288_686, 8_735_553, 9_048_897)),
        ({"norm": "batch", "upsample": "bilinear"}, (7_851_969, 9_392_286, 8_849_409, 9_162_753)),
    ],
)
def test_parameter_counts_are_those_of_the_official_networks(options, counts):
    single = {"deep_supervision": False, **options}
    with torch.device("meta"):  # no weights are drawn, here and in the next two
        models = UNet(**options), wide_unet(**options), UNetPlusPlus(dense=False, **single), UNetPlusPlus(**single)
    assert tuple(map(count, models)) == counts


def test_every_normalisation_learns_a_scale_and_a_shift():
    with torch.device("meta"):
        assert count(UNet(norm="instance")) == count(UNet(norm="group")) == count(UNet(norm="batch"))


def test_each_head_after_the_first_adds_33_parameters_and_two_input_channels_576():
    with torch.device("meta"):
        assert count(UNetPlusPlus(norm=None)) == 9_041_601 + 3 * 33
        assert count(UNet(in_channels=3, norm=None)) == 7_759_521 + 576


def reference_unetpp(model: UNetPlusPlus, x: torch.Tensor) -> list[torch.Tensor]:
    """Equation 1 as a recursion over (i, j) on the weights alone (no norm, transposed up-sampling)."""
    weights = model.state_dict()

    def h(prefix, x):
        for conv in ("conv1", "conv2"):
            x = F.relu(F.conv2d(x, weights[f"{prefix}.{conv}.weight"], weights[f"{prefix}.{conv}.bias"], padding=1))
        return x

    def node(i, j):
        if j == 0:
            return h(f"nodes.{i}.0", x if i == 0 else F.max_pool2d(node(i - 1, 0), 2))
        name = f"nodes.{i}.{j}"
        below = F.conv_transpose2d(node(i + 1, j - 1), weights[f"{name}.up.weight"], weights[f"{name}.up.bias"], 2)
        skips = [node(i, k) for k in range(j)] if model.dense else [node(i, j - 1)]
        return h(f"{name}.block", torch.cat([*skips, below], 1))

    return [
        F.conv2d(node(0, depth), weights[f"heads.{h}.weight"], weights[f"heads.{h}.bias"])
        for h, depth in enumerate(model.head_depths)
    ]


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("supervised", [True, False])
def test_the_logits_are_those_of_equation_1(dense, supervised):
    torch.manual_seed(0)
    model = UNetPlusPlus(widths=SMALL, norm=None, dense=dense, deep_supervision=supervised).double().eval()
    x = torch.randn(2, 1, 32, 16, dtype=torch.float64)
    expected = reference_unetpp(model, x)
    assert len(expected) == (4 if supervised else 1)
    for got, want in zip(model(x), expected, strict=True):
        torch.testing.assert_close(got, want)


def test_unet_is_the_encoder_the_skips_and_the_decoder():
    torch.manual_seed(0)
    model = UNet(widths=(4, 6, 8)).double().eval()
    x = torch.randn(1, 1, 12, 8, dtype=torch.float64)
    a = model.encoder[0](x)
    b = model.encoder[1](F.max_pool2d(a, 2))
    c = model.encoder[2](F.max_pool2d(b, 2))
    d = model.decoder[1].block(torch.cat([b, model.decoder[1].up(c)], 1))
    e = model.decoder[0].block(torch.cat([a, model.decoder[0].up(d)], 1))
    torch.testing.assert_close(model(x), [model.heads[0](e)])


def reached_from(i: int, j: int, depth: int, dense: bool) -> set[tuple[int, int]]:
    """The nodes that equation 1 lets a change of X^{i,j} reach, itself included."""
    reached = {(i, j)}
    for column in range(depth + 1):
        for row in range(depth - column + 1):
            if column == 0:
                parents = {(row - 1, 0)}
            else:
                left = range(column) if dense else [column - 1]
                parents = {(row, k) for k in left} | {(row + 1, column - 1)}
            if parents & reached:
                reached.add((row, column))
    return reached


@pytest.mark.parametrize("dense", [True, False])
def test_a_change_at_a_node_reaches_exactly_the_nodes_that_equation_1_says(dense):
    torch.manual_seed(0)
    model = UNetPlusPlus(widths=SMALL, norm="instance", dense=dense).eval()
    x = torch.randn(1, 1, 32, 32)
    with torch.no_grad():
        before = model.node_features(x)
        for i in range(5):
            for j in range(5 - i):
                # the whole map is disturbed, so that no ReLU or pooling can hide the change
                hook = model.nodes[i][j].register_forward_hook(lambda _m, _a, out: out + torch.rand_like(out))
                after = model.node_features(x)
                hook.remove()
                changed = {(a, b) for a in range(5) for b in range(5 - a) if not torch.equal(before[a][b], after[a][b])}
                assert changed == reached_from(i, j, 4, dense), (i, j)


@pytest.mark.parametrize("supervised", [True, False])
@pytest.mark.parametrize("dense", [True, False])
def test_every_parameter_receives_a_gradient(supervised, dense):
    torch.manual_seed(0)
    model = UNetPlusPlus(widths=SMALL, deep_supervision=supervised, dense=dense)
    sum(logits.square().sum() for logits in model(torch.randn(2, 1, 32, 32))).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []
    assert len(model.heads) == (4 if supervised else 1)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("network", [UNet, UNetPlusPlus])
def test_logits_have_the_size_of_the_image_whatever_it_is(network, norm):
    torch.manual_seed(0)
    model = network(widths=SMALL, norm=norm).eval()
    for size in [(1, 1), (1, 17), (2, 3), (16, 16), (33, 47), (31, 100)]:
        heads = model(torch.randn(1, 1, *size))
        assert all(logits.shape == (1, 1, *size) and logits.isfinite().all() for logits in heads)


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("classes", [1, 2, 7])
@pytest.mark.parametrize("depth", [1, 2, 6])
def test_channels_classes_and_depths_are_free(channels, classes, depth):
    model = UNetPlusPlus(channels, classes, widths=(4,) * (depth + 1))
    heads = model(torch.randn(2, channels, 19, 70))
    assert [tuple(logits.shape) for logits in heads] == [(2, classes, 19, 70)] * depth


def test_padding_mirrors_the_image_at_its_bottom_and_right():
    image = torch.arange(15.0).reshape(1, 1, 3, 5)
    model, seen = UNet(widths=(1, 1)).eval(), []
    model.encoder[0].register_forward_pre_hook(lambda _module, inputs: seen.extend(inputs))
    model(image)
    torch.testing.assert_close(seen, [F.pad(image, (0, 1, 0, 1), mode="reflect")])


def test_training_on_one_value_a_channel_is_refused_with_the_remedy():
    model = UNetPlusPlus(widths=SMALL)
    with pytest.raises(InputError, match=r"one value per channel.*batch of 2.*larger images.*group"):
        model(torch.randn(1, 1, 16, 16))
    assert len(model(torch.randn(2, 1, 16, 16))) == 4
    assert len(model(torch.randn(1, 1, 17, 16))) == 4


def test_instance_norm_trains_on_the_smallest_image():
    model = UNet(widths=SMALL, norm="instance").train()
    assert model(torch.randn(1, 1, 1, 1))[0].isfinite().all()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.slow
def test_export_keeps_the_sizes_dynamic(norm):
    torch.manual_seed(0)
    model = UNetPlusPlus(widths=SMALL, norm=norm).eval()
    # from 17: at the bottom, a map of one pixel is a case of its own for torch.export
    height, width = (torch.export.Dim(name, min=17, max=4096) for name in "HW")
    dynamic = {0: torch.export.Dim("N", max=64), 2: height, 3: width}
    program = torch.export.export(model, (torch.randn(2, 1, 40, 56),), dynamic_shapes=(dynamic,)).module()
    for size in [(1, 1, 33, 47), (3, 1, 17, 32), (2, 1, 31, 100)]:
        x = torch.randn(size)
        torch.testing.assert_close(program(x), model(x))


def test_the_arguments_make_the_same_architecture_again():
    model = UNetPlusPlus(3, 2, SMALL, "group", "bilinear", 0.1, deep_supervision=False, dense=False)
    again = UNetPlusPlus(**model.arguments)
    assert again.arguments == model.arguments
    again.load_state_dict(model.state_dict())


def test_group_norm_divides_any_width():
    assert ConvBlock(1, 64, norm="group").norm1.num_groups == 8
    assert ConvBlock(1, 12, norm="group").norm1.num_groups == 4
    assert ConvBlock(1, 7, norm="group").norm1.num_groups == 1


def test_convolutions_start_as_in_the_unet_paper_and_whole_channels_drop_out():
    torch.manual_seed(0)
    block = ConvBlock(64, 64, norm=None, dropout=0.5)
    for conv in (block.conv1, block.conv2):
        assert conv.weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)
        assert not conv.bias.any()
    x = torch.randn(8, 64, 6, 6)
    dropped = (block.train()(x) == 0).all(dim=(2, 3)).float().mean().item()
    assert dropped == pytest.approx(0.5, abs=0.1)
    assert not torch.equal(block(x), block(x))
    assert torch.equal(block.eval()(x), block(x))


def test_compute_matched_unet_is_the_smallest_not_below_unetpp():
    widths = compute_matched_unet().widths
    assert widths == tuple(51 * 2**i for i in range(5))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"widths": (8,)}, "widths is .*2 to 7"),
        ({"widths": (8,) * 8}, "widths is .*2 to 7"),
        ({"widths": (8, 0)}, "widths"),
        ({"widths": 8}, "widths is 8; give 2 to 7 positive whole numbers"),
        ({"widths": "48"}, "widths is '48'; give"),
        ({"widths": {4, 8}}, "widths is .*; give"),
        ({"widths": (4.5, 8)}, r"widths is \(4\.5, 8\); give"),
        ({"widths": (True, 8)}, r"widths is \(True, 8\); give"),
        ({"in_channels": 1.5}, "in_channels is 1.5; it must be a whole number"),
        ({"num_classes": "2"}, "num_classes is '2'; it must be a whole number"),
        ({"norm": "layer"}, "norm is 'layer'; choose"),
        ({"upsample": "nearest"}, "upsample is 'nearest'; choose"),
        ({"in_channels": 0}, "in_channels=0"),
        ({"num_classes": 0}, "num_classes=0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"pad_multiple": 8}, "pad_multiple is 8; depth 4 needs a multiple of 16"),
    ],
)
def test_a_wrong_argument_is_named(arguments, message):
    with pytest.raises(InputError, match=message):
        UNetPlusPlus(**arguments)


def test_an_image_with_other_channels_is_named():
    with pytest.raises(InputError, match=r"\(1, 3, 8, 8\); this network takes \(N, 1, H, W\)"):
        UNet(widths=SMALL)(torch.zeros(1, 3, 8, 8))
