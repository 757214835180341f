"""The client for asyncio."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from imagebuild_vocabulary.names import API_VERSION, GROUP, KIND, PLURAL, VERSION

from imagebuild import tracked
from imagebuild.archive import Archive
from imagebuild.build import Build
from imagebuild.connection import METADATA_OF_ONE, Connection
from imagebuild.creation import create
from imagebuild.errors import DeletedError, ForbiddenError, NotFoundError, WaitTimeoutError
from imagebuild.follow import follow
from imagebuild.list_watch import Change, watch_builds
from imagebuild.log_line import LogLine
from imagebuild.object_names import checked_name
from imagebuild.send import Progress
from imagebuild.tracked import TrackedImage
from imagebuild.unchanged import Unchanged, find_unchanged
from imagebuild.upload import pack, upload
from imagebuild.watching import watch_build


class AsyncClient:
    """Creates, follows and cancels ImageBuilds; an asynchronous context manager.

    Every method raises `ImageBuildError` or one of its kinds.
    """

    def __init__(self, namespace: str = "", *, kubeconfig: str | None = None, context: str | None = None) -> None:
        """Choose a cluster and a namespace; the connection is made by `async with`.

        Args:
            namespace: Namespace of the builds. Default: that of the context, or of the pod that this program runs in.
            kubeconfig: Path of a kubeconfig. Default: the variable KUBECONFIG, ~/.kube/config, or without both the
                ServiceAccount of the pod.
            context: Context of the kubeconfig. Default: its current context.
        """
        self._given = (kubeconfig, context)
        self._namespace = namespace
        self._opened: Connection | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Read the kubeconfig; no request is made yet."""
        if self._opened is None:
            self._opened = await Connection.open(*self._given)

    async def close(self) -> None:
        """Close all connections."""
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    @property
    def namespace(self) -> str:
        """Namespace of the builds."""
        return self._namespace or self._connection.namespace

    def for_namespace(self, namespace: str) -> "AsyncClient":
        """Make a client for another namespace that uses the connections of this one; close this one only."""
        other = AsyncClient(namespace)
        other._opened = self._connection
        return other

    async def create(
        self,
        manifest: Mapping[str, Any],
        *,
        secrets: Mapping[str, bytes] | None = None,
        login: bytes = b"",
        ca: bytes = b"",
        repeated: Build | None = None,
    ) -> Build:
        """Create an ImageBuild, in the namespace of its manifest or else of this client.

        Args:
            manifest: As `image_build` makes it, or as it is in a YAML file. Unknown fields are refused.
            secrets: Values for RUN --mount=type=secret,id=ID, by id. They are put into a Secret that is deleted
                together with the build.
            login: A Docker config with the credentials for pushing, which is put into a Secret of the same kind.
            ca: Certificates in PEM that the registries of the images are verified with, which are put into one, too.
            repeated: The build that is repeated. Secrets that were made for it, and are deleted with it, stay until the
                new build is deleted, too.

        Raises:
            ForbiddenError: the user may not create ImageBuilds, or Secrets if there are any. Nothing was created.
        """
        if manifest.get("kind") != KIND or manifest.get("apiVersion") != API_VERSION:
            raise ValueError(f"the manifest is no {KIND} of {API_VERSION}")
        namespace = (manifest.get("metadata") or {}).get("namespace") or self.namespace
        return await create(self._connection, namespace, manifest, secrets or {}, login, ca, repeated)

    async def find_unchanged(self, manifest: Mapping[str, Any]) -> Unchanged:
        """Look for an earlier build with the result that a build of an upload with a digest would have.

        Compared are the spec, the digest of the directory, all builds of the namespace with the same images, and the
        ImageBuildDefaults. Not known are new base images, and what happened to the image in the registry.

        Args:
            manifest: The build. It is not created.
        """
        namespace = (manifest.get("metadata") or {}).get("namespace") or self.namespace
        return await find_unchanged(self._connection, namespace, manifest)

    async def get(self, name: str) -> Build:
        """Read an ImageBuild."""
        return Build(await self._connection.call("GET", self._path_of(name)))

    async def list(self, *, all_namespaces: bool = False, selector: str = "") -> list[Build]:
        """List ImageBuilds, the oldest first.

        Args:
            all_namespaces: Whether to list those of all namespaces.
            selector: Label selector, such as app=web.
        """
        path, query = self._path_of_all(all_namespaces), {"labelSelector": selector}
        found = [Build(item) async for item in self._connection.items(path, query)]
        return sorted(found, key=lambda build: str(build.document["metadata"].get("creationTimestamp")))

    async def names(self) -> tuple[str, ...]:
        """List the names of the ImageBuilds of the namespace, sorted."""
        return await self._connection.names(self._path())

    async def namespaces(self) -> tuple[str, ...]:
        """List the names of all namespaces, sorted; few users may do that."""
        return await self._connection.names("/api/v1/namespaces")

    async def has_secret(self, name: str) -> bool:
        """Whether the namespace has a Secret; True where the user may not ask. Its values are not read."""
        path = f"/api/v1/namespaces/{self.namespace}/secrets/{checked_name(name, 'a Secret')}"
        try:
            await self._connection.call("GET", path, accept=METADATA_OF_ONE)
        except ForbiddenError:
            return True
        except NotFoundError:
            return False
        return True

    async def cancel(self, name: str, uid: str = "") -> Build:
        """Stop a build, which cannot be undone; the ImageBuild stays. A build that has ended stays as it is.

        Args:
            name: Its name.
            uid: Its uid; default: any. Another build that got its name meanwhile is not stopped.

        Raises:
            ApiError: the ImageBuild of that name has another uid.
        """
        patch: dict[str, Any] = {"spec": {"cancel": True}, **({"metadata": {"uid": uid}} if uid else {})}
        return Build(await self._connection.call("PATCH", self._path_of(name), patch))

    async def may(self, verb: str) -> bool:
        """Whether the user may do something with the ImageBuilds of the namespace, such as create or patch."""
        return await self._connection.may(verb, PLURAL, GROUP, self.namespace)

    async def delete(self, name: str) -> None:
        """Delete an ImageBuild with its pods; a running build is stopped."""
        await self._connection.call("DELETE", self._path_of(name))

    async def watch(self, name: str) -> AsyncGenerator[Build]:
        """Yield a build now and after each change, up to its end. A lost connection is made again.

        Raises:
            DeletedError: it was deleted or replaced before its end.
        """
        async for build in watch_build(self._connection, self._path(), checked_name(name)):
            yield build

    async def watch_all(self, *, all_namespaces: bool = False, selector: str = "") -> AsyncGenerator[Change]:
        """Yield all builds, and then each change of any of them, forever. A lost connection is made again.

        The first item is `Listed`. While the API server does not answer, the items are `Interrupted`; the next one is
        then `Listed` again.

        Args:
            all_namespaces: Whether to watch those of all namespaces.
            selector: Label selector, such as app=web.

        Raises:
            ApiError: the API server refuses the watch, for example with `ForbiddenError`.
        """
        async for change in watch_builds(self._connection, self._path_of_all(all_namespaces), selector):
            yield change

    async def wait(self, name: str, timeout: float | None = None) -> Build:  # noqa: ASYNC109 - also in the message
        """Wait until a build has ended, in whatever way; its digest, images or failure are in what is returned.

        Args:
            name: Its name.
            timeout: Seconds to wait at most; None for no limit.

        Raises:
            DeletedError: it was deleted or replaced before its end.
            WaitTimeoutError: it has not ended in time.
        """
        try:
            async with asyncio.timeout(timeout):
                async for build in self.watch(name):
                    if build.is_finished:
                        return build
        except TimeoutError as error:
            hint = "It continues; wait for it again, or cancel it."
            raise WaitTimeoutError(f"ImageBuild {name} has not ended in {timeout:g} s.", hint) from error
        raise DeletedError(f"ImageBuild {name} is gone.")

    async def follow(self, name: str) -> AsyncGenerator[Build | LogLine]:
        """Yield the log lines of all containers, attempts and platforms, and each change of the build, up to its end.

        The first and the last item are the build. Containers that have not started are waited for. Pods of succeeded
        builds are deleted by the operator, so nothing is left of the log of a build that has succeeded before.

        Raises:
            DeletedError: it was deleted or replaced before its end.
        """
        async for item in follow(self._connection, self.namespace, self.watch(name)):
            yield item

    async def logs(self, name: str) -> tuple[LogLine, ...]:
        """Read the lines that the existing pods of a build have written up to now."""
        build = await self.get(name)
        items = follow(self._connection, self.namespace, _once(build), wait=False)
        return tuple([item async for item in items if isinstance(item, LogLine)])

    async def upload(
        self,
        name: str,
        source: str | Path | Archive,
        *,
        progress: Progress | None = None,
        until_end: bool = False,
    ) -> Build:
        """Send a directory to a build with source.upload, and return once all its pods have it, or it has ended.

        Waits for the pods to ask for it. A broken connection is continued where it broke. The directory is sent without
        what its .dockerignore leaves out, compressed, through a temporary file.

        Args:
            name: Name of the build.
            source: The directory, or the archive of one.
            progress: Called with the bytes sent to a pod and the bytes of the archive.
            until_end: Whether to return only when the build has ended, so that the pods of retries get it too.

        Raises:
            ArchiveError: the directory cannot be packed.
            ForbiddenError: the user may not exec into the pod: get and create of pods/exec are needed.
            UploadError: the pod does not take the archive.
            DeletedError: the build was deleted or replaced before its end.
        """
        if isinstance(source, Archive):
            archive = source
        else:
            build = await self.get(name)
            archive = await pack(source, dockerfile=build.dockerfile, context_dir=build.context_dir)
        try:
            return await upload(self._connection, self.watch(name), archive, progress, until_end=until_end)
        finally:
            if archive is not source:
                archive.close()

    async def tracked(self, name: str) -> TrackedImage:
        """Read a TrackedImage."""
        return await tracked.get(self._connection, self.namespace, name)

    async def list_tracked(self, *, all_namespaces: bool = False) -> tuple[TrackedImage, ...]:
        """List TrackedImages by name."""
        return await tracked.list_all(self._connection, "" if all_namespaces else self.namespace)

    async def run_tracked(self, name: str, timeout: float = 30.0) -> Build:  # noqa: ASYNC109 - also in the message
        """Start a build of a TrackedImage, whatever has changed; the build, when the operator has created it.

        Args:
            name: Name of the TrackedImage.
            timeout: Seconds in which it has to be created; a build that runs has to end before.

        Raises:
            WaitTimeoutError: it was not created in time; it may be later.
        """
        return await tracked.request(self._connection, self.namespace, name, timeout)

    @property
    def _connection(self) -> Connection:
        if self._opened is None:
            raise RuntimeError("use the client in `async with AsyncClient() as client:`, or call open() first")
        return self._opened

    def _path_of_all(self, all_namespaces: bool) -> str:  # noqa: FBT001 - one argument
        return f"/apis/{GROUP}/{VERSION}/{PLURAL}" if all_namespaces else self._path()

    def _path(self) -> str:
        return f"/apis/{GROUP}/{VERSION}/namespaces/{checked_name(self.namespace, 'a namespace')}/{PLURAL}"

    def _path_of(self, name: str) -> str:
        return f"{self._path()}/{checked_name(name)}"


async def _once(build: Build) -> AsyncIterator[Build]:
    yield build
