"""Situations of an HTTP proxy between the builder and a registry, or the server of ADD's URL."""

from dataclasses import replace

from imagebuild_vocabulary.remedies import Remedy

from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.situations.situation import Situation, answer_row, row

_CREDENTIALS = "Correct the user and password in HTTP_PROXY and HTTPS_PROXY."
_REFUSED = "The HTTP proxy refused the user or password (407): {error}"
# Of a proxy that does not open a tunnel, Go says only the text of its status.
_UNAUTHORIZED = r"(?:^|: )Proxy Authentication Required"


def _refuses(situation: Situation) -> Situation:
    return replace(situation, remedy=Remedy.PROXY_LOGIN)


PROXY = (
    _refuses(
        row(
            "proxy refuses ADD",
            r"downloading remote source file: .*(?:status 407|: Proxy Authentication Required)",
            Reason.COPY_FAILED,
            _REFUSED,
            _CREDENTIALS,
        )
    ),
    row(
        "proxy does not answer",
        r"proxyconnect tcp: (?P<problem>.*)",
        Reason.REGISTRY_UNAVAILABLE,
        "The HTTP proxy did not answer: {problem}",
        "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY, and that the builder can reach the proxy.",
    ),
    row(
        "proxy does not connect",
        r"\": (?P<status>Forbidden|Method Not Allowed|Bad Gateway|Service Unavailable|Gateway Timeout)(?=;|$)",
        Reason.REGISTRY_UNAVAILABLE,
        "The HTTP proxy does not connect to {registry}: {status}",
        "Check that the proxy may reach it, or add it to NO_PROXY.",
    ),
)


def refused(reason: Reason) -> tuple[Situation, ...]:
    """The rows of a proxy that refuses the password for a request to a registry."""
    return (
        _refuses(row("proxy refuses", _UNAUTHORIZED, reason, _REFUSED, _CREDENTIALS)),
        _refuses(answer_row("proxy refuses", {"407"}, reason, _REFUSED, _CREDENTIALS)),
    )
