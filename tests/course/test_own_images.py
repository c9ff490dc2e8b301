"""What notebook 13 does with a reader's folder: nothing is overwritten, and a fault is told without a traceback."""

import pytest
import torch

from unetpp_course.own_images import faulty_copy, results_folder, score
from unetpp_lib.data import find_dataset


def test_results_stand_beside_the_folder_and_never_replace_earlier_ones(tmp_path):
    (tmp_path / "nuclei").mkdir()
    first, second = results_folder(tmp_path / "nuclei"), results_folder(tmp_path / "nuclei")
    assert [first.name, second.name] == ["nuclei_results_1", "nuclei_results_2"]
    assert first.parent == tmp_path


def test_a_faulty_folder_stops_the_notebook_with_its_faults_alone(tmp_path):
    assert len(faulty_copy(tmp_path / "copy")) == 3
    with pytest.raises(FaultyFolderError, match="3 fault") as stopped:
        open_folder(tmp_path / "copy", 1, 1)
    assert stopped.value._render_traceback_() == [str(stopped.value)]


def test_an_open_folder_says_what_it_holds(capsys):
    folder = open_folder(find_dataset("membranes"), 1, 1, names=("membrane", "interior"))
    assert len(folder) == 40
    assert "interior    82.5% of the pixels" in capsys.readouterr().out


def test_the_score_of_an_image_is_the_mean_over_its_classes_without_ignored_pixels():
    truth = torch.tensor([[[0, 0, 1, 255]]], dtype=torch.uint8)
    assert score(torch.tensor([[0, 0, 1, 2]], dtype=torch.uint8), truth, 3) == 1
    assert score(torch.tensor([[0, 0, 0, 2]], dtype=torch.uint8), truth, 3) == pytest.approx(1 / 3)
