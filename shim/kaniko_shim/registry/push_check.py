"""Checks whether an image can be pushed: begins an upload, as a push does, and cancels it. Nothing is stored."""

import ssl
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urljoin

from urllib3.exceptions import HTTPError

from kaniko_shim.outcome.classify import classify
from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.evidence import Evidence
from kaniko_shim.registry.connection_errors import SPEAKS_HTTP, in_go
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.registry.registry_api import RefusedError, RegistryApi, origin, refusal
from kaniko_shim.system.processes.process import Ended


@dataclass(frozen=True, slots=True)
class PushCheck:
    """Checks pushes, with the credentials for pushing."""

    api: RegistryApi

    def ask(self, image: ImageReference) -> Failure | None:
        """Why the image can't be pushed; None if it can.

        Raises:
            JobError: RegistryUnauthorized; a credential helper that the Docker config names failed.
        """
        problem = ""
        for base in self.api.bases(image.registry):
            try:
                self._begin_and_cancel(base, image)
            except RefusedError as error:
                problem = str(error)
                break
            except (HTTPError, ssl.SSLError) as error:
                # The problem of HTTPS says more, unless it is that the registry speaks plain HTTP.
                if not problem or SPEAKS_HTTP in problem:
                    problem = in_go(base, error)
            else:
                return None
        return classify(Evidence(Ended(1), problem, pushing=True, names=(image.name,)))

    def _begin_and_cancel(self, base: str, image: ImageReference) -> None:
        with self.api.session(base, image, "pull,push") as session:
            url = f"{base}/v2/{image.repository}/blobs/uploads/"
            answer = session.send("POST", url, {"Content-Length": "0"})
            if answer.status != HTTPStatus.ACCEPTED:
                raise RefusedError(refusal("POST", url, answer))
            location = urljoin(url, answer.headers.get("Location", ""))
            # Another server gets no credentials; the registry removes an upload that nobody continues.
            if location != url and origin(location) == origin(base):
                session.send("DELETE", location)
