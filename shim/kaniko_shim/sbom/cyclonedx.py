"""CycloneDX 1.6 documents: https://cyclonedx.org/docs/1.6/json/."""

import uuid
from collections.abc import Iterable

from kaniko_shim.sbom.licenses import spdx_license
from kaniko_shim.sbom.package_urls import image_url, package_url
from kaniko_shim.sbom.packages import Distribution, Package

_LONGEST_LICENSE = 1000


def cyclonedx(
    name: str, digest: str, packages: Iterable[Package], distribution: Distribution, *, created: str, tool: str
) -> dict[str, object]:
    """The SBOM of an image.

    Args:
        name: `registry/path` of the image.
        digest: `sha256:…` of its manifest.
        packages: the packages that it holds.
        distribution: its Linux distribution.
        created: the time of the document, RFC 3339.
        tool: the program that makes it, with its version.
    """
    url = image_url(name, digest)
    system = {"type": "operating-system", "bom-ref": "os", "name": distribution.id, "version": distribution.version}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{url}#{created}')}",
        "version": 1,
        "metadata": {
            "timestamp": created,
            "tools": {"components": [{"type": "application", "name": tool}]},
            "component": {
                "type": "container",
                "bom-ref": url,
                "name": name,
                "version": digest,
                "purl": url,
                "hashes": [{"alg": "SHA-256", "content": digest.partition(":")[2]}],
            },
        },
        "components": [
            *(_component(each, number, distribution) for number, each in enumerate(sorted(set(packages)))),
            *([system] if distribution.id else []),
        ],
    }


def _component(package: Package, number: int, distribution: Distribution) -> dict[str, object]:
    url = package_url(package, distribution)
    expression = spdx_license(package.license)
    declared = {"expression": expression} if expression else {"license": {"name": package.license[:_LONGEST_LICENSE]}}
    return {
        "type": "library",
        "bom-ref": f"package-{number}",
        "name": package.name,
        "version": package.version,
        **({"purl": url} if url else {}),
        **({"licenses": [declared]} if package.license.strip() else {}),
    }
