"""Fetches a context of any kind."""

from io import BytesIO
from pathlib import Path

from kaniko_shim.archives.tree import Tree
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import SourceReport
from kaniko_shim.sources.kinds import (
    BucketSource,
    DataSource,
    DirectorySource,
    FileSource,
    GitSource,
    HttpSource,
    OciSource,
)
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.sources.workspace import Workspace


def fetch(request: SourceRequest, workspace: Workspace) -> SourceReport:
    """Fill the workspace's directory with the context.

    Raises:
        JobError: a Source… reason, or DiskFull.
    """
    workspace.clear()
    match request.source:
        case DirectorySource(path):
            from kaniko_shim.sources.directory import copy_directory  # noqa: PLC0415 - for this kind only

            with Tree(workspace.context, max_bytes=request.max_bytes, max_entries=request.max_entries) as tree:
                copy_directory(Path(path), tree, request, workspace.warn)
            return SourceReport(f"dir://{path}", size=tree.size)
        case FileSource(path):
            from kaniko_shim.sources.archive import unpack_file  # noqa: PLC0415 - for this kind only

            return unpack_file(Path(path), request, workspace.context, f"file://{path}")
        case DataSource(payload):
            from kaniko_shim.sources.archive import unpack_stream  # noqa: PLC0415 - for this kind only

            return unpack_stream(BytesIO(payload), request, workspace.context, workspace.scratch, "data:")
        case HttpSource(url):
            from kaniko_shim.sources.http import fetch_http  # noqa: PLC0415 - for this kind only

            return fetch_http(url, request, workspace)
        case BucketSource() as source:
            from kaniko_shim.sources.buckets.bucket import fetch_bucket  # noqa: PLC0415 - for this kind only

            return fetch_bucket(source, request, workspace)
        case GitSource() as source:
            from kaniko_shim.sources.git.checkout import fetch_git  # noqa: PLC0415 - for this kind only

            return fetch_git(source, request, workspace)
        case OciSource(image):
            from kaniko_shim.sources.oci import fetch_oci  # noqa: PLC0415 - for this kind only

            if workspace.crane is None:
                raise JobError(Reason.INTERNAL, "A source in a registry was fetched without the registry tool.")
            return fetch_oci(image, request, workspace, workspace.crane)


def context_directory(root: Path, request: SourceRequest) -> Path:
    """The context's directory in the fetched tree.

    Raises:
        JobError: SourceNotFound, or SourceInvalid if a link leads out of the tree.
    """
    subdir = request.source.subdir if isinstance(request.source, GitSource) else ""
    path = root / subdir / request.sub_path.strip("/")
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise JobError(
            Reason.SOURCE_NOT_FOUND, f"The context has no directory {(subdir + '/' + request.sub_path).strip('/')}."
        ) from error
    if not real.is_relative_to(root.resolve()):
        raise JobError(Reason.SOURCE_INVALID, f"{request.sub_path or subdir} is a link out of the context.")
    if not real.is_dir():
        raise JobError(Reason.SOURCE_NOT_FOUND, f"The context's {request.sub_path or subdir} is not a directory.")
    return real
