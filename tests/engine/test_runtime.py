"""Device, precision and layout are decided in one place."""

import pytest
import torch

from unetpp_lib.engine import choose_runtime
from unetpp_lib.engine.runtime import provenance
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_named_with_the_remedy():
    with pytest.raises(InputError, match=r"device is 'cuda', but PyTorch sees 0 CUDA devices.*--device cpu"):
        choose_runtime("cuda")
    assert choose_runtime("auto").device.type == "cpu"


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
