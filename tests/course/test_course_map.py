"""The map of the course: it names the notebooks as they are, and nothing on it hides anything else."""

import re
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle

from unetpp_course import draw_course_map
from unetpp_course.course_map import STATIONS
from unetpp_course.style import WIDTH

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
SMALLEST = 9  # points


@pytest.fixture(scope="module")
def figure():
    plt.switch_backend("agg")
    drawn = draw_course_map()
    FigureCanvasAgg(drawn).draw()
    return drawn


@pytest.fixture(scope="module")
def texts(figure):
    return [text for text in figure.axes[0].texts if text.get_text()]


@pytest.fixture(scope="module")
def cards(figure):
    patches = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle) and patch.get_gid()]
    return {patch.get_gid(): patch.get_window_extent() for patch in patches}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_station_asks_the_question_of_its_notebook(path: Path):
    first = nbformat.read(path, as_version=4).cells[0].source
    assert f"**{STATIONS[int(path.stem[:2])].question}**" in first


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_station_states_the_minutes_of_its_notebook(path: Path):
    first = nbformat.read(path, as_version=4).cells[0].source
    assert f"**Time:** about {STATIONS[int(path.stem[:2])].minutes} minutes" in first


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_says_what_of_it_is_on_the_core_path(path: Path):
    first = nbformat.read(path, as_version=4).cells[0].source
    (said,) = re.findall(r"\*\*Core path:\*\* (.*)\.", first)
    assert said == ("the whole notebook" if STATIONS[int(path.stem[:2])].core else "opening and summary only")


def test_the_core_path_takes_about_six_hours():
    whole = sum(station.minutes for station in STATIONS if station.core)
    others = 5 * sum(not station.core for station in STATIONS)  # their opening and summary
    assert 330 <= whole + others <= 390


def test_every_notebook_has_a_card_with_its_number(cards, texts):
    written = [text.get_text() for text in texts]
    assert len(cards) == len(STATIONS) == 14
    assert [text for text in written if re.fullmatch(r"\d\d", text)] == [f"{number:02}" for number in range(14)]
    assert {station.title for station in STATIONS} <= set(written)


def test_the_map_is_as_wide_as_the_page_and_every_text_can_be_read(figure, texts):
    assert figure.get_figwidth() == WIDTH
    assert min(text.get_fontsize() for text in texts) >= SMALLEST


def test_every_text_is_on_the_page_and_hides_no_other(figure, texts):
    boxes = {text: text.get_window_extent() for text in texts}
    for text, box in boxes.items():
        assert (figure.bbox.min < box.min).all(), text
        assert (figure.bbox.max > box.max).all(), text
    for (text, box), (other, other_box) in combinations(boxes.items(), 2):
        assert not box.overlaps(other_box), (text, other)


def test_titles_and_questions_stay_in_their_cards(cards, texts):
    for number, station in enumerate(STATIONS):
        card = cards[f"card {number}"]
        lines = [text for text in texts if text.get_text() == station.title or text.get_text() in station.question]
        inside = [text for text in lines if card.overlaps(text.get_window_extent())]
        assert " ".join(text.get_text() for text in inside) == f"{station.title} {station.question}"
        for box in (text.get_window_extent() for text in inside):
            assert card.x0 < box.x0 < box.x1 < card.x1
            assert card.y0 < box.y0 < box.y1 < card.y1


def test_the_notebooks_are_read_like_a_text_from_left_to_right_and_from_top_to_bottom():
    places = [(station.row, station.column) for station in STATIONS]
    assert places == sorted(set(places))
    assert all(station.column == 0 or (station.row, station.column - 1) in places for station in STATIONS)
