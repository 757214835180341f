"""What a shell suggests for names of builds, namespaces and contexts. Without a cluster, nothing, and soon."""

import os
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

# Imported in the functions: most completions need none of it, and a shell waits for them.
if TYPE_CHECKING:
    from imagebuild import AsyncClient

#: Seconds for the answer of the API server.
TIMEOUT: Final = 2.0

Context = Any  # of the copy of Click in typer, whose types are private


def build_names(context: Context, incomplete: str) -> list[str]:
    """Names of the builds in the namespace of the command line."""
    return _starting(_asked(context, lambda client: client.names()), incomplete)


def namespaces(context: Context, incomplete: str) -> list[str]:
    """Names of the namespaces, for users who may list them."""
    return _starting(_asked(context, lambda client: client.namespaces()), incomplete)


def contexts(context: Context, incomplete: str) -> list[str]:
    """Names of the contexts of the kubeconfig."""
    from imagebuild.connection import read_kubeconfig  # noqa: PLC0415 - see above

    try:
        return _starting(read_kubeconfig(_option(context, "kubeconfig")).contexts, incomplete)
    except Exception:  # noqa: BLE001 - a shell shows no errors
        return []


def _asked(context: Context, ask: "Callable[[AsyncClient], Awaitable[tuple[str, ...]]]") -> tuple[str, ...]:
    import asyncio  # noqa: PLC0415 - see above

    from imagebuild import AsyncClient  # noqa: PLC0415 - see above

    async def answer() -> tuple[str, ...]:
        given = {"kubeconfig": _option(context, "kubeconfig"), "context": _option(context, "context")}
        async with asyncio.timeout(TIMEOUT), AsyncClient(_option(context, "namespace") or "", **given) as client:
            return await ask(client)

    # A credential plugin may write there.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        return asyncio.run(answer())
    except Exception:  # noqa: BLE001 - a shell shows no errors
        return ()


def _option(context: Context, name: str) -> str | None:
    """The value of an option, before or after the command."""
    while context is not None:
        if value := context.params.get(name):
            return str(value)
        context = context.parent
    return None


def _starting(found: Iterable[str], incomplete: str) -> list[str]:
    return sorted(each for each in found if each.startswith(incomplete))
