"""Gathers what there is to say of an image."""

import json
from collections.abc import Sequence
from pathlib import Path

from kaniko_shim import __version__
from kaniko_shim.attest.artifact import MANIFEST_TYPE, Subject
from kaniko_shim.attest.compose import Facts
from kaniko_shim.attest.options import Wanted
from kaniko_shim.attest.provenance import provenance
from kaniko_shim.attest.record import NAME, Record, read_record
from kaniko_shim.oci import layout
from kaniko_shim.oci.index import MEDIA_TYPE, ImageIndex
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.system.clock import now
from kaniko_shim.system.job import Job
from kaniko_shim.system.versions import versions


def facts_of_image(
    wanted: Wanted, job: Job, directory: Path, digest: str, outputs: Sequence[ImageReference]
) -> tuple[Subject, Facts]:
    """What is said of the image in a checked layout.

    Raises:
        JobError: Internal; its layers can't be read.
    """
    manifest = layout.read_manifest(directory, digest)
    subject = Subject(digest, len(manifest), str(json.loads(manifest).get("mediaType") or MANIFEST_TYPE))
    created = now()
    said = provenance(_record(directory, job), wanted.circumstances, versions(job.paths)) if wanted.provenance else None
    if not wanted.sbom:
        return subject, Facts(created, said)
    from kaniko_shim.sbom.inventory import take_inventory  # noqa: PLC0415 - where it is wanted
    from kaniko_shim.sbom.spdx import spdx  # noqa: PLC0415

    job.phases.enter("looking for packages in the image")
    found = take_inventory(directory, manifest)
    for path in found.unread:
        job.warn(f"The bill of materials lacks the packages in /{path}, which can't be read here.")
    name = f"{outputs[0].registry}/{outputs[0].repository}"
    tool = f"kaniko-shim-{__version__}"
    bill = spdx(name, digest, found.packages, found.distribution, created=created, tool=tool)
    job.say(f"the bill of materials lists {len(found.packages)} packages")
    return subject, Facts(created, said, bill)


def facts_of_index(wanted: Wanted, job: Job, made: ImageIndex) -> tuple[Subject, Facts]:
    """What is said of an index: its images have their own."""
    said = provenance(Record(), wanted.circumstances, versions(job.paths)) if wanted.provenance else None
    return Subject(made.digest, len(made.content), MEDIA_TYPE), Facts(now(), said)


def _record(directory: Path, job: Job) -> Record:
    try:
        return read_record(layout.read_document(directory, NAME))
    except JobError:
        job.warn(f"The build left no {NAME}: the provenance says nothing of its source.")
        return Record()
