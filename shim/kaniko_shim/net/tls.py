"""TLS contexts, with the CA certificates of SSL_CERT_FILE and SSL_CERT_DIR."""

import ssl
from collections.abc import Mapping
from pathlib import Path

import urllib3
from urllib3.exceptions import InsecureRequestWarning

_SUFFIXES = frozenset({".crt", ".pem", ".cer"})


def tls_context(environment: Mapping[str, str], *, verify: bool = True) -> ssl.SSLContext:
    """A context that trusts every certificate file in the directory, as the executor does.

    Args:
        environment: has SSL_CERT_FILE and SSL_CERT_DIR.
        verify: whether certificates are verified at all.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not verify:
        # The user has asked for it, so a warning of the library says nothing new.
        urllib3.disable_warnings(InsecureRequestWarning)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
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
