"""Images in a registry, read whole: their configuration and their file tree."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.request import Request, urlopen

from support.registry import Registry
from truth.layers import Entry, Tree, flatten, read_layer

_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_LISTS = ("Cmd", "Entrypoint", "Shell", "OnBuild")
_SETS = ("ExposedPorts", "Volumes")
_TEXTS = ("User", "WorkingDir", "StopSignal")
_DOCUMENT = ("os", "architecture", "variant", "author")


@dataclass(frozen=True)
class Image:
    """An image.

    Attributes:
        config: what is compared of its configuration, by name; what is unset or empty is missing.
        tree: its files.
    """

    config: Mapping[str, object]
    tree: Tree


@dataclass
class Images:
    """The images of a registry; each layer is read once."""

    registry: Registry
    layers: dict[str, list[Entry]] = field(default_factory=dict)

    def pull(self, image: str) -> Image:
        """Read an image."""
        repository, _, tag = image.removeprefix(f"{self.registry.address}/").rpartition(":")
        manifest = json.loads(self._get(f"{repository}/manifests/{tag}"))
        layers = [self._layer(repository, str(layer["digest"])) for layer in manifest["layers"] or ()]
        config = json.loads(self._get(f"{repository}/blobs/{manifest['config']['digest']}"))
        return Image(comparable(config), flatten(layers))

    def _layer(self, repository: str, digest: str) -> list[Entry]:
        if digest not in self.layers:
            self.layers[digest] = read_layer(io.BytesIO(self._get(f"{repository}/blobs/{digest}")))
        return self.layers[digest]

    def _get(self, path: str) -> bytes:
        """What the registry answers; a process of crane for each would take longer than all else."""
        request = Request(f"http://{self.registry.address}/v2/{path}", headers={"Accept": ", ".join(_MANIFESTS)})
        with urlopen(request, timeout=60) as answer:
            return bytes(answer.read())


def comparable(document: Mapping[str, Any]) -> dict[str, object]:
    """What is compared of an image's configuration."""
    config: dict[str, Any] = document.get("config") or {}
    found: dict[str, object] = {name: document.get(name) for name in _DOCUMENT}
    found |= {name: config.get(name) for name in (*_LISTS, *_TEXTS)}
    found |= {name: sorted(config.get(name) or ()) for name in _SETS}
    found |= {f"Env {name}": value for name, _, value in (item.partition("=") for item in config.get("Env") or ())}
    found |= {f"Label {name}": value for name, value in (config.get("Labels") or {}).items()}
    found |= {f"Healthcheck {name}": value for name, value in (config.get("Healthcheck") or {}).items()}
    # BuildKit says so of images from scratch; runtimes use it where nothing is said.
    if found["WorkingDir"] == "/":
        found["WorkingDir"] = None
    # A variable and a label may be set to nothing, which is not the same as unset.
    return {name: value for name, value in found.items() if value or name.startswith(("Env ", "Label "))}
