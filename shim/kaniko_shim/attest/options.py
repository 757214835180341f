"""Which attestations and signatures are attached to a pushed image."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kaniko_shim.attest.provenance import ProvenanceInputs
from kaniko_shim.sbom.formats import SbomFormat

if TYPE_CHECKING:
    from kaniko_shim.attest.keyless import Services
    from kaniko_shim.attest.keys import Key


@dataclass(frozen=True, slots=True)
class AttestationOptions:
    """Which attestations and signatures are attached.

    Attributes:
        provenance: whether SLSA provenance is attached.
        sbom: the format of the SBOM that is attached; None: none is.
        key: signs the image and its attestations; None: nothing is signed.
        keyless: signs in its place, without a key to keep.
        secrets: the parts of the key that must not be printed.
        inputs: what the provenance says in addition to the record of the build.
    """

    provenance: bool = False
    sbom: SbomFormat | None = None
    key: "Key | None" = field(default=None, repr=False)
    keyless: "Services | None" = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    inputs: ProvenanceInputs = field(default_factory=ProvenanceInputs)

    @property
    def are_none(self) -> bool:
        """Whether nothing is attached."""
        return not (self.provenance or self.sbom or self.key or self.keyless)
