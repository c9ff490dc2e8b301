"""The teachers' page speaks of exercises that exist, and its plans add up."""

import re
from pathlib import Path

from markdown_tables import read_table

from unetpp_course.exercises.registry import exercises_of, notebooks_with_exercises

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "teachers.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
MINUTES = {number: int(minutes) for number, _, _, minutes in read_table(README, "notebook")}


def test_its_exercises_exist():
    existing = {number for notebook in notebooks_with_exercises() for number in exercises_of(notebook)}
    assert set(re.findall(r"\b\d{1,2}\.\d\b", TEXT)) - existing == set()


def test_what_a_notebook_teaches_is_shown_by_its_own_exercises():
    goals = read_table(TEXT, "shown by")
    assert {notebook for notebook, _, _ in goals} == MINUTES.keys() - {"00"}
    for notebook, _, shown in goals:
        assert set(shown.split(", ")) - exercises_of(int(notebook)).keys() == set()


def test_the_day_adds_up():
    *parts, (_, _, total) = read_table(TEXT, "how")
    assert sum(int(minutes) for _, _, minutes in parts) == int(total)


def test_the_week_has_the_minutes_of_its_notebooks():
    for _, notebooks, _, minutes in read_table(TEXT, "day"):
        assert sum(MINUTES[number] for number in notebooks.split(", ")) == int(minutes)
