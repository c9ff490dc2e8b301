"""A configuration says everything, survives the disk, and tells what differs."""

from dataclasses import replace

import pytest

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


def test_where_a_run_is_kept_and_computed_may_change_on_resume(tmp_path):
    config = TrainConfig(out=tmp_path)
    replace(config, device="cuda", workers=4, compiled=True, checkpoint_seconds=1).require_same_result(config)
    with pytest.raises(InputError, match="norm is group here and batch there"):
        replace(config, norm="group").require_same_result(config)
