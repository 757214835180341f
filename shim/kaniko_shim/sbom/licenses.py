"""License expressions: https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/."""

from functools import cache, lru_cache
from typing import Any

_LONGEST = 1000
# Such a license would have to be quoted in the document.
_CUSTOM = "LicenseRef-"


@lru_cache(maxsize=4096)
def spdx_license(text: str) -> str:
    """The SPDX expression for the license that a package declares; empty if it is not one.

    Every license in it is in SPDX's list, and is written as there.
    """
    if not text or len(text) > _LONGEST:
        return ""
    licensing = _licensing()
    try:
        parsed = licensing.parse(text, validate=True, strict=True)
    except Exception:  # noqa: BLE001 - for malformed text its parser raises errors of many kinds
        return ""
    expression = str(parsed) if parsed is not None else ""
    return "" if _CUSTOM in expression else expression


@cache
def _licensing() -> Any:  # noqa: ANN401 - the library has no types
    from license_expression import get_spdx_licensing  # type: ignore[import-untyped] # noqa: PLC0415 - only an SBOM needs it

    return get_spdx_licensing()
