"""A run that starts from weights begins where they are, and is never scored on what they have learned from."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from unetpp_lib.cli import main, train_defaults
from unetpp_lib.data import SegmentationFolder
from unetpp_lib.engine import PRESETS, Card, Run, TrainConfig, load_model, save_model, train
from unetpp_lib.engine.runs import choose_split
from unetpp_lib.engine.warm_start import config_from
from unetpp_lib.errors import InputError
from unetpp_lib.models import UNet, UNetPlusPlus, prune

FROZEN = {"lr": 1e-20, "epochs": 1, "evaluate_every": 1}  # a step that changes nothing


def tiny(data: Path, out: Path | None, **changes) -> TrainConfig:
    options = {"widths": (4, 6, 8), "patch": 32, "epochs": 2, "evaluate_every": 2, "device": "cpu"}
    return replace(PRESETS["laptop"], data=str(data), out=out, **options | changes)


@pytest.fixture(scope="module")
def first(tiny_set, tmp_path_factory) -> Run:
    return train(tiny(tiny_set, tmp_path_factory.mktemp("runs") / "first"))


def parameters(path: Path) -> dict[str, torch.Tensor]:
    """The weights that a step of rate 0 leaves; batch norm's statistics move all the same."""
    return {name: value for name, value in load_file(path).items() if "running" not in name and "batches" not in name}


def test_a_run_starts_from_the_weights_of_another(first, tiny_set, tmp_path):
    run = train(tiny(tiny_set, tmp_path / "second", init=str(first.folder), **FROZEN))
    before, after = parameters(first.weights), parameters(run.weights)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert run.config.init == str(first.folder.resolve())
    assert not run.history[0]["loss"] > 1.5 * first.history[-1]["loss"]
    fresh = train(tiny(tiny_set, tmp_path / "fresh", **FROZEN))
    assert not torch.equal(parameters(fresh.weights)["heads.0.weight"], before["heads.0.weight"])


@pytest.mark.slow
def test_a_file_of_weights_and_other_data_do_as_well(first, tiny_set, tmp_path):
    shutil.copytree(tiny_set, tmp_path / "other")
    shutil.copy(first.weights, tmp_path / "w.safetensors")
    run = train(tiny(tmp_path / "other", tmp_path / "run", init=str(tmp_path / "w.safetensors"), **FROZEN))
    assert torch.equal(parameters(run.weights)["heads.0.weight"], parameters(first.weights)["heads.0.weight"])


@pytest.mark.slow
def test_a_stopped_run_goes_on_from_its_checkpoint_not_from_the_first_weights(first, tiny_set, tmp_path):
    config = tiny(tiny_set, tmp_path / "whole", init=str(first.folder))
    whole = train(config)
    config = replace(config, out=tmp_path / "stopped")
    train(config, callback=lambda trainer: trainer.step == 2)
    resumed = train(config, resume=True)
    assert all(
        torch.equal(a, b) for a, b in zip(*(load_file(r.weights).values() for r in (whole, resumed)), strict=True)
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widths": (4, 6)}, r"widths \(4, 6, 8\), and here widths is \(4, 6\)"),
        ({"model": "unet"}, "model unetpp, and here model is unet"),
        ({"model": "unetplus"}, "model unetpp, and here model is unetplus"),
        ({"deep_supervision": False}, "deep_supervision True, and here deep_supervision is False"),
        ({"norm": "none"}, "norm batch, and here norm is none"),
        ({"upsample": "bilinear"}, "upsample transpose, and here upsample is bilinear"),
        ({"channels": 3}, "channels 1, and here channels is 3"),
    ],
)
def test_weights_of_another_architecture_are_refused_with_the_first_difference(
    first, tiny_set, tmp_path, options, message
):
    with pytest.raises(InputError, match=f"first, whose network has {message}. Give the options of that network"):
        train(tiny(tiny_set, tmp_path / "run", init=str(first.folder), **options))
    assert not (tmp_path / "run").exists()


