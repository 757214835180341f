"""The label selector of an installation: which ImageBuilds are its own. The API server applies it."""

import re
from typing import Final

_KEY: Final = r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_VALUE: Final = r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_REQUIREMENT: Final = rf" *(! *{_KEY}|{_KEY}( *(=|==|!=) *{_VALUE}| +(in|notin) *\( *{_VALUE}( *, *{_VALUE})* *\))?) *"
#: The values.schema.json of the chart has the same.
PATTERN: Final = f"^({_REQUIREMENT}(,{_REQUIREMENT})*)?$"


def is_selector(text: str) -> bool:
    """Whether a text is a label selector as Kubernetes writes it; an empty one selects all.

    >>> is_selector("team=a, stage notin (dev, test), !legacy"), is_selector("team: a")
    (True, False)
    """
    return re.fullmatch(PATTERN, text) is not None
