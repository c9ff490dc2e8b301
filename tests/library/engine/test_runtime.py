"""Device, precision and layout are decided in one place."""

from contextlib import nullcontext

import pytest
import torch

from unetpp_lib.engine import TrainConfig, choose_runtime, train, trainer
from unetpp_lib.engine.distributed import World
from unetpp_lib.engine.loop import seeded, training_step
from unetpp_lib.engine.runtime import Runtime, provenance
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet

# not torch.accelerator: the pretended device of another test counts there
no_gpu = pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU")


@no_gpu
def test_a_gpu_that_is_not_there_is_named_with_the_remedy():
    with pytest.raises(InputError, match=r"device is 'cuda', but PyTorch sees 0 CUDA devices.*--device cpu"):
        choose_runtime("cuda")
    assert choose_runtime("auto").device.type == "cpu"


@no_gpu
@pytest.mark.parametrize("device", ["mps", "xpu", "xpu:1", "meta", "hpu"])
def test_other_devices_that_are_not_there_are_named_too(device):
    with pytest.raises(
        InputError, match=f"device is '{device}', but PyTorch sees 0 [A-Z]+ devices here. Use --device cpu"
    ):
        choose_runtime(device)


def test_auto_takes_apples_gpu_in_float32(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch, "ones", lambda *_, device: torch.tensor([1.0]))
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("mps"))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 1)
    runtime = choose_runtime("auto")
    assert runtime == Runtime(torch.device("mps"), bf16=False)
    assert str(runtime).startswith("mps (")
    with pytest.raises(InputError, match="device is 'mps:1', but PyTorch sees 1 MPS devices here"):
        choose_runtime("mps:1")


@no_gpu
def test_auto_leaves_an_apple_gpu_that_cannot_compute(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)  # as in a virtual machine
    assert choose_runtime("auto").device.type == "cpu"


def test_apples_generator_is_as_before_behind_a_seeded_block(monkeypatch):
    state = [torch.tensor([7])]
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda _: state[-1])
    monkeypatch.setattr(torch.mps, "set_rng_state", lambda new, _: state.append(new))
    with seeded(0, torch.device("cpu")):
        state.append(torch.tensor([0]))  # as torch.manual_seed does on a Mac
    assert state[-1] == 7


def test_processes_cannot_share_apples_gpu(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "choose_runtime", lambda *_: Runtime(torch.device("mps"), bf16=False))
    monkeypatch.setattr(trainer, "join_world", lambda _: nullcontext(World(rank=0, size=2)))
    with pytest.raises(InputError, match=r"cannot share Apple's GPU: .* --device cpu"):
        train(TrainConfig(out=tmp_path / "run"))


def test_unknown_devices_and_precisions_are_named():
    with pytest.raises(InputError, match="device is 'quantum'; choose"):
        choose_runtime("quantum")
    with pytest.raises(InputError, match="precision is 'int4'; choose"):
        choose_runtime("cpu", "int4")


@pytest.mark.parametrize(("precision", "dtype"), [("bf16", torch.bfloat16), ("float32", torch.float32)])
def test_convolutions_run_channels_last_in_the_chosen_precision(precision, dtype):
    runtime = choose_runtime("cpu", precision)
    model = runtime.place(UNet(widths=(4, 8)))
    with runtime.autocast():
        logits = model(torch.zeros(1, 1, 8, 8))[0]
    assert logits.dtype == dtype
    assert model.encoder[0].conv2.weight.is_contiguous(memory_format=torch.channels_last)
    assert next(model.parameters()).dtype == torch.float32


def test_a_result_says_where_it_came_from():
    said = provenance(choose_runtime("cpu", "float32"))
    assert said["torch"] == torch.__version__
    assert "float32" in said["runtime"]
    assert said["cores"] >= 1


