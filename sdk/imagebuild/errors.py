"""What can go wrong. A failed build is no error: it is a `Build` in phase Failed."""


class ImageBuildError(Exception):
    """Base class of all errors of this package.

    Attributes:
        message: What happened.
        hint: What to do next; empty if there is no general advice.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".rstrip())
        self.message = message
        self.hint = hint


class ConfigError(ImageBuildError):
    """Neither a kubeconfig nor the ServiceAccount of a pod says how to reach the API server."""


class InvalidNameError(ImageBuildError):
    """What is to be the name of an object is none: it is empty, for example, since a variable is not set."""


class UnreachableError(ImageBuildError):
    """The API server does not answer."""


class WaitTimeoutError(ImageBuildError):
    """The build had not ended when the time to wait was over. The build itself continues."""


class DeletedError(ImageBuildError):
    """The ImageBuild was deleted or replaced while it was followed."""


class ArchiveError(ImageBuildError):
    """A directory cannot be packed for an upload. Nothing was sent."""


class UploadError(ImageBuildError):
    """The pod of a build did not take the upload. The build itself goes on waiting."""


class ApiError(ImageBuildError):
    """The API server answered with an error.

    Attributes:
        status: HTTP status of the answer.
    """

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


class UnauthorizedError(ApiError):
    """The API server does not accept the credentials (401)."""


class ForbiddenError(ApiError):
    """The user lacks the permission (403), or an admission policy refuses the request."""


class NotFoundError(ApiError):
    """There is no ImageBuild of that name (404)."""


class NotInstalledError(NotFoundError):
    """The cluster has no resource imagebuilds: the operator's CRDs are not installed."""


class ExistsError(ApiError):
    """There is an ImageBuild of that name already (409)."""


class InvalidError(ApiError):
    """The API server refuses the manifest (400, 422)."""
