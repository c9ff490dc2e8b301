"""What the UNet++ of two other libraries does, found out by calling it: `python benchmarks/other_libraries.py`.

The table on the page "UNet++ in other libraries" is tested against what this prints. A library that is not installed is
left out: `pip install -e '.[bench]'` brings both. No network is needed, because no pretrained weights are loaded.
"""

import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from unetpp_lib.models import UNetPlusPlus

LIBRARIES = {"unetpp": "unetpp_lib", "segmentation_models_pytorch": "segmentation_models_pytorch", "monai": "monai"}
SIZES = ((64, 96), (48, 48), (50, 70), (33, 33), (17, 17), (16, 16))  # (H, W) that are tried
UPSAMPLING = {nn.ConvTranspose2d: "transposed convolution", nn.Upsample: "interpolation"}
NORMS = {nn.BatchNorm2d: "batch", nn.InstanceNorm2d: "instance", nn.GroupNorm: "group"}


def is_installed(library: str) -> bool:
    """Return whether a library can be imported here."""
    return find_spec(LIBRARIES[library]) is not None


def version_of(library: str) -> str:
    """Return a library's version."""
    try:
        return version(library)
    except PackageNotFoundError:
        return version(library.replace("_", "-"))


def make_ours(deep_supervision: bool) -> nn.Module:
    """Return this course's network, narrow: what is asked here does not depend on its width."""
    return UNetPlusPlus(widths=(4, 8, 16, 32, 64), deep_supervision=deep_supervision)


def make_smp(deep_supervision: bool) -> nn.Module:  # noqa: ARG001 (all makers take it)
    """Return that of segmentation_models.pytorch, whose one network has no deep supervision."""
    from segmentation_models_pytorch import UnetPlusPlus

    return UnetPlusPlus("resnet18", encoder_weights=None, in_channels=1, classes=1)


def make_monai(deep_supervision: bool) -> nn.Module:
    """Return that of MONAI; what it prints when it is made, as older versions do, is left out."""
    from monai.networks.nets import BasicUNetPlusPlus

    with redirect_stdout(io.StringIO()):
        return BasicUNetPlusPlus(spatial_dims=2, in_channels=1, out_channels=1, deep_supervision=deep_supervision)


MAKERS: dict[str, Callable[[bool], nn.Module]] = {
    "unetpp": make_ours,
    "segmentation_models_pytorch": make_smp,
    "monai": make_monai,
}


def outputs_of(network: nn.Module, image: Tensor) -> list[Tensor]:
    """Return the network's outputs as a list, whatever it returns."""
    out = network(image)
    return [out] if isinstance(out, Tensor) else list(out)


def sizes_taken(network: nn.Module) -> list[tuple[int, int]]:
    """Return those of SIZES for which the network returns maps of the image's size."""
    taken = []
    for size in SIZES:
        try:
            outputs = outputs_of(network, torch.rand(1, 1, *size))
        except (RuntimeError, ValueError):
            continue
        if all(out.shape[2:] == size for out in outputs):
            taken.append(size)
    return taken


def maps_at_full_resolution(network: nn.Module, side: int = 64) -> int:
    """Return how many different maps of the image's size some convolution reads, the image itself left out."""
    seen: set[int] = set()
    kept: list[Tensor] = []  # so that no two tensors share an address

    def note(module: nn.Module, _given: tuple[Tensor, ...], made: Tensor) -> None:
        if made.shape[2:] == (side, side) and not isinstance(module, nn.ConvTranspose2d):
            kept.append(made)
            seen.add(id(made))

    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
    handles = [module.register_forward_hook(note) for module in convolutions]
    outputs_of(network, torch.rand(1, 1, side, side))
    for handle in handles:
        handle.remove()
    return len(seen) // 2  # every node has two convolutions


def unused_parameters(network: nn.Module) -> int:
    """Return how many parameters no output of the network depends on."""
    total = torch.stack([out.sum() for out in outputs_of(network, torch.rand(2, 1, 64, 64))]).sum()
    total.backward()
    return sum(parameter.numel() for parameter in network.parameters() if parameter.grad is None)


def kinds(network: nn.Module, names: dict[type[nn.Module], str]) -> str:
    """Return which of some kinds of layers a network contains."""
    return ", ".join(sorted({name for kind, name in names.items() for m in network.modules() if isinstance(m, kind)}))


def reads_all_nodes(network: nn.Module) -> bool:
    """Return whether the first output alone costs the whole forward pass: every layer runs, whatever is asked for."""
    ran: set[str] = set()
    layers = {name: module for name, module in network.named_modules() if isinstance(module, nn.Conv2d)}
    handles = [m.register_forward_hook(lambda *_, name=name: ran.add(name)) for name, m in layers.items()]
    outputs_of(network, torch.rand(1, 1, 64, 64))[0]
    for handle in handles:
        handle.remove()
    return ran == layers.keys()


def behaviour(library: str) -> dict[str, object]:
    """Return what was found out about a library's UNet++."""
    torch.manual_seed(0)
    make = MAKERS[library]
    supervised, plain = make(True).eval(), make(False)
    found: dict[str, object] = {
        "version": version_of(library),
        "outputs with deep supervision": len(outputs_of(supervised, torch.rand(1, 1, 64, 64))),
        "sizes": sizes_taken(supervised),
        "maps at full resolution": maps_at_full_resolution(supervised),
        "first output alone runs everything": reads_all_nodes(supervised),
        "parameters without effect, supervision off": unused_parameters(plain),
        "up-sampling layers": kinds(plain, UPSAMPLING) or "none: a function",
        "normalisation": kinds(plain, NORMS),
    }
    if library == "monai":
        from monai.losses import DeepSupervisionLoss

        found["weights of the heads' losses"] = DeepSupervisionLoss(nn.MSELoss()).get_weights(4)
    return found


def main(libraries: Sequence[str] = tuple(LIBRARIES)) -> None:
    """Print what was found out about each library that is installed."""
    for library in libraries:
        if not is_installed(library):
            print(f"{library}: not installed")
            continue
        print(library)
        for name, value in behaviour(library).items():
            print(f"    {name}: {value}")


if __name__ == "__main__":
    main()
