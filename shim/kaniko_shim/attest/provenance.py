"""SLSA provenance of a build: https://slsa.dev/spec/v1.0/provenance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from kaniko_shim.attest.record import Record

BUILD_TYPE: Final = "https://imagebuild.dev/build/v1"
"""Names the meaning of the parameters: docs/supply-chain.md."""

BUILDER: Final = "https://imagebuild.dev/builder"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What `push` knows by itself, from its own variables.

    Attributes:
        builder_image: the builder image, by digest where it is known; empty if not.
        invocation: what names the build where it ran, such as its uid; empty if nothing does.
        parameters: what was asked for; None: what `build` noted.
    """

    builder_image: str = ""
    invocation: str = ""
    parameters: Mapping[str, object] | None = field(default=None)


def provenance(record: Record, known: Circumstances, versions: Mapping[str, str]) -> dict[str, object]:
    """The predicate of a build's provenance.

    Args:
        record: what `build` noted.
        known: what `push` knows.
        versions: of the programs in the builder image, which is the same for both.
    """
    parameters = record.parameters if known.parameters is None else known.parameters
    metadata = {"invocationId": known.invocation, "startedOn": record.started, "finishedOn": record.finished}
    builder: dict[str, object] = {"id": BUILDER, "version": dict(versions)}
    if known.builder_image:
        builder["builderDependencies"] = [_image(known.builder_image)]
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": dict(parameters),
            "internalParameters": {},
            "resolvedDependencies": [*_source(record), *_dockerfile(record)],
        },
        "runDetails": {"builder": builder, "metadata": {name: text for name, text in metadata.items() if text}},
    }


def _source(record: Record) -> list[dict[str, object]]:
    url = record.source.get("url")
    if not url:
        return []
    digests = {"gitCommit": record.source.get("revision"), "sha256": record.source.get("sha256")}
    known = {kind: digest for kind, digest in digests.items() if digest}
    return [{"name": "context", "uri": url, **({"digest": known} if known else {})}]


def _dockerfile(record: Record) -> list[dict[str, object]]:
    return [{"name": "Dockerfile", "digest": {"sha256": record.dockerfile}}] if record.dockerfile else []


def _image(reference: str) -> dict[str, object]:
    algorithm, _, value = reference.rpartition("@")[2].partition(":")
    return {"uri": reference, **({"digest": {algorithm: value}} if "@" in reference else {})}
