"""Whether the operator is alive, and whether it is ready. Pure.

Alive means that a restart would not help. So a watch that receives nothing counts only while the API server answers.
"""

from collections.abc import Mapping
from typing import Final

#: Seconds that one key may be handled, or that keys may wait while none is taken up. A call to the API server is given
#: up after 30 seconds, and one key makes few of them.
STUCK: Final = 600.0
#: How many times the silence after which a watch is made anew may pass before the operator is taken for dead.
SILENCES: Final = 3


def stalled(ages: Mapping[str, float], silence: float) -> list[str]:
    """The watches that should have received something, each as a sentence.

    Args:
        ages: Seconds since each has received anything.
        silence: Seconds without a word after which a watch is made anew.
    """
    return [
        f"The watch of {resource} has received nothing for {age:.0f} s."
        for resource, age in ages.items()
        if age > SILENCES * silence
    ]


def stuck(seconds: float) -> list[str]:
    """What is wrong with the work queue, by the time that its head has been stuck."""
    return [f"The work queue has been stuck for {seconds:.0f} s."] if seconds > STUCK else []


def out_of_election(failure: BaseException | None) -> list[str]:
    """What is wrong with an operator that an exception has put out of the election: it would stand by for ever."""
    return [f"The election has ended with {type(failure).__name__}."] if failure else []


def unready(*, has_started: bool, have_listed: bool) -> list[str]:
    """What the operator still waits for before it can do its work."""
    if not has_started:
        return ["The operator is starting."]
    return [] if have_listed else ["The first lists of ImageBuilds and pods are not complete."]


def rejected(seconds: float, *, is_rejected: bool) -> list[str]:
    """What is wrong with credentials that the API server rejects."""
    return [f"The API server has rejected the operator's credentials (401) for {seconds:.0f} s."] if is_rejected else []
