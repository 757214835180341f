"""LABEL: given to the executor by its own flag, since it expands values twice and lets them win over LABELS."""

from kaniko_shim.dockerfile.assignments import names_and_values
from kaniko_shim.engines.kaniko.adapt.config.variables import Place


def labels_of(place: Place, escape: str) -> dict[str, str] | None:
    """The labels that a LABEL sets; None if it is malformed, or a variable's value is not known."""
    try:
        pairs = names_and_values(place.instruction.rest, escape)
    except ValueError:
        return None
    labels = dict[str, str]()
    for name, value in pairs:
        key, text = place.expanded(name), place.expanded(value)
        if not key or text is None or "=" in key:
            return None
        labels[key] = text
    return labels
