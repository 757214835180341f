"""SPDX 2.3 documents: https://spdx.github.io/spdx-spec/v2.3/."""

from collections.abc import Iterable
from urllib.parse import quote

from kaniko_shim.sbom.licenses import spdx_license
from kaniko_shim.sbom.package_urls import image_url, package_url
from kaniko_shim.sbom.packages import Distribution, Package

_NONE = "NOASSERTION"
_LONGEST_LICENSE = 1000


def spdx(
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
    listed = sorted(set(packages))
    image = {
        "SPDXID": "SPDXRef-Image",
        "name": name,
        "versionInfo": digest,
        "primaryPackagePurpose": "CONTAINER",
        "downloadLocation": _NONE,
        "filesAnalyzed": False,
        "checksums": [{"algorithm": "SHA256", "checksumValue": digest.partition(":")[2]}],
        "externalRefs": _references(image_url(name, digest)),
    }
    comment = {"comment": f"The image's distribution is {distribution.name}."} if distribution.name else {}
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{name}@{digest}",
        "documentNamespace": f"https://imagebuild.dev/spdx/{digest.replace(':', '-')}/{quote(created, safe='')}",
        "creationInfo": {"created": created, "creators": [f"Tool: {tool}"]},
        **comment,
        "packages": [image, *(_package(number, each, distribution) for number, each in enumerate(listed))],
        "relationships": [
            _relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image"),
            *(_relation("SPDXRef-Image", "CONTAINS", _id(number)) for number in range(len(listed))),
        ],
    }


def _package(number: int, package: Package, distribution: Distribution) -> dict[str, object]:
    license_ = spdx_license(package.license)
    unread = package.license[:_LONGEST_LICENSE] if not license_ else ""
    return {
        "SPDXID": _id(number),
        "name": package.name,
        "versionInfo": package.version,
        "downloadLocation": _NONE,
        "filesAnalyzed": False,
        "licenseConcluded": _NONE,
        "licenseDeclared": license_ or _NONE,
        **({"licenseComments": f"The package declares {unread!r}."} if unread else {}),
        "copyrightText": _NONE,
        "externalRefs": _references(package_url(package, distribution)),
    }


def _id(number: int) -> str:
    return f"SPDXRef-Package-{number}"


def _references(purl: str) -> list[dict[str, str]]:
    reference = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}
    return [reference] if purl else []


def _relation(element: str, kind: str, related: str) -> dict[str, str]:
    return {"spdxElementId": element, "relationshipType": kind, "relatedSpdxElement": related}
