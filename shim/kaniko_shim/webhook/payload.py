"""What a webhook says, and whether who sent it has the secret. Pure."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from kaniko_shim.registry.references import parse_reference
from kaniko_shim.sources.git.remotes import parse_remote

#: Where each server puts the HMAC of the body (SHA-256): GitHub, Gitea and Forgejo, Bitbucket.
_SIGNATURES: Final = ("x-hub-signature-256", "x-gitea-signature", "x-hub-signature")
#: Where others put the secret itself: GitLab, Harbor, distribution.
_SECRETS: Final = ("x-gitlab-token", "authorization")
#: Fields with a URL of the repository that was pushed to: of GitHub and Gitea, GitLab, Bitbucket.
_URLS: Final = frozenset({"clone_url", "ssh_url", "html_url", "git_http_url", "git_ssh_url", "href"})
#: Fields with the name of an image that was pushed: of Harbor, GitHub, Quay.
_IMAGES: Final = frozenset({"resource_url", "package_url", "docker_url"})
_DEEPEST: Final = 6
#: Marks of one webhook.
MOST: Final = 50


def is_authentic(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether a request was made with the secret: by the HMAC of its body, or by the secret itself.

    Args:
        headers: its headers, with names in lower case.
        body: its body.
        secret: the secret.
    """
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    for name in _SIGNATURES:
        if (given := headers.get(name)) is not None:
            return hmac.compare_digest(given.removeprefix("sha256=").encode(), expected.encode())
    given = next(filter(None, map(headers.get, _SECRETS)), "").removeprefix("Bearer ")
    return hmac.compare_digest(given.encode(), secret.encode())


def pushed(body: bytes) -> frozenset[str]:
    """The marks of the repositories and images that a webhook is about, the first 50 that are known.

    Raises:
        ValueError: the body is not JSON.
    """
    document = json.loads(body)
    return frozenset(islice(_marks(document, 0), MOST)) if isinstance(document, dict) else frozenset()


def mark_of_repository(url: str) -> str:
    """The mark of a Git repository. URLs with other schemes, ports and user names are those of the same one.

    A mark says which one it is only to those who know the URL.

    Raises:
        ValueError: it is not the URL of one.
    """
    remote = parse_remote(url)
    return _mark("git", f"{remote.host}/{remote.path.strip('/').removesuffix('.git')}")


def mark_of_image(name: str) -> str:
    """The mark of an image's repository.

    Raises:
        ValueError: it is not the name of an image.
    """
    reference = parse_reference(name.partition("://")[2] or name)
    return _mark("image", f"{reference.registry}/{reference.repository}")


def _mark(kind: str, name: str) -> str:
    return hashlib.sha256(f"{kind} {name.lower()}".encode()).hexdigest()


def _marks(document: Mapping[str, Any], depth: int) -> Iterator[str]:
    target = document.get("target")
    if isinstance(target, dict) and isinstance(target.get("url"), str) and "repository" in target:
        # A notification of distribution: the registry's own URL, and the repository below it.
        host = target["url"].partition("://")[2].partition("/")[0]
        yield from _known(mark_of_image, f"{host}/{target['repository']}")
    for name, value in document.items():
        if name in _URLS and isinstance(value, str):
            yield from _known(mark_of_repository, value)
        elif name in _IMAGES and isinstance(value, str):
            yield from _known(mark_of_image, value)
        elif depth < _DEEPEST:
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict):
                    yield from _marks(each, depth + 1)


def _known(mark: Any, name: str) -> Iterator[str]:  # noqa: ANN401 - one of the two
    try:
        yield mark(name)
    except ValueError:
        # A server may have more to say than what is watched here.
        return
