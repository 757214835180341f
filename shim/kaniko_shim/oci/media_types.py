"""Media types of manifests and indexes, and the annotation of their names."""

from typing import Final

INDEX: Final = "application/vnd.oci.image.index.v1+json"
MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
MANIFESTS: Final = frozenset({MANIFEST, "application/vnd.docker.distribution.manifest.v2+json"})
"""Of an image's manifest."""
REF_NAME: Final = "org.opencontainers.image.ref.name"
"""The tag, in the index of a layout."""
BASE_NAME: Final = "org.opencontainers.image.base.name"
BASE_DIGEST: Final = "org.opencontainers.image.base.digest"
"""The image that another is based on: https://github.com/opencontainers/image-spec/blob/main/annotations.md."""
