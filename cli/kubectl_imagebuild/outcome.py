"""Exit codes."""

from enum import IntEnum

from imagebuild import Build, ImageBuildError, Phase, WaitTimeoutError


class Exit(IntEnum):
    """Exit code of a command."""

    OK = 0
    #: The build failed.
    FAILED = 1
    #: The command line is wrong.
    USAGE = 2
    #: The build was cancelled.
    CANCELLED = 3
    #: The API server refused the request or does not answer, or the ImageBuild is gone.
    ERROR = 4
    #: The build has not ended in the time to wait.
    TIMEOUT = 5
    #: A fault of this program.
    INTERNAL = 70
    #: The user, or the reader of the output, left while the build continues.
    LEFT = 130


class LeftError(Exception):
    """The user has left; the build continues, or its cancellation does."""


def exit_of_build(build: Build) -> Exit:
    """Exit code for a build that has ended."""
    if build.succeeded:
        return Exit.OK
    return Exit.CANCELLED if build.phase is Phase.CANCELLED else Exit.FAILED


def exit_of_error(error: ImageBuildError) -> Exit:
    """Exit code for an error."""
    return Exit.TIMEOUT if isinstance(error, WaitTimeoutError) else Exit.ERROR
