"""SPDX 2.3 documents: https://spdx.github.io/spdx-spec/v2.3/."""

import re
from collections.abc import Iterable
from urllib.parse import quote

from kaniko_shim.sbom.packages import Distribution, Package

_NONE = "NOASSERTION"
_SIMPLE_LICENSE = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*")


def spdx(
    name: str, digest: str, packages: Iterable[Package], distribution: Distribution, *, created: str, tool: str
) -> dict[str, object]:
    """The bill of materials of an image.

    Args:
        name: `registry/path` of the image.
        digest: `sha256:…` of its manifest.
        packages: what is in it.
        distribution: what it is made of.
        created: when the document is made, RFC 3339.
        tool: what makes it, with its version.
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
        "externalRefs": [_purl(f"pkg:oci/{quote(name.rpartition('/')[2])}@{quote(digest, safe='')}?{_query(name)}")],
    }
    comment = {"comment": f"The image is made of {distribution.name}."} if distribution.name else {}
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


def package_url(package: Package, distribution: Distribution) -> str:
    """A package's URL: https://github.com/package-url/purl-spec."""
    namespace, _, name = package.name.rpartition("/")
    inside = f"{quote(namespace, safe='')}/" if namespace else ""
    qualifiers = ""
    if package.ecosystem in {"deb", "apk"}:
        inside = f"{quote(distribution.id or 'unknown')}/"
        pairs = {
            "arch": package.architecture,
            "distro": "-".join(filter(None, (distribution.id, distribution.version))),
        }
        qualifiers = "&".join(f"{key}={quote(value)}" for key, value in pairs.items() if value)
    version = quote(package.version, safe=":+~.-_")
    return f"pkg:{package.ecosystem}/{inside}{quote(name)}@{version}" + (f"?{qualifiers}" if qualifiers else "")


def _package(number: int, package: Package, distribution: Distribution) -> dict[str, object]:
    declared = package.license if _SIMPLE_LICENSE.fullmatch(package.license) else _NONE
    return {
        "SPDXID": _id(number),
        "name": package.name,
        "versionInfo": package.version,
        "downloadLocation": _NONE,
        "filesAnalyzed": False,
        "licenseConcluded": _NONE,
        "licenseDeclared": declared,
        "copyrightText": _NONE,
        "externalRefs": [_purl(package_url(package, distribution))],
    }


def _id(number: int) -> str:
    return f"SPDXRef-Package-{number}"


def _purl(url: str) -> dict[str, str]:
    return {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": url}


def _relation(element: str, kind: str, related: str) -> dict[str, str]:
    return {"spdxElementId": element, "relationshipType": kind, "relatedSpdxElement": related}


def _query(name: str) -> str:
    return f"repository_url={quote(name, safe='')}"
