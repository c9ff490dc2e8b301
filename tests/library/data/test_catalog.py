from pathlib import Path

import pytest
from PIL import Image

from unetpp_lib.data import catalog
from unetpp_lib.data.catalog import KNOWN, find_dataset, is_stack, list_datasets, shipped_data
from unetpp_lib.errors import InputError


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The three places, empty: the user's own folder, what comes with unetpp, and the cache."""
    folders = {place: tmp_path / place for place in ("own", "shipped", "cache/unetpp")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    monkeypatch.setenv("UNETPP_DATA", str(folders["own"]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(catalog, "shipped_data", lambda: folders["shipped"])
    monkeypatch.chdir(tmp_path)
    return folders


def make_set(folder: Path, images: int = 1) -> Path:
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
        for index in range(images):
            Image.new("L", (2, 2)).save(folder / kind / f"{index}.png")
    return folder


def refusal(name_or_folder) -> str:
    with pytest.raises(InputError) as error:
        find_dataset(name_or_folder)
    return str(error.value)


def test_own_folder_comes_before_shipped_sets_and_these_before_the_cache(places):
    for place in ("cache/unetpp", "shipped", "own"):
        folder = make_set(places[place] / "membranes")
        assert find_dataset("membranes") == folder


def test_shipped_set_is_found_although_the_own_folder_lacks_it(places):
    make_set(places["own"] / "other")
    folder = make_set(places["shipped"] / "membranes")
    assert find_dataset("membranes") == folder


def test_a_clone_reads_its_own_data():
    assert shipped_data() / "membranes" == Path(catalog.__file__).parents[2] / "data" / "membranes"


def test_own_folder_that_does_not_exist_matters_only_where_the_set_is_found_nowhere(places, monkeypatch):
    make_set(places["shipped"] / "membranes")
    monkeypatch.setenv("UNETPP_DATA", "/no/such/folder")
    assert find_dataset("membranes") == places["shipped"] / "membranes"
    message = refusal("mine")
    assert "UNETPP_DATA names /no/such/folder" in message
    assert "correct or unset it" in message


def test_cache_is_in_the_home_folder_without_xdg(places, monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = make_set(tmp_path / "home" / ".cache" / "unetpp" / "mine")
    assert find_dataset("mine") == folder


def test_path_of_a_folder_is_taken_as_it_is(places, tmp_path):
    folder = make_set(tmp_path / "elsewhere" / "cells")
    assert find_dataset(folder) == folder
    assert find_dataset(str(folder)) == folder
    assert find_dataset("elsewhere/cells") == Path("elsewhere/cells")


def test_name_comes_before_a_folder_of_that_name_here(places, tmp_path):
    make_set(tmp_path / "cells")
    assert find_dataset("cells") == Path("cells")
    folder = make_set(places["cache/unetpp"] / "cells")
    assert find_dataset("cells") == folder


def test_home_folder_may_be_written_as_a_tilde(places, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = make_set(tmp_path / "mine" / "cells")
    assert find_dataset("~/mine/cells") == folder
    monkeypatch.setenv("UNETPP_DATA", "~/mine")
    assert find_dataset("cells") == folder


def test_path_is_never_looked_up_beside_the_places(places, tmp_path, monkeypatch):
    make_set(tmp_path)
    make_set(tmp_path / "cells")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    assert "no folder ../cells" in refusal("../cells")
    assert "has no folder images/" in refusal("..")
    (tmp_path / "parts" / "train" / "images").mkdir(parents=True)
    (tmp_path / "parts" / "val" / "images").mkdir(parents=True)
    assert "These subfolders have: train, val. Give one of them" in refusal(tmp_path / "parts")


def test_here_means_the_current_folder_also_where_the_own_folder_is_itself_a_set(places, monkeypatch, tmp_path):
    make_set(tmp_path / "here")
    (places["own"] / "images").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert find_dataset(".") == Path()


def test_folder_without_images_is_refused_with_the_layout(places, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "images/NAME.png" in refusal(tmp_path / "empty")
    assert str(tmp_path / "empty") in refusal(tmp_path / "empty")


def test_missing_folder_is_named(places, tmp_path):
    assert f"no folder {tmp_path / 'gone'}" in refusal(tmp_path / "gone")


def test_folder_without_images_in_one_place_does_not_hide_the_set_in_the_next(places):
    (places["own"] / "membranes").mkdir()
    folder = make_set(places["shipped"] / "membranes")
    assert find_dataset("membranes") == folder


def test_misspelt_name_gets_the_places_the_names_and_a_guess(places):
    make_set(places["own"] / "glia")
    message = refusal("Membrans")
    assert "'Membrans'" in message
    assert "Did you mean 'membranes'?" in message
    assert all(str(folder) in message for folder in places.values())
    assert "unset it" not in message
    assert "Known sets: dsb2018, glia, isbi2012, isbi2012_test, membranes" in message


def test_name_like_no_other_gets_no_guess(places):
    assert "Did you mean" not in refusal("zzz")


def test_downloadable_set_that_is_not_at_hand_says_how_to_fetch_it(places):
    assert "Fetch it: unetpp data download dsb2018" in refusal("dsb2018")


def test_a_shipped_set_that_is_lost_comes_back_with_a_new_install(places):
    message = refusal("membranes")
    assert "pip install --force-reinstall" in message
    assert "unetpp data" not in message


def test_list_holds_each_set_once_where_it_is_found_and_then_what_can_be_downloaded(places):
    make_set(places["own"] / "isbi2012", images=3)
    make_set(places["shipped"] / "isbi2012", images=1)
    make_set(places["shipped"] / "membranes", images=2)
    (places["shipped"] / "weights").mkdir()
    (places["own"] / "unlabelled" / "images").mkdir(parents=True)
    make_set(places["own"] / ".hidden")
    (places["own"] / "isbi2012" / "images" / ".DS_Store").touch()
    assert [(entry.name, entry.place, entry.folder, entry.images) for entry in list_datasets()] == [
        ("isbi2012", "UNETPP_DATA", places["own"] / "isbi2012", 3),
        ("membranes", "shipped", places["shipped"] / "membranes", 2),
        ("isbi2012_test", "to download", None, 30),
        ("dsb2018", "to download", None, 670),
    ]


def test_list_agrees_with_find(places):
    make_set(places["own"] / "a")
    make_set(places["cache/unetpp"] / "a")
    make_set(places["cache/unetpp"] / "b")
    at_hand = [entry for entry in list_datasets() if entry.folder]
    assert [entry.name for entry in at_hand] == ["a", "b"]
    assert [entry.name for entry in list_datasets() if not entry.folder] == ["isbi2012", "isbi2012_test", "dsb2018"]
    assert all(find_dataset(entry.name) == entry.folder for entry in at_hand)


@pytest.mark.parametrize("stack", ["isbi2012", "isbi2012_test", Path("/anywhere/isbi2012"), "some/isbi2012_test/"])
def test_isbi_sets_are_stacks_by_name_and_by_folder(stack):
    assert is_stack(stack)


def test_only_known_stacks_are_stacks(tmp_path, monkeypatch):
    assert not any(is_stack(name) for name in ("membranes", "dsb2018", "mine", Path("/isbi2012/mine")))
    (tmp_path / "isbi2012").mkdir()
    monkeypatch.chdir(tmp_path / "isbi2012")
    assert is_stack(".")


def test_credit_names_licence_citation_and_source():
    for dataset in KNOWN.values():
        credit = dataset.credit()
        assert all(part in credit for part in (dataset.licence, dataset.citation, dataset.url or "comes with unetpp"))


def test_a_wheel_reads_its_own_files_even_where_a_folder_data_lies_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "__file__", str(tmp_path / "unetpp_lib" / "data" / "catalog.py"))
    assert shipped_data() == tmp_path / "unetpp_lib" / "shipped"
    for folder in ("unetpp_lib/shipped", "data"):
        (tmp_path / folder).mkdir(parents=True)
    assert shipped_data() == tmp_path / "unetpp_lib" / "shipped"


def test_a_path_with_a_separator_is_no_name_even_where_a_set_has_that_name(places, tmp_path, monkeypatch):
    make_set(places["shipped"] / "membranes")
    make_set(tmp_path / "membranes")
    monkeypatch.chdir(tmp_path)
    assert find_dataset("membranes") == places["shipped"] / "membranes"
    for path in ("./membranes", "membranes/", str(tmp_path / "membranes")):
        assert find_dataset(path).resolve() == (tmp_path / "membranes").resolve()
