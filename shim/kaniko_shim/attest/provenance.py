"""SLSA provenance of a build: https://slsa.dev/spec/v1.0/provenance."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kaniko_shim.attest.claims import pinned_in
from kaniko_shim.attest.record import Record
from kaniko_shim.corroborate.witness import Witness
from kaniko_shim.outcome.result import BaseImage

BUILD_TYPE: Final = "https://imagebuild.dev/build/v1"
"""Names the meaning of the parameters: docs/how-to/supply-chain.md."""

BUILDER: Final = "https://imagebuild.dev/builder"

CLAIMED: Final = {"imagebuild.dev/claimed-by": "build"}
"""Annotation of what only the container says in which the Dockerfile's commands ran."""

_KINDS: Final = {"gitCommit": "revision", "sha256": "sha256"}
"""The kinds of digests of a source, with their names in the record."""


@dataclass(frozen=True, slots=True)
class ProvenanceInputs:
    """What the variables of `push` add to the record of a build.

    Attributes:
        builder_image: the builder image, by digest where it is known; empty if not.
        invocation: names the build where it ran, such as its uid; empty if unknown.
        parameters: the parameters of the build; None: those in the record.
        witness: an earlier build of the same image; None: there was none.
    """

    builder_image: str = ""
    invocation: str = ""
    parameters: Mapping[str, object] | None = field(default=None)
    witness: Witness | None = None


def provenance(record: Record, inputs: ProvenanceInputs, versions: Mapping[str, str]) -> dict[str, object]:
    """The predicate of a build's provenance.

    Args:
        record: what `build` recorded.
        inputs: what `push` adds.
        versions: of the programs in the builder image, which is the same for both.
    """
    parameters = record.parameters if inputs.parameters is None else inputs.parameters
    metadata = {"invocationId": inputs.invocation, "startedOn": record.started, "finishedOn": record.finished}
    builder: dict[str, object] = {"id": BUILDER, "version": dict(versions)}
    if inputs.builder_image:
        builder["builderDependencies"] = [_image(inputs.builder_image)]
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": dict(parameters),
            "internalParameters": {},
            "resolvedDependencies": list(_dependencies(record, inputs.parameters)),
        },
        "runDetails": {
            "builder": builder,
            "metadata": {name: text for name, text in metadata.items() if text},
            **({"byproducts": [inputs.witness.byproduct]} if inputs.witness else {}),
        },
    }


def record_in(predicate: Mapping[str, Any]) -> tuple[Record, dict[str, str]]:
    """The record that a predicate was made of, and the versions of the programs.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it was not made here.
    """
    definition, details = predicate["buildDefinition"], predicate["runDetails"]
    source, dockerfile = dict[str, str](), ""
    bases = list[BaseImage]()
    for each in definition["resolvedDependencies"]:
        digests = each.get("digest", {})
        if each["name"] == "context":
            source = {"url": each["uri"]}
            source |= {_KINDS[kind]: str(digest) for kind, digest in digests.items()}
        elif each["name"] == "Dockerfile":
            dockerfile = str(digests["sha256"])
        else:
            reference, _, digest = str(each["uri"]).rpartition("@")
            bases.append(BaseImage(reference, digest))
    metadata = details.get("metadata", {})
    started, finished = str(metadata.get("startedOn", "")), str(metadata.get("finishedOn", ""))
    versions = {str(name): str(version) for name, version in details["builder"]["version"].items()}
    return Record({}, source, dockerfile, started, finished, tuple(bases)), versions


def _dependencies(record: Record, parameters: Mapping[str, object] | None) -> Iterator[dict[str, object]]:
    """What the image was made from; what only the build itself says of it is marked, if there are parameters."""
    pinned = {"context", "Dockerfile", "base image"} if parameters is None else pinned_in(parameters)
    for each in (*_source(record), *_dockerfile(record), *_base_images(record)):
        yield each if each["name"] in pinned else {**each, "annotations": CLAIMED}


def _source(record: Record) -> list[dict[str, object]]:
    url = record.source.get("url")
    if not url:
        return []
    digests = {kind: record.source.get(name) for kind, name in _KINDS.items()}
    present = {kind: digest for kind, digest in digests.items() if digest}
    return [{"name": "context", "uri": url, **({"digest": present} if present else {})}]


def _dockerfile(record: Record) -> list[dict[str, object]]:
    return [{"name": "Dockerfile", "digest": {"sha256": record.dockerfile}}] if record.dockerfile else []


def _base_images(record: Record) -> list[dict[str, object]]:
    return [
        {"name": "base image", **_image(f"{each.reference.partition('@')[0]}@{each.digest}")}
        for each in record.base_images
    ]


def _image(reference: str) -> dict[str, object]:
    algorithm, _, value = reference.rpartition("@")[2].partition(":")
    return {"uri": reference, **({"digest": {algorithm: value}} if "@" in reference else {})}
