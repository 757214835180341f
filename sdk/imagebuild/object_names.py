"""Names of objects, checked before they become part of a path of the API."""

import re
from typing import Final

from imagebuild.errors import InvalidNameError

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def checked_name(name: str, what: str = "an ImageBuild") -> str:
    """A name that goes into a path of the API: an empty one would mean all objects, and one with a slash others.

    Args:
        name: The name.
        what: What it is the name of.

    Raises:
        InvalidNameError: It is no name of an object.
    """
    if _NAME.fullmatch(name or "") and ".." not in name:
        return name
    hint = "A variable may not be set." if not name else "Names have lower-case letters, digits, - and dots."
    raise InvalidNameError(f"{name!r} is not the name of {what}.", hint)
