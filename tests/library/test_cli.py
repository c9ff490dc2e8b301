"""The command line: each command does what it says, and wrong input is one message and exit status 2."""

import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from unetpp_lib.cli import main
from unetpp_lib.data import read_image
from unetpp_lib.engine import Card, Run, choose_runtime, load_model, predict, save_model
from unetpp_lib.models import UNet, UNetPlusPlus

TINY = ["--widths", "4", "6", "8", "--patch", "32", "--epochs", "2", "--evaluate-every", "2", "--device", "cpu"]


def run(capsys, *args: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main([str(arg) for arg in args])
    said = capsys.readouterr()
    return int(stopped.value.code or 0), said.out, said.err


def refused(capsys, *args: object) -> str:
    """The message of a command that must fail as wrong input does."""
    status, _, err = run(capsys, *args)
    assert status == 2
    assert "Traceback" not in err
    return err


@pytest.fixture(scope="module")
def run_folder(tiny_set, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "run"
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--data", str(tiny_set), "--out", str(folder), *TINY])
    assert stopped.value.code == 0
    return folder


@pytest.fixture
def picture(tmp_path) -> Path:
    path = tmp_path / "cell.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (70, 90), dtype=np.uint8)).save(path)
    return path


def test_train_ends_with_the_scores_the_picture_and_the_run(capsys, tiny_set, tmp_path):
    status, out, _ = run(capsys, "train", "--data", tiny_set, "--out", tmp_path / "run", *TINY)
    assert status == 0
    for word in ("fore", "back", "mean", "head 1", "head 2", "mean of heads", "all foreground", "never seen"):
        assert word in out
    assert f"Predictions: {tmp_path / 'run' / 'predictions.png'}" in out
    assert f"Run: {tmp_path / 'run'}" in out


@pytest.mark.slow
def test_a_score_on_training_images_is_told_as_such(capsys, tiny_set, tmp_path):
    nothing_held_out = ["--validation", 0, "--test", 0, *TINY]
    _, out, _ = run(capsys, "train", "--data", tiny_set, "--out", tmp_path / "run", *nothing_held_out)
    assert "Scores on the train part" in out
    assert "these were trained on, and say nothing of new images" in out
    assert "chose the epoch" not in out


def test_resume_takes_the_options_of_the_run(capsys, run_folder):
    status, out, _ = run(capsys, "train", "--out", run_folder, "--resume")
    assert status == 0
    assert "head 2" in out
    assert "another configuration: lr is 1.0 here" in refused(
        capsys, "train", "--out", run_folder, "--resume", "--lr", 1
    )


def test_the_preset_sets_where_the_options_start(capsys):
    status, out, _ = run(capsys, "train", "--preset", "full", "--help")
    assert status == 0
    assert "32 64 128 256 512" in out


@pytest.mark.slow
def test_classes_are_named_in_the_tables_and_in_the_files(capsys, tiny_set, tmp_path):
    (tmp_path / "masks").mkdir()
    shutil.copytree(tiny_set / "images", tmp_path / "images")
    for path in (tiny_set / "masks").iterdir():
        Image.open(path).point(lambda value: value // 255).save(tmp_path / "masks" / path.name)
    names = ["--num-classes", 2, "--class-names", "ground", "disc"]
    status, out, _ = run(capsys, "train", "--data", tmp_path, "--out", tmp_path / "run", *names, *TINY)
    assert status == 0
    assert "Split: train 8 (67%), validation 2 (17%), test 2 (17%). At random, image by image." in out
    found = Run(tmp_path / "run")
    assert found.scores["classes"] == ["ground", "disc"]
    assert 0 <= found.scores["scores"]["mean of heads"]["iou_by_class/disc"] <= 1
    assert found.load_model()[1].classes == ("ground", "disc")
    for text in (out, run(capsys, "evaluate", tmp_path / "run")[1]):
        rows = [line.split()[0] for line in text.splitlines() if line.strip()]
        assert {"ground", "disc"} <= set(rows)
    wrong = refused(capsys, "train", "--num-classes", 3, "--class-names", "a", "b", "--out", tmp_path / "new")
    assert "class_names is ('a', 'b'); num_classes=3 needs 3 names" in wrong


def test_evaluate_scores_the_runs_own_test_part(capsys, run_folder):
    status, out, _ = run(capsys, "evaluate", run_folder, "--device", "cpu")
    assert status == 0
    assert "test: 2 images" in out
    assert "head 2" in out
    status, out, _ = run(capsys, "evaluate", run_folder, "--part", "all")
    assert "all: 12 images" in out


@pytest.mark.slow
def test_a_run_on_a_folder_named_from_one_place_opens_from_another(capsys, tiny_set, tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    shutil.copytree(tiny_set, here / "mine")
    there.mkdir()
    monkeypatch.chdir(here)
    assert run(capsys, "train", "--data", "mine", "--out", "run", *TINY)[0] == 0
    for spelled in ("mine", "../here/mine", here / "mine"):
        assert run(capsys, "train", "--out", "run", "--resume", "--data", spelled)[0] == 0
        assert "test: 2 images" in run(capsys, "evaluate", "run", "--data", spelled)[1]
    shutil.copytree(tiny_set, here / "other")
    assert "another configuration: data is other here and" in refused(
        capsys, "train", "--out", "run", "--resume", "--data", "other"
    )
    monkeypatch.chdir(there)
    shutil.move(here / "run", there / "moved")
    status, out, _ = run(capsys, "evaluate", "moved")
    assert status == 0
    assert f"{here / 'mine'}, test: 2 images" in out
    assert "all: 12 images" in run(capsys, "evaluate", "moved", "--data", "../here/other")[1]


def test_a_run_that_names_its_folder_as_it_was_typed_still_opens_where_it_was_made(capsys, run_folder, tmp_path):
    folder = shutil.copytree(run_folder, tmp_path / "run")
    config = Run(folder).config
    (folder / "config.json").write_text(replace(config, data=os.path.relpath(config.data)).to_json())
    assert "test: 2 images" in run(capsys, "evaluate", folder)[1]
    assert run(capsys, "train", "--out", folder, "--resume", "--data", config.data)[0] == 0


def test_evaluate_scores_weights_on_a_named_set(capsys, run_folder, tiny_set):
    status, out, _ = run(capsys, "evaluate", run_folder / "best.safetensors", "--data", tiny_set)
    assert status == 0
    assert "all: 12 images" in out
    assert "say with --data" in refused(capsys, "evaluate", run_folder / "best.safetensors")


def test_predict_writes_masks_and_probabilities(capsys, run_folder, picture, tmp_path):
    out = tmp_path / "answers"
    status, said, _ = run(capsys, "predict", run_folder, picture, "--out", out, "--tile", 32, "--average-flips")
    assert status == 0
    assert str(out) in said
    mask, probability = (np.asarray(Image.open(out / f"cell_{kind}.png")) for kind in ("mask", "probability"))
    assert mask.shape == probability.shape == (70, 90)
    assert set(np.unique(mask)) <= {0, 255}
    assert ((probability > 130) <= (mask == 255)).all()
    assert ((probability < 125) <= (mask == 0)).all()


@pytest.mark.parametrize("depth", [1, 2])
def test_predict_at_a_depth_answers_as_its_heads_do(capsys, run_folder, picture, tmp_path, depth):
    assert run(capsys, "predict", run_folder, picture, "--out", tmp_path / "o", "--depth", depth)[0] == 0
    model, card = load_model(run_folder / "best.safetensors")
    expected = predict(model, read_image(picture), card, depth=depth, runtime=choose_runtime())[0]
    written = np.asarray(Image.open(tmp_path / "o" / "cell_probability.png")) / 255
    assert np.abs(written - expected.numpy()).max() < 0.02  # bf16 has 8 binary digits, the picture 256 greys


def test_predict_writes_one_probability_a_class(capsys, picture, tmp_path):
    save_model(UNet(num_classes=3, widths=(4, 6)), tmp_path / "three.safetensors")
    assert run(capsys, "predict", tmp_path / "three.safetensors", picture, "--out", tmp_path / "o")[0] == 0
    assert {path.name for path in (tmp_path / "o").iterdir()} == {
        "cell_mask.png",
        *(f"cell_probability_{label}.png" for label in range(3)),
    }


def test_predict_reads_every_page_of_a_stack(capsys, run_folder, tmp_path):
    pages = [Image.fromarray(np.full((20, 30), grey, np.uint8)) for grey in (10, 200)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    assert run(capsys, "predict", run_folder, tmp_path / "stack.tif", "--out", tmp_path / "o")[0] == 0
    masks = {path.name for path in (tmp_path / "o").glob("*_mask.png")}
    assert masks == {"stack_000_mask.png", "stack_001_mask.png"}


def test_predict_reads_an_array_area_by_area(capsys, run_folder, picture, tmp_path):
    np.save(tmp_path / "cell.npy", np.asarray(Image.open(picture)))
    for path, out in ((picture, "png"), (tmp_path / "cell.npy", "npy")):
        assert run(capsys, "predict", run_folder, path, "--out", tmp_path / out, "--tile", 32)[0] == 0
    mask, probability = (np.load(tmp_path / "npy" / f"cell_{kind}.npy") for kind in ("mask", "probability"))
    assert probability.shape == (1, 70, 90)
    assert np.array_equal(mask, np.asarray(Image.open(tmp_path / "png" / "cell_mask.png")))
    again = refused(capsys, "predict", run_folder, tmp_path / "cell.npy", "--out", tmp_path / "npy")
    assert "cell_mask.npy exists already" in again


@pytest.mark.parametrize("ending", ["mask.png", "probability.png", "mask.npy", "probability.npy"])
def test_predict_overwrites_nothing(capsys, run_folder, picture, tmp_path, ending):
    there = tmp_path / f"cell_{ending}"
    there.write_text("mine")
    assert f"{there.name} exists already" in refused(capsys, "predict", run_folder, picture, "--out", tmp_path)
    assert there.read_text() == "mine"


def test_predict_overwrites_the_probability_of_no_class(capsys, picture, tmp_path):
    save_model(UNet(num_classes=3, widths=(4, 6)), tmp_path / "three.safetensors")
    (tmp_path / "cell_probability_2.png").write_text("mine")
    said = refused(capsys, "predict", tmp_path / "three.safetensors", picture, "--out", tmp_path)
    assert "cell_probability_2.png exists already" in said


def test_predict_takes_folders_and_patterns(capsys, run_folder, tiny_set, tmp_path):
    for number, given in enumerate(
        (tiny_set / "images", tiny_set / "images" / "disc_*.png", tiny_set / "**" / "d*[0-1]0*")
    ):
        status, _, _ = run(capsys, "predict", run_folder, given, "--out", tmp_path / str(number))
        assert status == 0
    written = [sorted(path.name for path in (tmp_path / str(n)).rglob("*_mask.png")) for n in range(3)]
    assert written[0] == written[1] == [f"disc_{i:02}_mask.png" for i in range(12)]
    assert {path.parent.name for path in (tmp_path / "2").rglob("*_mask.png")} == {"images", "masks"}  # of equal names
    assert "no such file or folder" in refused(
        capsys, "predict", run_folder, tmp_path / "gone", "--out", tmp_path / "o"
    )


def test_predict_cuts_at_a_threshold_of_the_users(capsys, run_folder, picture, tmp_path):
    shares = []
    for threshold in (0.05, 0.5, 0.95):
        out = tmp_path / str(threshold)
        assert run(capsys, "predict", run_folder, picture, "--out", out, "--threshold", threshold)[0] == 0
        mask, probability = (np.asarray(Image.open(out / f"cell_{kind}.png")) for kind in ("mask", "probability"))
        assert (mask[probability > 255 * threshold + 1] == 255).all()
        assert (mask[probability < 255 * threshold - 1] == 0).all()
        shares.append((mask == 255).mean())
    assert shares[0] > shares[1] > shares[2]
    assert "threshold is 1.5; it must be" in refused(
        capsys, "predict", run_folder, picture, "--out", tmp_path / "o", "--threshold", 1.5
    )
    save_model(UNet(num_classes=3, widths=(4, 6)), tmp_path / "three.safetensors")
    assert "threshold is 0.4, and this network has 3 classes" in refused(
        capsys, "predict", tmp_path / "three.safetensors", picture, "--out", tmp_path / "o", "--threshold", 0.4
    )


def test_predict_warns_of_an_image_that_is_far_darker_than_the_training_images(capsys, run_folder, tiny_set, tmp_path):
    grey = np.asarray(Image.open(tiny_set / "images" / "disc_05.png"))
    images = {"same": grey, "twelve_bits": grey.astype(np.uint16) * 16, "sixteen_bits": grey.astype(np.uint16) * 257}
    images |= {"eighth": grey // 8, "bright": 255 - grey // 4}
    for name, pixels in images.items():
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    np.save(tmp_path / "mapped.npy", grey // 8)
    status, _, err = run(capsys, "predict", run_folder, tmp_path / "*.*", "--out", tmp_path / "o")
    assert status == 0
    warned = {line.split(":")[1].strip(): line for line in err.splitlines() if line.startswith("Warning")}
    assert warned.keys() == {"twelve_bits", "eighth", "bright", "mapped"}
    assert "far brighter" in warned["bright"]
    assert "far darker" in warned["mapped"]
    for name in ("twelve_bits", "eighth"):
        assert "is far darker than the training images (its mean is 0.0" in warned[name]
    Image.fromarray(grey // 8).save(tmp_path / "o.tif", save_all=True, append_images=[Image.fromarray(grey // 8)] * 7)
    err = run(capsys, "predict", run_folder, tmp_path / "o.tif", "--out", tmp_path / "p")[2]
    assert err.count("far darker") == 5
    assert "Warning: … and 3 more of these." in err


def test_prune_writes_a_network_whose_heads_answer_as_before(capsys, run_folder, tmp_path):
    out = tmp_path / "small.safetensors"
    status, said, _ = run(capsys, "prune", run_folder, "--depth", 1, "--out", out)
    assert status == 0
    assert "depth 1 of 2" in said
    (full, card), (small, small_card) = load_model(run_folder / "best.safetensors"), load_model(out)
    x = torch.randn(1, 1, 21, 33)
    assert torch.equal(full(x)[0], small(x)[0])
    assert len(small.heads) == 1
    assert (small_card.mean, small_card.std) == (card.mean, card.std)
    assert "exists already" in refused(capsys, "prune", run_folder, "--depth", 1, "--out", out)


def test_profile_lists_every_depth(capsys, run_folder, tmp_path):
    status, out, _ = run(capsys, "profile", run_folder, "--size", 64)
    assert status == 0
    rows = [line.split() for line in out.splitlines()[2:]]
    assert [row[0] for row in rows] == ["1", "2"]
    save_model(UNet(widths=(4, 6, 8)), tmp_path / "unet.safetensors")
    assert run(capsys, "profile", tmp_path / "unet.safetensors", "--size", 32)[1].splitlines()[2].split()[0] == "2"


def test_the_data_commands_check_and_list(capsys, tiny_set, monkeypatch):
    monkeypatch.setenv("UNETPP_DATA", str(tiny_set.parent))
    status, out, _ = run(capsys, "data", "check", tiny_set)
    assert status == 0
    assert "12 pairs of image and mask, no faults" in out
    assert "48×48" in out
    status, out, _ = run(capsys, "data", "list")
    assert status == 0
    assert {tiny_set.name, "membranes"} <= {line.split()[0] for line in out.splitlines()}


@pytest.mark.parametrize(
    "command",
    [[], ["data"], ["train"], ["evaluate"], ["predict"], ["prune"], ["profile"], ["data", "list"]],
)
def test_every_command_has_help(capsys, command):
    status, out, _ = run(capsys, *command, "--help")
    assert status == 0
    assert "usage: unetpp" in out


def bad_folder(tmp_path: Path, fault: str) -> Path:
    root = tmp_path / fault
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
    grey = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40), dtype=np.uint8))
    mask = Image.fromarray(np.tile(np.uint8([0, 255]), (40, 20)))
    for name in ("a", "b", "c"):
        grey.save(root / "images" / f"{name}.png")
        mask.save(root / "masks" / f"{name}.png")
    if fault == "empty":
        for path in root.glob("*/*"):
            path.unlink()
    elif fault == "without mask":
        (root / "masks" / "b.png").unlink()
    elif fault == "without image":
        (root / "images" / "b.png").unlink()
    elif fault == "sizes":
        mask.crop((0, 0, 30, 40)).save(root / "masks" / "b.png")
    elif fault == "truncated":
        whole = (root / "images" / "b.png").read_bytes()
        (root / "images" / "b.png").write_bytes(whole[: len(whole) // 2])
    elif fault == "unreadable":
        (root / "images" / "b.png").write_text("no picture")
    elif fault == "jpeg":
        (root / "masks" / "b.png").unlink()
        mask.save(root / "masks" / "b.jpg")
    elif fault == "values":
        Image.fromarray(np.arange(1600, dtype=np.uint8).reshape(40, 40) % 50).save(root / "masks" / "b.png")
    return root


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("empty", ("images", "PNG")),
        ("without mask", ("images", "b.png", "mask")),
        ("without image", ("masks", "b.png", "image")),
        ("sizes", ("b.png", "(40, 30)", "(40, 40)")),
        ("truncated", ("b.png", "truncated")),
        ("unreadable", ("b.png",)),
        ("jpeg", ("b.jpg", "JPEG")),
        ("values", ("b.png", "50")),
    ],
)
def test_a_faulty_folder_is_refused_before_anything_is_written(capsys, tmp_path, fault, words):
    root = bad_folder(tmp_path, fault)
    for command in (["data", "check", root], ["train", "--data", root, "--out", tmp_path / "run"]):
        message = refused(capsys, *command)
        assert all(word in message for word in words), message
    assert not (tmp_path / "run").exists()


def test_16_bit_and_rgba_images_are_accepted(capsys, tmp_path):
    root = bad_folder(tmp_path, "none")
    random = np.random.default_rng(1)
    Image.fromarray(random.integers(0, 65535, (40, 40), dtype=np.uint16)).save(root / "images" / "a.png")
    Image.fromarray(random.integers(0, 255, (40, 40, 4), dtype=np.uint8)).save(root / "images" / "b.png")
    assert run(capsys, "data", "check", root)[0] == 0


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["train", "--data", "isbi2013"], ("isbi2013", "Did you mean 'isbi2012'", "Known sets")),
        (["train", "--data", "nowhere/at/all"], ("nowhere/at/all", "images/")),
        (["train", "--batch-size", "0"], ("batch_size is 0", "greater than 0")),
        (["train", "--widths", "8"], ("widths is (8,)", "2 to 7")),
        (["train", "--resume"], ("--out",)),
        (["train", "--resume", "--out", "nothing"], ("nothing", "config.json")),
        (["train", "--bogus"], ("--bogus",)),
        (["train", "--epochs", "many"], ("--epochs", "many")),
        (["evaluate", "nothing.safetensors"], ("nothing.safetensors", "no such file")),
        (["profile", "nothing.safetensors"], ("nothing.safetensors", "no such file")),
        (["data", "download", "imagenet"], ("imagenet", "isbi2012")),
        (["data", "check", "nowhere"], ("nowhere", "Known sets")),
        (["bogus"], ("bogus", "train")),
    ],
)
def test_bad_input_is_named_with_the_remedy(capsys, tmp_path, monkeypatch, command, words):
    monkeypatch.chdir(tmp_path)
    message = refused(capsys, *command)
    assert all(word in message for word in words), message
    assert list(tmp_path.iterdir()) == []


def test_bad_requests_of_a_good_network_are_named(capsys, run_folder, picture, tmp_path):
    out = tmp_path / "out"
    assert "depth is 3; this network can be pruned to a depth of 1 to 2" in refused(
        capsys, "prune", run_folder, "--depth", 3, "--out", out
    )
    assert "depth is 9; there are heads 1 to 2" in refused(
        capsys, "predict", run_folder, picture, "--out", out, "--depth", 9
    )
    gone = refused(capsys, "predict", run_folder, tmp_path / "gone.png", "--out", out)
    assert "gone.png: there is no such file" in gone
    save_model(UNetPlusPlus(widths=(4, 6), deep_supervision=False), tmp_path / "one.safetensors", Card())
    one = tmp_path / "one.safetensors"
    assert "only its deepest head" in refused(capsys, "prune", one, "--depth", 1, "--out", tmp_path / "new")
    assert "no best.safetensors" in refused(capsys, "evaluate", tmp_path)
    assert not list(out.glob("*")) if out.is_dir() else not out.exists()


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: pickle.dumps(print)])
def test_a_checkpoint_that_is_damaged_or_holds_code_does_not_resume(capsys, run_folder, tmp_path, damage):
    folder = shutil.copytree(run_folder, tmp_path / "run")
    (folder / "last.pt").write_bytes(damage((folder / "last.pt").read_bytes()))
    assert "last.pt is" in refused(capsys, "train", "--out", folder, "--resume")


