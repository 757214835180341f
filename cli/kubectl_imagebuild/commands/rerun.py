"""The command rerun."""

import sys
from typing import Annotated

import typer
from imagebuild import AsyncClient, pack, rebuild

from kubectl_imagebuild import flags
from kubectl_imagebuild.forms import Progress
from kubectl_imagebuild.options import (
    BuildArgs,
    Context,
    Detach,
    Images,
    Kubeconfig,
    Name,
    Namespace,
    OutputForm,
    ProgressForm,
)
from kubectl_imagebuild.outcome import Exit
from kubectl_imagebuild.packing import summary
from kubectl_imagebuild.run import created, run


def rerun(  # noqa: PLR0913 - same
    *,
    name: Name,
    directory: Annotated[
        str,
        typer.Argument(
            metavar="[DIR]", help="Directory to send, if NAME was built from one of a machine.", show_default=False
        ),
    ] = "",
    new_name: Annotated[str, typer.Option("--name", help="Name of the new ImageBuild.")] = "",
    images: Images = [],  # noqa: B006 - typer copies it
    revision: Annotated[str, typer.Option(help="Another branch, tag or commit of the repository.")] = "",
    target: Annotated[str, typer.Option(help="Another stage.")] = "",
    build_arg: BuildArgs = [],  # noqa: B006 - same
    detach: Detach = False,
    progress: ProgressForm = Progress.AUTO,
    output: OutputForm = None,
    namespace: Namespace = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
) -> None:
    """Create a new build with the spec of another, with or without changes, and follow it. Ctrl-C cancels it."""

    async def work(client: AsyncClient) -> Exit:
        old = await client.get(name)
        arguments = flags.build_args(build_arg)
        changes = flags.changed_spec(old, images=images, revision=revision, target=target, arguments=arguments)
        flags.check_directory(old, directory)
        if not directory:
            creating = client.create(rebuild(old, name=new_name, changes=changes), repeated=old)
            return await created(client, creating, progress, output, detach=detach)
        with await pack(directory, dockerfile=old.dockerfile, context_dir=old.context_dir) as archive:
            sys.stderr.write(f"{summary(archive)}\n")
            changes["source"] = {"upload": flags.upload_fields(old, archive)}
            creating = client.create(rebuild(old, name=new_name, changes=changes), repeated=old)
            return await created(client, creating, progress, output, detach=detach, archive=archive)

    run(namespace, context, kubeconfig, work)
