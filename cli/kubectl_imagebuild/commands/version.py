"""The command version."""

import asyncio
import json
import sys
from typing import Annotated, Any

import typer
import yaml

from kubectl_imagebuild import __version__
from kubectl_imagebuild.cluster.operators import find_operators
from kubectl_imagebuild.cluster.reader import Hidden, connected
from kubectl_imagebuild.forms import Output
from kubectl_imagebuild.options import Context, Kubeconfig, Namespace, OutputForm


def version(
    *,
    client: Annotated[bool, typer.Option("--client", help="Only the version of this program.")] = False,
    output: OutputForm = None,
    namespace: Namespace = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
) -> None:
    """Print the versions of this program, of the API, and of the operators that you may see."""
    found: dict[str, Any] = {"client": __version__}
    if not client:
        found |= asyncio.run(_of_cluster((namespace, context, kubeconfig)))
    if output is Output.JSON:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    elif output is Output.YAML:
        sys.stdout.write(yaml.safe_dump(found, sort_keys=False))
    else:
        sys.stdout.write(_text(found))


async def _of_cluster(where: tuple[str, str, str]) -> dict[str, Any]:
    async with connected(*where) as cluster:
        group = await cluster.get("/apis/imagebuild.dev")
        operators = await find_operators(cluster)
    versions = [] if group is None or isinstance(group, Hidden) else [each["version"] for each in group["versions"]]
    if isinstance(operators, Hidden):
        return {"api": versions, "operators": None}
    listed = [{"namespace": each.namespace, "name": each.name, "version": each.version} for each in operators]
    return {"api": versions, "operators": listed}


def _text(found: dict[str, Any]) -> str:
    lines = [f"Client:   {found['client']}"]
    if "api" in found:
        lines.append(f"API:      {', '.join(found['api']) or 'not installed'}")
    if "operators" in found:
        operators = found["operators"]
        if operators is None:
            lines.append("Operator: not visible for you")
        lines += [
            f"Operator: {each['version'] or 'unknown'} ({each['namespace']}/{each['name']})" for each in operators or ()
        ]
        if operators == []:
            lines.append("Operator: none found")
    return "".join(f"{line}\n" for line in lines)
