"""The exercise of the optional notebook 23: which loss ends by calling everything foreground."""

from unetpp_course.checks import ChoiceExercise, Option

EXERCISE_23_1 = ChoiceExercise(
    number="23.1",
    title="Read the pulls",
    difficulty="medium",
    minutes=5,
    question="A network that minimises one of the three alone ends by calling every pixel foreground. Which one?",
    options={
        "a": Option(
            "the second, because it pulls no pixel down",
            "Yes. All pixels share the network's weights. When the truth is pulled up, the rest goes up with it, and "
            "nothing holds it back.",
            right=True,
        ),
        "b": Option(
            "the first, because it pulls the truth up hardest of all",
            "Strength is not direction: the first also pulls every pixel outside the truth down.",
        ),
        "c": Option(
            "the third, because it hardly pulls the background down",
            "Weakly, but on twenty times as many pixels: added up, its pulls down nearly equal its pulls up.",
        ),
        "d": Option(
            "none of them, because each of them pulls the truth up",
            "They all do. Look at what they do outside the truth.",
        ),
    },
    also_wrong=[("B", "pulls every pixel outside the truth down"), ("2", "by its letter")],
)


EXERCISES = (EXERCISE_23_1,)
