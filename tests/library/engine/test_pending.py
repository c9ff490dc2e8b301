"""Python looks at a step's loss once the next step is under way, and nothing that a bad loss has touched is kept."""

import math
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from unetpp_lib.engine import TrainConfig, train
from unetpp_lib.engine.checkpoints import load_checkpoint, save_checkpoint
from unetpp_lib.engine.distributed import AnyRank, World
from unetpp_lib.engine.trainer import Trainer
from unetpp_lib.errors import InputError

CPU = torch.device("cpu")


@pytest.fixture
def config(tiny_set, tmp_path) -> TrainConfig:
    """Sixteen steps, four an epoch; the validation part is looked at after the eighth and the last."""
    options = {"widths": (2, 3), "patch": 32, "epochs": 4, "evaluate_every": 2, "device": "cpu"}
    return TrainConfig(data=str(tiny_set), out=tmp_path / "run", **options)


def spoil(step, monkeypatch):
    """Let one step's images, as the loop receives them, hold a value that is not finite."""
    proper = Trainer.make_step

    def spoiled(self, images, masks):
        if self.step == step:
            images = images.clone()
            images[0, 0, 3, 5] = math.nan
        proper(self, images, masks)

    monkeypatch.setattr(Trainer, "make_step", spoiled)


def is_finite(weights) -> bool:
    return all(tensor.isfinite().all() for tensor in weights.values() if tensor.is_floating_point())


# the last step of an epoch, before the looks at the validation part or not; a first one; one between
@pytest.mark.parametrize("step", [3, 7, 8, 9])
def test_a_bad_loss_stops_with_its_own_batch_and_the_checkpoint_before_it(config, monkeypatch, step):
    spoil(step, monkeypatch)
    with pytest.raises(InputError, match=rf"The loss is nan at step {step}\. The batch.*--lr 0\.0003\) .*float32"):
        train(replace(config, augment=False))
    assert load_file(config.out / "non_finite_batch_0.safetensors")["images"].isnan().sum() == 1
    if step < 8:
        assert not (config.out / "last.pt").exists()
        return
    checkpoint = load_checkpoint(config.out / "last.pt")
    assert checkpoint["step"] == 8
    assert is_finite(checkpoint["model"])
    assert is_finite(load_file(config.out / "best.safetensors"))


def test_no_step_is_saved_before_its_loss_is_known_to_be_finite(config, monkeypatch):
    spoil(6, monkeypatch)
    with pytest.raises(InputError, match="at step 6"):
        train(replace(config, checkpoint_seconds=0))
    checkpoint = load_checkpoint(config.out / "last.pt")
    assert checkpoint["step"] == 6  # steps 0 to 5
    assert is_finite(checkpoint["model"])
    monkeypatch.undo()
    assert train(config, resume=True).is_finished


@pytest.mark.slow
def test_a_run_goes_on_with_the_optimiser_of_its_device(config):
    """A run of an earlier version was saved with another Adam than the fused one: it goes on with its own."""
    whole = train(config)
    stopped = replace(config, out=config.out.with_name("stopped"))
    train(stopped, callback=lambda training: training.step == 6)
    state = load_checkpoint(stopped.out / "last.pt")
    state["optimizer"]["param_groups"][0]["fused"] = None
    save_checkpoint(state, stopped.out / "last.pt")
    run = train(stopped, resume=True)
    ends = [load_checkpoint(one.checkpoint)["model"] for one in (run, whole)]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[1])


def test_alone_a_wish_holds_at_once():
    votes = AnyRank(World(), CPU)
    assert votes.combine(True, False) == [True, False]
    assert votes.combine(False, False) == [False, False]


def test_among_several_a_wish_of_any_holds_for_all_one_step_later(monkeypatch):
    others = iter([[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])  # what the other rank wishes at each step
    monkeypatch.setattr("torch.distributed.all_reduce", lambda sums: sums.add_(torch.tensor(next(others))))
    votes = AnyRank(World(rank=0, size=2), CPU)
    assert votes.combine(True, False) == [False, False]
    assert votes.combine(False, False) == [True, True]
    assert votes.combine(False, False) == [False, False]
