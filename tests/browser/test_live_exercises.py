"""The website judges the exercises that need no Python as `check` does, and remembers answers in the browser alone."""

import pytest
from lab_page import require_browser
from served import Log, served

from unetpp_course.checks.values import ChoiceExercise, NumberExercise
from unetpp_course.checks.verdict import GENERIC
from unetpp_course.exercises.registry import exercises_of, notebooks_with_exercises
from unetpp_course.live.bundle import joined
from unetpp_course.live.exercises import as_declared, exercises_without_python
from unetpp_course.live.site import exercises_html

require_browser()
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def answers_of(exercise):
    """Return every declared answer of an exercise, right and wrong, that can be typed into a page."""
    if isinstance(exercise, ChoiceExercise):
        typed = [answer for answer, _ in exercise.also_wrong if isinstance(answer, str)]
        return [*exercise.options, *(option.text for option in exercise.options.values()), "B)", "?", *typed]
    wrong = [answer for answer, _ in (*exercise.mistakes, *exercise.also_wrong) if type(answer) in (int, float)]
    return [exercise.solution, *(answer for answer in wrong if abs(answer) < 1e15), -12345.5]


EXERCISES = [
    exercise
    for notebook in notebooks_with_exercises()
    for exercise in exercises_of(notebook).values()
    if isinstance(exercise, ChoiceExercise | NumberExercise)
]


def test_every_declared_answer_is_judged_as_check_judges_it(browser):
    page = browser.new_page()
    page.add_script_tag(content=joined("judge.js"))
    cases = [(exercise, answer) for exercise in EXERCISES for answer in answers_of(exercise)]
    found = page.evaluate(
        "(cases) => cases.map(([exercise, answer]) => judge(exercise, answer))",
        [[as_declared(exercise), answer] for exercise, answer in cases],
    )
    for (exercise, answer), said in zip(cases, found, strict=True):
        expected = exercise.examine(answer)
        assert said["mark"] == expected.mark, (exercise.number, answer)
        if expected.sentence == GENERIC:
            assert said["sentence"] == f"{GENERIC} {expected.expected.capitalize()} is expected."
        else:
            assert said["sentence"] == expected.sentence, (exercise.number, answer)
        assert said.get("measured", "") == expected.measured
    assert len(cases) > 4 * len(EXERCISES) > 100
    page.close()


def test_an_answer_is_checked_on_the_page_and_stays_in_the_browser(browser, tmp_path):
    number, exercise = next(
        (number, found) for number, found in exercises_without_python(11).items() if found["kind"] == "choice"
    )
    right = next(letter for letter, option in exercise["options"].items() if option["right"])
    heading = f"<section><h3>Exercise {number} · a title · easy · 4 min</h3><p>Which?</p></section>"
    (tmp_path / "page.html").write_text(
        f'<meta charset="utf-8"><link rel="icon" href="data:,">{heading}{exercises_html(11)}', "utf-8"
    )
    (tmp_path / "exercises.js").write_text(joined("shell.js", "judge.js", "exercise_forms.js"), "utf-8")
    with served(tmp_path) as address:
        page = browser.new_page()
        log = Log(page)
        page.goto(f"{address}page.html")
        form = page.get_by_role("form", name=f"exercise {number}")
        form.locator(f'input[value="{right}"]').check()
        form.get_by_role("button", name="check").click()
        said = f"✅ {exercise['options'][right]['reply']}"
        assert form.get_by_role("status").text_content() == said
        page.reload()
        assert form.get_by_role("status").text_content() == said
        assert log.strangers(address) == []
        assert log.complaints == []
        page.close()
