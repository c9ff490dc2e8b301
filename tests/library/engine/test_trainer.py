"""A run trains on its training part alone, and nothing that stops it changes its end."""

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from unetpp_course.membranes import write_membranes
from unetpp_lib.data import Augmentation, SegmentationFolder, find_dataset
from unetpp_lib.engine import PRESETS, Evaluation, TrainConfig, train
from unetpp_lib.engine.batches import Patches
from unetpp_lib.engine.checkpoints import load_checkpoint, save_checkpoint
from unetpp_lib.engine.faults import interrupts
from unetpp_lib.engine.loop import learning_rate
from unetpp_lib.engine.trainer import REPORTED, Trainer
from unetpp_lib.errors import InputError

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends a process no signals, it ends it")


def tiny(data: Path, out: Path, **changes) -> TrainConfig:
    options = {"widths": (4, 6, 8), "patch": 32, "epochs": 4, "evaluate_every": 2, "device": "cpu"}
    return replace(PRESETS["laptop"], data=str(data), out=out, **options | changes)


SMALLEST = {"widths": (2, 3)}  # for what any network shows


def weights(run_folder: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(run_folder / "last.pt")["model"] | {
        f"best {name}": tensor for name, tensor in load_file(run_folder / "best.safetensors").items()
    }


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def finished(tiny_set, tmp_path_factory):
    return train(tiny(tiny_set, tmp_path_factory.mktemp("runs") / "run"))


def test_a_run_leaves_everything_that_tells_what_it_was(finished, tiny_set):
    names = {path.name for path in finished.folder.iterdir()}
    assert names == {
        *("config.json", "provenance.json", "split.json", "metrics.jsonl", "scores.json"),
        *("last.pt", "best.safetensors", "predictions.png"),
    }
    assert finished.config == tiny(tiny_set, finished.folder)
    assert [entry["epoch"] for entry in finished.history] == [1, 2, 3, 4]
    assert ["validation" in entry for entry in finished.history] == [False, True, False, True]
    assert finished.scores["part"] == "test"
    assert tuple(finished.scores["images"]) == finished.split.test
    assert {"head 1", "head 2", "mean of heads", "all foreground"} == finished.scores["scores"].keys()
    with Image.open(finished.picture) as picture:
        assert picture.format == "PNG"
    model, card = finished.load_model()
    assert model.head_depths == (1, 2)
    assert card.details["epoch"] in (2, 4)


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_only_the_training_part_stands_in_what_the_loop_receives(tiny_set, tmp_path, monkeypatch, workers):
    received = []
    step = Trainer.make_step

    def spy(self, images, masks):
        received.append(images.clone())
        step(self, images, masks)

    monkeypatch.setattr(Trainer, "make_step", spy)
    run = train(tiny(tiny_set, tmp_path / "run", workers=workers))
    darkest = [round(patch.min().item() * 255) for batch in received for patch in batch]
    assert {f"disc_{(grey - 10) // 5:02}" for grey in darkest} == set(run.split.train)  # see tiny_set
    assert not set(run.split.train) & {*run.split.validation, *run.split.test}


def test_images_are_normalised_by_the_training_part_alone(finished, tiny_set):
    pixels = np.array([Image.open(tiny_set / "images" / f"{name}.png") for name in finished.split.train]) / 255
    _, card = finished.load_model()
    assert (*card.mean, *card.std) == pytest.approx((pixels.mean(), pixels.std()))


def copy_of(tiny_set: Path, root: Path, **pairs: str) -> Path:
    """A copy of the set, in which some images (and masks) are copies of others."""
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
        for path in (tiny_set / part).iterdir():
            source = pairs.get(path.stem, path.stem)
            (root / part / path.name).write_bytes((tiny_set / part / f"{source}.png").read_bytes())
    return root


@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_copy_of_a_training_image_in_another_part_is_refused(finished, tiny_set, tmp_path, part):
    held_out, learned = getattr(finished.split, part)[0], finished.split.train[0]
    data = copy_of(tiny_set, tmp_path / "copies", **{held_out: learned})
    with pytest.raises(InputError, match=rf"{held_out} \({part}\) is a copy of {learned} \(train\).*split\.json"):
        train(tiny(data, tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_split_that_the_set_brings_is_kept(tiny_set, tmp_path):
    data = copy_of(tiny_set, tmp_path / "data")
    split = {"train": ["disc_03", "disc_04"], "validation": ["disc_01"], "test": ["disc_02"]}
    (data / "split.json").write_text(json.dumps(split))
    run = train(tiny(data, tmp_path / "run", **SMALLEST, epochs=1))
    assert (run.split.train, run.split.test) == (("disc_03", "disc_04"), ("disc_02",))
    (data / "split.json").write_text(json.dumps(split | {"test": ["disc_99"]}))
    with pytest.raises(InputError, match=r"split\.json names .* not there: \['disc_99'\]"):
        train(tiny(data, tmp_path / "run2"))


def test_a_stack_is_split_in_blocks(tiny_set, tmp_path):
    data = copy_of(tiny_set, tmp_path / "isbi2012")
    run = train(tiny(data, tmp_path / "run", **SMALLEST, epochs=1))
    for part in (run.split.validation, run.split.test):
        numbers = sorted(int(name[-2:]) for name in part)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_without_a_test_part_the_validation_part_is_scored_and_named(tiny_set, tmp_path):
    run = train(tiny(tiny_set, tmp_path / "run", **SMALLEST, epochs=1, test=0.0))
    assert run.scores["part"] == "validation"


def test_training_learns(tiny_set, tmp_path):
    run = train(tiny(tiny_set, tmp_path / "run", epochs=25, evaluate_every=25, lr=0.01, augment=False))
    assert run.history[-1]["loss"] < 0.5 * run.history[0]["loss"]
    answer = run.scores["scores"]["mean of heads"]["iou/foreground/pooled"]
    assert answer > 0.7
    assert answer > 2 * run.scores["scores"]["all foreground"]["iou/foreground/pooled"]


@pytest.mark.parametrize(
    "options",
    [
        {"model": "unet", "norm": "group", "num_classes": 2},
        {"model": "unetplus", "channels": 3, "upsample": "bilinear"},
        {"deep_supervision": False, "norm": "none", "dropout": 0.2},
    ],
)
def test_other_networks_train_too(tiny_set, tmp_path, options):
    data = tiny_set
    if options.get("num_classes") == 2:
        data = copy_of(tiny_set, tmp_path / "classes")
        for path in (data / "masks").iterdir():
            Image.open(path).point(lambda v: v // 255).save(path)
    run = train(tiny(data, tmp_path / "run", epochs=1, **options))
    assert run.is_finished


@pytest.mark.slow
def test_the_weight_of_the_foreground_changes_the_training_and_one_does_not(finished, tiny_set, tmp_path):
    same_weight = train(tiny(tiny_set, tmp_path / "one", foreground_weight=1.0))
    assert same(weights(same_weight.folder), weights(finished.folder))
    heavy = train(tiny(tiny_set, tmp_path / "heavy", foreground_weight=20.0))
    assert heavy.history[0]["loss"] > finished.history[0]["loss"]


def test_the_card_knows_the_darkest_and_the_brightest_training_image(finished, tiny_set):
    folder = SegmentationFolder(tiny_set)
    means = [folder[folder.index_of[name]][0].mean().item() for name in finished.split.train]
    found = finished.load_model()[1].details["training_brightness"]
    assert found == pytest.approx([min(means), max(means)])


def test_the_same_seed_gives_the_same_network_and_another_seed_another(finished, tiny_set, tmp_path):
    again = train(tiny(tiny_set, tmp_path / "again"))
    assert same(weights(again.folder), weights(finished.folder))
    other = train(tiny(tiny_set, tmp_path / "other", seed=1))
    assert not same(weights(other.folder), weights(finished.folder))


@pytest.mark.parametrize(("scores", "best"), [((0.5, 0.9, 0.7), 4), ((0.5, 0.5, 0.5), 2)], ids=["best", "first"])
def test_the_best_network_by_the_validation_part_is_kept_and_of_equals_the_first(
    tiny_set, tmp_path, monkeypatch, scores, best
):
    """The network is scored after epochs 2, 4 and 6."""
    each = iter(scores)

    def scored(*_):
        return Evaluation(("a",), {"mean of heads": dict.fromkeys(REPORTED, next(each))})

    monkeypatch.setattr("unetpp_lib.engine.trainer.evaluate", scored)
    monkeypatch.setattr("unetpp_lib.engine.trainer.score_run", lambda *_: None)
    run = train(tiny(tiny_set, tmp_path / "run", **SMALLEST, epochs=6))
    assert run.load_model()[1].details["epoch"] == best
    assert load_checkpoint(run.checkpoint)["best"] == max(scores)


def test_every_step_draws_its_own_augmentation(tiny_set, tmp_path, monkeypatch):
    seeds = []
    augment = Augmentation.__call__

    def spy(self, images, masks, generator):
        seeds.append(generator.initial_seed())
        return augment(self, images, masks, generator)

    monkeypatch.setattr(Augmentation, "__call__", spy)
    train(tiny(tiny_set, tmp_path / "run", **SMALLEST, epochs=2))
    assert len(seeds) == len(set(seeds)) == 8


@pytest.fixture(scope="module", params=[{}, {"precision": "bf16", "dropout": 0.3}], ids=["float32", "bf16, dropout"])
def whole(request, tiny_set, tmp_path_factory):
    """A run that nothing stops."""
    return train(tiny(tiny_set, tmp_path_factory.mktemp("runs") / "whole", **SMALLEST, **request.param))


@needs_signals
@pytest.mark.parametrize("stop_at", [9, *(pytest.param(step, marks=pytest.mark.slow) for step in (1, 8, 13))])
def test_a_run_that_ctrl_c_stops_goes_on_to_the_same_end(whole, tmp_path, monkeypatch, stop_at):
    config = replace(whole.config, out=tmp_path / "run")
    step = Trainer.make_step

    def interrupted(self, images, masks):
        step(self, images, masks)
        if self.step == stop_at:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "make_step", interrupted)
        run = train(config)
    assert not run.is_finished
    assert load_checkpoint(run.checkpoint)["step"] == stop_at
    train(config, resume=True)
    assert run.is_finished
    assert same(weights(run.folder), weights(whole.folder))
    timeless = [[{**entry, "seconds": 0, "images_per_second": 0} for entry in r.history] for r in (run, whole)]
    assert timeless[0] == timeless[1]


def _train_quietly(config: TrainConfig, resume: bool) -> None:
    torch.set_num_threads(1)
    train(config, resume)


def _killed_after(seconds: float, config: TrainConfig, resume: bool) -> bool:
    """Train in another process, kill it after ``seconds``; return whether it was still alive then."""
    process = multiprocessing.get_context("forkserver").Process(target=_train_quietly, args=(config, resume))
    process.start()
    process.join(seconds)
    alive = process.is_alive()
    if alive:
        process.kill()
    process.join()
    assert alive or process.exitcode == 0
    return alive


def _require_readable(folder: Path) -> None:
    for path in folder.glob("*"):
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".jsonl":
            [json.loads(line) for line in path.read_text().splitlines()]
        elif path.suffix == ".pt":
            load_checkpoint(path)
        elif path.suffix == ".safetensors":
            load_file(path)
        elif path.suffix == ".png":
            Image.open(path).load()


@pytest.mark.slow
@needs_signals
def test_a_run_killed_at_eight_random_moments_ends_with_the_same_weights(tiny_set, tmp_path):
    multiprocessing.get_context("forkserver").set_forkserver_preload(["unetpp_lib.engine"])
    options = SMALLEST | {"epochs": 6, "checkpoint_seconds": 0.05}
    for name in ("warm-up", "whole"):  # the first one also starts the server that forks the others
        start = time.monotonic()
        assert not _killed_after(300, tiny(tiny_set, tmp_path / name, **options), resume=False)
        seconds = time.monotonic() - start
    moment = random.Random(0)
    kills = runs = 0
    while kills < 8:
        folder = tmp_path / f"run{runs}"
        started = folder / "config.json"
        config = tiny(tiny_set, folder, **options)
        while kills < 8 and _killed_after(moment.uniform(0, seconds), config, started.exists()):
            kills += 1
            _require_readable(folder)
        _killed_after(300, config, started.exists())
        assert (folder / "scores.json").exists()
        assert same(weights(folder), weights(tmp_path / "whole"))
        runs += 1


def test_a_finished_run_is_not_trained_again(finished):
    before = weights(finished.folder)
    assert train(finished.config, resume=True).is_finished
    assert same(weights(finished.folder), before)


def test_another_configuration_does_not_resume(finished, tiny_set):
    config = replace(finished.config, lr=0.5, seed=3)
    with pytest.raises(InputError, match=r"another configuration: lr is 0\.5 here and 0\.003 there; seed is 3 here"):
        train(config, resume=True)


def test_a_folder_that_holds_files_is_never_written_to(finished, tmp_path):
    before = {path.name: path.read_bytes() for path in finished.folder.iterdir()}
    with pytest.raises(InputError, match=r"exists and holds files.*--resume"):
        train(finished.config)
    assert before == {path.name: path.read_bytes() for path in finished.folder.iterdir()}
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file"):
        train(replace(finished.config, out=tmp_path / "file"))


def test_a_folder_in_which_a_run_was_killed_before_it_began_can_be_used(tiny_set, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json.tmp").write_text("{")
    assert train(tiny(tiny_set, tmp_path / "run", **SMALLEST, epochs=1)).is_finished


def test_resuming_what_was_never_started_is_refused(tiny_set, tmp_path):
    with pytest.raises(InputError, match=r"is not a run folder: it has no config\.json"):
        train(tiny(tiny_set, tmp_path / "nothing"), resume=True)
    with pytest.raises(InputError, match="--resume needs the run's folder"):
        train(replace(tiny(tiny_set, tmp_path), out=None), resume=True)


def test_runs_without_a_name_are_numbered(tiny_set, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = replace(tiny(tiny_set, tmp_path, **SMALLEST, epochs=1), out=None)
    numbers = [train(config).folder.name[-2:] for _ in range(2)]
    assert numbers == ["-1", "-2"]


def test_a_loss_that_is_not_finite_stops_with_the_batch_saved_and_advice(tiny_set, tmp_path):
    with pytest.raises(InputError, match=r"The loss is (nan|inf) at step \d+\. The batch.*--lr 1e\+29.*float32"):
        train(tiny(tiny_set, tmp_path / "run", **SMALLEST, lr=1e30, norm="none"))
    batch = load_file(tmp_path / "run" / "non_finite_batch_0.safetensors")
    assert batch["images"].shape == (4, 1, 32, 32)


@pytest.mark.slow
def test_a_full_disk_keeps_the_last_good_checkpoint(tiny_set, tmp_path, monkeypatch):
    sync = os.fsync
    calls = []

    def fill_up(file):
        calls.append(file)
        if len(calls) > 7:
            raise OSError(28, "No space left on device")
        sync(file)

    monkeypatch.setattr("os.fsync", fill_up)
    config = tiny(tiny_set, tmp_path / "run", **SMALLEST)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        train(config)
    monkeypatch.undo()
    assert load_checkpoint(config.out / "last.pt")["step"] > 0
    assert train(config, resume=True).is_finished


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0; it must be greater than 0"),
        ({"epochs": -1}, "epochs is -1"),
        ({"patch": 0}, "patch is 0"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"workers": -1}, "workers is -1"),
        ({"bce_weight": 0, "dice_weight": 0}, "both 0"),
    ],
)
def test_a_wrong_option_is_named(tiny_set, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        tiny(tiny_set, tmp_path, **options)


@pytest.mark.slow
def test_a_callback_sees_every_step_in_place_of_the_bar_and_changes_nothing(finished, tiny_set, tmp_path, capsys):
    seen = []

    def callback(training):
        seen.append((training.step, training.history.last_loss, len(training.history.entries)))

    run = train(tiny(tiny_set, tmp_path / "run"), callback=callback)
    assert [(step, looks) for step, _, looks in seen] == [(step, step // 4) for step in range(1, 17)]
    assert sum(loss for _, loss, _ in seen[:4]) / 4 == pytest.approx(run.history[0]["loss"])
    assert same(weights(run.folder), weights(finished.folder))
    assert "step" not in capsys.readouterr().err


@pytest.mark.slow
def test_a_callback_stops_a_run_that_goes_on_to_the_same_end(finished, tiny_set, tmp_path):
    config = tiny(tiny_set, tmp_path / "run")
    run = train(config, callback=lambda training: training.step == 9)
    assert not run.is_finished
    assert load_checkpoint(run.checkpoint)["step"] == 9
    train(config, resume=True)
    assert same(weights(run.folder), weights(finished.folder))


def test_every_step_is_made_at_its_own_rate(tiny_set, tmp_path, monkeypatch):
    rates = []
    step = torch.optim.Adam.step

    def spy(self, *args):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *args)

    monkeypatch.setattr(torch.optim.Adam, "step", spy)
    train(tiny(tiny_set, tmp_path / "run", **SMALLEST, lr=0.02))
    assert rates == [learning_rate(i, 16, 0.02) for i in range(16)]


@needs_signals
def test_a_scheduler_that_ends_the_process_lets_a_step_finish_as_ctrl_c_does():
    before = signal.getsignal(signal.SIGTERM)
    with interrupts() as interrupted:
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupted.wait(5)
        assert signal.getsignal(signal.SIGTERM) is before  # the next one ends it
    assert signal.getsignal(signal.SIGTERM) is before


@needs_signals
def test_the_second_ctrl_c_interrupts_at_once():
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell ignores it
    try:
        with interrupts() as interrupted:
            assert not interrupted.is_set()
            os.kill(os.getpid(), signal.SIGINT)
            assert interrupted.wait(5)
            with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the signal arrives when it arrives
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(5)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, inherited)


@pytest.mark.slow
def test_neither_a_callback_nor_what_was_drawn_before_changes_a_run_with_dropout(tiny_set, tmp_path):
    ends = []
    for number, callback in enumerate((None, lambda _: bool(torch.rand(1) > 2))):
        torch.manual_seed(number)
        before = torch.get_rng_state()
        run = train(tiny(tiny_set, tmp_path / str(number), **SMALLEST, dropout=0.3), callback=callback)
        assert callback is not None or torch.equal(torch.get_rng_state(), before)
        ends.append(weights(run.folder))
    assert same(*ends)


def test_waiting_for_images_counts_as_time_and_a_callback_does_not(tiny_set, tmp_path, monkeypatch):
    """The clock moves by ten seconds for each image that is read, by a thousand for each call of the callback."""
    now = [0.0]
    monkeypatch.setattr("unetpp_lib.engine.trainer.time.monotonic", lambda: now[0])
    read = Patches.__getitem__

    def slow(self, place):
        now[0] += 10
        return read(self, place)

    def callback(_):
        now[0] += 1000

    monkeypatch.setattr(Patches, "__getitem__", slow)
    config = tiny(tiny_set, tmp_path / "run", **SMALLEST, batch_size=64, epochs=1)
    run = train(config, callback=callback)
    images = 2 * len(run.split.train)  # each gives two patches of 32×32, by its area; together they fill no batch
    assert (run.history[0]["seconds"], run.history[0]["images_per_second"]) == (10 * images, 0.1)


@pytest.mark.slow
def test_a_checkpoint_of_an_earlier_version_goes_on(finished, tiny_set, tmp_path):
    """It has the state of PyTorch's generators, and no number of steps and images of the epoch under way."""
    config = tiny(tiny_set, tmp_path / "run")
    run = train(config, callback=lambda trainer: trainer.step == 6)
    state = load_checkpoint(run.checkpoint)
    for name in ("epoch_steps", "epoch_images"):
        del state[name]
    save_checkpoint(state | {"random": [torch.get_rng_state()]}, run.checkpoint)
    train(config, resume=True)
    assert [entry["loss"] for entry in run.history] == [entry["loss"] for entry in finished.history]
    assert same(weights(run.folder), weights(finished.folder))


@pytest.mark.slow
def test_images_of_mixed_sizes_train_by_patches(tmp_path):
    for size, seed in ((64, 0), (96, 1)):
        write_membranes(tmp_path / str(size), 4, size, seed)
        for part in ("images", "masks"):
            (tmp_path / "all" / part).mkdir(parents=True, exist_ok=True)
            for path in (tmp_path / str(size) / part).iterdir():
                path.rename(tmp_path / "all" / part / f"{size}_{path.name}")
    assert len(set(SegmentationFolder(tmp_path / "all").sizes)) == 2
    assert train(tiny(tmp_path / "all", tmp_path / "run", epochs=1)).is_finished


def test_a_run_on_ones_own_set_is_never_taken_for_one_on_another_set_of_that_name(tiny_set, tmp_path, monkeypatch):
    own = copy_of(tiny_set, tmp_path / "own" / "membranes")
    monkeypatch.setenv("UNETPP_DATA", str(tmp_path / "own"))
    run = train(tiny("membranes", tmp_path / "run", epochs=1))
    assert Path(run.config.data) == own.resolve()
    monkeypatch.delenv("UNETPP_DATA")
    assert not run.was_trained_on(find_dataset("membranes"))
    with pytest.raises(InputError, match=r"data is membranes here and .*own.*membranes there"):
        train(tiny("membranes", tmp_path / "run", epochs=1), resume=True)
