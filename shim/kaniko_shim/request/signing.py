"""What signs: a private key, the signer of the cluster, or Sigstore's services."""

from dataclasses import replace
from typing import TYPE_CHECKING

from kaniko_shim.attest.options import AttestationOptions
from kaniko_shim.request.variables.attestation_variables import (
    SIGNING_FULCIO_URL,
    SIGNING_KEY,
    SIGNING_KEY_PASSWORD,
    SIGNING_PUBLIC_KEY,
    SIGNING_REKOR_URL,
    SIGNING_TIMESTAMP_URL,
    SIGNING_TOKEN_FILE,
    SIGNING_URL,
)
from kaniko_shim.request.variables.variable_reader import VariableReader

if TYPE_CHECKING:
    from kaniko_shim.attest.keys import PublicKey

_KEYLESS = (SIGNING_FULCIO_URL, SIGNING_REKOR_URL, SIGNING_TIMESTAMP_URL)


def read_signing(reader: VariableReader, options: AttestationOptions) -> AttestationOptions:
    """The options with what signs, if anything does."""
    services = [variable for variable in _KEYLESS if reader.is_set(variable)]
    ways = [variable for variable in (SIGNING_KEY, SIGNING_URL) if reader.is_set(variable)] + services[:1]
    for other in ways[1:]:
        reader.refuse(other, f"unset it, or {ways[0].name}: one of them signs")
    if services:
        return _keyless(reader, options)
    if reader.is_set(SIGNING_URL):
        return _central(reader, options)
    return read_signing_key(reader, options)


def read_signing_key(reader: VariableReader, options: AttestationOptions) -> AttestationOptions:
    """The options with SIGNING_KEY, if it is set."""
    if not reader.is_set(SIGNING_KEY):
        if reader.is_set(SIGNING_KEY_PASSWORD):
            reader.refuse(SIGNING_KEY_PASSWORD, "set SIGNING_KEY, which it belongs to")
        return options
    from kaniko_shim.attest.keys import load_key  # noqa: PLC0415 - takes long to import

    pem, password = (reader.read(SIGNING_KEY), reader.read(SIGNING_KEY_PASSWORD))
    try:
        return replace(options, key=load_key(pem, password), secrets=(pem, *filter(None, [password])))
    except ValueError as error:
        reader.refuse(SIGNING_KEY, str(error))
        return options


def read_public_key(reader: VariableReader) -> "PublicKey | None":
    """SIGNING_PUBLIC_KEY, which must be set; None if it is refused."""
    from kaniko_shim.attest.keys import load_public_key  # noqa: PLC0415 - takes long to import

    try:
        return load_public_key(reader.read(SIGNING_PUBLIC_KEY))
    except ValueError as error:
        reader.refuse(SIGNING_PUBLIC_KEY, str(error))
        return None


def _central(reader: VariableReader, options: AttestationOptions) -> AttestationOptions:
    from kaniko_shim.attest.central import CentralKey  # noqa: PLC0415 - takes long to import

    url, token_file = reader.read(SIGNING_URL), reader.read(SIGNING_TOKEN_FILE)
    public = read_public_key(reader)
    return replace(options, key=CentralKey(url, public, token_file)) if public else options


def _keyless(reader: VariableReader, options: AttestationOptions) -> AttestationOptions:
    for variable in _KEYLESS:
        if not reader.is_set(variable):
            reader.problems.append(f"{variable.name}: set it: Fulcio, Rekor and a timestamp authority sign together")
    from kaniko_shim.attest.keyless import Services  # noqa: PLC0415 - takes long to import

    return replace(
        options,
        keyless=Services(
            reader.read(SIGNING_FULCIO_URL),
            reader.read(SIGNING_REKOR_URL),
            reader.read(SIGNING_TIMESTAMP_URL),
            reader.read(SIGNING_TOKEN_FILE),
        ),
    )
