"""The formats of an SBOM."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SbomFormat:
    """How an SBOM is written.

    Attributes:
        name: as it is asked for.
        media_type: of the document.
        predicate_type: of a statement with it.
        trivy: what Trivy calls it.
    """

    name: str
    media_type: str
    predicate_type: str
    trivy: str


SPDX = SbomFormat("SPDX", "application/spdx+json", "https://spdx.dev/Document", "spdx-json")
CYCLONEDX = SbomFormat("CycloneDX", "application/vnd.cyclonedx+json", "https://cyclonedx.org/bom", "cyclonedx")
FORMATS = {each.name: each for each in (SPDX, CYCLONEDX)}
