"""The request of `sign`."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kaniko_shim.attest.options import AttestationOptions
from kaniko_shim.request.request import Request, fields_of, read_request_without_images
from kaniko_shim.request.signing import read_signing_key
from kaniko_shim.request.variables import attestation_variables
from kaniko_shim.request.variables.variable_reader import VariableReader
from kaniko_shim.system.subcommand import Command

if TYPE_CHECKING:
    from kaniko_shim.attest.keys import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class SignRequest(Request):
    """Request of `sign`, which pushes nothing.

    Attributes:
        key: signs.
        secrets: its parts that must not be printed.
    """

    key: "Key" = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


def read_sign_request(reader: VariableReader) -> Request:
    """Read the variables of `sign`."""
    common = read_request_without_images(Command.SIGN, reader)
    options = read_signing_key(reader, AttestationOptions())
    if not reader.is_set(attestation_variables.SIGNING_KEY):
        reader.problems.append("SIGNING_KEY: set it to the private key that signs")
    if options.key is None:
        return common
    return SignRequest(**fields_of(common), key=options.key, secrets=options.secrets)
