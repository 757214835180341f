"""in-toto statements: a predicate about an image.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from collections.abc import Mapping

MEDIA_TYPE = "application/vnd.in-toto+json"

PROVENANCE = "https://slsa.dev/provenance/v1"
VULNERABILITIES = "https://in-toto.io/attestation/vulns/v0.2"
"""https://github.com/in-toto/attestation/blob/main/spec/predicates/vuln.md"""
SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
"""The predicate of cosign's signatures, which says nothing but that the image is signed."""


def statement(name: str, digest: str, predicate_type: str, predicate: Mapping[str, object]) -> dict[str, object]:
    """A statement about the image with a name and a `sha256:…` digest."""
    algorithm, _, value = digest.partition(":")
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {algorithm: value}}],
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }
