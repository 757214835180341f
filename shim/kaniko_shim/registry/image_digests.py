"""What a tag points to, asked with as little as a registry needs for it."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from urllib3.exceptions import HTTPError

from kaniko_shim.oci.digests import DIGEST, digest_of
from kaniko_shim.oci.media_types import INDEX, MANIFESTS
from kaniko_shim.registry.base_images import places
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.registry.registry_api import Answer, RefusedError, RegistryApi, refusal
from kaniko_shim.system.json_text import load_json

_DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
_ACCEPT = {"Accept": ", ".join(sorted({INDEX, _DOCKER_INDEX, *MANIFESTS}))}


@dataclass(frozen=True, slots=True)
class Tagged:
    """What a tag points to.

    Attributes:
        digest: of the index, or of the image's manifest.
        manifests: the digests of the images, one for each platform.
    """

    digest: str
    manifests: tuple[str, ...]


def look_up(image: ImageReference, api: RegistryApi, known: Tagged | None) -> Tagged:
    """What a tag points to now, in the first mirror that has it, or in its registry.

    Args:
        image: the tag.
        api: asks registries.
        known: what it pointed to; if that is the same, nothing is downloaded.

    Raises:
        RefusedError: the last place has no such tag, or denies access.
        HTTPError, ssl.SSLError: it cannot be reached.
        JobError: RegistryUnauthorized; a credential helper that the Docker config names failed.
    """
    problem: Exception = RefusedError(f"{image.name}: no place to look for it")
    for place in places(image, api.registries):
        for base in api.bases(place.registry):
            try:
                return _look_up(place, base, api, known)
            except (RefusedError, HTTPError, ssl.SSLError) as error:
                problem = error
    raise problem


def _look_up(place: ImageReference, base: str, api: RegistryApi, known: Tagged | None) -> Tagged:
    url = f"{base}/v2/{place.repository}/manifests/{place.digest or place.tag}"
    with api.session(base, place, "pull") as session:
        head = session.send("HEAD", url, _ACCEPT)
        if head.status != HTTPStatus.OK:
            raise RefusedError(refusal("HEAD", url, head))
        digest = head.headers.get("Docker-Content-Digest", "")
        if known and digest == known.digest:
            return known
        answer = session.send("GET", url, _ACCEPT)
        if answer.status != HTTPStatus.OK:
            raise RefusedError(refusal("GET", url, answer))
    digest = digest_of(answer.body)
    return Tagged(digest, (digest, *_members(answer)))


def _members(answer: Answer) -> list[str]:
    try:
        document = load_json(answer.body)
    except ValueError:
        return []
    members = document.get("manifests") if isinstance(document, Mapping) else None
    read = [each for each in members if isinstance(each, Mapping)] if isinstance(members, list) else []
    # BuildKit's attestations are for no platform.
    images = [each for each in read if (each.get("platform") or {}).get("os") != "unknown"]
    return [each["digest"] for each in images if DIGEST.fullmatch(str(each.get("digest")))]
