"""What is to be attested of an image that is pushed."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kaniko_shim.attest.provenance import Circumstances

if TYPE_CHECKING:
    from kaniko_shim.attest.keys import SigningKey


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is attached to an image.

    Attributes:
        provenance: whether SLSA provenance is.
        sbom: whether a bill of materials is.
        key: signs the image and what is attached to it; None: nothing is signed.
        secrets: what must not be printed of the key.
        circumstances: what the provenance says beside the record of the build.
    """

    provenance: bool = False
    sbom: bool = False
    key: "SigningKey | None" = field(default=None, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    circumstances: Circumstances = field(default_factory=Circumstances)

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is."""
        return not (self.provenance or self.sbom or self.key)
