"""OCI artifacts that belong to an image: a manifest with a `subject`, and one blob or several.

https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kaniko_shim.oci.digests import digest_of
from kaniko_shim.oci.media_types import MANIFEST


@dataclass(frozen=True, slots=True)
class Subject:
    """The image, or index, that an artifact is about: its manifest's digest, size in bytes and media type."""

    digest: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes with a media type and annotations."""

    media_type: str
    content: bytes
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Artifact:
    """An artifact, ready to be pushed.

    Attributes:
        manifest: its bytes.
        blobs: the blobs that the manifest names, which are pushed with it.
    """

    manifest: bytes
    blobs: tuple[bytes, ...]

    @property
    def digest(self) -> str:
        """`sha256:…` of the manifest."""
        return digest_of(self.manifest)


def referrer(subject: Subject, artifact_type: str, blob: Blob, annotations: Mapping[str, str]) -> Artifact:
    """An artifact that registries list as a referrer of its subject.

    Its type is also the type of its (empty) config: clients that keep the list for a registry that does not read it
    from there.
    """
    empty = Blob(artifact_type, b"{}")
    document: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": artifact_type,
        "config": descriptor(empty),
        "layers": [descriptor(blob)],
        "subject": {"mediaType": subject.media_type, "digest": subject.digest, "size": subject.size},
        "annotations": dict(annotations),
    }
    return Artifact(dump(document), (empty.content, blob.content))


def descriptor(blob: Blob) -> dict[str, object]:
    """The descriptor of a blob in a manifest."""
    annotations = {"annotations": dict(blob.annotations)} if blob.annotations else {}
    return {"mediaType": blob.media_type, "digest": digest_of(blob.content), "size": len(blob.content), **annotations}


def layout_index(artifact: Artifact) -> bytes:
    """The `index.json` of a layout that holds the artifact."""
    return dump({"schemaVersion": 2, "manifests": [descriptor(Blob(MANIFEST, artifact.manifest))]})


def dump(document: Mapping[str, object] | Sequence[object]) -> bytes:
    """JSON without blanks, the same bytes for the same document."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
