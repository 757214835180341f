"""The exceptions of the operator.

ImageBuildError
├── InvalidSpecError    the spec can't be built; the build fails and says why
├── SettingsError       the operator's own settings are wrong; it does not start
└── ClusterError        the API server refused or did not answer
    ├── NotFoundError       404
    ├── ConflictError       409: it exists already, or has changed since it was read
    ├── RejectedError       400, 403, 422: it will not accept this object
    └── StandbyError        not sent: this operator may not write
"""


class ImageBuildError(Exception):
    """Base of every exception of this package."""


class InvalidSpecError(ImageBuildError):
    """A spec that the API server accepted can't be built.

    Attributes:
        path: The field, as `kubectl explain` takes it: `spec.output.images[0]`.
        problem: What is wrong with it and what to write instead.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class SettingsError(ImageBuildError):
    """Settings of the operator are missing or malformed; all problems in one message."""


class ClusterError(ImageBuildError):
    """The API server answered with an error, or not at all (status 0).

    Attributes:
        status: Of HTTP.
        message: The API server's own words.
        retry_after: Seconds for which it asks to be left alone.
    """

    def __init__(self, status: int, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed later: the API server did not answer, or was overloaded."""
        return self.status in {0, 429, 502, 503, 504}


class NotFoundError(ClusterError):
    """404: the object does not exist."""


class ConflictError(ClusterError):
    """409: the object exists already, or has changed since it was read."""


class RejectedError(ClusterError):
    """400, 403 or 422: the same request would be rejected again."""


class StandbyError(ClusterError):
    """The write was not sent: this operator is not the leader (any more)."""
