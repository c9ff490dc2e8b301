"""Training step and inference, side by side: our U-Net, UNet++ and its pruned depths, and MONAI's networks.

    python benchmarks/speed.py                      # 8 images of 96×96, as issue trackers quote it
    python benchmarks/speed.py --side 512 --batch 1 --compiled
    python benchmarks/speed.py --only "ours U-Net" --widths 64 128 256 512 1024 --side 572 --batch 8 --compiled
    pip install -e '.[bench]'                       # brings MONAI; without it, ours are timed alone

All contenders take turns in one process, so that a slow moment of the machine hits all of them; what is printed are
medians, and ratios of medians. The rate is held against the best convolution of the same network, measured alone in the
same run and precision. On a GPU ten steps are timed as one, for in training too the next is launched meanwhile; and
float32 means TF32 there, in which PyTorch's convolutions compute as it comes.
Nothing here is a test: a timing is a measurement of one machine at one time.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import torch
import tyro
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from unetpp_course.lab.timing import in_turn, seconds_of
from unetpp_lib.engine.loop import training_step
from unetpp_lib.engine.ready import prepare
from unetpp_lib.engine.runtime import Runtime, choose_runtime, provenance
from unetpp_lib.files import write_atomically
from unetpp_lib.losses import deep_supervision_loss
from unetpp_lib.models import SegmentationNetwork, UNet, UNetPlusPlus, prune
from unetpp_lib.models.profiling import PeakMemory


@dataclass(frozen=True)
class Settings:
    """What is timed, and how often."""

    side: int = 96
    """Side of the square images, in pixels."""
    batch: int = 8
    """Images a step."""
    widths: tuple[int, ...] = (32, 64, 128, 256, 512)
    """Channels of each level; MONAI's networks have five levels."""
    only: str = "*"
    """Time only the networks whose names match this pattern, for example "*UNet++"."""
    rounds: int = 9
    """How often each contender takes its turn."""
    warm_up: int = 2
    """Turns before that count for nothing; a compiled network is compiled in the first."""
    device: str = "auto"
    """auto, cpu, cuda …"""
    compiled: bool = False
    """Compile our networks as well (torch.compile), as further contenders."""
    out: Path | None = None
    """The JSON file to write; default: none."""


@dataclass(frozen=True)
class Way:
    """How a network is run."""

    name: str
    channels_last: bool
    bf16: bool
    compiled: bool = False


PLAIN = Way("float32, as it comes", channels_last=False, bf16=False)
LAYOUT = Way("float32, channels last", channels_last=True, bf16=False)
FAST = Way("bf16, channels last", channels_last=True, bf16=True)
COMPILED = Way("bf16, compiled", channels_last=True, bf16=True, compiled=True)


class Contender:
    """A network, run in one way on one batch."""

    def __init__(self, name: str, make: Callable[[], nn.Module], way: Way, images: Tensor, infers_only: bool) -> None:
        self.name, self.way, self.images, self.infers_only = name, way, images, infers_only
        torch.manual_seed(0)
        self.network = make().to(images.device)
        self.parameters = sum(parameter.numel() for parameter in self.network.parameters())
        if way.channels_last:
            self.network = self.network.to(memory_format=torch.channels_last)
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            self.network.eval()(images[:1])
        self.macs = counter.get_total_flops() // 2  # of one image
        self.best = best_rate(self.network, images, way)
        ours = isinstance(self.network, SegmentationNetwork)
        fused = True if ours and way is not PLAIN else None  # as training does
        self.optimizer = torch.optim.Adam(self.network.parameters(), fused=fused)
        self.masks = (torch.rand_like(images[:, :1]) < 0.8).to(torch.uint8)
        self.answering = self.network
        # float32 as it comes: on a GPU, PyTorch's convolutions are TF32 unless somebody forbids it
        self.runtime = Runtime(images.device, way.bf16, way.compiled, tf32=images.is_cuda and not way.bf16)
        if way.bf16 and isinstance(self.network, SegmentationNetwork):
            self.answering = self.runtime.compile(prepare(self.network, None, self.runtime))  # as `unetpp predict` does
            self.network = self.runtime.compile(self.network)

    def train(self) -> None:
        network = self.network.train()
        training_step(network, self.optimizer, self.images, self.masks, 1e-3, self.runtime, loss_of_any_network)

    def infer(self) -> None:
        self.answering.eval()
        with torch.inference_mode(), self.runtime.autocast():
            self.answering(self.images)

    @property
    def tasks(self) -> dict[str, Callable[[], None]]:
        return {"inference": self.infer} if self.infers_only else {"training": self.train, "inference": self.infer}


