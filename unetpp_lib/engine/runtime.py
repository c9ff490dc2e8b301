"""Where and how networks run: device, precision, memory layout and compilation are decided here."""

import os
import platform
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import nn

from unetpp_lib import __version__
from unetpp_lib.errors import InputError
from unetpp_lib.models import SegmentationNetwork

Precision = Literal["auto", "bf16", "tf32", "float32"]


def _processor() -> dict[str, Any]:
    """Return the processor's name and instruction sets; empty if this version of PyTorch cannot tell."""
    return dict(getattr(torch.cpu, "get_capabilities", dict)())


def _bf16_is_fast(device: torch.device) -> bool:
    """Return whether the hardware has instructions for bf16; emulated bf16 is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        used = torch.backends.cpu.get_cpu_capability() not in (
            "DEFAULT",
            "AVX2",
        )  # by ATEN_CPU_CAPABILITY it may not be
        return used and bool(_processor().get("avx512_bf16") or _processor().get("amx_bf16"))
    return False


@dataclass(frozen=True)
class Runtime:
    """How networks run on this machine; `choose_runtime` makes one."""

    device: torch.device
    bf16: bool
    compiled: bool = False
    tf32: bool = False

    @property
    def precision(self) -> str:
        """The number format of convolutions: bf16, tf32 (float32 with a mantissa of 10 bits) or float32."""
        if self.bf16:
            return "bf16"
        return "tf32" if self.tf32 else "float32"

    def place(self, model: SegmentationNetwork) -> SegmentationNetwork:
        """Move ``model`` to the device, channels last (fast; not on Apple's GPU); return it."""
        model.to(self.device)
        if self.device.type == "mps":
            return model
        return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def compile(self, network: nn.Module, captured: bool = True) -> nn.Module:
        """Return ``network`` compiled for batches of one size, or unchanged if `compiled` is False.

        The result shares its weights with ``network``. On a GPU a ``captured`` network runs as one CUDA graph, whose
        next run overwrites its outputs and gradients. DistributedDataParallel keeps gradients, so it must not be
        captured (PyTorch's issues 128218 and 139207).
        """
        if not self.compiled:
            return network
        captured = captured and self.device.type == "cuda"
        return torch.compile(network, dynamic=False, mode="reduce-overhead" if captured else None)  # type: ignore[return-value]

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """Compute forward passes within the block in the runtime's precision."""
        with self.arithmetic(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            yield

    @contextmanager
    def arithmetic(self) -> Iterator[None]:
        """Within the block, let cuDNN's convolutions use TF32 only if this runtime does, in backward passes too.

        By default PyTorch allows cuDNN to use TF32, so "float32" on a GPU would mean TF32. (The older setting
        ``torch.backends.cudnn.allow_tf32 = False`` would defer to ``torch.backends.fp32_precision``.)
        """
        convolutions = torch.backends.cudnn.conv  # type: ignore[attr-defined]
        before = convolutions.fp32_precision
        convolutions.fp32_precision = "tf32" if self.tf32 else "ieee"
        try:
            yield
        finally:
            convolutions.fp32_precision = before

    def __str__(self) -> str:
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else processor_name()
        count = torch.get_num_threads()
        threads = ""
        if self.device.type == "cpu":
            threads = ", 1 thread" if count == 1 else f", {count} threads"
        compiled = ", compiled" if self.compiled else ""
        return f"{self.device} ({name}{threads}), {self.precision}{compiled}"


def choose_runtime(device: str = "auto", precision: Precision = "auto", compiled: bool = False) -> Runtime:
    """Return the runtime for ``device`` ("auto": a GPU of CUDA or Apple, else the CPU) and ``precision``.

    The precision "auto" is bf16 if the hardware has instructions for it, else float32, which never means TF32. If
    ``compiled`` is True and this machine cannot compile, a warning says so, and networks run uncompiled.
    Raises InputError for a device that does not exist and a precision that the device does not have.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if _apple_gpu_answers() else "cpu"
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise InputError(f'device is {device!r}; choose "auto", "cpu", "cuda", "cuda:0", "mps" …') from error
    count = _count_devices(chosen.type)
    if (chosen.index or 0) >= count:
        remedy = ', or install a CUDA build of PyTorch and check "nvidia-smi"' if chosen.type == "cuda" else ""
        name = chosen.type.upper()
        raise InputError(
            f"device is {device!r}, but PyTorch sees {count} {name} devices here. Use --device cpu{remedy}."
        )
    if precision not in get_args(Precision):
        raise InputError(f'precision is {precision!r}; choose "auto", "bf16", "tf32" or "float32".')
    if precision == "tf32" and chosen.type != "cuda":
        raise InputError(f'precision is "tf32" and device is {device!r}; only CUDA has TF32, choose "float32".')
    bf16 = precision == "bf16" or (precision == "auto" and _bf16_is_fast(chosen))
    return Runtime(chosen, bf16, compiled and _can_compile(chosen), tf32=precision == "tf32")


def _count_devices(kind: str) -> int:
    """Return how many devices of a kind PyTorch sees on this machine."""
    if kind == "cpu":
        return 1
    accelerator = torch.accelerator.current_accelerator()
    return torch.accelerator.device_count() if accelerator is not None and accelerator.type == kind else 0


def _apple_gpu_answers() -> bool:
    """Whether there is one, and it computes: in some virtual machines it is seen, and has no memory."""
    try:
        return torch.backends.mps.is_available() and torch.ones(1, device="mps").sum().item() == 1
    except RuntimeError:
        return False


def _can_compile(device: torch.device) -> bool:
    """Return whether a small function compiles on ``device``; if not, a warning says why."""
    try:
        torch.compile(torch.add, dynamic=False)(torch.ones(2, device=device), torch.ones(2, device=device))
    except Exception as error:  # a missing or unsuitable compiler, Triton or Python: each raises its own kind
        reason = str(error).strip().partition("\n")[0]
        warnings.warn(f"This machine cannot compile ({reason}): the network runs uncompiled, slower.", stacklevel=3)
        return False
    return True


def processor_name() -> str:
    """Return the name of this machine's processor."""
    return str(_processor().get("cpu_name") or platform.processor() or platform.machine())


def _commit() -> str | None:
    """Return the commit of the repository that this code runs from, followed by "+" if files were changed."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        # an installed copy may lie in some other repository
        subprocess.run([*git, "ls-files", "--error-unmatch", Path(__file__).name], capture_output=True, check=True)
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{head}+" if changed.stdout else head


def provenance(runtime: Runtime) -> dict[str, Any]:
    """Return with what a result was made: versions, hardware and commit."""
    return {
        "unetpp": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "pillow": version("pillow"),
        "system": platform.system(),
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "runtime": str(runtime),
    }
