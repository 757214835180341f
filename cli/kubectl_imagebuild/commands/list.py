"""The command list."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from imagebuild import AsyncClient

from kubectl_imagebuild.options import Context, Kubeconfig, Namespace, OutputForm
from kubectl_imagebuild.outcome import Exit
from kubectl_imagebuild.output import rendered_list
from kubectl_imagebuild.run import run
from kubectl_imagebuild.text import table


def list_builds(
    *,
    all_namespaces: Annotated[bool, typer.Option("-A", "--all-namespaces", help="List all namespaces.")] = False,
    selector: Annotated[str, typer.Option("-l", "--selector", help="Label selector, such as app=web.")] = "",
    output: OutputForm = None,
    namespace: Namespace = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
) -> None:
    """List builds, the oldest first."""

    async def work(client: AsyncClient) -> Exit:
        found = await client.list(all_namespaces=all_namespaces, selector=selector)
        if output is not None:
            sys.stdout.write(rendered_list(found, output))
        elif found:
            sys.stdout.write(table(found, datetime.now(UTC), all_namespaces=all_namespaces))
        else:
            where = "any namespace" if all_namespaces else f"namespace {client.namespace}"
            sys.stderr.write(f"There are no ImageBuilds in {where}.\n")
        return Exit.OK

    run(namespace, context, kubeconfig, work)
