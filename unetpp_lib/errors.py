"""The one kind of error that a user can mend."""


class InputError(Exception):
    """Something that was handed to the library is wrong; the message names it and says what to do.

    The command line prints the message without a traceback and ends with exit status 2. It is no ValueError: code that
    expects those of other libraries (a parser of options, say) would catch it and hide the message in its own.
    """
