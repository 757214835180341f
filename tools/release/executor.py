"""The executor that the builder image ships: pinned by version and digest in one line of Dockerfile.builder."""

import re
from dataclasses import dataclass
from pathlib import Path

from release.errors import ReleaseError
from release.programs import program, run
from release.tree import BUILDER_DOCKERFILE

_PIN = re.compile(
    r"(?m)^ARG EXECUTOR_IMAGE=(?P<repository>[^\s@]+):(?P<version>v\d+\.\d+\.\d+)@(?P<digest>sha256:[0-9a-f]{64})$"
)
_RELEASE = re.compile(r"v(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Pin:
    """The executor's image: its repository, the version as its tag says it, and the digest of that tag's index."""

    repository: str
    version: str
    digest: str

    @property
    def image(self) -> str:
        """The reference that a build takes."""
        return f"{self.repository}:{self.version}@{self.digest}"


def pinned(dockerfile: Path = BUILDER_DOCKERFILE) -> Pin:
    """The executor that this tree ships.

    Raises:
        ReleaseError: the Dockerfile does not name it in the one form that is understood.
    """
    found = list(_PIN.finditer(dockerfile.read_text(encoding="utf-8")))
    if len(found) != 1:
        form = "ARG EXECUTOR_IMAGE=repository:v1.2.3@sha256:…"
        raise ReleaseError(f"{dockerfile.name} must have one line `{form}`; it has {len(found)}.")
    return Pin(found[0]["repository"], found[0]["version"], found[0]["digest"])


def newest(pin: Pin) -> str:
    """The newest release in the registry. Pre-releases and other flavours, such as v1.2.3-debug, are none.

    Raises:
        ReleaseError: the registry does not answer, or has no release.
    """
    releases = [tag for tag in _crane("ls", pin.repository).split() if _RELEASE.fullmatch(tag)]
    if not releases:
        raise ReleaseError(f"{pin.repository} has no tag of a release, such as v1.2.3.")
    return max(releases, key=_numbers)


def resolve(pin: Pin, version: str) -> Pin:
    """Another version with the digest that the registry gives.

    Raises:
        ReleaseError: it is no version, the registry has none such, or it lacks an architecture.
    """
    if not _RELEASE.fullmatch(version):
        raise ReleaseError(f"{version!r} is no release of the executor. Write one such as {pin.version}, or newest.")
    reference = f"{pin.repository}:{version}"
    digest = _crane("digest", reference).strip()
    for architecture in ("amd64", "arm64"):
        _crane("manifest", f"--platform=linux/{architecture}", f"{pin.repository}@{digest}")
    return Pin(pin.repository, version, digest)


def move(pin: Pin, dockerfile: Path = BUILDER_DOCKERFILE) -> bool:
    """Write the pin; says whether that changes anything."""
    text = dockerfile.read_text(encoding="utf-8")
    edited = _PIN.sub(f"ARG EXECUTOR_IMAGE={pin.image}", text)
    dockerfile.write_text(edited, encoding="utf-8")
    return edited != text


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.removeprefix("v").split("."))


def _crane(*arguments: str) -> str:
    return run(program("crane"), *arguments)
