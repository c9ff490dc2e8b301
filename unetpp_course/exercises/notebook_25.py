"""The exercise of the optional notebook 25, on the pixels in the window that count."""

from unetpp_course.checks import ChoiceExercise, Option

EXERCISE_25_1 = ChoiceExercise(
    number="25.1",
    title="A measurement that disagrees",
    difficulty="medium",
    minutes=5,
    question="Why does the gradient find fewer pixels than the window has?",
    options={
        "a": Option(
            "the calculation of notebook 02 counts too many pixels",
            "With average pooling the gradient reaches every one of them. What can count is one thing, what "
            "counted in this image is another.",
        ),
        "b": Option(
            "the gradients of the other pixels are too small for a float and become 0",
            "With weights of 1 they are whole numbers, far from too small. A 0 here means that no path is open.",
        ),
        "c": Option(
            "max pooling has a smaller window than the average of the same four values would have",
            "Both read the same four values. Raise one of those that lost: once it is large enough, it wins.",
        ),
        "d": Option(
            "the gradient goes to the largest of four values, and the others get none",
            "Yes: the gradient shows what counted in this one image. Another image opens other paths.",
            right=True,
        ),
    },
    also_wrong=[
        (["d"], "by its letter"),
    ],
)


EXERCISES = (EXERCISE_25_1,)