def test_a_checkpoint_of_another_network_does_not_resume(capsys, run_folder, tmp_path):
    folder = shutil.copytree(run_folder, tmp_path / "run")
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace("[\n    4,\n    6,\n    8\n  ]", "[4, 6, 9]"))
    assert "weights of another architecture: " in refused(capsys, "train", "--out", folder, "--resume")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_named(capsys, tiny_set, tmp_path):
    message = refused(capsys, "train", "--data", tiny_set, "--out", tmp_path / "run", "--device", "cuda")
    assert "PyTorch sees 0 CUDA devices" in message
    assert not (tmp_path / "run").exists()


def test_a_file_that_may_not_be_read_is_named(capsys, run_folder, monkeypatch):
    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied", "config.json")

    monkeypatch.setattr("pathlib.Path.read_text", forbidden)
    assert "Permission denied: 'config.json'" in refused(capsys, "train", "--out", run_folder, "--resume")


def test_a_full_disk_while_predicting_is_named_and_leaves_no_half_picture(
    capsys, run_folder, picture, tmp_path, monkeypatch
):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    message = refused(capsys, "predict", run_folder, picture, "--out", tmp_path / "o")
    assert "cell_mask.png cannot be written: No space left on device" in message
    assert list((tmp_path / "o").iterdir()) == []


def test_an_unknown_fault_is_not_dressed_up_as_bad_input(monkeypatch):
    def broken():
        raise ZeroDivisionError

    monkeypatch.setattr("unetpp_lib.data.list_datasets", broken)
    with pytest.raises(ZeroDivisionError):
        main(["data", "list"])