def test_where_nothing_can_be_compiled_one_line_says_so_and_the_network_runs_as_it_is(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("No C++ compiler was found.\nLong advice")

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.warns(
        UserWarning, match=r"cannot compile \(No C\+\+ compiler was found\.\): the network runs uncompiled"
    ) as said:
        runtime = choose_runtime("cpu", "float32", compiled=True)
    assert len(said) == 1
    assert "compiled" not in str(runtime)
    model = UNet(widths=(4, 8))
    assert runtime.compile(model) is model


@pytest.mark.parametrize("missing", [True, False])
def test_the_compiler_is_tried_on_a_small_function_before_a_network_is(monkeypatch, missing):
    tried = []

    def compile_later(function, **_):
        def compiled(*args):
            tried.append(function)
            if missing:
                raise torch._dynamo.exc.BackendCompilerFailed(compile_later, RuntimeError("no Triton"), None)
            return function(*args)

        return compiled

    monkeypatch.setattr(torch, "compile", compile_later)
    if missing:
        with pytest.warns(UserWarning, match="cannot compile"):
            assert not choose_runtime("cpu", compiled=True).compiled
    else:
        assert choose_runtime("cpu", compiled=True).compiled
    assert tried == [torch.add]


def test_only_a_gpu_captures_its_launches_and_not_among_several(monkeypatch):
    modes = []
    monkeypatch.setattr(torch, "compile", lambda network, **options: modes.append(options["mode"]) or network)
    for device in ("cpu", "cuda"):
        for captured in (True, False):
            Runtime(torch.device(device), bf16=False, compiled=True).compile(UNet(widths=(4, 8)), captured)
    assert modes == [None, None, "reduce-overhead", None]


@pytest.mark.slow
def test_a_compiled_network_trains_as_it_does_uncompiled(tiny_set, tmp_path):
    options = {"widths": (2, 3), "patch": 32, "batch_size": 4, "epochs": 1, "device": "cpu", "precision": "float32"}
    losses = []
    for compiled in (False, True):  # where there is no compiler, both are the same
        run = train(TrainConfig(data=str(tiny_set), out=tmp_path / str(compiled), compiled=compiled, **options))
        losses.append(run.history[0]["loss"])
    assert losses[1] == pytest.approx(losses[0], abs=1e-3)


@pytest.fixture
def convolutions():
    """The flag that cuDNN's convolutions read; no GPU is needed to see who sets it."""
    before = torch.backends.fp32_precision, torch.backends.cudnn.conv.fp32_precision
    yield torch.backends.cudnn.conv
    torch.backends.fp32_precision, torch.backends.cudnn.conv.fp32_precision = before


@pytest.mark.parametrize("tf32", [False, True])
def test_float32_on_a_gpu_is_tf32_only_where_that_was_asked_for(tf32, convolutions):
    expected = "tf32" if tf32 else "ieee"
    for before in ("tf32", "ieee"):
        convolutions.fp32_precision = before
        runtime = Runtime(torch.device("cuda"), bf16=False, tf32=tf32)
        assert runtime.precision == ("tf32" if tf32 else "float32")
        with runtime.arithmetic():
            assert convolutions.fp32_precision == expected
        with runtime.autocast():
            assert convolutions.fp32_precision == expected
        assert convolutions.fp32_precision == before


def test_float32_is_not_tf32_where_all_of_pytorch_was_set_to_it(convolutions):
    torch.backends.fp32_precision = "tf32"
    torch.backends.cudnn.allow_tf32 = False
    assert convolutions.fp32_precision == "tf32"  # the older flag does not help
    with Runtime(torch.device("cuda"), bf16=False).arithmetic():
        assert convolutions.fp32_precision == "ieee"
    torch.backends.cudnn.allow_tf32 = True


def test_the_backward_pass_computes_as_the_forward_pass_does(convolutions):
    convolutions.fp32_precision = "tf32"
    seen = []

    class Noting(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            seen.append(convolutions.fp32_precision)
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            seen.append(convolutions.fp32_precision)
            return gradient

    model = torch.nn.Conv2d(1, 1, 1)
    model.register_forward_hook(lambda *call: [Noting.apply(call[-1])])
    images = torch.zeros(1, 1, 4, 4)
    runtime = Runtime(torch.device("cpu"), bf16=False)
    training_step(model, torch.optim.SGD(model.parameters()), images, images.byte(), 0.1, runtime)
    assert seen == ["ieee", "ieee"]


def test_only_cuda_has_tf32():
    with pytest.raises(InputError, match="precision is \"tf32\" and device is 'cpu'; only CUDA has TF32"):
        choose_runtime("cpu", "tf32")
