"""SLSA provenance of a build: https://slsa.dev/spec/v1.0/provenance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from kaniko_shim.attest.record import Record

BUILD_TYPE: Final = "https://imagebuild.dev/build/v1"
"""Names the meaning of the parameters: docs/how-to/supply-chain.md."""

BUILDER: Final = "https://imagebuild.dev/builder"


@dataclass(frozen=True, slots=True)
class ProvenanceInputs:
    """What the variables of `push` add to the record of a build.

    Attributes:
        builder_image: the builder image, by digest where it is known; empty if not.
        invocation: names the build where it ran, such as its uid; empty if unknown.
        parameters: the parameters of the build; None: those in the record.
    """

    builder_image: str = ""
    invocation: str = ""
    parameters: Mapping[str, object] | None = field(default=None)


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
            "resolvedDependencies": [*_source(record), *_dockerfile(record), *_base_images(record)],
        },
        "runDetails": {"builder": builder, "metadata": {name: text for name, text in metadata.items() if text}},
    }


def _source(record: Record) -> list[dict[str, object]]:
    url = record.source.get("url")
    if not url:
        return []
    digests = {"gitCommit": record.source.get("revision"), "sha256": record.source.get("sha256")}
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
