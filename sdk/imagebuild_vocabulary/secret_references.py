"""Where a spec names Secrets."""

from collections.abc import Iterator, Mapping
from typing import Final

#: Fields with a reference to a Secret, or a list of them.
REFERENCES: Final = frozenset({"secretRef", "secretKeyRef", "pushSecretRef", "pullSecretRefs"})


def secret_references(value: object, path: str = "spec") -> Iterator[tuple[str, str]]:
    """The path and the name of each reference to a Secret in a spec."""
    if isinstance(value, Mapping):
        for field, item in value.items():
            if field in REFERENCES:
                for reference in item if isinstance(item, list) else [item]:
                    yield f"{path}.{field}", str(reference.get("name"))
            else:
                yield from secret_references(item, f"{path}.{field}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from secret_references(item, f"{path}[{index}]")
