"""The frontend that a Dockerfile names in its first lines: `# syntax=docker/dockerfile:1`."""

import re

from kaniko_shim.dockerfile.parse import frontend_directive
from kaniko_shim.outcome.errors import Failure, JobError
from kaniko_shim.outcome.reasons import Reason

_FRONTEND = re.compile(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?:[:@].*)?")


def refuse_syntax(content: bytes, name: str) -> None:
    """Refuse a frontend other than Dockerfiles.

    Args:
        content: the Dockerfile's.
        name: the Dockerfile's, for the message.

    Raises:
        JobError: DockerfileUnsupported.
    """
    syntax, line = frontend_directive(content, "syntax")
    if syntax and not _FRONTEND.fullmatch(syntax):
        raise JobError.of(
            Failure(
                Reason.DOCKERFILE_UNSUPPORTED,
                f"{name}: this executor silently ignores # syntax={syntax}; it reads only Dockerfiles.",
                line=line,
                hint="Remove the line if the file is a plain Dockerfile.",
            )
        )
