"""Reads the SOURCE_ variables: where the build context comes from, and the credentials for it."""

from collections.abc import Sequence
from dataclasses import replace

from kaniko_shim.request.variables import source_variables as variables
from kaniko_shim.request.variables.variable import Variable
from kaniko_shim.request.variables.variable_reader import VariableReader
from kaniko_shim.sources.buckets.bucket_access import BucketAccess, ambient_of
from kaniko_shim.sources.git.ssh_access import SshAccess
from kaniko_shim.sources.kinds import BucketSource, DirectorySource, GitSource, HttpSource, OciSource, Source
from kaniko_shim.sources.source_request import SourceRequest


def read_source(reader: VariableReader) -> SourceRequest:
    """Read SOURCE_GET_URL and the variables that go with it."""
    source = reader.read(variables.SOURCE_GET_URL)
    _refuse_foreign_access(reader, source)
    request = SourceRequest(
        source,
        sha256=reader.read(variables.SOURCE_SHA256),
        sub_path=reader.read(variables.CONTEXT_SUB_PATH),
        max_bytes=reader.read(variables.SOURCE_MAX_BYTES),
        max_entries=reader.read(variables.SOURCE_MAX_ENTRIES),
        seconds=reader.read(variables.SOURCE_TIMEOUT) or 0,
        ca_bundle=reader.read(variables.SOURCE_CA),
    )
    if request.sha256 and isinstance(source, DirectorySource | GitSource | OciSource):
        reader.refuse(variables.SOURCE_SHA256, "only an archive has a checksum; put the commit or digest into the URL")
    if ".." in request.sub_path.split("/"):
        reader.refuse(variables.CONTEXT_SUB_PATH, "write a path inside the fetched tree, without ..")
    if isinstance(source, HttpSource | GitSource):
        username, password = (
            reader.read(variables.SOURCE_USERNAME),
            reader.read(variables.SOURCE_PASSWORD),
        )
        request = replace(request, username=username, password=password)
    if isinstance(source, GitSource):
        request = replace(request, ssh=_ssh(reader), submodules=reader.read(variables.GIT_SUBMODULES))
    if isinstance(source, BucketSource):
        request = replace(request, buckets=_buckets(reader))
    return request


def _refuse_foreign_access(reader: VariableReader, source: Source) -> None:
    for variable, kinds in variables.ACCESS_VARIABLES.items():
        if not reader.is_set(variable) or variables.kind_of(source) in kinds:
            continue
        reader.refuse(variable, f"it is for {_joined(kinds)}, and SOURCE_GET_URL names another kind of context")


def _joined(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _ssh(reader: VariableReader) -> SshAccess:
    return SshAccess(
        reader.read(variables.SOURCE_SSH_PRIVATE_KEY),
        reader.read(variables.SOURCE_PASSWORD),
        reader.read(variables.SOURCE_SSH_KNOWN_HOSTS),
        reader.read(variables.SOURCE_SSH_SKIP_HOST_KEY_CHECK),
    )


def _buckets(reader: VariableReader) -> BucketAccess:
    """The shim's own variables, or else those that other programs for the same cloud read."""
    own = [variables.SOURCE_ACCESS_KEY_ID, variables.SOURCE_SECRET_ACCESS_KEY]
    given = [reader.is_set(variable) for variable in own]
    if any(given) and not all(given):
        reader.refuse(own[given.index(False)], f"{own[given.index(True)].name} is set; set both or neither")
    if reader.is_set(variables.SOURCE_SESSION_TOKEN) and not any(given):
        reader.refuse(variables.SOURCE_SESSION_TOKEN, f"set {own[0].name} and {own[1].name}, which it belongs to")
    known = {} if any(given) else reader.environment
    return BucketAccess(
        endpoint=_own_or(
            reader, variables.SOURCE_S3_ENDPOINT, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "S3_ENDPOINT"
        ),
        region=_own_or(reader, variables.SOURCE_S3_REGION, "AWS_REGION", "AWS_DEFAULT_REGION"),
        key_id=reader.read(own[0]) or known.get("AWS_ACCESS_KEY_ID", ""),
        secret_key=reader.read(own[1]) or known.get("AWS_SECRET_ACCESS_KEY", ""),
        session_token=reader.read(variables.SOURCE_SESSION_TOKEN) or known.get("AWS_SESSION_TOKEN", ""),
        google_key=reader.read(variables.SOURCE_GOOGLE_KEY),
        azure_key=_own_or(reader, variables.SOURCE_AZURE_KEY, "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_ACCOUNT_KEY"),
        azure_sas=_own_or(reader, variables.SOURCE_AZURE_SAS, "AZURE_STORAGE_SAS_TOKEN"),
        ambient=ambient_of(reader.environment),
    )


def _own_or(reader: VariableReader, variable: Variable[str], *others: str) -> str:
    """The value of a variable, or else of the first of some others that is set; all are parsed the same way."""
    name = next((name for name in (variable.name, *others) if reader.environment.get(name, "").strip()), "")
    return reader.read(replace(variable, name=name)) if name else ""
