"""The request of `receive`."""

from dataclasses import dataclass

from kaniko_shim.request.request import Request, fields_of, read_request_without_images
from kaniko_shim.request.variables import upload_variables
from kaniko_shim.request.variables.variable_reader import VariableReader
from kaniko_shim.system.subcommand import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveRequest(Request):
    """Request of `receive`, which reaches no registry.

    Attributes:
        deadline_seconds: seconds within which an upload must be complete.
        max_bytes: limit on the archive as it is sent.
        sha256: SHA-256 of the only archive that is accepted; empty for any.
    """

    deadline_seconds: int
    max_bytes: int
    sha256: str


def read_receive_request(reader: VariableReader) -> ReceiveRequest:
    """Read the request of `receive`."""
    return ReceiveRequest(
        **fields_of(read_request_without_images(Command.RECEIVE, reader)),
        deadline_seconds=reader.read(upload_variables.UPLOAD_DEADLINE_SECONDS),
        max_bytes=reader.read(upload_variables.UPLOAD_MAX_BYTES),
        sha256=reader.read(upload_variables.UPLOAD_SHA256),
    )
