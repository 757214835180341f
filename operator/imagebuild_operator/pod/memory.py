"""The memory of a build pod, which grows after each attempt that ran out of memory."""

from collections.abc import Mapping
from typing import Any

from imagebuild_operator.api.build import Attempts, RetrySpec
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.quantity import multiply
from imagebuild_operator.api.reasons import Reason

Resources = dict[str, Any]


def memory_scale(retry: RetrySpec, attempts: Attempts) -> float:
    """The factor of the next attempt's memory: that of the spec, to the power of the attempts that ran out of it."""
    if retry.memory_percent is None:
        return 1.0
    exhausted = sum(1 for attempt in attempts if attempt.get("reason") == Reason.OUT_OF_MEMORY)
    return (retry.memory_percent / 100) ** exhausted


def with_memory(resources: Mapping[str, Any], scale: float) -> Resources:
    """Multiply the memory request and limit.

    Raises:
        InvalidSpecError: the memory is not a quantity.
    """
    if scale == 1.0:
        return dict(resources)
    try:
        return _multiplied(resources, scale)
    except ValueError as error:
        raise InvalidSpecError("spec.resources", f"memory can't be multiplied: {error}") from error


def _multiplied(resources: Mapping[str, Any], scale: float) -> Resources:
    return {
        kind: {
            name: multiply(quantity, scale) if name == "memory" else quantity for name, quantity in quantities.items()
        }
        for kind, quantities in resources.items()
    }
