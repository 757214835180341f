"""Create, follow and cancel ImageBuilds.

`Client` is for ordinary code and `AsyncClient` for asyncio; they have the same methods. `image_build` makes the
manifest of an ImageBuild from typed arguments.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from imagebuild_vocabulary.phases import Phase

    from imagebuild.archive import Archive
    from imagebuild.async_client import AsyncClient
    from imagebuild.build import Build, Failure, Image, Progress
    from imagebuild.client import Client
    from imagebuild.context_files import Counts
    from imagebuild.errors import (
        ApiError,
        ArchiveError,
        ConfigError,
        DeletedError,
        ExistsError,
        ForbiddenError,
        ImageBuildError,
        InvalidError,
        InvalidNameError,
        NotFoundError,
        NotInstalledError,
        UnauthorizedError,
        UnreachableError,
        UploadError,
        WaitTimeoutError,
    )
    from imagebuild.list_watch import Changed, Interrupted, Listed, Removed
    from imagebuild.log_line import LogLine
    from imagebuild.manifest import BuildSecret, GitSource, UploadSource, image_build, rebuild
    from imagebuild.tracked import TrackedImage
    from imagebuild.unchanged import Unchanged
    from imagebuild.upload import pack

__version__ = "0.1.0"

__all__ = [
    "ApiError",
    "Archive",
    "ArchiveError",
    "AsyncClient",
    "Build",
    "BuildSecret",
    "Changed",
    "Client",
    "ConfigError",
    "Counts",
    "DeletedError",
    "ExistsError",
    "Failure",
    "ForbiddenError",
    "GitSource",
    "Image",
    "ImageBuildError",
    "Interrupted",
    "InvalidError",
    "InvalidNameError",
    "Listed",
    "LogLine",
    "NotFoundError",
    "NotInstalledError",
    "Phase",
    "Progress",
    "Removed",
    "TrackedImage",
    "UnauthorizedError",
    "Unchanged",
    "UnreachableError",
    "UploadError",
    "UploadSource",
    "WaitTimeoutError",
    "image_build",
    "pack",
    "rebuild",
]

#: Module of each name. It is imported when the name is first used: aiohttp alone takes a quarter of a second.
_MODULES: Final = {
    "ApiError": "errors",
    "Archive": "archive",
    "ArchiveError": "errors",
    "AsyncClient": "async_client",
    "Build": "build",
    "BuildSecret": "manifest",
    "Changed": "list_watch",
    "Client": "client",
    "ConfigError": "errors",
    "Counts": "context_files",
    "DeletedError": "errors",
    "ExistsError": "errors",
    "Failure": "build",
    "ForbiddenError": "errors",
    "GitSource": "manifest",
    "Image": "build",
    "ImageBuildError": "errors",
    "Interrupted": "list_watch",
    "InvalidError": "errors",
    "InvalidNameError": "errors",
    "Listed": "list_watch",
    "LogLine": "log_line",
    "NotFoundError": "errors",
    "NotInstalledError": "errors",
    "Phase": "imagebuild_vocabulary.phases",
    "Progress": "build",
    "Removed": "list_watch",
    "TrackedImage": "tracked",
    "UnauthorizedError": "errors",
    "Unchanged": "unchanged",
    "UnreachableError": "errors",
    "UploadError": "errors",
    "UploadSource": "manifest",
    "WaitTimeoutError": "errors",
    "image_build": "manifest",
    "pack": "upload",
    "rebuild": "manifest",
}


def __getattr__(name: str) -> object:
    """Import what is used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _MODULES[name]
    value: object = getattr(import_module(module if "." in module else f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the names, imported or not."""
    return [*globals(), *_MODULES]
