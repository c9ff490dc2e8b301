"""What notebook 13 does with a reader's folder: nothing is overwritten, and a fault is told without a traceback."""

import pytest
import torch

from unetpp_course.own_images import best_constant, faulty_copy, results_folder, score, scores_line
from unetpp_course.own_settings import SettingsError, choose_config, divide, fitting_patch, name_classes, open_folder
from unetpp_lib.data import find_dataset


def test_results_stand_beside_the_folder_and_never_replace_earlier_ones(tmp_path):
    (tmp_path / "nuclei").mkdir()
    first, second = results_folder(tmp_path / "nuclei"), results_folder(tmp_path / "nuclei")
    assert [first.name, second.name] == ["nuclei_results_1", "nuclei_results_2"]
    assert first.parent == tmp_path


def test_a_faulty_folder_stops_the_notebook_with_its_faults_alone(tmp_path):
    assert len(faulty_copy(tmp_path / "copy")) == 3
    with pytest.raises(SettingsError, match="3 fault") as stopped:
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


def test_the_best_prediction_without_a_network_is_the_larger_class():
    folder = open_folder(find_dataset("membranes"), 1, 1)
    name, value = best_constant(folder, folder.names[:4], ("membrane", "interior"))
    assert name == "interior"
    assert 0.38 < value < 0.43  # half of 82 %


def test_one_image_has_no_interval():
    assert "no interval" in scores_line("test", [0.5])
    assert scores_line("test", [0.4, 0.6]).startswith("2 test images: IoU from 0.40 to 0.60, mean 0.50, 95 % interval")


@pytest.mark.parametrize("names", ["nucleus", ("background",), ("background", "nucleus", "x")])
def test_names_that_do_not_fit_the_classes_are_refused(names):
    with pytest.raises(SettingsError, match="CLASS_NAMES"):
        name_classes(names, 1)


def test_a_small_image_makes_small_patches_and_a_large_one_the_presets():
    assert fitting_patch([(64, 80), (100, 90), (90, 90)], 256) == 80
    assert (fitting_patch([(30, 30)], 256), fitting_patch([(500, 600)], 256)) == (64, 256)


def test_faulty_settings_are_named_as_in_the_cell():
    folder = open_folder(find_dataset("membranes"), 1, 1)
    data = {"data": str(folder.root)}
    with pytest.raises(SettingsError, match="PRESET is 'small'"):
        choose_config(folder, "small", None, None, data)
    with pytest.raises(SettingsError, match="PATCH is 0"):
        choose_config(folder, "laptop", None, 0, data)
    with pytest.raises(SettingsError, match=r"^GROUP is 'x\+'"):
        divide(folder, choose_config(folder, "laptop", None, None, data | {"group": "x+"}))
    with pytest.raises(SettingsError, match="leave GROUP empty and write a"):
        divide(folder, choose_config(folder, "laptop", None, None, data | {"group": "membrane"}))
