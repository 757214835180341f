"""What is wrong with an ignore file."""


class IgnoreFileError(ValueError):
    """An ignore file cannot be used.

    Attributes:
        hint: what to do next; empty if there is no advice.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
