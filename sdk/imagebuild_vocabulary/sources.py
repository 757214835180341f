"""What `spec.source` says of the build context."""

import re
from collections.abc import Mapping
from typing import Any, Final

#: A full commit: SHA-1 or SHA-256.
COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def is_pinned(source: Mapping[str, Any]) -> bool:
    """Whether a source names its content: by a full commit or a checksum, or because it holds the files itself.

    Args:
        source: `spec.source`, with one field that is the kind.
    """
    kind, fields = next(iter(source.items()), ("", None))
    named = fields if isinstance(fields, Mapping) else {}
    return kind == "inline" or bool(COMMIT.fullmatch(str(named.get("revision") or "")) or named.get("sha256"))
