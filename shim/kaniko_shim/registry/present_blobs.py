"""What repositories have already, so that a build need not fetch it only to push it again."""

import ssl
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus

from urllib3.exceptions import HTTPError

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.registry.registry_api import RefusedError, RegistryApi, Session

# A registry that keeps blobs elsewhere says where, if it has one.
_PRESENT = frozenset({HTTPStatus.OK, HTTPStatus.TEMPORARY_REDIRECT})


@dataclass(slots=True)
class PresentBlobs:
    """The blobs that each of some repositories has; several threads may ask.

    Attributes:
        api: opens a session with each, once.
        crane: downloads.
        repositories: at least one.
        connections: closes the sessions.
    """

    api: RegistryApi
    crane: Crane
    repositories: tuple[ImageReference, ...]
    connections: ExitStack = field(repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _sessions: list[Session | None] = field(default_factory=list, repr=False)

    def has(self, digest: str) -> bool:
        """Whether all of them have a blob; False if one does not say."""
        with self._lock:
            self._sessions = self._sessions or [self._open(each) for each in self.repositories]
        return all(session is not None and _has(session, digest) for session in self._sessions)

    def read(self, digest: str) -> bytes:
        """A small blob.

        Raises:
            JobError: a registry's reason.
        """
        return self.crane.blob(self.repositories[0], digest)

    def _open(self, repository: ImageReference) -> Session | None:
        for base in self.api.bases(repository.registry):
            try:
                return self.connections.enter_context(self.api.session(base, repository, "pull"))
            except (HTTPError, ssl.SSLError, RefusedError, JobError):
                continue
        return None


def _has(session: Session, digest: str) -> bool:
    try:
        url = f"{session.base}/v2/{session.repository}/blobs/{digest}"
        return session.send("HEAD", url).status in _PRESENT
    except (HTTPError, ssl.SSLError):
        return False
