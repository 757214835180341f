"""Looks up what a base image is now, in the same places as the executor."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from kaniko_shim.oci.platform import Platform
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import BaseImage
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.references import DOCKER_HUB, ImageReference, parse_reference
from kaniko_shim.registry.registries import Registries
from kaniko_shim.system.json_text import load_json

Answer = TypeVar("Answer")
_AT_ONCE = 4
#: The warning of a build one of whose base images is not known.
UNKNOWN_BASES = "The base images are not reported: a registry did not answer for one of {}."


class Bases(Protocol):
    """What can be looked up about base images."""

    def digest(self, image: str) -> str:
        """The digest of an image; empty if it cannot be found."""

    def for_platform(self, image: str, platform: Platform) -> str:
        """The name by digest of the image for a platform; an index has one for each.

        Raises:
            JobError: a registry's reason.
        """

    def platform(self, image: str, platform: Platform) -> Platform | None:
        """What the image for a platform is for by its own account; None if it cannot be found, or does not say."""

    def environment(self, image: str, platform: Platform) -> Mapping[str, str] | None:
        """The variables that an image sets; None if it cannot be found."""

    def shell(self, image: str, platform: Platform) -> tuple[str, ...]:
        """The SHELL that an image sets; empty if it sets none, or cannot be found."""

    def user(self, image: str, platform: Platform) -> str | None:
        """The USER that an image sets, empty for root; None if it cannot be found."""


@dataclass(frozen=True, slots=True)
class BaseImages:
    """Asks registries, once per image and question."""

    crane: Crane
    registries: Registries
    _digests: dict[str, str] = field(default_factory=dict)
    _configs: dict[tuple[str, Platform], Mapping[str, Any] | None] = field(default_factory=dict)

    def digest(self, image: str) -> str:
        """The digest of an image; empty if it cannot be found."""
        if image not in self._digests:
            try:
                self._digests[image] = self._first(image, lambda place: self.crane.inspect(place).digest)
            except (JobError, ValueError):
                self._digests[image] = ""
        return self._digests[image]

    def for_platform(self, image: str, platform: Platform) -> str:
        """The name by digest of the image for a platform.

        Raises:
            JobError: a registry's reason.
        """
        try:
            name = parse_reference(image)
        except ValueError as error:
            raise JobError(Reason.DOCKERFILE_INVALID, f"FROM {image}: {error}.") from error
        digest = self._first(image, lambda place: self.crane.digest_for(place, platform))
        return replace(name, tag="", digest=digest).name

    def locate(self, image: str, platform: Platform) -> ImageReference:
        """Where the image for a platform is, by its digest: in a mirror, or in its registry.

        Raises:
            JobError: a registry's reason.
        """
        return self._first(
            image,
            lambda place: replace(place, tag="", digest=self.crane.digest_for(place, platform)),
        )

    def layers(self, image: str) -> tuple[str, ...]:
        """The digests of the layers of an image that is named by the digest of its manifest.

        Raises:
            JobError: a registry's reason.
        """
        try:
            manifest = load_json(self._first(image, self.crane.manifest))
        except ValueError:
            # A registry may have anything.
            return ()
        layers = manifest.get("layers") if isinstance(manifest, dict) else None
        return tuple(str(layer.get("digest")) for layer in layers or () if isinstance(layer, dict))

    def platform(self, image: str, platform: Platform) -> Platform | None:
        """What the image for a platform is for by its own account; None if it cannot be found, or does not say."""
        whole = self._whole(image, platform) or {}
        own = tuple(whole.get(each) or "" for each in ("os", "architecture", "variant"))
        return Platform(*own) if own[0] and own[1] and all(isinstance(each, str) for each in own) else None

    def environment(self, image: str, platform: Platform) -> Mapping[str, str] | None:
        """The variables that an image sets; None if it cannot be found."""
        config = self._config(image, platform)
        if config is None:
            return None
        pairs = (each.partition("=") for each in _texts(config.get("Env")))
        return {name: value for name, _, value in pairs}

    def shell(self, image: str, platform: Platform) -> tuple[str, ...]:
        """The SHELL that an image sets; empty if it sets none, or cannot be found."""
        return _texts((self._config(image, platform) or {}).get("Shell"))

    def user(self, image: str, platform: Platform) -> str | None:
        """The USER that an image sets, empty for root; None if it cannot be found."""
        config = self._config(image, platform)
        return None if config is None else str(config.get("User") or "")

    def _config(self, image: str, platform: Platform) -> Mapping[str, Any] | None:
        """What containers of the image begin with; None if it cannot be found."""
        whole = self._whole(image, platform)
        config = None if whole is None else whole.get("config") or {}
        return config if isinstance(config, dict) else None

    def _whole(self, image: str, platform: Platform) -> Mapping[str, Any] | None:
        """The image's configuration; None if it cannot be found."""
        key = image, platform
        if key not in self._configs:
            try:
                content = self._first(image, lambda place: self.crane.config(place, platform))
                whole = load_json(content)
                # A registry may have anything.
                self._configs[key] = whole if isinstance(whole, dict) else None
            except (JobError, ValueError):
                self._configs[key] = None
        return self._configs[key]

    def _first(self, image: str, ask: Callable[[ImageReference], Answer]) -> Answer:
        """The answer of the first place that has an image; if none has, the error of the last."""
        *mirrors, last = places(parse_reference(image), self.registries)
        for mirror in mirrors:
            try:
                return ask(mirror)
            except JobError:
                continue
        return ask(last)


def resolve(bases: BaseImages, images: Mapping[str, str], platform: Platform) -> tuple[BaseImage, ...] | None:
    """What images are for a platform; None if one of them cannot be found, since a part would be taken for the whole.

    Args:
        bases: asks.
        images: what to ask for, by the name that is reported.
        platform: the platform.
    """

    def digest(image: str) -> str:
        try:
            return bases.locate(image, platform).digest
        except (JobError, ValueError, OSError):
            return ""

    if not images:
        return ()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = tuple(map(BaseImage, images, pool.map(digest, images.values())))
    return found if all(each.digest for each in found) else None


def find_base(bases: BaseImages, images: Iterable[BaseImage], layers: Sequence[str]) -> BaseImage | None:
    """The image that another is based on: the one whose layers it begins with; of several, the one with most.

    What the registry has decides, and not the Dockerfile: nothing that a RUN writes can name another.

    Raises:
        JobError: a registry's reason.
    """

    def length(image: BaseImage) -> int:
        found = bases.layers(f"{image.reference.partition('@')[0]}@{image.digest}")
        return len(found) if list(layers[: len(found)]) == list(found) else 0

    images = tuple(images)
    if not images or not layers:
        return None
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        lengths = list(pool.map(length, images))
    most = max(lengths)
    return images[lengths.index(most)] if most else None


def _texts(value: object) -> tuple[str, ...]:
    """A list of texts; empty if it is anything else."""
    is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return tuple(value) if is_list and isinstance(value, list) else ()


def places(image: ImageReference, registries: Registries) -> Iterator[ImageReference]:
    """Where the executor looks for an image, in order: the mirrors of its registry, then the registry itself."""
    mirrors = list(registries.mirrors) if image.registry == DOCKER_HUB else []
    mirrors += [each.mirror for each in registries.maps if each.host == image.registry]
    for mirror in mirrors:
        host, _, prefix = mirror.partition("/")
        yield replace(image, registry=host, repository=f"{prefix}/{image.repository}".lstrip("/"))
    if not (mirrors and registries.skip_fallback):
        yield image
