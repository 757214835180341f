import asyncio
import socket
from pathlib import Path
from threading import Event, Thread

import aiohttp
import kopf
import pytest
import yaml
from imagebuild_operator.client.authentication import Authentication
from imagebuild_operator.runtime.login import Login
from imagebuild_operator.runtime.watches import Watches
from imagebuild_operator.telemetry.prometheus import Metrics
from support.receiver import Receiver

ANSWER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def kubeconfig(path: Path, server: str) -> str:
    document = {
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": server}}],
        "users": [{"name": "it", "user": {}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    }
    path.write_text(yaml.safe_dump(document))
    return str(path)


def test_a_watch_that_is_answered_while_its_session_is_given_up_is_a_lost_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """kopf gives a session up when one of its calls was answered with 401, and takes only some errors for lost ones."""
    asked, answer, answered = Event(), Event(), Event()

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            asked.set()
            answer.wait()
            connection.sendall(ANSWER)
            answered.set()
            connection.recv(1)

    async def watch(url: str) -> None:
        watches = Watches((), Receiver(), Metrics(), Authentication(60, lambda _: None))
        given = await Login(watches.tracing())(kopf.OperatorSettings())
        session = given.aiohttp_session
        call = asyncio.create_task(session.get(f"{url}/api/v1/pods?watch=true"))
        await asyncio.to_thread(asked.wait)
        answer.set()
        answered.wait()
        # In the first turn of the loop the answer is read, in the second it is passed on: now it is in between.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await session.close()
        response = await call
        with pytest.raises(aiohttp.ClientConnectionError):
            await response.content.read()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        monkeypatch.setenv("KUBECONFIG", kubeconfig(tmp_path / "kubeconfig", url))
        server = Thread(target=serve, args=(listening,))
        server.start()
        asyncio.run(watch(url))
        server.join()
