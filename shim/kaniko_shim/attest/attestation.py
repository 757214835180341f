"""From predicates to the artifacts that are attached to an image in one repository. Pure but for the signatures."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kaniko_shim.attest.artifact import Artifact, Blob, Subject, dump, referrer
from kaniko_shim.attest.statement import MEDIA_TYPE, PROVENANCE, SIGNATURE, SPDX, statement

if TYPE_CHECKING:
    from kaniko_shim.attest.keys import Key

_SPDX_TYPE = "application/spdx+json"
_ORDER = ("provenance", "sbom", "signature")


@dataclass(frozen=True, slots=True)
class Attestation:
    """An artifact that is attached to an image.

    Attributes:
        kind: provenance, sbom or signature.
        artifact: the artifact to push.
    """

    kind: str
    artifact: Artifact


@dataclass(frozen=True, slots=True)
class Predicates:
    """The predicates about an image, which are the same in every repository; None: not attached.

    Attributes:
        created: now, RFC 3339.
        provenance: SLSA's predicate.
        sbom: an SPDX document.
    """

    created: str
    provenance: Mapping[str, object] | None = None
    sbom: Mapping[str, object] | None = None


def compose(repository: str, subject: Subject, predicates: Predicates, key: "Key | None") -> list[Attestation]:
    """The attestations of an image in a repository (`registry/path`).

    With a key, each statement is in a Sigstore bundle, with its signature; without one it is attached as it is.

    Raises:
        JobError: SigningFailed.
    """
    statements = list[tuple[str, str, Mapping[str, object]]]()
    plain = list[Attestation]()
    if predicates.provenance is not None:
        statements.append(("provenance", PROVENANCE, predicates.provenance))
    if predicates.sbom is not None:
        annotations = {"org.opencontainers.image.created": predicates.created}
        document = Blob(_SPDX_TYPE, dump(predicates.sbom))
        plain.append(Attestation("sbom", referrer(subject, _SPDX_TYPE, document, annotations)))
        if key:
            statements.append(("sbom", SPDX, predicates.sbom))
    if key:
        statements.append(("signature", SIGNATURE, {}))

    def attestation(said: tuple[str, str, Mapping[str, object]]) -> Attestation:
        kind, predicate_type, predicate = said
        payload = dump(statement(repository, subject.digest, predicate_type, predicate))
        return Attestation(kind, _artifact(payload, predicate_type, subject, predicates.created, key))

    # At once: a transparency log answers each only when its next checkpoint is out.
    with ThreadPoolExecutor() as pool:
        signed = list(pool.map(attestation, statements))
    return sorted([*plain, *signed], key=lambda each: _ORDER.index(each.kind))


def _artifact(payload: bytes, predicate_type: str, subject: Subject, created: str, key: "Key | None") -> Artifact:
    annotations = {"org.opencontainers.image.created": created}
    if key is None:
        annotations["in-toto.io/predicate-type"] = predicate_type
        return referrer(subject, MEDIA_TYPE, Blob(MEDIA_TYPE, payload), annotations)
    from kaniko_shim.attest.envelope import BUNDLE_TYPE, bundle  # noqa: PLC0415 - with a key only

    annotations |= {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": predicate_type,
    }
    return referrer(subject, BUNDLE_TYPE, Blob(BUNDLE_TYPE, bundle(payload, key)), annotations)
