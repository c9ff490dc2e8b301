"""The one kind of error that a user can correct."""


class InputError(Exception):
    """Something that was given to the library is wrong; the message names it and says what to do.

    The command line prints the message without a traceback and exits with status 2. It is not a ValueError, because
    code that expects the ValueErrors of other libraries, such as a parser of options, would catch it and replace the
    message by its own.
    """
