"""Makes the predicates about an image or an index."""

from collections.abc import Sequence
from pathlib import Path

from kaniko_shim import __version__
from kaniko_shim.attest.artifact import Subject
from kaniko_shim.attest.attestation import Predicates, Sbom
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
from kaniko_shim.sbom.formats import SPDX, SbomFormat
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
    if scanned is None:
        document = _own_sbom(options.sbom, job, directory, manifest, name, digest, created)
    else:
        document = _named(options.sbom, scanned, name)
    return subject, Predicates(created, slsa, Sbom(options.sbom, document), found)


def _own_sbom(
    form: SbomFormat, job: Job, directory: Path, manifest: bytes, name: str, digest: str, created: str
) -> dict[str, object]:
    from kaniko_shim.sbom.cyclonedx import cyclonedx  # noqa: PLC0415 - for an SBOM only
    from kaniko_shim.sbom.inventory import take_inventory  # noqa: PLC0415
    from kaniko_shim.sbom.spdx import spdx  # noqa: PLC0415

    job.phases.enter("looking for packages in the image")
    found = take_inventory(directory, manifest)
    for path in found.unread:
        job.warn(f"The SBOM lacks the packages in /{path}, which can't be read here.")
    tool = f"kaniko-shim-{__version__}"
    job.say(f"the SBOM lists {len(found.packages)} packages")
    write = spdx if form is SPDX else cyclonedx
    return write(name, digest, found.packages, found.distribution, created=created, tool=tool)


def _named(form: SbomFormat, scanned: Scanned, name: str) -> dict[str, object]:
    """The scanner's SBOM, which knows only the directory that it has scanned."""
    if scanned.sbom is None:
        raise JobError(Reason.SCAN_FAILED, "The scan has made no SBOM. Nothing was pushed.")
    if form is SPDX:
        return {**scanned.sbom, "name": f"{name}@{scanned.digest}"}
    metadata = scanned.sbom.get("metadata")
    component = metadata.get("component") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(component, dict):
        raise JobError(Reason.SCAN_FAILED, "The SBOM of the scan does not say what it is about. Nothing was pushed.")
    return {
        **scanned.sbom,
        "metadata": {**metadata, "component": {**component, "name": name, "version": scanned.digest}},
    }


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
