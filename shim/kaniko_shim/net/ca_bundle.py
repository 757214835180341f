"""CA bundles: certificates that are trusted in addition to the system's."""

from collections.abc import Mapping
from pathlib import Path


def parse_ca_bundle(text: str) -> str:
    """Read certificates in PEM form; empty if unset.

    Raises:
        ValueError: the text holds no readable certificate.
    """
    text = text.strip()
    if not text:
        return ""
    import ssl  # noqa: PLC0415 - most runs have no CA bundle

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text + "\n")
    except (ssl.SSLError, ValueError, TypeError) as error:
        # TypeError: the text is not ASCII.
        raise ValueError("write one or more certificates in PEM form, from -----BEGIN CERTIFICATE----- on") from error
    return text + "\n"


def trust(pem: str, environment: Mapping[str, str], directory: Path) -> Mapping[str, str]:
    """The environment in which every program trusts a CA bundle too: each reads all directories of SSL_CERT_DIR.

    Args:
        pem: the bundle; without one, the environment stays as it is.
        environment: the variables so far.
        directory: where the bundle is written.
    """
    if not pem:
        return environment
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / "bundle.pem").write_text(pem, encoding="ascii", errors="replace")
    others = environment.get("SSL_CERT_DIR", "")
    return {**environment, "SSL_CERT_DIR": f"{directory}:{others}" if others else str(directory)}
