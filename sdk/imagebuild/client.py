"""The client for code without asyncio: the asynchronous one, in a thread of its own."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from imagebuild.archive import Archive
from imagebuild.async_client import AsyncClient
from imagebuild.build import Build
from imagebuild.list_watch import Change
from imagebuild.log_line import LogLine
from imagebuild.send import Progress
from imagebuild.tracked import TrackedImage
from imagebuild.unchanged import Unchanged

T = TypeVar("T")


class Client:
    """Creates, follows and cancels ImageBuilds; a context manager. Threads can share it.

    Every method raises `ImageBuildError` or one of its kinds.
    """

    def __init__(self, namespace: str = "", *, kubeconfig: str | None = None, context: str | None = None) -> None:
        """Read the kubeconfig; no request is made yet.

        Args:
            namespace: Namespace of the builds. Default: that of the context, or of the pod that this program runs in.
            kubeconfig: Path of a kubeconfig. Default: the variable KUBECONFIG, ~/.kube/config, or without both the
                ServiceAccount of the pod.
            context: Context of the kubeconfig. Default: its current context.
        """
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="imagebuild", daemon=True)
        self._thread.start()
        self._client = AsyncClient(namespace, kubeconfig=kubeconfig, context=context)
        try:
            self._run(self._client.open())
        except BaseException:
            self._stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections and end the thread."""
        if not self._loop.is_closed():
            self._run(self._client.close())
            self._stop()

    @property
    def namespace(self) -> str:
        """Namespace of the builds."""
        return self._client.namespace

    def create(
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
        return self._run(self._client.create(manifest, secrets=secrets, login=login, ca=ca, repeated=repeated))

    def find_unchanged(self, manifest: Mapping[str, Any]) -> Unchanged:
        """Look for an earlier build with the result that a build of an upload with a digest would have.

        Compared are the spec, the digest of the directory, all builds of the namespace with the same images, and the
        ImageBuildDefaults. Not known are new base images, and what happened to the image in the registry.

        Args:
            manifest: The build. It is not created.
        """
        return self._run(self._client.find_unchanged(manifest))

    def get(self, name: str) -> Build:
        """Read an ImageBuild."""
        return self._run(self._client.get(name))

    def list(self, *, all_namespaces: bool = False, selector: str = "") -> list[Build]:
        """List ImageBuilds, the oldest first.

        Args:
            all_namespaces: Whether to list those of all namespaces.
            selector: Label selector, such as app=web.
        """
        return self._run(self._client.list(all_namespaces=all_namespaces, selector=selector))

    def names(self) -> tuple[str, ...]:
        """List the names of the ImageBuilds of the namespace, sorted."""
        return self._run(self._client.names())

    def namespaces(self) -> tuple[str, ...]:
        """List the names of all namespaces, sorted; few users may do that."""
        return self._run(self._client.namespaces())

    def cancel(self, name: str, uid: str = "") -> Build:
        """Stop a build, which cannot be undone; the ImageBuild stays. A build that has ended stays as it is.

        Args:
            name: Its name.
            uid: Its uid; default: any. Another build that got its name meanwhile is not stopped.

        Raises:
            ApiError: the ImageBuild of that name has another uid.
        """
        return self._run(self._client.cancel(name, uid))

    def may(self, verb: str) -> bool:
        """Whether the user may do something with the ImageBuilds of the namespace, such as create or patch."""
        return self._run(self._client.may(verb))

    def delete(self, name: str) -> None:
        """Delete an ImageBuild with its pods; a running build is stopped."""
        self._run(self._client.delete(name))

    def watch(self, name: str) -> Iterator[Build]:
        """Yield a build now and after each change, up to its end. A lost connection is made again.

        Raises:
            DeletedError: it was deleted or replaced before its end.
        """
        return self._iterate(self._client.watch(name))

    def watch_all(self, *, all_namespaces: bool = False, selector: str = "") -> Iterator[Change]:
        """Yield all builds, and then each change of any of them, forever. A lost connection is made again.

        The first item is `Listed`. While the API server does not answer, the items are `Interrupted`; the next one is
        then `Listed` again.

        Args:
            all_namespaces: Whether to watch those of all namespaces.
            selector: Label selector, such as app=web.

        Raises:
            ApiError: the API server refuses the watch, for example with `ForbiddenError`.
        """
        return self._iterate(self._client.watch_all(all_namespaces=all_namespaces, selector=selector))

    def wait(self, name: str, timeout: float | None = None) -> Build:
        """Wait until a build has ended, in whatever way; its digest, images or failure are in what is returned.

        Args:
            name: Its name.
            timeout: Seconds to wait at most; None for no limit.

        Raises:
            DeletedError: it was deleted or replaced before its end.
            WaitTimeoutError: it has not ended in time.
        """
        return self._run(self._client.wait(name, timeout))

    def follow(self, name: str) -> Iterator[Build | LogLine]:
        """Yield the log lines of all containers, attempts and platforms, and each change of the build, up to its end.

        The first and the last item are the build. Containers that have not started are waited for. Pods of succeeded
        builds are deleted by the operator, so nothing is left of the log of a build that has succeeded before.

        Raises:
            DeletedError: it was deleted or replaced before its end.
        """
        return self._iterate(self._client.follow(name))

    def logs(self, name: str) -> tuple[LogLine, ...]:
        """Read the lines that the existing pods of a build have written up to now."""
        return self._run(self._client.logs(name))

    def upload(
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
        return self._run(self._client.upload(name, source, progress=progress, until_end=until_end))

    def tracked(self, name: str) -> TrackedImage:
        """Read a TrackedImage."""
        return self._run(self._client.tracked(name))

    def list_tracked(self, *, all_namespaces: bool = False) -> tuple[TrackedImage, ...]:
        """List TrackedImages by name."""
        return self._run(self._client.list_tracked(all_namespaces=all_namespaces))

    def run_tracked(self, name: str, timeout: float = 30.0) -> Build:
        """Start a build of a TrackedImage, whatever has changed; the build, when the operator has created it.

        Args:
            name: Name of the TrackedImage.
            timeout: Seconds in which it has to be created; a build that runs has to end before.

        Raises:
            WaitTimeoutError: it was not created in time; it may be later.
        """
        return self._run(self._client.run_tracked(name, timeout))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            # Ctrl-C must not leave the request behind.
            if future.cancel():
                with suppress(CancelledError):
                    future.result()
            raise

    def _iterate(self, items: AsyncGenerator[T, None]) -> Iterator[T]:
        async def following() -> tuple[T, ...]:
            async for item in items:
                return (item,)
            return ()

        try:
            while found := self._run(following()):
                yield found[0]
        finally:
            if not self._loop.is_closed():
                self._run(items.aclose())

    def _stop(self) -> None:
        self._run(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
