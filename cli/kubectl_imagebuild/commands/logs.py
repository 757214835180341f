"""The command logs."""

import sys
from typing import Annotated

import typer
from imagebuild import AsyncClient

from kubectl_imagebuild.display import Plain, print_line, standard
from kubectl_imagebuild.following import follow_build
from kubectl_imagebuild.interrupts import Interrupts
from kubectl_imagebuild.options import Context, Kubeconfig, Name, Namespace
from kubectl_imagebuild.outcome import Exit, exit_of_build
from kubectl_imagebuild.run import run


def logs(
    *,
    name: Name,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Follow the build to its end.")] = False,
    container: Annotated[str, typer.Option("-c", "--container", help="Only check, build, push or index.")] = "",
    namespace: Namespace = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
) -> None:
    """Print the log of a build: of all its containers, retries and platforms."""

    async def work(client: AsyncClient) -> Exit:
        if not follow:
            for line in await client.logs(name):
                if container in {"", line.container}:
                    print_line(line, sys.stdout)
            return Exit.OK
        display = Plain(*standard(to_error=False), container=container)
        with Interrupts() as interrupts:
            return exit_of_build(await follow_build(client, name, display, interrupts, cancels=False))

    run(namespace, context, kubeconfig, work)
