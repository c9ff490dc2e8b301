"""Where the course's code was before it became a package of its own; what is imported from here says where to look."""

raise ImportError(
    "The course's own code is now unetpp_course (`from unetpp_course import check`); unetpp_lib is the library alone. "
    "For notebooks that fit, run: python -m unetpp_course copy FOLDER (a new folder; yours stays as it is)."
)
