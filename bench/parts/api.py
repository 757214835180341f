"""A small client of the API server, whose own work is little: JSON as it is, many requests at once."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

import aiohttp
import yaml

Json = dict[str, Any]
Item = TypeVar("Item")
GROUP: Final = "imagebuild.dev/v1alpha1"
MERGE: Final = "application/merge-patch+json"
CONFLICT, NOT_FOUND, TOO_MANY = 409, 404, 429


class ApiError(Exception):
    """The API server has refused a request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """Requests to one API server."""

    def __init__(self, session: aiohttp.ClientSession, server: str, tls: ssl.SSLContext) -> None:
        self._session = session
        self._server = server
        self._tls = tls

    async def ask(self, method: str, path: str, body: object = None, kind: str = "application/json") -> Json:
        """Send a request and give the answer.

        Raises:
            ApiError: it was refused.
        """
        text = await self.text(method, path, None if body is None else json.dumps(body), kind)
        answer: Json = json.loads(text)
        return answer

    async def text(self, method: str, path: str, data: str | None = None, kind: str = "application/json") -> str:
        """The same, without a look at what is sent and received."""
        headers = {"Content-Type": kind} if data else {}
        async with self._session.request(
            method, self._server + path, data=data, headers=headers, ssl=self._tls
        ) as answer:
            text = await answer.text()
            if answer.status >= 400:  # noqa: PLR2004 - where HTTP's errors begin
                raise ApiError(answer.status, text[:300])
            return text

    async def watch(self, path: str, started: asyncio.Event | None = None) -> AsyncIterator[tuple[str, Json]]:
        """Follow what is there and what changes, until the task is cancelled.

        Args:
            path: Of a collection, with parameters if need be.
            started: Set once the API server has taken the watch.
        """
        version = ""
        while True:
            mark = "&" if "?" in path else "?"
            url = f"{self._server}{path}{mark}watch=true&resourceVersion={version}&allowWatchBookmarks=true"
            async with self._session.get(url, ssl=self._tls, timeout=aiohttp.ClientTimeout(total=None)) as answer:
                if answer.status == TOO_MANY:  # a definition that is new
                    await asyncio.sleep(0.2)
                    continue
                answer.raise_for_status()
                if started:
                    started.set()
                async for line in _lines(answer.content):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        version = ""
                        break
                    version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] != "BOOKMARK":
                        yield event["type"], event["object"]

    async def remove_all(self, path: str) -> None:
        """Delete all objects of a collection, and wait until they are gone."""
        await self.text("DELETE", f"{path}?gracePeriodSeconds=0&propagationPolicy=Background")
        while (await self.ask("GET", f"{path}?limit=1"))["items"]:  # noqa: ASYNC110 - another process removes them
            await asyncio.sleep(0.1)


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Lines of any length, which the reader's own method does not give."""
    rest = b""
    async for chunk in stream.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line


@asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncIterator[Api]:
    """A client with the rights of a kubeconfig that holds certificates."""
    server, tls = _read(kubeconfig)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200)) as session:
        yield Api(session, server, tls)


def _read(kubeconfig: Path) -> tuple[str, ssl.SSLContext]:
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with TemporaryDirectory() as folder:
        certificate, key = Path(folder) / "crt", Path(folder) / "key"
        certificate.write_bytes(base64.b64decode(user["client-certificate-data"]))
        key.write_bytes(base64.b64decode(user["client-key-data"]))
        tls.load_cert_chain(certificate, key)
    return cluster["server"], tls


async def at_once(items: Iterable[Item], action: Callable[[Item], Awaitable[object]], number: int = 16) -> None:
    """Do something with each item, with so many under way at any time."""
    rest = iter(items)

    async def worker() -> None:
        for item in rest:
            await action(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(number):
            group.create_task(worker())
