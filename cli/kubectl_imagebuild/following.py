"""Follows a build until it ends or the user leaves."""

import asyncio
from contextlib import suppress

from imagebuild import Archive, AsyncClient, Build, ImageBuildError, Phase

from kubectl_imagebuild.display import Display
from kubectl_imagebuild.interrupts import Interrupts


async def follow_build(
    client: AsyncClient,
    name: str,
    display: Display,
    interrupts: Interrupts,
    *,
    cancels: bool,
    archive: Archive | None = None,
) -> Build:
    """Show a build until it ends.

    Args:
        client: The API server.
        name: Name of the build.
        display: Shows it.
        interrupts: Ctrl-C and SIGTERM.
        cancels: Whether Ctrl-C and SIGTERM cancel the build first; a second one leaves. Else the first one leaves.
        archive: Its build context, if that is to be sent.

    Raises:
        ImageBuildError: the build context cannot be sent, and the build was cancelled for that.
        LeftError: the user has left.
    """
    showing = asyncio.create_task(_show(client, name, display))
    sending = asyncio.create_task(_send(client, name, display, archive))
    cancelling: list[asyncio.Task[None]] = []

    def stop() -> None:
        if cancelling or not cancels:
            showing.cancel()
        else:
            sending.cancel()
            display.note("Cancelling the build. Press Ctrl-C again to leave at once.")
            cancelling.append(asyncio.create_task(_cancel(client, name, display)))

    interrupts.handle(stop)
    try:
        build = await showing
        if sending.done() and not sending.cancelled() and build.phase is Phase.CANCELLED:
            sending.result()
        return build
    finally:
        for task in (sending, *cancelling):
            task.cancel()
            with suppress(asyncio.CancelledError, ImageBuildError):
                await task


async def send_context(client: AsyncClient, build: Build, display: Display, archive: Archive) -> None:
    """Send the build context without following the build. If it cannot be sent, the build is cancelled."""
    try:
        await client.upload(build.name, archive, progress=display.sent)
    except (ImageBuildError, asyncio.CancelledError):
        await _cancel(client, build.name, display)
        raise


async def _send(client: AsyncClient, name: str, display: Display, archive: Archive | None) -> None:
    if archive is None:
        return
    try:
        await client.upload(name, archive, progress=display.sent, until_end=True)
    except ImageBuildError:
        display.note("The build context cannot be sent. Cancelling the build.")
        await _cancel(client, name, display)
        raise


async def _show(client: AsyncClient, name: str, display: Display) -> Build:
    build = None
    async for item in client.follow(name):
        if not isinstance(item, Build):
            display.line(item)
            continue
        build = item
        if not build.is_finished:
            display.build(build)
    if build is None:
        raise RuntimeError("a build was followed without a first state")
    # Once, and below the log: what ends before the first look is both the first and the last item.
    display.build(build)
    return build


async def _cancel(client: AsyncClient, name: str, display: Display) -> None:
    try:
        await client.cancel(name)
    except ImageBuildError as error:
        display.note(f"The build cannot be cancelled: {error}")
