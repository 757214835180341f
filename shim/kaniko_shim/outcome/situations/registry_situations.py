"""Situations of registries, whether the executor or crane pulls or pushes."""

from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.situations.situation import answer_row, row

REGISTRY = (
    answer_row(
        "too many requests",
        {"429", "TOOMANYREQUESTS"},
        Reason.RATE_LIMITED,
        "{registry} answered: too many requests",
    ),
    row(
        "certificate of another name",
        r"x509: certificate is (?:valid for|not valid for any names)|x509: cannot validate certificate for",
        Reason.REGISTRY_TLS,
        "The certificate of {registry} is for another name: {error}",
        "Use the name in the certificate, or list {registry} in SKIP_TLS_VERIFY_REGISTRIES.",
    ),
    row(
        "certificate expired",
        r"x509: certificate has expired or is not yet valid",
        Reason.REGISTRY_TLS,
        "The certificate of {registry} has expired or is not yet valid: {error}",
        "Renew the registry's certificate, or list {registry} in SKIP_TLS_VERIFY_REGISTRIES.",
    ),
    row(
        "certificate not trusted",
        r"x509: |tls: failed to verify certificate|certificate signed by unknown authority",
        Reason.REGISTRY_TLS,
        "The certificate of {registry} is not trusted: {error}",
        "Add its CA to REGISTRY_CA, or list {registry} in SKIP_TLS_VERIFY_REGISTRIES.",
    ),
    row(
        "plain HTTP",
        # If HTTP was tried too, what came of that is the problem.
        r"server gave HTTP response to HTTPS client(?!; Get )",
        Reason.REGISTRY_TLS,
        "{registry} uses plain HTTP: {error}",
        "List {registry} in INSECURE_REGISTRIES.",
    ),
    row(
        "token server refused",
        r"invalid realm in www-authenticate|refusing token-server redirect",
        Reason.REGISTRY_UNAUTHORIZED,
        "{registry} names a token server that no credentials are sent to: {error}",
        "The realm of a registry must be an https:// URL, and no private IP address of another host.",
    ),
    row(
        "garbage",
        r"invalid character '.*' (?:looking for|after)|unexpected end of JSON input|unknown media type"
        r"|unsupported MediaType|error verifying sha256 checksum",
        Reason.REGISTRY_UNAVAILABLE,
        "The answer of {registry} is not an image: {error}",
        "Check that this is the name of a registry, and that no proxy answers in its place.",
    ),
)

UNREACHABLE = (
    row(
        "registry unavailable",
        r"no such host|connection refused|i/o timeout|connection reset by peer|stream error|network is unreachable"
        r"|no route to host|TLS handshake timeout|unexpected EOF|: EOF$|server misbehaving"
        r"|context deadline exceeded|Client\.Timeout exceeded|broken pipe",
        Reason.REGISTRY_UNAVAILABLE,
        "{registry} did not answer, or answered with a server error: {error}",
    ),
    answer_row(
        "registry unavailable",
        {"5xx"},
        Reason.REGISTRY_UNAVAILABLE,
        "{registry} did not answer, or answered with a server error: {error}",
    ),
)
