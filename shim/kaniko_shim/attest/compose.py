"""From what is wanted to the artifacts that belong to an image in one repository. Pure but for the signatures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaniko_shim.attest.artifact import Artifact, Blob, Subject, dump, referrer
from kaniko_shim.attest.statement import MEDIA_TYPE, PROVENANCE, SIGNATURE, SPDX, statement

if TYPE_CHECKING:
    from kaniko_shim.attest.keys import SigningKey

_SPDX_TYPE = "application/spdx+json"


@dataclass(frozen=True, slots=True)
class Attestation:
    """Something that is said of an image.

    Attributes:
        kind: provenance, sbom or signature.
        artifact: what is pushed.
    """

    kind: str
    artifact: Artifact


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said of an image, the same in every repository; None for what is not wanted.

    Attributes:
        created: now, RFC 3339.
        provenance: SLSA's predicate.
        sbom: an SPDX document.
    """

    created: str
    provenance: Mapping[str, object] | None = None
    sbom: Mapping[str, object] | None = None


def compose(repository: str, subject: Subject, facts: Facts, key: "SigningKey | None") -> Iterator[Attestation]:
    """The artifacts for an image of a repository (`registry/path`).

    With a key each statement is in a bundle of Sigstore, with its signature; without one it is as it is.
    """
    if facts.provenance is not None:
        said = dump(statement(repository, subject.digest, PROVENANCE, facts.provenance))
        yield Attestation("provenance", _attached(said, PROVENANCE, subject, facts, key))
    if facts.sbom is not None:
        document = dump(facts.sbom)
        annotations = {"org.opencontainers.image.created": facts.created}
        yield Attestation("sbom", referrer(subject, _SPDX_TYPE, Blob(_SPDX_TYPE, document), annotations))
        if key:
            said = dump(statement(repository, subject.digest, SPDX, facts.sbom))
            yield Attestation("sbom", _attached(said, SPDX, subject, facts, key))
    if key:
        said = dump(statement(repository, subject.digest, SIGNATURE, {}))
        yield Attestation("signature", _attached(said, SIGNATURE, subject, facts, key))


def _attached(said: bytes, predicate_type: str, subject: Subject, facts: Facts, key: "SigningKey | None") -> Artifact:
    annotations = {"org.opencontainers.image.created": facts.created}
    if key is None:
        annotations["in-toto.io/predicate-type"] = predicate_type
        return referrer(subject, MEDIA_TYPE, Blob(MEDIA_TYPE, said), annotations)
    from kaniko_shim.attest.envelope import BUNDLE_TYPE, bundle  # noqa: PLC0415 - with a key only

    annotations |= {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": predicate_type,
    }
    return referrer(subject, BUNDLE_TYPE, Blob(BUNDLE_TYPE, bundle(said, key)), annotations)
