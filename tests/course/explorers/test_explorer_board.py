"""The live board: it changes nothing, holds itself back, and a stopped training goes on to the same end."""

import html
import os
import signal
import sys
from dataclasses import replace

import pytest
import torch

from unetpp_course import LoopBoard, TrainingBoard
from unetpp_course.explorers import board as module
from unetpp_lib.engine import PRESETS, train
from unetpp_lib.engine.checkpoints import load_checkpoint
from unetpp_lib.engine.trainer import Trainer
from unetpp_lib.errors import InputError

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends a process no signals, it ends it")
PNG = b"\x89PNG"
IMAGE = torch.linspace(0, 1, 32 * 32).view(1, 32, 32)
MASK = (IMAGE > 0.5).to(torch.uint8)


@pytest.fixture
def config(tiny_set, tmp_path):
    options = {"widths": (4, 6, 8), "patch": 32, "epochs": 3, "evaluate_every": 1, "device": "cpu"}
    return replace(PRESETS["laptop"], data=str(tiny_set), out=tmp_path / "run", **options)


def weights(run):
    return load_checkpoint(run.checkpoint)["model"]


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def answer():
    return IMAGE


def test_a_board_waits_with_a_picture(config):
    board = TrainingBoard(config)
    assert repr(board) == "TrainingBoard: Step 0 of 12. Not begun."
    assert board.png.startswith(PNG)
    assert board._repr_mimebundle_().keys() >= {"image/png", "text/plain"}
    assert not config.out.exists()


@pytest.mark.slow
def test_a_training_run_on_the_board_ends_with_the_same_weights_and_shows_its_curves(config, tmp_path):
    board = TrainingBoard(config, seconds=0)
    run = board.train()
    assert run.is_finished
    assert same(weights(run), weights(train(replace(config, out=tmp_path / "no_board"))))
    assert [step for step, _ in board.losses] == list(range(1, 13))
    assert [step for step, _ in board.scores] == [4, 8, 12]
    assert board.scores[-1][1] == run.history[-1]["validation"]["mean of heads"]["iou/classes/pooled"]
    assert [step for step, _ in board.labels] == [1, 12]
    assert board.status.endswith("Finished; all is in the run's folder “run”.")


@pytest.mark.slow
def test_a_board_is_drawn_seldom(config):
    drawn = []
    board = TrainingBoard(config, seconds=3600)
    shown = board.show
    board.show = lambda *args: drawn.append(args) or shown(*args)
    board.train()
    assert len(drawn) == 3  # the first step, the last one, the end


@pytest.fixture
def interrupt_at(monkeypatch):
    """Have Ctrl-C pressed in one step of a training."""
    step = Trainer.make_step

    def set_step(number):
        def interrupted(self, images, masks):
            step(self, images, masks)
            if self.step == number:
                os.kill(os.getpid(), signal.SIGINT)

        monkeypatch.setattr(Trainer, "make_step", interrupted)

    return set_step


@pytest.mark.slow
@needs_signals
def test_an_interrupted_training_is_saved_says_how_to_go_on_and_does(config, tmp_path, interrupt_at):
    whole = train(replace(config, out=tmp_path / "whole"))
    board = TrainingBoard(config)
    interrupt_at(5)
    run = board.train()
    assert not run.is_finished
    words = "Stopped; all is saved in the run's folder “run”. The board's train() goes on from there."
    assert board.status.startswith("Step 5 of 12.")
    assert board.status.endswith(words)
    assert words in html.unescape(board.children[0].value)
    board.train()
    assert run.is_finished
    assert same(weights(run), weights(whole))


@pytest.mark.slow
@needs_signals
def test_a_new_board_of_a_stopped_run_shows_it_and_goes_on(config, interrupt_at):
    interrupt_at(7)
    assert not TrainingBoard(config).train().is_finished
    again = TrainingBoard(config)
    assert again.status.startswith("Step 7 of 12.")
    assert "goes on from there" in again.status
    assert [step for step, _ in again.losses] == [4]
    assert again.train().is_finished


@pytest.mark.slow
def test_another_configuration_of_the_same_folder_is_refused(config):
    TrainingBoard(config).train()
    with pytest.raises(InputError, match="another configuration"):
        TrainingBoard(replace(config, lr=0.1))
    with pytest.raises(InputError, match="choose an image of tiny"):
        TrainingBoard(config, name="nosuch")


def test_an_error_goes_through_and_stands_on_the_board(config, monkeypatch):
    board = TrainingBoard(replace(config, lr=1e30, norm="none"))
    with pytest.raises(InputError, match="The loss is"):
        board.train()
    assert "Ended by an error: InputError." in board.status


def test_a_loop_of_ones_own_has_a_board():
    board = LoopBoard(IMAGE, MASK, steps=3, seconds=0)
    with board:
        for step in range(3):
            board.note(1 / (step + 1), images=2, predict=answer)
    assert board.status.startswith("Step 3 of 3. Loss 0.611")
    assert board.status.endswith("Finished.")
    assert (board.shown[0], board.shown[-1]) == ((1, 1), (3, 1))


def test_an_interruption_ends_the_block_and_not_the_notebook():
    board = LoopBoard(IMAGE, MASK, steps=9)
    with board:
        board.note(1.0, images=2, predict=answer)
        raise KeyboardInterrupt
    assert board.status.endswith("Stopped; the network is as its last step left it.")


def test_the_network_is_asked_only_when_the_board_is_drawn():
    asked = []
    board = LoopBoard(IMAGE, MASK, steps=50, seconds=3600)
    with board:
        for _ in range(50):
            board.note(1.0, images=2, predict=lambda: asked.append(1) or IMAGE)
    assert len(asked) == 2


def test_many_steps_are_few_points_and_several_classes_are_greys():
    board = LoopBoard(IMAGE, 2 * MASK, steps=1000, classes=("a", "b", "c"), seconds=3600)
    p = torch.cat([1 - IMAGE, torch.zeros_like(IMAGE), IMAGE])
    with board:
        for _ in range(1000):
            board.note(1.0, images=1, predict=lambda: p)
    (line,) = board._figure().axes[-2].lines
    assert len(line.get_xdata()) <= module.POINTS
    assert board._marked(2 * MASK).max() == 1


def test_large_images_are_shown_in_part_and_what_does_not_fit_is_refused():
    assert module.middle(torch.zeros(1, 700, 100)).shape == (1, module.SIDE, 100)
    with pytest.raises(InputError, match="give the mask as"):
        LoopBoard(IMAGE, MASK[:, :8], steps=3)
    with pytest.raises(InputError, match="at least one step"):
        LoopBoard(IMAGE, MASK, steps=0)


def test_numbers_that_change_each_second_are_not_read_aloud():
    board = LoopBoard(IMAGE, MASK, steps=2)
    assert 'role="status"' not in board.children[-1].value
    with board:
        assert 'role="status">Training. The ■' in board.children[0].value
