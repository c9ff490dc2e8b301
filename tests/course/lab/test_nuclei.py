"""Nuclei: the held-out fifth is the seed's, images are squeezed as the re-implementation does, every IoU is read."""

from dataclasses import replace

import pytest
import torch

from unetpp_course.lab import base, nuclei
from unetpp_lib.data import SegmentationFolder, read_split
from unetpp_lib.metrics import iou


@pytest.fixture
def tiny_source(tiny_set, tmp_path, monkeypatch):
    monkeypatch.setattr(nuclei, "SOURCE", str(tiny_set))
    monkeypatch.setattr(nuclei, "RUNS", tmp_path)
    monkeypatch.setattr(base, "RUNS", tmp_path)


def test_the_small_arm_squeezes_image_and_mask_to_96_pixels():
    image, mask = torch.zeros(3, 40, 300), torch.zeros(1, 40, 300, dtype=torch.uint8)
    image[:, :, 150:], mask[:, :, 150:] = 1, 1
    small, truth = nuclei.squeeze(image, mask)
    assert (small.shape, truth.shape) == ((3, 96, 96), (1, 96, 96))
    assert truth.unique().tolist() == [0, 1]
    assert truth.mean().item() == 0.5
    assert small.mean().item() == pytest.approx(0.5)


@pytest.mark.parametrize("size", [(256, 256), (520, 696), (100, 300)])
def test_squeezed_masks_stay_on_their_images(size):
    y, x = torch.meshgrid(*(torch.arange(n) for n in size), indexing="ij")
    disc = (((y - 0.6 * size[0]) / size[0]) ** 2 + ((x - 0.4 * size[1]) / size[1]) ** 2 < 0.01)[None]
    image, mask = nuclei.squeeze(disc.float(), disc.to(torch.uint8))
    for dim in (1, 2):
        places = torch.arange(96).view([-1 if d == dim else 1 for d in range(3)])
        one, other = ((part * places).sum() / part.sum() for part in (image, mask))
        assert abs(one - other) < 0.2  # the nearest pixel would be 0.4 to 0.6 off


@pytest.mark.parametrize("arm", nuclei.ARMS)
def test_a_fifth_is_held_out_and_the_seed_draws_it(tiny_source, arm):
    held_out = []
    for seed in (0, 1):
        nuclei.write_data(arm, seed)
        split = read_split(nuclei.data_folder(arm, seed) / "split.json")
        assert (len(split.train), len(split.validation), len(split.test)) == (10, 2, 0)
        held_out.append(split.validation)
    assert held_out[0] != held_out[1]
    sizes = SegmentationFolder(nuclei.data_folder(arm, 0), channels=3).sizes
    assert set(sizes) == ({(96, 96)} if arm == "small" else {(48, 48)})


def test_iou_in_batches_moves_with_the_batch():
    counts = torch.tensor([[[90, 0], [5, 5]]] * 16 + [[[0, 0], [0, 100]]])  # sixteen of IoU ½, and one of 1
    assert nuclei.batch_mean(counts) == pytest.approx(0.75)
    assert iou(counts, "foreground", "pooled") == pytest.approx(180 / 260)


def test_a_trial_reads_the_best_epoch_and_the_last_by_every_definition(tiny_source, monkeypatch):
    changes = {"widths": (4, 6), "epochs": 2, "device": "cpu", "precision": "float32"}
    arms = {"small": replace(nuclei.ARMS["small"], **changes)}
    monkeypatch.setattr(nuclei, "ARMS", arms)
    outcome = nuclei.make_trial("small", "unetpp", 0).measure()
    look = outcome["history"][-1]["validation"]
    for epoch in ("best", "last"):
        assert set(outcome["epochs"][epoch]) == {"head 1"}
        assert set(nuclei.DEFINITIONS.values()) <= set(outcome["epochs"][epoch]["head 1"])
    # the last network, read from the checkpoint, scores what the engine saw after the last epoch
    key = "iou/foreground/pooled"
    last, best_epoch = (outcome["epochs"][epoch]["head 1"] for epoch in ("last", "best"))
    assert last[key] == pytest.approx(look["head 1"][key], abs=1e-4)
    best = max(entry["validation"]["head 1"]["iou/classes/pooled"] for entry in outcome["history"])
    assert best_epoch["iou/classes/pooled"] == pytest.approx(best, abs=1e-4)


def outcome(value: float) -> dict:
    def rows(value: float) -> dict:
        return {head: dict.fromkeys(nuclei.DEFINITIONS.values(), v) for head, v in (("head 1", 0.1), ("head 4", value))}

    return {"epochs": {"best": rows(value - 0.1), "last": rows(value)}}


def test_the_table_compares_by_seed_and_shows_what_was_reported(results_of):
    outcomes = {}
    for seed in (0, 1):
        for network, value in (("unet", 0.8), ("unetpp_plain", 0.82), ("unetpp", 0.85 + seed / 10)):
            outcomes[f"small-{network}-seed{seed}"] = outcome(value)
    text = nuclei.table(results_of(nuclei.EXPERIMENT, outcomes))
    assert "whole images" not in text
    row, *_ = [line for line in text.splitlines() if line.startswith("IoU of nuclei, pooled  ")]
    assert row.split()[-6:] == ["0.700", "0.800", "0.720", "0.820", "0.800", "0.900"]  # best epoch, last
    assert "unetpp 0.850 0.950" in text
    assert "+0.100 [-0.535, +0.735]" in text  # .05 and .15: t = 12.71, standard error .05
    del outcomes["small-unetpp-seed1"]
    fewer = nuclei.table(results_of(nuclei.EXPERIMENT, outcomes))
    assert "unet 2, unetpp_plain 2, unetpp 1" in fewer
    assert "+0.050 [" not in fewer  # one pair shows no spread
    assert text.endswith("unet 0.839 and 0.9077; unetpp_plain 0.842 and 0.9263; unetpp 0.843 and 0.9252")
