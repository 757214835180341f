"""Makes the predicates about an image or an index."""

from collections.abc import Sequence
from pathlib import Path

from kaniko_shim import __version__
from kaniko_shim.attest.artifact import Subject
from kaniko_shim.attest.attestation import Predicates
from kaniko_shim.attest.claims import settle
from kaniko_shim.attest.options import AttestationOptions
from kaniko_shim.attest.provenance import provenance
from kaniko_shim.attest.record import NAME, Record, read_record
from kaniko_shim.oci import layout
from kaniko_shim.oci.index import ImageIndex
from kaniko_shim.oci.media_types import INDEX, MANIFEST
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.scan.handover import Scanned
from kaniko_shim.system.clock import now
from kaniko_shim.system.job import Job
from kaniko_shim.system.json_text import load_json
from kaniko_shim.system.versions import versions


def image_predicates(
    options: AttestationOptions,
    job: Job,
    directory: Path,
    digest: str,
    outputs: Sequence[ImageReference],
    scanned: Scanned | None = None,
) -> tuple[Subject, Predicates]:
    """The predicates about the image in a checked layout, and what its scan has said.

    Raises:
        JobError: Internal; its layers can't be read. SourceInvalid; the record of the build contradicts its parameters.
            ScanFailed; its scan has made no SBOM.
    """
    manifest = layout.read_manifest(directory, digest)
    subject = Subject(digest, len(manifest), str(load_json(manifest).get("mediaType") or MANIFEST))
    created = now()
    slsa = None
    if options.provenance:
        slsa = provenance(_record(directory, job, options, created), options.inputs, versions(job.paths))
    found = scanned.predicate if scanned else None
    if not options.sbom:
        return subject, Predicates(created, slsa, vulnerabilities=found)
    name = f"{outputs[0].registry}/{outputs[0].repository}"
    sbom = _own_sbom(job, directory, manifest, name, digest, created) if scanned is None else _named(scanned, name)
    return subject, Predicates(created, slsa, sbom, found)


def _own_sbom(job: Job, directory: Path, manifest: bytes, name: str, digest: str, created: str) -> dict[str, object]:
    from kaniko_shim.sbom.inventory import take_inventory  # noqa: PLC0415 - for an SBOM only
    from kaniko_shim.sbom.spdx import spdx  # noqa: PLC0415

    job.phases.enter("looking for packages in the image")
    found = take_inventory(directory, manifest)
    for path in found.unread:
        job.warn(f"The SBOM lacks the packages in /{path}, which can't be read here.")
    tool = f"kaniko-shim-{__version__}"
    job.say(f"the SBOM lists {len(found.packages)} packages")
    return spdx(name, digest, found.packages, found.distribution, created=created, tool=tool)


def _named(scanned: Scanned, name: str) -> dict[str, object]:
    """The scanner's SBOM, which knows only the directory that it has scanned."""
    if scanned.sbom is None:
        raise JobError(Reason.SCAN_FAILED, "The scan has made no SBOM. Nothing was pushed.")
    return {**scanned.sbom, "name": f"{name}@{scanned.digest}"}


def index_predicates(options: AttestationOptions, job: Job, made: ImageIndex) -> tuple[Subject, Predicates]:
    """The predicates about an index; its images have attestations of their own."""
    slsa = provenance(Record(), options.inputs, versions(job.paths)) if options.provenance else None
    return Subject(made.digest, len(made.content), INDEX), Predicates(now(), slsa)


def _record(directory: Path, job: Job, options: AttestationOptions, created: str) -> Record:
    try:
        record = read_record(layout.read_document(directory, NAME))
    except JobError:
        job.warn(f"The provenance lacks the build's source and parameters: the layout has no usable {NAME}.")
        record = Record()
    if options.inputs.parameters is None:
        return record
    try:
        return settle(record, options.inputs.parameters, created)
    except ValueError as error:
        raise JobError(
            Reason.SOURCE_INVALID,
            f"The record of the build contradicts its spec: {error}.",
            hint="A RUN step has changed the builder. Nothing was pushed.",
        ) from error