def loss_of_any_network(heads: Tensor | Sequence[Tensor], masks: Tensor) -> Tensor:
    """The loss of our networks, for those too that return a tensor in place of a list."""
    return deep_supervision_loss([heads] if isinstance(heads, Tensor) else heads, masks)


def best_rate(network: nn.Module, images: Tensor, way: Way) -> float:
    """Return the rate of the fastest of a network's convolutions, each alone on maps of its own size, in FLOP a second.

    Forward, channels last: the fast layout, whatever the way; so a slow layout shows as a small share.
    """
    shapes: dict[tuple[int, ...], nn.Conv2d] = {}

    def note(layer: nn.Conv2d, inputs: tuple[Tensor, ...], _: Tensor) -> None:
        shapes[(*layer.weight.shape, *inputs[0].shape[2:])] = layer

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    hooks = [layer.register_forward_hook(note) for layer in layers]  # type: ignore[arg-type]
    with torch.inference_mode():
        network.eval()(images[:1])
    for hook in hooks:
        hook.remove()
    dtype, rates = torch.bfloat16 if way.bf16 else torch.float32, []
    for (width, before, height, _, rows, columns), layer in shapes.items():
        alone = nn.Conv2d(before, width, height, padding=layer.padding, device=images.device, dtype=dtype)
        alone = alone.to(memory_format=torch.channels_last)
        maps = torch.randn(len(images), before, rows, columns, device=images.device, dtype=dtype)
        maps = maps.to(memory_format=torch.channels_last)
        with torch.inference_mode():
            seconds = min(seconds_of(lambda alone=alone, maps=maps: alone(maps), images.device) for _ in range(5))
        rates.append(2 * alone.weight.numel() * len(images) * rows * columns / seconds)
    return max(rates)


@contextmanager
def peak_memory(contender: Contender) -> Iterator[Callable[[], int]]:
    """Count the bytes alive at once: on a GPU as CUDA says, on a CPU those of all tensors, without work space."""
    device = contender.images.device
    contender.optimizer.zero_grad()  # the gradients that are counted are those of the step to come
    tensors = [contender.images, contender.masks, *contender.network.parameters(), *contender.network.buffers()]
    for values in contender.optimizer.state.values():
        tensors += [value for value in values.values() if isinstance(value, Tensor)]
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        others = torch.cuda.memory_allocated(device) - sum(tensor.nbytes for tensor in tensors)
        yield lambda: torch.cuda.max_memory_allocated(device) - others
        return
    with PeakMemory(tensors) as memory:
        yield lambda: memory.peak


def networks(settings: Settings) -> dict[str, Callable[[], nn.Module]]:
    """Return how to make each network; MONAI's are missing where it is not installed."""
    widths = settings.widths
    full = UNetPlusPlus(widths=widths).eval()
    made: dict[str, Callable[[], nn.Module]] = {
        "ours U-Net": lambda: UNet(widths=widths),
        "ours UNet++": lambda: UNetPlusPlus(widths=widths),
    }
    for depth in range(len(widths) - 2, 0, -1):
        made[f"ours UNet++ L{depth}"] = lambda depth=depth: prune(full, depth)  # type: ignore[misc]
    try:
        from monai.networks.nets import BasicUNet, BasicUNetPlusPlus
    except ImportError:
        print("MONAI is not installed (pip install -e '.[bench]'): our networks are timed alone.")
        return made
    features = (*widths, widths[0])  # its last number is the width of its last up-sampling node
    options: dict[str, Any] = {"spatial_dims": 2, "in_channels": 1, "out_channels": 1, "features": features}
    made["MONAI U-Net"] = lambda: BasicUNet(**options)
    made["MONAI UNet++"] = lambda: BasicUNetPlusPlus(deep_supervision=True, **options)
    return made


