"""Authorities of one's own, whose certificates are trusted beside the usual ones."""

from collections.abc import Mapping
from pathlib import Path


def parse_authorities(text: str) -> str:
    """Read certificates in PEM form; empty if unset.

    Raises:
        ValueError: there is none that can be read.
    """
    text = text.strip()
    if not text:
        return ""
    import ssl  # noqa: PLC0415 - most runs do without

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text + "\n")
    except (ssl.SSLError, ValueError, TypeError) as error:
        # TypeError: there are characters beyond ASCII.
        raise ValueError("write the text of one or more certificates, -----BEGIN CERTIFICATE----- and all") from error
    return text + "\n"


def trust(pem: str, environment: Mapping[str, str], scratch: Path) -> Mapping[str, str]:
    """The environment in which programs trust these authorities too: all look into each directory of SSL_CERT_DIR."""
    if not pem:
        return environment
    directory = scratch / "authorities"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "registry.pem").write_text(pem, encoding="ascii", errors="replace")
    others = environment.get("SSL_CERT_DIR", "")
    return {**environment, "SSL_CERT_DIR": f"{directory}:{others}" if others else str(directory)}
