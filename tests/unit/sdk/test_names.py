"""What is no name of an ImageBuild never reaches the API server: an empty one would mean all of a namespace."""

import asyncio
from typing import Any

import pytest
from imagebuild import AsyncClient, InvalidNameError
from imagebuild.object_names import checked_name


class NoConnection:
    """Fails if anything is sent."""

    namespace = "team"

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever is asked for
        def sent(*_: object, **__: object) -> None:
            raise AssertionError(name)

        return sent


async def first(stream: Any) -> None:  # noqa: ANN401 - an asynchronous iterator
    async for _ in stream:
        return


CALLS: dict[str, Any] = {
    "get": lambda client, name: client.get(name),
    "delete": lambda client, name: client.delete(name),
    "cancel": lambda client, name: client.cancel(name),
    "logs": lambda client, name: client.logs(name),
    "wait": lambda client, name: client.wait(name),
    "watch": lambda client, name: first(client.watch(name)),
    "follow": lambda client, name: first(client.follow(name)),
    "upload": lambda client, name: client.upload(name, "."),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", ["", " ", "../pods/x", "a/b", "A", "a?x=y", "..", "-a", "a" * 254])
def test_it_is_refused_by_every_method(call: str, name: str):
    client = AsyncClient("team")
    client._opened = NoConnection()  # type: ignore[assignment] # noqa: SLF001 - nothing may be sent
    with pytest.raises(InvalidNameError, match="is not the name of an ImageBuild"):
        asyncio.run(CALLS[call](client, name))


def test_so_is_a_namespace():
    client = AsyncClient("team/../other")
    client._opened = NoConnection()  # type: ignore[assignment] # noqa: SLF001 - nothing may be sent
    with pytest.raises(InvalidNameError, match="is not the name of a namespace"):
        asyncio.run(client.get("hello"))


@pytest.mark.parametrize("name", ["a", "hello", "a.b-c", "0", "x" * 253])
def test_names_are_taken(name: str):
    assert checked_name(name) == name
