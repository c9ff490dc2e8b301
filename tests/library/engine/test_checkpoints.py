"""A checkpoint is whole or refused, and never runs code."""

import os
import pickle

import pytest
import torch

from unetpp_lib.engine.checkpoints import load_checkpoint, save_checkpoint
from unetpp_lib.errors import InputError

STATE = {"model": {"w": torch.arange(1000.0)}, "step": 3, "history": [{"loss": 0.5, "note": "x"}]}


def test_a_state_comes_back_as_it_was(tmp_path):
    save_checkpoint(STATE, tmp_path / "last.pt")
    state = load_checkpoint(tmp_path / "last.pt")
    assert torch.equal(state["model"]["w"], STATE["model"]["w"])
    assert (state["step"], state["history"]) == (3, STATE["history"])
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.999])
def test_a_checkpoint_that_is_cut_short_is_named(tmp_path, share):
    path = tmp_path / "last.pt"
    save_checkpoint(STATE, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"last\.pt is (truncated|damaged)"):
        load_checkpoint(path)


class Code:
    def __reduce__(self):
        return os.mkdir, ("code_was_run",)


@pytest.mark.parametrize(
    "write", [lambda p: torch.save({"a": Code()}, p), lambda p: p.write_bytes(pickle.dumps(Code()))]
)
def test_code_in_a_checkpoint_is_not_run(tmp_path, monkeypatch, write):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "last.pt")
    with pytest.raises(InputError, match=r"last\.pt is damaged or holds something other than tensors.*not opened"):
        load_checkpoint(tmp_path / "last.pt")
    assert not (tmp_path / "code_was_run").exists()


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(InputError, match=r"last\.pt: there is no checkpoint to resume from"):
        load_checkpoint(tmp_path / "last.pt")
