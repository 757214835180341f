"""Looks up the digest that an image name has now, in the same places as the executor."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.references import DOCKER_HUB, ImageReference, parse_reference
from kaniko_shim.registry.registries import Registries


@dataclass(frozen=True, slots=True)
class BaseDigests:
    """Asks registries for digests, once per image."""

    crane: Crane
    registries: Registries
    _known: dict[str, str] = field(default_factory=dict)

    def __call__(self, image: str) -> str:
        """The digest of an image; empty if it cannot be found."""
        if image not in self._known:
            self._known[image] = self._ask(image)
        return self._known[image]

    def _ask(self, image: str) -> str:
        try:
            reference = parse_reference(image)
        except ValueError:
            return ""
        for place in places(reference, self.registries):
            try:
                return self.crane.inspect(place).digest
            except JobError:
                continue
        return ""


def places(image: ImageReference, registries: Registries) -> Iterator[ImageReference]:
    """Where the executor looks for an image, in order: the mirrors of its registry, then the registry itself."""
    mirrors = list(registries.mirrors) if image.registry == DOCKER_HUB else []
    mirrors += [each.mirror for each in registries.maps if each.host == image.registry]
    for mirror in mirrors:
        host, _, prefix = mirror.partition("/")
        yield replace(image, registry=host, repository=f"{prefix}/{image.repository}".lstrip("/"))
    if not (mirrors and registries.skip_fallback):
        yield image
