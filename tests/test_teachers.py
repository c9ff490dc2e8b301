"""The teachers' page speaks of exercises that exist, and its plans add up."""

import re
from pathlib import Path

from unetpp_course.checks import ChoiceExercise
from unetpp_course.exercises.registry import exercises_of, notebooks_with_exercises

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "teachers.md").read_text(encoding="utf-8")
MINUTES = dict(re.findall(r"^\| (\d\d) \|.*\| (\d+) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M))
EXERCISES = {number: task for k in notebooks_with_exercises() for number, task in exercises_of(k).items()}


def numbers_in(text: str) -> list[str]:
    return re.findall(r"\b\d{1,2}\.\d\b", text)


def test_its_exercises_exist():
    assert [number for number in numbers_in(TEXT) if number not in EXERCISES] == []


def test_its_goals_are_shown_by_exercises_of_their_notebooks():
    goals = re.findall(r"^\| (\d\d) \| .* \| (\d+\.\d.*) \|$", TEXT, re.MULTILINE)
    assert len(goals) == 13
    assert [
        goal for goal, shown in goals for number in numbers_in(shown) if not number.startswith(f"{int(goal)}.")
    ] == []


def test_it_names_all_predictions():
    line = re.search(r"^- \*\*Predictions\*\*.*", TEXT, re.MULTILINE)[0]
    predictions = [k for k, task in EXERCISES.items() if isinstance(task, ChoiceExercise) and task.prediction]
    assert numbers_in(line) == predictions


def test_the_week_has_the_minutes_of_its_notebooks():
    days = re.findall(r"^\| \w+day \| ([\d, ]+) \| .* \| (\d+) \|$", TEXT, re.MULTILINE)
    assert len(days) == 5
    for notebooks, minutes in days:
        assert sum(int(MINUTES[number]) for number in notebooks.split(", ")) == int(minutes)


def test_the_day_adds_up():
    table = TEXT.partition("## A day")[2].partition("## A week")[0]
    rows = re.findall(r"^\| ?(.*?) \| (.*) \| (\d+) \|$", table, re.MULTILINE)
    whole = [(name[:2], minutes) for name, how, minutes in rows if how.startswith("whole")]
    *parts, total = [int(minutes) for _, _, minutes in rows]
    assert sum(parts) == total
    assert all(MINUTES[number] == minutes for number, minutes in whole)
