"""From predicates to the artifacts that are attached to an image in one repository. Pure but for the signatures."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kaniko_shim.attest.artifact import Artifact, Blob, Subject, dump, referrer
from kaniko_shim.attest.statement import MEDIA_TYPE, PROVENANCE, SIGNATURE, VULNERABILITIES, statement
from kaniko_shim.sbom.formats import SbomFormat

if TYPE_CHECKING:
    from kaniko_shim.attest.keys import Key


@dataclass(frozen=True, slots=True)
class Attestation:
    """An artifact that is attached to an image.

    Attributes:
        kind: provenance, sbom, vulnerabilities or signature.
        artifact: the artifact to push.
    """

    kind: str
    artifact: Artifact


@dataclass(frozen=True, slots=True)
class Sbom:
    """An SBOM, and its format."""

    form: SbomFormat
    document: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Predicates:
    """The predicates about an image, which are the same in every repository; None: not attached.

    Attributes:
        created: now, RFC 3339.
        provenance: SLSA's predicate.
        sbom: what it holds.
        vulnerabilities: what a scan has found.
    """

    created: str
    provenance: Mapping[str, object] | None = None
    sbom: Sbom | None = None
    vulnerabilities: Mapping[str, object] | None = None


def compose(repository: str, subject: Subject, predicates: Predicates, key: "Key | None") -> list[Attestation]:
    """The attestations of an image in a repository (`registry/path`).

    With a key, each statement is in a Sigstore bundle, with its signature; without one it is attached as it is.

    Raises:
        JobError: SigningFailed.
    """

    def attestation(kind: str, predicate_type: str, predicate: Mapping[str, object]) -> Attestation:
        payload = dump(statement(repository, subject.digest, predicate_type, predicate))
        return Attestation(kind, _artifact(payload, predicate_type, subject, predicates.created, key))

    made = list[Callable[[], Attestation]]()
    if predicates.provenance is not None:
        made.append(partial(attestation, "provenance", PROVENANCE, predicates.provenance))
    if predicates.sbom is not None:
        made.append(partial(_sbom, subject, predicates.sbom, predicates.created))
        if key:
            made.append(partial(attestation, "sbom", predicates.sbom.form.predicate_type, predicates.sbom.document))
    if predicates.vulnerabilities is not None:
        made.append(partial(attestation, "vulnerabilities", VULNERABILITIES, predicates.vulnerabilities))
    if key:
        made.append(partial(attestation, "signature", SIGNATURE, {}))
    # At once: a transparency log answers each only when its next checkpoint is out.
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda make: make(), made))


def _sbom(subject: Subject, sbom: Sbom, created: str) -> Attestation:
    annotations = {"org.opencontainers.image.created": created}
    blob = Blob(sbom.form.media_type, dump(sbom.document))
    return Attestation("sbom", referrer(subject, sbom.form.media_type, blob, annotations))


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