def test_norms_whose_weights_have_equal_shapes_are_told_apart(tiny_set, tmp_path):
    save_model(UNet(widths=(4, 6), norm="group"), tmp_path / "w.safetensors")
    with pytest.raises(InputError, match="norm group, and here norm is instance"):
        train(tiny(tiny_set, None, model="unet", widths=(4, 6), norm="instance", init=str(tmp_path / "w.safetensors")))


def test_weights_that_are_not_there_are_named(tiny_set, tmp_path):
    with pytest.raises(InputError, match="nowhere: there is no such file or run folder"):
        train(tiny(tiny_set, tmp_path / "run", init="nowhere"))


def test_the_split_of_the_earlier_run_is_kept_whatever_the_seed(first, tiny_set, tmp_path):
    folder = SegmentationFolder(tiny_set)
    config = tiny(tiny_set, None, seed=7, init=str(first.folder))
    assert choose_split(folder, replace(config, init="")) != first.split
    split = choose_split(folder, config)
    assert split == first.split
    assert split.how == "As in first, whose weights it starts from."
    assert choose_split(folder, replace(config, init=str(first.weights))) == first.split
    with pytest.raises(
        InputError, match=r"has learned from disc_\d\d, and this split would hold that image out \(\d in"
    ):
        choose_split(folder, replace(config, split="random"))


def test_what_a_run_before_the_earlier_one_has_learned_counts_too(first, tiny_set, tmp_path):
    shutil.copytree(tiny_set, tmp_path / "other")
    second = train(tiny(tmp_path / "other", tmp_path / "second", init=str(first.folder), epochs=1))
    again = tiny(tiny_set, None, seed=7, init=str(second.folder))
    assert choose_split(SegmentationFolder(tiny_set), again) == first.split
    with pytest.raises(InputError, match="has learned from disc_"):
        choose_split(SegmentationFolder(tiny_set), replace(again, split="random"))
    third = tiny(tmp_path / "other", None, seed=7, init=str(second.folder))
    assert choose_split(SegmentationFolder(tmp_path / "other"), third) == second.split


def test_the_options_start_from_those_of_the_run(first):
    config = train_defaults(["--init", str(first.folder), "--epochs", "9"])
    kept = {name: getattr(config, name) for name in ("data", "widths", "patch", "epochs")}
    assert kept == {name: getattr(first.config, name) for name in kept}
    assert (config.out, config.init) == (None, str(first.folder.resolve()))
    full = train_defaults(["--init", str(first.folder), "--preset", "full"])
    assert (full.widths, full.epochs, full.preset) == ((4, 6, 8), 300, "full")


@pytest.mark.parametrize(
    "model",
    [
        UNet(in_channels=3, num_classes=4, widths=(4, 6), norm=None),
        UNetPlusPlus(widths=(4, 6, 8), dense=False, deep_supervision=False, upsample="bilinear"),
        prune(UNetPlusPlus(widths=(4, 6, 8), norm="group"), 1),
    ],
)
def test_of_a_file_the_architecture_is_taken(model, tmp_path):
    names = ("a", "b", "c", "d") if model.num_classes == 4 else ("dark", "light")
    save_model(
        model, tmp_path / "w.safetensors", Card((0.5,) * model.in_channels, (0.2,) * model.in_channels, classes=names)
    )
    config = config_from(str(tmp_path / "w.safetensors"))
    assert config.class_names == names
    built = config.build_model()
    built.load_state_dict(load_model(tmp_path / "w.safetensors")[0].state_dict())
    assert (type(built), built.norm, built.upsample) == (type(model), model.norm, model.upsample)


def test_another_number_of_classes_is_refused_for_what_it_is(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--init", "unetpp_membranes", "--num-classes", "3"])
    assert "A network that starts from init keeps its number of classes." in capsys.readouterr().err


def test_a_network_that_comes_along_can_be_named():
    config = train_defaults(["--init", "unetpp_membranes"])
    assert (config.init, config.widths, config.data) == ("unetpp_membranes", (8, 16, 32, 64, 128), "membranes")
    json.loads(config.to_json())
