"""Merge CycloneDX documents: dicts in, dicts out."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import quote

JSON = dict[str, Any]


def merged(name: str, digest: str, parts: Iterable[JSON], debian: Iterable[JSON]) -> JSON:
    """One document about an image, from those about its parts and the components of its base.

    Args:
        name: the image's.
        digest: the image's, such as `sha256:…`.
        parts: CycloneDX documents; what they are about becomes a component too.
        debian: further components.
    """
    components: dict[str, JSON] = {}
    depends: dict[str, set[str]] = {}
    tools: list[JSON] = []
    for part in parts:
        about = part["metadata"].get("component")
        for component in (*filter(None, [about]), *part.get("components", ())):
            components.setdefault(component["bom-ref"], component)
        for dependency in part.get("dependencies", ()):
            depends.setdefault(dependency["ref"], set()).update(dependency.get("dependsOn", ()))
        tools += (tool for tool in _tools(part) if tool not in tools)
    components |= {component["bom-ref"]: component for component in debian}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "container", "bom-ref": name, "name": name, "version": digest},
            "tools": {"components": tools},
        },
        "components": list(components.values()),
        "dependencies": [
            {"ref": name, "dependsOn": sorted(components)},
            *({"ref": ref, "dependsOn": sorted(on)} for ref, on in sorted(depends.items()) if ref in components),
        ],
    }


def debian_components(status: str, only: Collection[str] | None = None) -> list[JSON]:
    """The installed packages that dpkg's status file lists.

    Args:
        status: the content of the file.
        only: names of the packages wanted; all where it is None.
    """
    fields = [_fields(paragraph) for paragraph in status.split("\n\n") if paragraph.strip()]
    installed = [package for package in fields if package["Status"].endswith(" installed")]
    return [_package(package) for package in installed if only is None or package["Package"] in only]


def _package(package: Mapping[str, str]) -> JSON:
    name, version = package["Package"], package["Version"]
    url = f"pkg:deb/debian/{quote(name, safe='')}@{quote(version, safe='')}?arch={package['Architecture']}"
    return {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}


def _fields(paragraph: str) -> dict[str, str]:
    lines = (line.partition(":") for line in paragraph.splitlines() if not line.startswith((" ", "\t")))
    return {key: value.strip() for key, _, value in lines}


def _tools(part: JSON) -> list[JSON]:
    tools = part["metadata"].get("tools", {})
    # Older writers give a list of tools in place of components.
    found = (
        [{"type": "application", "name": tool["name"], "version": tool.get("version", "")} for tool in tools]
        if isinstance(tools, list)
        else tools.get("components", [])
    )
    return [{key: tool[key] for key in ("type", "name", "version") if tool.get(key)} for tool in found]
