"""TLS contexts, with the CA certificates of SSL_CERT_FILE and SSL_CERT_DIR."""

import ssl
from collections.abc import Mapping
from pathlib import Path

_SUFFIXES = frozenset({".crt", ".pem", ".cer"})


def tls_context(environment: Mapping[str, str]) -> ssl.SSLContext:
    """A context that trusts every certificate file in the directory, as the executor does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    loaded = False
    for path in _files(environment):
        try:
            context.load_verify_locations(cafile=path)
            loaded = True
        except OSError:
            # One file without a certificate among others is not an error.
            continue
    if not loaded:
        context.load_default_certs()
    return context


def _files(environment: Mapping[str, str]) -> list[Path]:
    files = [Path(environment["SSL_CERT_FILE"])] if environment.get("SSL_CERT_FILE") else []
    for directory in filter(None, environment.get("SSL_CERT_DIR", "").split(":")):
        found = sorted(path for path in Path(directory).glob("*") if path.suffix in _SUFFIXES)
        # A system's bundle repeats its single files, which are links then.
        bundles = [path for path in found if path.name.startswith("ca-")]
        single = [path for path in found if path not in bundles]
        files += bundles + [path for path in single if not bundles or not path.is_symlink()]
    return files
