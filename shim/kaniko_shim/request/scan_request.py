"""The request of `scan`."""

from dataclasses import dataclass

from kaniko_shim.request.request import Request, fields_of, read_request_without_images
from kaniko_shim.request.variables import scan_variables
from kaniko_shim.request.variables.attestation_variables import SBOM
from kaniko_shim.request.variables.variable_reader import VariableReader
from kaniko_shim.sbom.formats import SbomFormat
from kaniko_shim.scan.findings import Gate
from kaniko_shim.system.subcommand import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest(Request):
    """Request of `scan`, which reaches nothing.

    Attributes:
        gate: what keeps an image from being pushed.
        openvex: an OpenVEX document that says which vulnerabilities do not affect it; empty for none.
        sbom: the format of the SBOM to make, too; None: none.
    """

    gate: Gate
    openvex: str
    sbom: SbomFormat | None


def read_scan_request(reader: VariableReader) -> ScanRequest:
    """Read the variables of `scan`."""
    return ScanRequest(
        **fields_of(read_request_without_images(Command.SCAN, reader)),
        gate=Gate(
            reader.read(scan_variables.SCAN_SEVERITY),
            reader.read(scan_variables.SCAN_ONLY_FIXED),
            reader.read(scan_variables.SCAN_IGNORE),
        ),
        openvex=reader.read(scan_variables.SCAN_OPENVEX),
        sbom=reader.read(SBOM),
    )
