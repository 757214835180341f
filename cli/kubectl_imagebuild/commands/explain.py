"""The command explain."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from kubectl_imagebuild import flags
from kubectl_imagebuild.cluster.reader import connected
from kubectl_imagebuild.explanation.facts import existing_build, explain_build, new_build
from kubectl_imagebuild.explanation.text import document, objects, text
from kubectl_imagebuild.forms import Output
from kubectl_imagebuild.options import Context, Kubeconfig, Namespace, OutputForm
from kubectl_imagebuild.outcome import Exit


def explain(
    *,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Name of an ImageBuild.", show_default=False)] = "",
    filename: Annotated[
        str, typer.Option("-f", "--filename", help="File with one ImageBuild; - for standard input.")
    ] = "",
    create_dry_run: Annotated[
        bool,
        typer.Option(
            "--create-dry-run",
            help="Send the pods to the API server as a dry run: quotas, Pod Security and admission policies answer.",
        ),
    ] = False,
    operator_namespace: Annotated[
        str, typer.Option(help="Namespace of the operator. Default: it is looked for.", show_default=False)
    ] = "",
    output: OutputForm = None,
    namespace: Namespace = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
) -> None:
    """Show what the operator does with a build: its phase, why it waits, and its pods. Nothing is created."""
    if bool(name) == bool(filename):
        raise ValueError("name an ImageBuild, or a file with one: explain NAME, or explain -f FILE")
    manifest: dict[str, Any] = {}
    if filename:
        manifest = _manifest(filename)
        given = (manifest.get("metadata") or {}).get("namespace") or ""
        if given and namespace and given != namespace:
            raise ValueError(f"-n {namespace}: the file has namespace {given}")
        namespace = namespace or given
    work = _explain(
        manifest,
        name,
        (namespace, context, kubeconfig),
        operator_namespace,
        output,
        with_dry_run=create_dry_run,
    )
    raise typer.Exit(int(asyncio.run(work)))


def _manifest(filename: str) -> dict[str, Any]:
    if filename == "-":
        return flags.manifest_of_file(sys.stdin.read(), "standard input")
    return flags.manifest_of_file(Path(filename).read_text(encoding="utf-8"), filename)


async def _explain(
    manifest: dict[str, Any],
    name: str,
    where: tuple[str, str, str],
    operator_namespace: str,
    output: Output | None,
    *,
    with_dry_run: bool,
) -> Exit:
    async with connected(*where) as cluster:
        build = await (new_build(cluster, manifest) if manifest else existing_build(cluster, name))
        found = await explain_build(cluster, build, operator_namespace, with_dry_run=with_dry_run)
    match output:
        case Output.JSON:
            shown = json.dumps(document(found), indent=2) + "\n"
        case Output.YAML:
            shown = yaml.safe_dump(document(found), sort_keys=False)
        case Output.NAME:
            shown = objects(found)
        case None:
            shown = text(found, is_new=bool(manifest))
    sys.stdout.write(shown)
    return Exit.FAILED if found.explanation.is_failed else Exit.OK
