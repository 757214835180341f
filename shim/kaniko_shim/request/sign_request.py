"""The request of `sign`."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kaniko_shim.attest.options import AttestationOptions
from kaniko_shim.request.request import Request, fields_of, read_request_without_images
from kaniko_shim.request.signing import read_public_key, read_signing_key
from kaniko_shim.request.variables.attestation_variables import SIGNING_KEY, SIGNING_KMS
from kaniko_shim.request.variables.variable_reader import VariableReader
from kaniko_shim.system.subcommand import Command

if TYPE_CHECKING:
    from kaniko_shim.attest.keys import Key, PublicKey


@dataclass(frozen=True, slots=True)
class Kms:
    """A key of a KMS.

    Attributes:
        uri: the key, as cosign names it.
        public: its public key.
    """

    uri: str
    public: "PublicKey"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignRequest(Request):
    """Request of `sign`, which pushes nothing.

    Attributes:
        key: signs.
        secrets: its parts that must not be printed.
    """

    key: "Key | Kms" = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


def read_sign_request(reader: VariableReader) -> Request:
    """Read the variables of `sign`."""
    common = read_request_without_images(Command.SIGN, reader)
    options = read_signing_key(reader, AttestationOptions())
    key: Key | Kms | None = options.key
    if reader.is_set(SIGNING_KMS):
        if reader.is_set(SIGNING_KEY):
            reader.refuse(SIGNING_KMS, "unset it, or SIGNING_KEY: one of them signs")
        public = read_public_key(reader)
        key = Kms(reader.read(SIGNING_KMS), public) if public else None
    elif not reader.is_set(SIGNING_KEY):
        reader.problems.append("SIGNING_KEY: set it to the private key that signs, or set SIGNING_KMS")
    if key is None:
        return common
    return SignRequest(**fields_of(common), key=key, secrets=options.secrets)
