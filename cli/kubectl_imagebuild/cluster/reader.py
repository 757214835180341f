"""Reading a cluster with the user's rights: what they may not read is an answer, too."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from imagebuild import ForbiddenError, NotFoundError
from imagebuild.connection import Connection

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hidden:
    """What the user may not read.

    Attributes:
        message: Why, in the words of the API server.
    """

    message: str


#: An object; None if there is none.
Found = Document | Hidden | None
#: Objects; none if the cluster does not have the resource.
Several = tuple[Document, ...] | Hidden


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster, and the namespace of the command."""

    connection: Connection
    namespace: str

    def path(self, resource: str, name: str = "", *, group: str = "", namespace: str | None = None) -> str:
        """Path of a namespaced resource, or of one object.

        Args:
            resource: Its plural, with a subresource.
            name: Name of the object.
            group: API group and version; empty for v1.
            namespace: Its namespace; empty for all. Default: that of the command.
        """
        inside = self.namespace if namespace is None else namespace
        root = f"/apis/{group}" if group else "/api/v1"
        return "/".join(filter(None, [f"{root}/namespaces/{inside}" if inside else root, resource, name]))

    async def get(self, path: str) -> Found:
        """Read an object."""
        try:
            return await self.connection.call("GET", path)
        except ForbiddenError as error:
            return Hidden(error.message)
        except NotFoundError:
            return None

    async def list(self, path: str, **query: str) -> Several:
        """List objects."""
        try:
            return tuple([item async for item in self.connection.items(path, query)])
        except ForbiddenError as error:
            return Hidden(error.message)
        except NotFoundError:
            return ()

    async def dry_run(self, path: str, body: Document) -> dict[str, Any]:
        """Let the API server check and complete an object as if it were created; nothing is stored.

        Raises:
            ApiError: it refuses the object.
        """
        return await self.connection.call("POST", path, dict(body), {"dryRun": "All", "fieldValidation": "Strict"})


@asynccontextmanager
async def connected(namespace: str, context: str, kubeconfig: str) -> AsyncIterator[Cluster]:
    """Connect as the options of a command say; empty ones as kubectl does."""
    connection = await Connection.open(kubeconfig or None, context or None)
    try:
        yield Cluster(connection, namespace or connection.namespace)
    finally:
        await connection.close()
