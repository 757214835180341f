import asyncio
from collections.abc import Callable

from aiohttp import web
from imagebuild_operator.client.transport import Transport
from kubernetes.aio.client import Configuration

#: Method, path, query, content, and the type of the content.
Call = tuple[str, str, dict[str, str], bytes | None, str]
#: Method, path with query, headers and content.
Request = tuple[str, str, dict[str, str], bytes]


def exchange(configure: Callable[[Configuration], object], *calls: Call) -> list[Request]:
    """What a server receives of calls."""
    received: list[Request] = []

    async def answer(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        received.append((request.method, request.raw_path, headers, await request.read()))
        return web.Response()

    async def run() -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        configuration = Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}")
        configure(configuration)
        transport = Transport(configuration)
        try:
            for call in calls:
                async with await transport.request(*call, 10.0) as response:
                    assert response.status == 200
        finally:
            await transport.close()
            await runner.cleanup()

    asyncio.run(run())
    return received


def test_a_query_is_encoded_and_a_body_has_its_type():
    query = {"fieldSelector": "status.phase!=Succeeded,metadata.name=a b"}
    [read, write] = exchange(
        lambda _: None,
        ("GET", "/apis/x", query, None, "application/json"),
        ("PATCH", "/apis/x/status", {}, b"{}", "application/merge-patch+json"),
    )
    assert read[:2] == ("GET", "/apis/x?fieldSelector=status.phase%21%3DSucceeded%2Cmetadata.name%3Da%20b")
    assert "authorization" not in read[2]
    assert (write[0], write[1], write[3]) == ("PATCH", "/apis/x/status", b"{}")
    assert write[2]["content-type"] == "application/merge-patch+json"


def test_each_request_has_the_token_as_it_is_then():
    tokens = iter(("first", "second"))

    def configure(configuration: Configuration) -> None:
        # As the client library does it for the token of a ServiceAccount, which is rotated.
        def refresh(config: Configuration) -> None:
            config.api_key["BearerToken"] = f"Bearer {next(tokens)}"

        configuration.api_key["BearerToken"] = "Bearer none"
        configuration.refresh_api_key_hook = refresh  # type: ignore[assignment] # inferred from None

    call: Call = ("GET", "/api", {}, None, "application/json")
    assert [headers["authorization"] for _, _, headers, _ in exchange(configure, call, call)] == [
        "Bearer first",
        "Bearer second",
    ]