def make_contenders(settings: Settings, device: torch.device, compiled: bool) -> list[Contender]:
    torch.manual_seed(0)
    images = torch.randn(settings.batch, 1, settings.side, settings.side, device=device)
    ways = [PLAIN, LAYOUT, FAST] + [COMPILED] * compiled
    contenders = []
    for name, make in networks(settings).items():
        if not fnmatchcase(name, settings.only):
            continue
        pruned = name[-2:-1] == "L"
        for way in ways:
            if (pruned and way is LAYOUT) or (name.startswith("MONAI") and way is COMPILED):
                continue
            contenders.append(Contender(name, make, way, images, infers_only=pruned))
    return contenders


def time_in_turn(contenders: list[Contender], settings: Settings, device: torch.device) -> list[dict[str, Any]]:
    """Return one row a contender and task, its seconds in the order of the rounds."""
    turns = [(contender, task, work) for contender in contenders for task, work in contender.tasks.items()]
    tasks = {str(number): work for number, (_, _, work) in enumerate(turns)}
    seconds = in_turn(tasks, settings.rounds, device, settings.warm_up).values()
    rows = []
    for (contender, task, work), spent in zip(turns, seconds, strict=True):
        flop = contender.macs * settings.batch * (6 if task == "training" else 2)
        rate = flop / median(spent)
        row = {"network": contender.name, "way": contender.way.name, "task": task, "seconds": spent}
        row |= {"median": median(spent), "parameters": contender.parameters, "macs": contender.macs}
        row["images_per_second"] = round(settings.batch / median(spent), 2)
        row |= {"flop_per_second": round(rate), "best_convolution": round(contender.best)}
        if not contender.way.compiled or device.type == "cuda":
            with peak_memory(contender) as peak:
                work()
            row["peak_memory"] = peak()
        rows.append(row)
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as text; "×" is how many times as fast as the same kind of network of MONAI, as it comes."""
    reference = {
        (row["network"].split()[1], row["task"]): row["median"]
        for row in rows
        if row["network"].startswith("MONAI") and row["way"] == PLAIN.name
    }
    lines = []
    for task in ("training", "inference"):
        lines.append(
            f"{task:<18}{'way':<24}{'seconds':>9}{'images/s':>10}{'× MONAI':>9}{'GFLOP/s':>9}{'of best':>9}{'MACs':>10}"
            f"{'memory':>11}"
        )
        for row in rows:
            if row["task"] != task:
                continue
            theirs = reference.get((row["network"].split()[1], task))
            ratio = f"{theirs / row['median']:.2f}" if theirs else ""
            share = row["flop_per_second"] / row["best_convolution"]
            memory = f"{row['peak_memory'] / 2**20:.0f} MiB" if "peak_memory" in row else ""
            lines.append(
                f"{row['network']:<18}{row['way']:<24}{row['median']:>9.4f}{row['images_per_second']:>10.2f}{ratio:>9}"
                f"{row['flop_per_second'] / 1e9:>9.0f}{share:>9.0%}{row['macs'] / 1e9:>8.2f} G{memory:>11}"
            )
        lines.append("")
    parameters = {row["network"]: f"{row['parameters']:,}" for row in rows}
    return "\n".join([*lines, "parameters: " + "; ".join(f"{name} {count}" for name, count in parameters.items())])


def main(settings: Settings) -> None:
    runtime = choose_runtime(settings.device, compiled=settings.compiled)  # or a line says that nothing compiles
    try:
        monai = version("monai")
    except PackageNotFoundError:
        monai = None
    contenders = make_contenders(settings, runtime.device, runtime.compiled)
    if not contenders:
        raise SystemExit(f"No network matches {settings.only!r}; there are {', '.join(networks(settings))}.")
    rows = time_in_turn(contenders, settings, runtime.device)
    print(f"{runtime}; {settings.batch} images of {settings.side}×{settings.side} a step; medians of {settings.rounds}")
    print(table(rows))
    if settings.out is not None:
        chosen = {name: value for name, value in asdict(settings).items() if name != "out"}
        result = {"settings": chosen, "rows": rows, "provenance": provenance(runtime) | {"monai": monai}}
        write_atomically(settings.out, json.dumps(result, indent=1) + "\n")
        print(f"Wrote {settings.out}.")


if __name__ == "__main__":
    main(tyro.cli(Settings, description=__doc__))
