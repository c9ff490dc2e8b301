"""Where does the time of a training step go? The full UNet++ as PyTorch comes, and then faster, one change at a time.

A step is what `train` makes of a batch: augmentation, forward pass, loss, backward pass, Adam. All ways take turns in
one process, so that a slow moment of the machine hits all of them, and the best convolution of the network's sizes is
measured alone in the same run. On the CPU a step has one patch, on a GPU the batch of the `full` preset; there several
steps are timed as one, as Python launches the next while the device is at work, and the profile says how long it waits.
Without bf16 a GPU's convolutions compute in TF32, as PyTorch comes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import median

import torch
from torch import Tensor, nn
from torch.autograd import DeviceType  # type: ignore[attr-defined]
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile, record_function
from torch.utils.flop_counter import FlopCounterMode

from unetpp_course.lab.base import Experiment, Outcome, Trial
from unetpp_course.lab.timing import in_turn, seconds_of, steps_a_turn
from unetpp_lib.data import Augmentation
from unetpp_lib.engine import PRESETS, choose_runtime
from unetpp_lib.engine.loop import make_optimizer, training_step
from unetpp_lib.engine.runtime import Runtime
from unetpp_lib.losses import deep_supervision_loss
from unetpp_lib.models import SegmentationNetwork

FULL = PRESETS["full"]
BATCH = {"cpu": 1, "cuda": FULL.batch_size}
ROUNDS = 5
RATE = 1e-3
WAYS = {  # channels last, bf16, compiled
    "as PyTorch comes": (False, False, False),
    "channels last": (True, False, False),
    "and bf16": (True, True, False),
    "and compiled": (True, True, True),
}

# all that runs within a range of the profile, by its name
PHASES = {"augmentation": "augmentation", "loss": "loss", "Optimizer.step#Adam.step": "Adam"}
# what other operations are for, by parts of their names in small letters: the first that fits
FAMILIES = {
    "convolution": ("conv",),
    "normalisation": ("norm",),
    "fused loops": ("compiled", "triton", "graph_"),
    "ReLU, pooling": ("relu", "clamp_min", "threshold", "max_pool"),
    "joining, cropping": ("::cat", "catbackward", "index", "slice", "narrow"),
    "copying, adding": ("copy", "clone", "aten::to", "fill_", "zero", "aten::add", "accumulategrad"),
}
REST = "the rest"
IDLE = "the GPU waits"  # no kernel and no copy under way: Python has not launched the next one yet


def make_step(network: nn.Module, images: Tensor, masks: Tensor, runtime: Runtime) -> Callable[[], Tensor]:
    """Return a function that makes one training step on normalised images and masks, and returns the loss."""
    optimizer = make_optimizer(network)
    augment, generator = Augmentation(), torch.Generator(images.device).manual_seed(0)

    def loss(heads: Sequence[Tensor], target: Tensor) -> Tensor:
        with record_function("loss"):
            return deep_supervision_loss(heads, target)

    def step() -> Tensor:
        with record_function("augmentation"):
            x, y = augment(images, masks, generator)
        return training_step(network, optimizer, x, y, RATE, runtime, loss)

    return step


def count_flop(network: SegmentationNetwork, batch: int, side: int) -> int:
    """Return the floating-point operations of all convolutions in one training step; nothing is computed for it."""
    images = torch.empty(batch, network.in_channels, side, side, device="meta")
    with FlopCounterMode(display=False) as counter:
        torch.stack([head.sum() for head in network.to("meta")(images)]).sum().backward()  # type: ignore[no-untyped-call]
    return int(counter.get_total_flops())


def best_convolution(device: torch.device, bf16: bool, batch: int, widths: tuple[int, ...], side: int) -> float:
    """Return the highest rate of a 3×3 convolution of the network's widths and sizes, forward, in FLOP a second."""
    dtype, rates = torch.bfloat16 if bf16 else torch.float32, []
    calls = 20 if device.type == "cuda" else 1  # a GPU's launch may take as long as its work; several overlap
    for level, width in enumerate(widths):
        layer = nn.Conv2d(width, width, 3, padding=1, device=device, dtype=dtype)
        maps = torch.randn(batch, width, side >> level, side >> level, device=device, dtype=dtype)
        layer, maps = layer.to(memory_format=torch.channels_last), maps.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

        def work(layer: nn.Conv2d = layer, maps: Tensor = maps) -> None:
            for _ in range(calls):
                layer(maps)

        with torch.inference_mode():
            seconds = min(seconds_of(work, device) for _ in range(8)) / calls
        rates.append(2 * 9 * width**2 * maps[:, 0].numel() / seconds)
    return max(rates)


