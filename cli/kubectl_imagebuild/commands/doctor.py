"""The command doctor."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
import yaml

from kubectl_imagebuild.checks.collect import collect
from kubectl_imagebuild.checks.finding import Finding, Level, text
from kubectl_imagebuild.checks.findings import Wanted, findings
from kubectl_imagebuild.checks.push_check import check_push
from kubectl_imagebuild.cluster.reader import connected
from kubectl_imagebuild.forms import Output
from kubectl_imagebuild.options import Context, Kubeconfig, Namespace, OutputForm
from kubectl_imagebuild.outcome import Exit


def doctor(  # noqa: PLR0913 - one argument per option
    *,
    image: Annotated[
        str,
        typer.Option(
            "--image",
            metavar="IMAGE",
            help="Image whose push is checked from a pod: an ImageBuild that pushes nothing is created, and deleted.",
            show_default=False,
        ),
    ] = "",
    push_secret: Annotated[str, typer.Option(help="Secret with the credentials for pushing.")] = "",
    git: Annotated[str, typer.Option(metavar="URL", help="Git repository that --git-secret is for.")] = "",
    git_secret: Annotated[str, typer.Option(help="Secret with the credentials of a Git repository.")] = "",
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=1, help="Time limit of the push check.")] = 180,
    operator_namespace: Annotated[
        str, typer.Option(help="Namespace of the operator. Default: it is looked for.", show_default=False)
    ] = "",
    output: OutputForm = None,
    namespace: Namespace = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
) -> None:
    """Check what builds need: CRD, operator, your rights, quotas, policies, Secrets and the registry."""
    wanted = Wanted(image, push_secret, git_secret, git)
    found = asyncio.run(_checked((namespace, context, kubeconfig), wanted, operator_namespace, timeout))
    sys.stdout.write(_shown(found, output))
    is_well = all(each.level is not Level.FAILED for each in found)
    raise typer.Exit(int(Exit.OK if is_well else Exit.FAILED))


def _shown(found: Sequence[Finding], output: Output | None) -> str:
    entries = [{**asdict(each), "level": str(each.level)} for each in found]
    match output:
        case Output.JSON:
            return json.dumps(entries, indent=2) + "\n"
        case Output.YAML:
            return yaml.safe_dump(entries, sort_keys=False)
        case Output.NAME:
            return "".join(f"{each.check}\n" for each in found if each.level is Level.FAILED)
        case None:
            return text(found)


async def _checked(
    where: tuple[str, str, str], wanted: Wanted, operator_namespace: str, seconds: float
) -> tuple[Finding, ...]:
    async with connected(*where) as cluster:
        found = findings(await collect(cluster, wanted, operator_namespace), wanted)
        if not wanted.image or any(each.level is Level.FAILED for each in found):
            return found
        return (*found, await check_push(cluster, wanted, seconds))
