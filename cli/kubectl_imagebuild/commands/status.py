"""The command status."""

import sys
from datetime import UTC, datetime
from shutil import get_terminal_size

from imagebuild import AsyncClient

from kubectl_imagebuild.options import Context, Kubeconfig, Name, Namespace, OutputForm
from kubectl_imagebuild.outcome import Exit
from kubectl_imagebuild.output import rendered
from kubectl_imagebuild.run import run
from kubectl_imagebuild.status_text import status


def show_status(
    *,
    name: Name,
    output: OutputForm = None,
    namespace: Namespace = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
) -> None:
    """Show how a build stands: phase, attempts, timings, and why it failed and what to do."""

    async def work(client: AsyncClient) -> Exit:
        build = await client.get(name)
        if output:
            sys.stdout.write(rendered(build, output))
            return Exit.OK
        sys.stdout.write(status(build, datetime.now(UTC), get_terminal_size((100, 24)).columns))
        return Exit.OK

    run(namespace, context, kubeconfig, work)
