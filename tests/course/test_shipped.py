"""The course says what to do where it runs without the files that only a clone holds."""

import shutil

import pytest

from unetpp_course.heads_in_time import shipped_heads
from unetpp_course.lab import read_results
from unetpp_course.shipped import shipped_data, shipped_model
from unetpp_lib.errors import InputError


@pytest.mark.parametrize("read", [shipped_heads, lambda: read_results("alone")], ids=["head_steps", "results"])
def test_outside_a_clone_the_course_asks_for_one(read, tmp_path, monkeypatch):
    monkeypatch.setattr("unetpp_course.shipped.shipped_data", lambda: tmp_path)
    with pytest.raises(
        InputError, match=r"There is no folder .* make a new one, and run pip install -e '\.\[course\]'"
    ):
        read()


def test_a_damaged_file_of_the_course_asks_for_a_whole_clone(tmp_path, monkeypatch):
    shutil.copytree(shipped_data() / "head_steps", tmp_path / "head_steps")
    (tmp_path / "head_steps" / "step_0000.png").unlink()
    monkeypatch.setattr("unetpp_course.shipped.shipped_data", lambda: tmp_path)
    with pytest.raises(InputError, match=r"head_steps is damaged \(.*step_0000\.png.*complete clone"):
        shipped_heads()


def test_the_course_means_its_own_network_whatever_lies_in_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "unet_membranes").mkdir()
    monkeypatch.chdir(tmp_path)
    assert len(shipped_model("unet_membranes")[0].heads) == 1
