"""The server of the probes and metrics under connections that other pods open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from imagebuild_operator.runtime import pages
from imagebuild_operator.runtime.pages import CONNECTIONS_OF_ONE, HEALTH, Pages
from support.ports import free_port

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    async def well() -> list[str]:
        return []

    server, port = Pages(), free_port()
    await server.serve_probes(port, {HEALTH: well})
    try:
        yield port
    finally:
        await server.close()


async def is_closed(connection: Connection) -> bool:
    try:
        return await asyncio.wait_for(connection[0].read(1), 5) == b""
    except ConnectionError:
        return True


async def ask(port: int, address: str = "127.0.0.1") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    writer.write(f"GET {HEALTH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


@pytest.mark.shows("A50")
def test_idle_connections_of_many_pods_keep_no_probe_from_its_answer():
    async def run() -> None:
        async with served() as port:
            held = [
                await asyncio.open_connection("127.0.0.1", port, local_addr=(f"127.0.0.{pod}", 0))
                for pod in range(2, 12)
                for _ in range(2 * CONNECTIONS_OF_ONE)
            ]
            assert b"200 OK" in await ask(port)
            closed = [await is_closed(each) for each in held[:CONNECTIONS_OF_ONE]]
            assert all(closed)
            for _, writer in held:
                writer.close()

    asyncio.run(run())


@pytest.mark.shows("A50")
def test_large_requests_are_refused_and_nothing_of_them_is_kept():
    async def run() -> None:
        async with served() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n")
            assert b" 400 " in await asyncio.wait_for(reader.read(), 5)
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: x\r\n" % number for number in range(10_000)))
            assert b" 400 " in await asyncio.wait_for(reader.read(), 5)
            writer.close()
            assert b"200 OK" in await ask(port)

    asyncio.run(run())


@pytest.mark.shows("A50")
def test_a_connection_lasts_for_a_while_only(monkeypatch: pytest.MonkeyPatch):
    async def run() -> None:
        monkeypatch.setattr(pages.BoundedServer.__init__, "__defaults__", (0.2,))
        async with served() as port:
            connection = await asyncio.open_connection("127.0.0.1", port)
            connection[1].write(b"GET / HTT")
            assert await is_closed(connection)
            connection[1].close()

    asyncio.run(run())
