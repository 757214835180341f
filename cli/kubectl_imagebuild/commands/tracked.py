"""The commands tracked and run."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from imagebuild import AsyncClient, TrackedImage

from kubectl_imagebuild.forms import Progress
from kubectl_imagebuild.options import Context, Detach, Kubeconfig, Namespace, OutputForm, ProgressForm
from kubectl_imagebuild.outcome import Exit
from kubectl_imagebuild.output import rendered, rendered_list
from kubectl_imagebuild.run import created
from kubectl_imagebuild.run import run as run_work
from kubectl_imagebuild.text import columns, short

#: Seconds in which the operator starts a build that is asked for; one that runs has to end before.
_LONGEST_START = 30.0

TrackedName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the TrackedImage.", show_default=False)]
OptionalName = Annotated[str, typer.Argument(metavar="[NAME]", help="Name of a TrackedImage.", show_default=False)]


def tracked(
    *,
    name: OptionalName = "",
    all_namespaces: Annotated[bool, typer.Option("-A", "--all-namespaces", help="List all namespaces.")] = False,
    output: OutputForm = None,
    namespace: Namespace = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
) -> None:
    """List TrackedImages, or show one: its latest image, why that was built, and what happens next."""

    async def work(client: AsyncClient) -> Exit:
        if name:
            image = await client.tracked(name)
            sys.stdout.write(rendered(image, output) if output else described(image))
            return Exit.OK
        found = await client.list_tracked(all_namespaces=all_namespaces)
        if output is not None:
            sys.stdout.write(rendered_list(found, output))
        elif found:
            sys.stdout.write(table(found, datetime.now(UTC), all_namespaces=all_namespaces))
        else:
            where = "any namespace" if all_namespaces else f"namespace {client.namespace}"
            sys.stderr.write(f"There are no TrackedImages in {where}.\n")
        return Exit.OK

    run_work(namespace, context, kubeconfig, work)


def run(
    *,
    name: TrackedName,
    detach: Detach = False,
    progress: ProgressForm = Progress.AUTO,
    output: OutputForm = None,
    namespace: Namespace = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
) -> None:
    """Start a build of a TrackedImage, whatever has changed, and follow it. Ctrl-C cancels the build."""

    async def work(client: AsyncClient) -> Exit:
        creating = client.run_tracked(name, timeout=_LONGEST_START)
        return await created(client, creating, progress, output, detach=detach)

    run_work(namespace, context, kubeconfig, work)


def table(images: Sequence[TrackedImage], now: datetime, *, all_namespaces: bool) -> str:
    """A table of TrackedImages, one per line."""
    first = ("NAMESPACE",) if all_namespaces else ()
    rows = [(*first, "NAME", "READY", "STATUS", "TAG", "BUILD", "AGE")]
    for image in images:
        cells = (image.name, str(image.is_ready), image.state, image.latest_tag, image.latest_build)
        rows.append((*((image.namespace,) if all_namespaces else ()), *cells, short(now, image.created)))
    return columns(rows)


def described(image: TrackedImage) -> str:
    """A TrackedImage in some lines."""
    return columns([(f"{label}:", text) for label, text in _rows(image)]) + "".join(
        f"{text}\n" for text in image.messages
    )


def _rows(image: TrackedImage) -> Iterator[tuple[str, str]]:
    yield "TrackedImage", image.name
    yield "Status", image.state or "not seen by the operator yet"
    if image.latest_image:
        yield "Image", image.latest_image
        yield "Tag", image.latest_tag
        yield "Build", f"{image.latest_build} ({', '.join(image.latest_reasons)})"
    if image.commit:
        yield "Commit", image.commit
    for reference, digest in image.base_images.items():
        yield "Base image", f"{reference.partition('@')[0]}@{digest}"
    if image.current_build:
        yield "Running", image.current_build
