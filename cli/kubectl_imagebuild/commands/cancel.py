"""The command cancel."""

import sys

from imagebuild import AsyncClient

from kubectl_imagebuild.options import Context, Kubeconfig, Name, Namespace, OutputForm
from kubectl_imagebuild.outcome import Exit
from kubectl_imagebuild.output import rendered
from kubectl_imagebuild.run import run


def cancel(
    *,
    name: Name,
    output: OutputForm = None,
    namespace: Namespace = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
) -> None:
    """Stop a build. The ImageBuild stays. This cannot be undone."""

    async def work(client: AsyncClient) -> Exit:
        build = await client.get(name)
        if not build.is_finished:
            build = await client.cancel(name)
        if output:
            sys.stdout.write(rendered(build, output))
        elif build.is_finished:
            sys.stderr.write(f"ImageBuild {name} has ended before ({build.phase}).\n")
        else:
            sys.stdout.write(f"ImageBuild {name} is being cancelled.\n")
        return Exit.OK

    run(namespace, context, kubeconfig, work)
