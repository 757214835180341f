"""The one place that keeps secrets out of what the operator says: its log, Events and the status. Pure.

The operator has no access to Secrets. What could leak comes from others: a URL in a spec, the answer of a registry, the
end of a build's log.
"""

import re
from typing import Any, Final, TypeVar

MASK: Final = "***"

_PEM: Final = re.compile(
    r"-----BEGIN ([A-Z0-9 ]*(?:PRIVATE KEY|CERTIFICATE|SECRET)[A-Z0-9 ]*)-----.*?(?:-----END \1-----|\Z)", re.DOTALL
)
#: The end of such a block whose beginning was cut off.
_PEM_TAIL: Final = re.compile(r"(?:[A-Za-z0-9+/=]{16,}\s+)+(?=-----END [A-Z0-9 ]+-----)")
#: User and password before a host. What looks like it in `oci://name@sha256:…` is none.
_USERINFO: Final = re.compile(r"(?<=://)[^/\s\"'<>]+@(?!sha256:)")
_SIGNED_QUERY: Final = re.compile(
    r"(?i)([?&](?:[a-z0-9_.-]*(?:signature|credential|token|secret|password|api[_-]?key|access[_-]?key)"
    r"|sig|se|sv|code|auth)=)[^&\s\"'<>]+"
)
#: As a header, in JSON, and in the repr of a dict.
_AUTHORIZATION: Final = re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?(?:basic|bearer|token)\s+)[^\s\"',}]+")
#: A JSON Web Token, such as a ServiceAccount's.
_JWT: Final = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")
#: `auth` and its like in a Docker config.
_DOCKER_AUTH: Final = re.compile(
    r"(?i)([\"'](?:auth|password|identitytoken|registrytoken)[\"']\s*:\s*[\"'])[^\"']+(?=[\"'])"
)

Value = TypeVar("Value")


def redact(text: str) -> str:
    """Replace what looks like a secret by `***`; doing so twice changes nothing more."""
    text = _PEM.sub(rf"-----BEGIN \1-----{MASK}", text) if "-----BEGIN " in text else text
    text = _PEM_TAIL.sub(MASK, text) if "-----END " in text else text
    text = _USERINFO.sub(f"{MASK}@", text) if "://" in text else text
    text = _SIGNED_QUERY.sub(rf"\g<1>{MASK}", text) if "=" in text else text
    text = _AUTHORIZATION.sub(rf"\g<1>{MASK}", text) if ":" in text or "=" in text else text
    text = _DOCKER_AUTH.sub(rf"\g<1>{MASK}", text) if '"' in text or "'" in text else text
    return _JWT.sub(MASK, text) if "eyJ" in text else text


def redact_all(value: Value) -> Value:
    """Replace what looks like a secret in every text of a JSON value; keys stay."""
    found: Any = value
    if isinstance(value, str):
        found = redact(value)
    elif isinstance(value, dict):
        found = {key: redact_all(item) for key, item in value.items()}
    elif isinstance(value, list | tuple):
        found = type(value)(redact_all(item) for item in value)
    return found  # type: ignore[no-any-return]
