"""The benchmarks run, where MONAI is missing too, and say of every contender what it took. Timings are not judged."""

import json
import sys
from pathlib import Path
from runpy import run_path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SPEED = BENCHMARKS / "speed.py"


def test_the_benchmark_times_our_networks_without_monai(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "monai", None)  # as where it is not installed
    speed = run_path(str(SPEED))
    out = tmp_path / "result.json"
    speed["main"](speed["Settings"](side=16, batch=2, widths=(2, 3, 4), rounds=1, warm_up=0, device="cpu", out=out))
    text = capsys.readouterr().out
    assert "our networks are timed alone" in text
    result = json.loads(out.read_text())
    rows = {(row["network"], row["way"], row["task"]): row for row in result["rows"]}
    assert ("ours UNet++", "bf16, channels last", "training") in rows
    assert ("ours UNet++ L1", "float32, as it comes", "inference") in rows
    assert ("ours UNet++ L1", "float32, as it comes", "training") not in rows
    assert all(len(row["seconds"]) == 1 and row["macs"] > 0 and row["peak_memory"] > 0 for row in rows.values())
    assert {"commit", "torch", "processor", "monai"} <= result["provenance"].keys()


def test_only_the_networks_asked_for_are_timed(capsys):
    speed = run_path(str(SPEED))
    settings = {"side": 16, "batch": 1, "widths": (2, 3, 4), "rounds": 1, "warm_up": 0, "device": "cpu"}
    speed["main"](speed["Settings"](only="ours U-Net", **settings))
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("ours")]
    assert len(lines) == 6  # three ways to train, three to infer
    assert all(line.startswith("ours U-Net  ") for line in lines)
    with pytest.raises(SystemExit, match="No network matches 'V-Net'; there are ours U-Net, ours UNet"):
        speed["main"](speed["Settings"](only="V-Net", **settings))


def test_ratios_are_to_the_same_kind_of_network_of_monai_as_it_comes():
    speed = run_path(str(SPEED))
    row = {"way": speed["PLAIN"].name, "task": "training", "flop_per_second": 1e9, "best_convolution": 4e9}
    row |= {"macs": 1e9, "parameters": 7, "seconds": [], "images_per_second": 4.0}
    rows = [{**row, "network": "MONAI U-Net", "median": 3.0}, {**row, "network": "MONAI UNet++", "median": 8.0}]
    rows += [{**row, "network": "ours U-Net", "median": 2.0}, {**row, "network": "ours UNet++", "median": 2.0}]
    lines = speed["table"](rows).splitlines()
    assert [line.split()[8] for line in lines if line.startswith("ours")] == ["1.50", "4.00"]
    assert all("25%" in line for line in lines if line.startswith("ours"))


@pytest.mark.slow
def test_exported_networks_answer_as_the_network_that_is_timed_beside_them(capsys, tmp_path):
    pytest.importorskip("onnxruntime")
    exported = run_path(str(BENCHMARKS / "exported.py"))
    out = tmp_path / "result.json"
    exported["main"](exported["Settings"](side=32, widths=(2, 3, 4), rounds=1, out=out))
    rows = json.loads(out.read_text())["rows"]
    assert {(row["depth"], row["way"]) for row in rows} == {
        (depth, way) for depth in (1, 2) for way in ("the network", "made ready", "torch.export", "ONNX Runtime")
    }
    assert all(row["difference"] < 1e-4 for row in rows)
    assert "L2    ONNX Runtime" in capsys.readouterr().out


def test_the_ways_of_a_step_learn_the_same(capsys):
    """The weight gradient by a matrix product is that of PyTorch's transposed convolution."""
    ways = run_path(str(BENCHMARKS / "step_ways.py"))
    settings = ways["Settings"](widths=(2, 3, 4), batch=2, side=16, rounds=1)
    losses = {}
    for way in ways["WAYS"]:
        step = ways["make_step"](way, settings)
        losses[way] = [step().item() for _ in range(4)]
    for way, values in losses.items():
        assert values == pytest.approx(losses["as it is"], rel=0.02), way  # bf16 where the machine has it
    ways["main"](settings)
    lines = capsys.readouterr().out.splitlines()
    assert [line[:16].strip() for line in lines[2:]] == list(ways["WAYS"])
