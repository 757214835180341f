"""Failures to connect to a registry, in the words that the table of situations has patterns for."""

import ssl

from urllib3.exceptions import HTTPError, MaxRetryError, SSLError

SPEAKS_HTTP = "http: server gave HTTP response to HTTPS client"
"""How Go's client says that a server speaks plain HTTP."""

_UNVERIFIED = "tls: failed to verify certificate: x509: "


def in_go(base: str, error: Exception) -> str:
    """A failure to connect, as Go's client words it.

    Args:
        base: scheme and host of the registry.
        error: urllib3's.
    """
    cause: object = error.reason if isinstance(error, MaxRetryError) else error
    text = str(cause)
    if isinstance(cause, SSLError | ssl.SSLError):
        if "WRONG_VERSION_NUMBER" in text or "record layer" in text:
            text = SPEAKS_HTTP
        elif "doesn't match" in text or "not valid for" in text or "mismatch" in text:
            text = f"{_UNVERIFIED}certificate is valid for other names"
        elif "expired" in text:
            text = f"{_UNVERIFIED}certificate has expired or is not yet valid"
        elif "CERTIFICATE_VERIFY_FAILED" in text:
            text = f"{_UNVERIFIED}certificate signed by unknown authority"
        else:
            text = f"TLS handshake timeout ({text})"
    elif "Tunnel connection failed: 407" in text:
        text = "Proxy Authentication Required"
    elif isinstance(cause, HTTPError):
        text = f"connection refused or i/o timeout ({text.rpartition('>: ')[2] or type(cause).__name__})"
    return f'Get "{base}/v2/": {text}'
