"""The command serve."""

import asyncio
import contextlib
import signal
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from imagebuild import AsyncClient

from kubectl_imagebuild.options import Context, Kubeconfig, Namespace
from kubectl_imagebuild.outcome import Exit
from kubectl_imagebuild.run import run


def serve(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1. Default: a free one.")] = 0,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Without the buttons that cancel a build and run it again.")
    ] = False,
    namespace: Namespace = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
) -> None:
    """Show builds, their logs and failures in a browser, until Ctrl-C. Only on this machine.

    Shows all namespaces, or with -n one. If you may not list builds of all namespaces, it shows that of the context.
    With the rights for it, builds can be cancelled and run again there.
    """

    async def work(client: AsyncClient) -> Exit:
        await _serve(client, namespace, port, is_read_only=read_only, open_browser=open_browser)
        return Exit.OK

    run(namespace, context, kubeconfig, work)


async def _serve(client: AsyncClient, namespace: str, port: int, *, is_read_only: bool, open_browser: bool) -> None:
    from kubectl_imagebuild.serve.access import new_token  # noqa: PLC0415 - other commands start faster without it
    from kubectl_imagebuild.serve.hub import Hub  # noqa: PLC0415 - same
    from kubectl_imagebuild.serve.server import HOST, serving  # noqa: PLC0415 - same

    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    token = new_token()
    hub = Hub(client, namespace, is_read_only=is_read_only)
    async with hub, serving(hub, token, port) as chosen:
        url = f"http://{HOST}:{chosen}/#token={token}"
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        can = "read builds" if is_read_only else "read, cancel and rerun builds"
        sys.stderr.write(f"Open this URL in a browser on this machine. Whoever has it can {can} as you can.\n")
        sys.stderr.write("Press Ctrl-C to stop.\n")
        with _redirect(url) as file:
            if open_browser and not await asyncio.to_thread(webbrowser.open, file.as_uri()):
                sys.stderr.write("No browser could be opened.\n")
            await stopped.wait()


@contextlib.contextmanager
def _redirect(url: str) -> Iterator[Path]:
    """A file that leads to a URL: the arguments of a browser can be read by other users of the machine."""
    with tempfile.TemporaryDirectory(prefix="kubectl-imagebuild-") as directory:
        file = Path(directory) / "open.html"
        file.write_text(f'<!doctype html><meta http-equiv="refresh" content="0;url={url}">', encoding="utf-8")
        file.chmod(0o600)
        yield file
