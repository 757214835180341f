"""Requests to the API server, with errors that say what to do next."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies

import aiohttp
import yaml
from imagebuild_vocabulary.names import GROUP, PLURAL, VERSION

from imagebuild.credentials import Credentials
from imagebuild.errors import ConfigError, ImageBuildError, UnreachableError
from imagebuild.kubeconfig import Access, Kubeconfig, impersonation, merge
from imagebuild.log_line import LineSplitter
from imagebuild.refusals import refusal

#: Path of the builds of a namespace.
BUILDS_PATH: Final = f"/apis/{GROUP}/{VERSION}/namespaces/{{}}/{PLURAL}"
#: Seconds for which a request may take.
TIMEOUT: Final = 30.0
#: Seconds for which one watch lasts.
WATCH: Final = 300
#: Seconds between two pings of a WebSocket.
HEARTBEAT: Final = 60.0
#: Objects in one page of a list.
PAGE: Final = 500
#: Bytes of a response that are read ahead: events of a watch are large.
_BUFFER: Final = 2**21
#: Turns of the event loop in which closed connections are given back.
_TURNS: Final = 5
_UNAUTHORIZED: Final = 401
#: For the audit log of the API server.
_USER_AGENT: Final = "imagebuild (Python SDK)"
_JSON: Final = "application/json"
_REVIEWS: Final = "authorization.k8s.io/v1"
#: Asks for the metadata of objects only.
_METADATA: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
METADATA_OF_ONE: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
#: Directory with the token, the CA and the namespace of the pod that this program runs in.
SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")

_PROXIES: Final = frozenset({"http", "https"})

Query = Mapping[str, str]


class Connection:
    """A connection to the API server. Every method raises `ImageBuildError` or one of its kinds."""

    def __init__(self, access: Access, credentials: Credentials) -> None:
        """Connect at the first request."""
        self._access, self._credentials = access, credentials
        #: Namespace of the context, or of the pod that this program runs in.
        self.namespace = access.namespace
        proxy = access.cluster.get("proxy-url")
        if proxy and urlsplit(proxy).scheme not in _PROXIES:
            raise ValueError(
                f"its proxy-url is of the scheme {urlsplit(proxy).scheme!r}, and only http:// and https:// work here"
            )
        self._options: dict[str, Any] = {
            "proxy": proxy or None,
            "server_hostname": access.cluster.get("tls-server-name") or None,
        }
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=credentials.tls, limit=0),
            # Else each request waits for a thread that looks for a proxy, and for a ~/.netrc.
            trust_env=not proxy and bool(getproxies()),
            read_bufsize=_BUFFER,
            headers={"User-Agent": _USER_AGENT},
        )

    @classmethod
    async def open(cls, kubeconfig: str | None, context: str | None) -> "Connection":
        """Use a kubeconfig, or without any the ServiceAccount of the pod that this program runs in.

        Args:
            kubeconfig: Its path. Default: the variable KUBECONFIG, or else ~/.kube/config.
            context: The context in it. Default: its current context.

        Raises:
            ConfigError: there is neither, or the context does not exist.
        """
        paths = kubeconfig_paths(kubeconfig)
        found = any(path.is_file() for path in _split(paths))
        try:
            is_named = found or kubeconfig or context
            access = read_kubeconfig(kubeconfig).access(context) if is_named else _in_cluster()
            return cls(access, Credentials(access, paths))
        except (OSError, TypeError, ValueError, KeyError, AttributeError, yaml.YAMLError) as error:
            hint = "Set KUBECONFIG, or name a file and a context."
            if not (found or kubeconfig or context):
                raise ConfigError(f"There is not a kubeconfig ({paths}).", hint) from error
            reason = " ".join(str(error).split()).rstrip(".")
            raise ConfigError(f"The kubeconfig {paths} cannot be used: {reason}.", hint) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def call(
        self, method: str, path: str, body: object = None, query: Query | None = None, accept: str = _JSON
    ) -> dict[str, Any]:
        """Make a request; the JSON document of the answer."""
        with _translated():
            response = await self._open(method, path, body, query or {}, aiohttp.ClientTimeout(TIMEOUT), accept)
            content = await response.read()
        if response.status >= 300:  # noqa: PLR2004 - the classes of HTTP
            raise refusal(response.status, content)
        document: dict[str, Any] = json.loads(content)
        return document

    async def may(self, verb: str, resource: str, group: str, namespace: str) -> bool:
        """Whether the user has a right in a namespace, as the API server says.

        Args:
            verb: The verb.
            resource: The resource, with a subresource after a slash.
            group: Its API group.
            namespace: The namespace.
        """
        name, _, part = resource.partition("/")
        right = {"namespace": namespace, "verb": verb, "group": group, "resource": name, "subresource": part}
        body = {"apiVersion": _REVIEWS, "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": right}}
        answer = await self.call("POST", f"/apis/{_REVIEWS}/selfsubjectaccessreviews", body)
        return bool(answer["status"].get("allowed"))

    async def items(self, path: str, query: Query | None = None, accept: str = _JSON) -> AsyncIterator[dict[str, Any]]:
        """List objects, page by page."""
        token = ""
        while True:
            place = {"limit": str(PAGE), "continue": token}
            page = await self.call("GET", path, query={**(query or {}), **place}, accept=accept)
            for item in page.get("items") or ():
                yield item
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return

    async def names(self, path: str) -> tuple[str, ...]:
        """List the names of objects, sorted, without asking for the objects themselves."""
        found = [str(item["metadata"]["name"]) async for item in self.items(path, accept=_METADATA)]
        return tuple(sorted(found))

    async def watch(self, path: str, query: Query) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Watch objects for some minutes: the type of each event, and its object."""
        parameters = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH), **query}
        async for line in self.lines(path, parameters, WATCH + TIMEOUT):
            try:
                event = json.loads(line)
            except ValueError as error:
                raise UnreachableError("The API server closed the connection within a line.") from error
            if event["type"] == "ERROR":
                raise refusal(event["object"].get("code") or 0, json.dumps(event["object"]))
            yield event["type"], event["object"]

    async def lines(self, path: str, query: Query, seconds: float | None = None) -> AsyncIterator[str]:
        """Read a stream of lines to its end.

        Args:
            path: What to read.
            query: Its parameters.
            seconds: Seconds for which it may last; None for no limit.
        """
        splitter = LineSplitter(None if "watch" in query else LineSplitter.MAX_LINE)
        with _translated():
            limit = aiohttp.ClientTimeout(total=seconds, sock_connect=TIMEOUT)
            response = await self._open("GET", path, None, query, limit)
        try:
            if response.status >= 300:  # noqa: PLR2004 - the classes of HTTP
                with _translated():
                    content = await response.read()
                raise refusal(response.status, content)
            chunks = response.content.iter_any()
            while True:
                with _translated():
                    chunk = await anext(chunks, b"")
                if not chunk:
                    break
                for line in splitter.feed(chunk):
                    yield line
            for line in splitter.end():
                yield line
        finally:
            _abort(response.connection.transport if response.connection is not None else None)
            response.close()

    @asynccontextmanager
    async def websocket(
        self, path: str, query: Sequence[tuple[str, str]], protocol: str
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a WebSocket. Errors after that are those of aiohttp.

        Args:
            path: What to open.
            query: Its parameters; a name may be repeated.
            protocol: The subprotocol.
        """
        with _translated():
            try:
                opened = await self._session.ws_connect(
                    self._access.server + path,
                    params=list(query),
                    headers=await self._headers(),
                    protocols=(protocol,),
                    heartbeat=HEARTBEAT,
                    max_msg_size=0,
                    **self._options,
                )
            except aiohttp.WSServerHandshakeError as error:
                status = {"message": f"The API server refused {path} ({error.status}).", "details": {"name": path}}
                raise refusal(error.status, json.dumps(status)) from error
        connection = opened._conn  # noqa: SLF001 - the only way to its transport
        transport = connection.transport if connection is not None else None
        try:
            yield opened
        except BaseException:
            _abort(transport)
            raise
        finally:
            await opened.close()
            _abort(transport)

    async def _open(
        self,
        method: str,
        path: str,
        body: object,
        query: Query,
        limit: aiohttp.ClientTimeout,
        accept: str = "application/json, */*",
    ) -> aiohttp.ClientResponse:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        content = None if body is None else json.dumps(body)

        async def ask() -> aiohttp.ClientResponse:
            return await self._session.request(
                method,
                self._access.server + path,
                params=dict(query),
                headers=[*await self._headers(), ("Accept", accept), ("Content-Type", kind)],
                data=content,
                timeout=limit,
                **self._options,
            )

        response = await ask()
        if response.status == _UNAUTHORIZED and self._credentials.forget():
            response.close()
            response = await ask()
        return response

    async def _headers(self) -> list[tuple[str, str]]:
        authorization = await self._credentials.header()
        headers = impersonation(self._access.user)
        return [*headers, ("Authorization", authorization)] if authorization else headers


def kubeconfig_paths(kubeconfig: str | None) -> str:
    """Paths of the kubeconfigs, as in KUBECONFIG."""
    return kubeconfig or os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())


def read_kubeconfig(kubeconfig: str | None) -> Kubeconfig:
    """Read the kubeconfigs; of several, those that exist.

    Raises:
        OSError: the only one cannot be read.
        ValueError: one is not a kubeconfig.
        yaml.YAMLError: one is no YAML.
    """
    paths = _split(kubeconfig_paths(kubeconfig))
    existing = paths if len(paths) == 1 else [path for path in paths if path.is_file()]
    return merge((path.absolute(), yaml.safe_load(path.read_text(encoding="utf-8"))) for path in existing)


def _split(paths: str) -> list[Path]:
    return [Path(path).expanduser() for path in paths.split(os.pathsep) if path]


def _in_cluster() -> Access:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    namespace = (SERVICE_ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
    cluster = {"server": server, "certificate-authority": str(SERVICE_ACCOUNT / "ca.crt")}
    return Access(cluster, {"tokenFile": str(SERVICE_ACCOUNT / "token")}, namespace)


def _abort(transport: asyncio.Transport | None) -> None:
    """Close a connection now: else it would wait for the other end, and stay open after the client is closed."""
    if transport is not None:
        transport.abort()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ImageBuildError:
        raise
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        text = str(error) or type(error).__name__
        raise UnreachableError(
            f"The API server does not answer: {text}.", "Check the cluster and --context."
        ) from error
