"""Requests to what signs: again while what failed may pass, and then a failure that says what was answered."""

import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Final

from urllib3.exceptions import HTTPError

from kaniko_shim.net.web import explain
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

OK: Final = 200
_PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
_PASSING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_SUCCESS: Final = frozenset({OK, 201})
_LONGEST: Final = 500


def persist(ask: Callable[[], tuple[int, bytes]], url: str, secret: str = "") -> bytes:
    """The body of an answer of success.

    Args:
        ask: sends the request; the status and the body of the answer.
        url: what messages call the server.
        secret: what was sent and may come back in an answer; messages do not have it.

    Raises:
        JobError: SigningFailed; the server refused, or did not answer within half a minute.
    """
    problem = ""
    for pause in (*_PAUSES, None):
        try:
            status, body = ask()
        except HTTPError as error:
            problem = f"{url} can't be reached ({explain(error, url)})"
        except (HTTPException, OSError) as error:
            problem = f"{url} can't be reached ({type(error).__name__}: {error})"
        else:
            if status in _SUCCESS:
                return body
            said = body.decode(errors="replace").replace(secret or "\0", "***")[:_LONGEST].strip()
            problem = f"{url} answered {status}: {said}"
            if status not in _PASSING:
                break
        if pause is not None:
            time.sleep(pause)
    raise signing_failed(problem)


def signing_failed(problem: str) -> JobError:
    """The failure of a build that could not be signed."""
    return JobError(Reason.SIGNING_FAILED, f"The image could not be signed: {problem}.")
