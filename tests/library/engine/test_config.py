"""A configuration says everything, survives the disk, and tells what differs."""

import json
import re
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from unetpp_lib.engine import PRESETS, TrainConfig
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet


def test_the_full_preset_is_the_network_of_the_paper_with_batch_norm_and_four_heads():
    model = PRESETS["full"].build_model()
    assert sum(p.numel() for p in model.parameters()) == 9_048_897 + 3 * 33
    assert model.head_depths == (1, 2, 3, 4)


def test_the_names_of_the_models_are_the_papers():
    assert isinstance(TrainConfig(model="unet").build_model(), UNet)
    plus, dense = (TrainConfig(model=name).build_model() for name in ("unetplus", "unetpp"))
    assert (plus.dense, dense.dense) == (False, True)
    assert len(TrainConfig(deep_supervision=False).build_model().heads) == 1
    assert TrainConfig(norm="none").build_model().norm is None


def test_a_configuration_comes_back_from_the_disk_as_it_was(tmp_path):
    config = replace(PRESETS["full"], data="isbi2012", widths=(4, 8), lr=0.1, out=tmp_path)
    (tmp_path / "config.json").write_text(config.to_json())
    assert TrainConfig.from_json(tmp_path / "config.json") == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is damaged"),
        ("[]", "options that this version does not know"),
        ('{"widths": [8, 16], "speed": 9}', "options that this version does not know"),
        ('{"widths": 8}', "is damaged"),
        ("{}", "is damaged"),
    ],
)
def test_a_damaged_configuration_is_named(tmp_path, text, message):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match=rf"config\.json {message}|config\.json holds {message}"):
        TrainConfig.from_json(tmp_path / "config.json")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "unet++"}, 'model is \'unet++\'; it must be "unet", "unetplus" or "unetpp". Did you mean "unetpp"?'),
        ({"model": "UNet+"}, 'Did you mean "unetplus"?'),
        ({"model": "U-Net"}, 'Did you mean "unet"?'),
        ({"model": ["unet"]}, "model is ['unet']; it must be"),
        ({"preset": "lap top"}, 'preset is \'lap top\'; it must be "laptop" or "full". Did you mean "laptop"?'),
        ({"split": "block"}, 'it must be "auto", "random" or "blocked". Did you mean "blocked"?'),
        ({"norm": "Batch"}, 'Did you mean "batch"?'),
        ({"norm": None}, 'norm is None; it must be "batch", "group", "instance" or "none". Did you mean "none"?'),
        ({"upsample": "nearest"}, 'upsample is \'nearest\'; it must be "transpose" or "bilinear".'),
        ({"precision": "float"}, 'Did you mean "float32"?'),
        ({"precision": "fp32"}, 'Did you mean "float32"?'),
        ({"precision": "bfloat16"}, 'Did you mean "bf16"?'),
        ({"deep_supervision": "no"}, "deep_supervision is 'no'; it must be True or False."),
        ({"augment": 1}, "augment is 1; it must be True or False."),
        ({"compiled": None}, "compiled is None; it must be True or False."),
        ({"epochs": 4.0}, "epochs is 4.0; it must be a whole number."),
        ({"batch_size": True}, "batch_size is True; it must be a whole number."),
        ({"patch": "256"}, "patch is '256'; it must be a whole number."),
        ({"workers": -1}, "workers is -1; it must be at least 0."),
        ({"seed": -1}, "seed is -1; it must be at least 0."),
        ({"evaluate_every": 0}, "evaluate_every is 0; it must be greater than 0."),
        ({"lr": "0.1"}, "lr is '0.1'; it must be a finite number."),
        ({"lr": float("inf")}, "lr is inf; it must be a finite number."),
        ({"bce_weight": float("nan")}, "bce_weight is nan; it must be a finite number."),
        ({"lr": 10**400}, "; it must be a finite number."),
        ({"seed": 2**63}, f"seed is {2**63}; it must be at most {2**63 - 1}."),
        ({"epochs": 2**31}, f"epochs is {2**31}; it must be at most {2**31 - 1}."),
        ({"workers": 10**30}, f"it must be at most {2**31 - 1}."),
        ({"dropout": 1}, "dropout is 1.0; it must be at least 0 and less than 1."),
        ({"dropout": -0.1}, "dropout is -0.1; it must be at least 0 and less than 1."),
        ({"validation": 1.0}, "validation is 1.0; it must be at least 0 and less than 1."),
        ({"test": float("nan")}, "test is nan; it must be a finite number."),
        ({"validation": 0.5, "test": 0.5}, "validation is 0.5 and test is 0.5; together they must be less than 1"),
        ({"data": 5}, "data is 5; it must be text."),
        (
            {"class_names": ["a", "a"]},
            "class_names is ['a', 'a']; it must be a list of names, no two of them the same.",
        ),
        ({"class_names": ["a", 2]}, "class_names is ['a', 2]; it must be a list of names"),
        ({"class_names": ["a"]}, "class_names is ('a',); num_classes=1 needs 2 names, class 0 (the background) first."),
        ({"foreground_weight": 0}, "foreground_weight is 0.0; it must be greater than 0."),
        ({"foreground_weight": 3, "bce_weight": 0}, "foreground_weight weighs the cross-entropy, and bce_weight is 0"),
        ({"device": 0}, "device is 0; it must be text."),
    ],
)
def test_a_wrong_value_is_named_with_what_it_must_be_in_python_and_on_disk(tmp_path, options, message):
    with pytest.raises(InputError, match=re.escape(message)):
        TrainConfig(**options)
    values = json.loads(TrainConfig().to_json()) | options
    (tmp_path / "config.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match=rf"config\.json: .*{re.escape(message)}.* Correct it, or start a new run"):
        TrainConfig.from_json(tmp_path / "config.json")


@pytest.mark.parametrize("widths", [(8,), (8, 16.5), (8, 0), 8, "8 16", None, {8, 16}, {8: 1, 16: 2}, b"88"])
def test_widths_that_make_no_network_are_named(widths):
    message = re.escape(f"widths is {widths!r}; give 2 to 7 positive whole numbers, one per level.")
    with pytest.raises(InputError, match=message):
        TrainConfig(widths=widths)


@pytest.mark.parametrize("precision", ["float16", "fp16", "float64", "half"])
def test_numbers_of_other_bits_get_no_guess(precision):
    with pytest.raises(InputError, match=r'"tf32" or "float32"\.$'):
        TrainConfig(precision=precision)


@pytest.mark.parametrize("name", ["epochs", "lr"])
@pytest.mark.parametrize("value", [True, np.True_, torch.tensor(True)])
def test_a_truth_value_of_any_library_is_no_number(name, value):
    with pytest.raises(InputError, match=f"{name} is .*True.*; it must be a .* number"):
        TrainConfig(**{name: value})


def test_numbers_of_numpy_lists_and_paths_become_what_json_can_hold(tmp_path):
    options = {"epochs": np.int64(3), "lr": np.float32(0.5), "validation": 0, "augment": np.False_}
    config = TrainConfig(data=tmp_path, widths=np.array([4, 8]), out=str(tmp_path), **options)
    plain = {"epochs": 3, "lr": 0.5, "validation": 0.0, "augment": False}
    assert config == TrainConfig(data=str(tmp_path), widths=(4, 8), out=tmp_path, **plain)
    (tmp_path / "config.json").write_text(config.to_json())
    assert TrainConfig.from_json(tmp_path / "config.json") == config
    assert TrainConfig(widths=[4, 8]).build_model().widths == (4, 8)


@pytest.mark.parametrize("name", [option.name for option in fields(TrainConfig)])
def test_every_field_is_checked(name):
    with pytest.raises(InputError, match=f"{name} is <object"):
        TrainConfig(**{name: object()})


def test_where_a_run_is_kept_and_computed_may_change_on_resume(tmp_path):
    config = TrainConfig(out=tmp_path)
    replace(config, device="cuda", workers=4, compiled=True, checkpoint_seconds=1).require_same_result(config)
    with pytest.raises(InputError, match="norm is group here and batch there"):
        replace(config, norm="group").require_same_result(config)
