class ReleaseError(Exception):
    """Something in the tree, or in what was given, does not fit a release; the message says what to do."""
