"""What an engine can do, and what it gives back."""

import re
from dataclasses import dataclass
from typing import Protocol

from kaniko_shim.log.masking import MASK
from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.result import BaseImage, CacheReport
from kaniko_shim.registry.logins import Logins
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.system.job import Job
from kaniko_shim.system.processes.invocation import Invocation

# As the executor and as buildctl take them; the value may have several lines.
_BUILD_ARG = re.compile(r"^(?P<name>--(?:build-arg=|opt=build-arg:)[^=]*)=.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Built:
    """How a build has ended.

    Attributes:
        failure: why there is no image; None if there is one, in the layout and the registries of the request.
        checksum: SHA-256 of the user's Dockerfile, in hexadecimal.
        digest: the image's, as the engine reports it; empty if it does not. A RUN may have forged it.
        cache: what came from the layer cache; None without one.
        base_images: what the images of FROM and --from were; None if one is not known.
        is_unchanged: whether nothing was built, since the registry has the image already.
        is_pushed: whether the engine has pushed what the request wants to have pushed; else it is in the layout alone.
    """

    failure: Failure | None
    checksum: str
    digest: str = ""
    cache: CacheReport | None = None
    is_pushed: bool = False
    base_images: tuple[BaseImage, ...] | None = ()
    is_unchanged: bool = False


class Engine(Protocol):
    """The door of an engine's room: its module `build`."""

    def build(self, request: BuildRequest, job: Job, logins: Logins, /) -> Built:
        """Build the fetched context.

        Raises:
            JobError: the build was refused before it began, or the engine can't run here.
            CancelledError: it was cancelled before.
        """
        ...

    def plan(self, request: BuildRequest, job: Job, /) -> str:
        """The command for --dry-run; nothing is fetched."""
        ...


def shown(command: Invocation) -> str:
    """The command in the syntax of a shell, with the values of build arguments masked."""
    import shlex  # noqa: PLC0415 - for --dry-run only

    def hide(argument: str) -> str:
        return _BUILD_ARG.sub(rf"\g<name>={MASK}", argument)

    return shlex.join(hide(argument) for argument in command.argv)
