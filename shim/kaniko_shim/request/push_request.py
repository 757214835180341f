"""The requests of `push` and `index`."""

from dataclasses import dataclass, field

from kaniko_shim.attest.options import AttestationOptions
from kaniko_shim.attest.provenance import ProvenanceInputs
from kaniko_shim.oci.platform import Member
from kaniko_shim.registry.cache_repo import CachePolicy
from kaniko_shim.request.cache_request import read_cache
from kaniko_shim.request.extra_args import ignores_immutable_tags
from kaniko_shim.request.request import Request, fields_of, read_request
from kaniko_shim.request.signing import read_signing
from kaniko_shim.request.variables import attestation_variables as attest_variables
from kaniko_shim.request.variables import output_variables, scan_variables
from kaniko_shim.request.variables.build_variables import EXTRA_ARGS
from kaniko_shim.request.variables.variable_reader import VariableReader
from kaniko_shim.system.subcommand import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRequest(Request):
    """Request of `push`.

    Attributes:
        by_digest: whether the image is pushed by digest, without a tag.
        attestations: what is attached to the image.
        ignore_immutable_tags: whether to ignore that a tag exists and can't be overwritten.
        cache: where an engine's cache goes that lies next to the image; None: nowhere.
        requires_scan: whether only an image is pushed that `scan` has let pass.
        sketches: whether the result says what the image consists of.
    """

    by_digest: bool
    attestations: AttestationOptions = field(default_factory=AttestationOptions)
    ignore_immutable_tags: bool = False
    cache: CachePolicy | None = None
    requires_scan: bool = False
    sketches: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRequest(Request):
    """Request of `index`.

    Attributes:
        members: the images of the index.
        attestations: what is attached to the index.
        ignore_immutable_tags: whether to ignore that a tag exists and can't be overwritten.
    """

    members: tuple[Member, ...]
    attestations: AttestationOptions = field(default_factory=AttestationOptions)
    ignore_immutable_tags: bool = False


def read_push_request(reader: VariableReader) -> PushRequest:
    """Read the request of `push`."""
    common = read_request(Command.PUSH, reader)
    by_digest = reader.read(output_variables.PUSH_BY_DIGEST)
    return PushRequest(
        **fields_of(common),
        by_digest=by_digest,
        attestations=_attestations(Command.PUSH, reader),
        ignore_immutable_tags=ignores_immutable_tags(reader.read(EXTRA_ARGS)),
        cache=read_cache(reader, common.outputs),
        requires_scan=reader.read(scan_variables.REQUIRE_SCAN),
        sketches=reader.read(attest_variables.CORROBORATE),
    )


def read_index_request(reader: VariableReader) -> IndexRequest:
    """Read the request of `index`."""
    common = read_request(Command.INDEX, reader)
    members = reader.read(output_variables.INDEX_MANIFESTS)
    if not reader.is_set(output_variables.INDEX_MANIFESTS):
        reader.problems.append("INDEX_MANIFESTS: name the images, such as linux/amd64=sha256:…")
    return IndexRequest(
        **fields_of(common),
        members=members,
        attestations=_attestations(Command.INDEX, reader),
        ignore_immutable_tags=ignores_immutable_tags(reader.read(EXTRA_ARGS)),
    )


def _attestations(command: Command, reader: VariableReader) -> AttestationOptions:
    options = AttestationOptions(
        reader.read(attest_variables.PROVENANCE),
        reader.read(attest_variables.SBOM) if command is Command.PUSH else None,
        inputs=read_provenance_inputs(reader),
    )
    return read_signing(reader, options)


def read_provenance_inputs(reader: VariableReader) -> ProvenanceInputs:
    """Read what the provenance says besides the record of the build."""
    return ProvenanceInputs(
        reader.read(attest_variables.PROVENANCE_BUILDER),
        reader.read(attest_variables.PROVENANCE_INVOCATION),
        reader.read(attest_variables.PROVENANCE_PARAMETERS),
        reader.read(attest_variables.CORROBORATED_BY),
    )