def profile_families(step: Callable[[], object], device: torch.device) -> dict[str, float]:
    """Return the seconds of one step by family of operations: the device's own, the rest the clock's."""
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (device.type == "cuda")
    steps = steps_a_turn(device)
    with profile(activities=activities) as profiler:
        total = seconds_of(lambda: [step() for _ in range(steps)], device)
    families = dict.fromkeys((*FAMILIES, *PHASES.values(), REST), 0.0)
    events = profiler.events() or ()
    for event in events:
        if event.device_type == DeviceType.CPU:  # a kernel's time stands at the operation that launched it, too
            own = event.self_device_time_total if device.type == "cuda" else event.self_cpu_time_total
            families[family_of(event)] += own / 1e6
    if device.type == "cuda":
        work = (event for event in events if event.device_type == DeviceType.CUDA and not event.is_user_annotation)
        busy = covered((event.time_range.start, event.time_range.end) for event in work) / 1e6
        families[IDLE] = max(0.0, total - busy)
    families[REST] += max(0.0, total - sum(families.values()))
    return {family: round(seconds / steps, 5) for family, seconds in families.items()}


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Return the length that spans cover together, each a start and an end; they may overlap."""
    length, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        length += max(0.0, end - max(start, until))
        until = max(until, end)
    return length


def family_of(event: FunctionEvent) -> str:
    """Return the family of an operation: the phase that it runs in, or else what its name says."""
    ancestor: FunctionEvent | None = event
    while ancestor is not None:
        if ancestor.name in PHASES:
            return PHASES[ancestor.name]
        ancestor = ancestor.cpu_parent
    name = event.name.lower()
    return next((family for family, parts in FAMILIES.items() if any(part in name for part in parts)), REST)


def make_way(name: str, device: torch.device) -> Callable[[], Tensor]:
    """Return a step of the full network in one of the ways; all ways start from the same weights and batch."""
    channels_last, bf16, compiled = WAYS[name]
    torch.manual_seed(0)
    network = FULL.build_model().to(device).train()
    images = torch.randn(BATCH[device.type], 1, FULL.patch, FULL.patch, device=device)
    masks = (torch.rand(images.shape, device=device) < 0.8).to(torch.uint8)
    if channels_last:
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    runtime = Runtime(device, bf16, compiled, tf32=device.type == "cuda" and not bf16)
    return make_step(runtime.compile(network), images, masks, runtime)


def measure(kind: str) -> Outcome:
    """Return the seconds of each way's steps, one of them by family, and the rates of the best convolutions."""
    runtime = choose_runtime(kind, compiled=True)
    device, batch = runtime.device, BATCH[kind]
    ways = [name for name, (_, _, compiled) in WAYS.items() if runtime.compiled or not compiled]
    steps = {name: make_way(name, device) for name in ways}
    seconds = in_turn(steps, ROUNDS, device)
    rates = {
        name: round(best_convolution(device, bf16, batch, FULL.widths, FULL.patch))
        for name, bf16 in (("float32", False), ("bf16", True))
    }
    families = {}  # of the fastest of several steps: what else runs on the machine can only add time
    for name, step in steps.items():
        families[name] = min((profile_families(step, device) for _ in range(ROUNDS)), key=lambda one: sum(one.values()))
    return {
        "runtime": str(replace(runtime, bf16=False, compiled=False)).removesuffix(", float32"),
        "flop": count_flop(FULL.build_model(), batch, FULL.patch),
        "convolution": rates,
        "seconds": seconds,
        "families": families,
    }


def rate_of(outcome: Outcome, way: str) -> float:
    """Return the rate of the best convolution in a way's precision, in FLOP a second."""
    return float(outcome["convolution"]["bf16" if WAYS[way][1] else "float32"])


def split_step(outcome: Outcome, way: str) -> tuple[float, float]:
    """Return the seconds that the convolutions of a way's profiled step take, and those of all else."""
    families = outcome["families"][way]
    return families["convolution"], sum(families.values()) - families["convolution"]


def table(results: Mapping[str, Outcome]) -> str:
    """Return for each way its step, how much faster that is, its share of the best convolution's rate, its families."""
    lines = []
    for outcome in results.values():
        first = median(outcome["seconds"]["as PyTorch comes"])
        lines.append(f"{outcome['runtime']}, {outcome['flop'] / 1e9:.0f} GFLOP a step; medians of interleaved steps")
        lines.append(f"{'':18}seconds  times as fast  of the best convolution's rate")
        for way, seconds in outcome["seconds"].items():
            step = median(seconds)
            share = outcome["flop"] / step / rate_of(outcome, way)
            lines.append(f"{way:18}{step:<9.3f}{first / step:<15.2f}{share:.0%}")
        lines.append(f"\n{'% of a step':18}" + "".join(f"{way:18}" for way in outcome["families"]).rstrip())
        for family in next(iter(outcome["families"].values())):
            parts = [found[family] / sum(found.values()) for found in outcome["families"].values()]
            lines.append(f"{family:18}" + "".join(f"{part:<18.0%}" for part in parts).rstrip())
    return "\n".join(lines)


def make_trial(kind: str) -> Trial:
    """Return the trial of one kind of device; it raises InputError where there is none."""
    settings = {"device": kind, "batch": BATCH[kind], "side": FULL.patch, "widths": FULL.widths, "rounds": ROUNDS}
    return Trial(kind, settings | {"seed": 0}, lambda: measure(kind))


QUESTION = "Where does the time of a full training step go, and what do layout, bf16 and compilation change?"
EXPERIMENT = Experiment("step_profile", QUESTION, tuple(map(make_trial, BATCH)), table)
