"""Runs the work of a command."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import typer
from imagebuild import Archive, AsyncClient, Build

from kubectl_imagebuild.display import Plain, choose, standard
from kubectl_imagebuild.following import follow_build, send_context
from kubectl_imagebuild.forms import Output, Progress
from kubectl_imagebuild.interrupts import Interrupts
from kubectl_imagebuild.outcome import Exit, LeftError, exit_of_build
from kubectl_imagebuild.output import rendered
from kubectl_imagebuild.standard_streams import drop_output

Work = Callable[[AsyncClient], Awaitable[Exit]]


def run(namespace: str, context: str, kubeconfig: str, work: Work) -> None:
    """Run work with a client, and end with its exit code."""

    async def connected() -> Exit:
        async with AsyncClient(namespace, kubeconfig=kubeconfig or None, context=context or None) as client:
            return await work(client)

    try:
        code = asyncio.run(connected())
    except BrokenPipeError:
        # As with `| head`: whoever reads the output has enough.
        drop_output()
        code = Exit.OK
    raise typer.Exit(int(code))


async def created(
    client: AsyncClient,
    creating: Awaitable[Build],
    progress: Progress,
    output: Output | None,
    *,
    detach: bool,
    archive: Archive | None = None,
    dockerfile: str = "",
    at_end: Callable[[Build], None] | None = None,
) -> Exit:
    """Create a build and say so, send its build context, and follow it.

    Args:
        client: The API server.
        creating: Creates it.
        progress: How its progress is shown.
        output: Form of the output for programs.
        detach: Whether to end as soon as it is created and has its build context.
        archive: Its build context, if that is to be sent.
        dockerfile: Text of the Dockerfile, if it is known.
        at_end: What else is done with a build that has ended.
    """
    if detach:
        return await _detached(client, await creating, output, archive)
    with Interrupts() as interrupts:
        build = await creating
        if progress is not Progress.QUIET:
            sys.stderr.write(f"imagebuild.imagebuild.dev/{build.name} created\n")
        try:
            with choose(
                progress, *standard(to_error=output is not None), dockerfile, sends=archive is not None
            ) as display:
                done = await follow_build(client, build.name, display, interrupts, cancels=True, archive=archive)
        except BrokenPipeError as error:
            drop_output()
            with suppress(BrokenPipeError):
                sys.stderr.write(f"Nobody reads the output any more. ImageBuild {build.name} continues.\n")
            raise LeftError from error
    if output:
        sys.stdout.write(rendered(done, output))
    if at_end:
        at_end(done)
    return exit_of_build(done)


async def _detached(client: AsyncClient, build: Build, output: Output | None, archive: Archive | None) -> Exit:
    if archive is None:
        sys.stdout.write(rendered(build, output) if output else f"imagebuild.imagebuild.dev/{build.name} created\n")
        return Exit.OK
    sys.stderr.write(f"imagebuild.imagebuild.dev/{build.name} created\n")
    await send_context(client, build, Plain(sys.stderr, sys.stderr), archive)
    sys.stdout.write(rendered(build, output) if output else "")
    return Exit.OK
