"""The command wait."""

import sys
from typing import Annotated

import typer
from imagebuild import AsyncClient

from kubectl_imagebuild.options import Context, Kubeconfig, Name, Namespace, OutputForm
from kubectl_imagebuild.outcome import Exit, exit_of_build
from kubectl_imagebuild.output import rendered
from kubectl_imagebuild.run import run
from kubectl_imagebuild.text import ending


def wait(
    *,
    name: Name,
    timeout: Annotated[float | None, typer.Option(metavar="SECONDS", min=0, help="Time to wait at most.")] = None,
    output: OutputForm = None,
    namespace: Namespace = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
) -> None:
    """Wait until a build ends; the exit code tells how."""

    async def work(client: AsyncClient) -> Exit:
        build = await client.wait(name, timeout)
        sys.stdout.write(rendered(build, output) if output else ending(build, with_log=False))
        return exit_of_build(build)

    run(namespace, context, kubeconfig, work)
