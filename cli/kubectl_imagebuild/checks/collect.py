"""Reads what doctor checks, with the user's rights. Nothing is created."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from imagebuild import ApiError
from imagebuild_vocabulary.names import API_VERSION, GROUP, KIND, PLURAL

from kubectl_imagebuild.checks.facts import Facts, Operator, Trial, missing_fields
from kubectl_imagebuild.checks.findings import NEEDED, USEFUL, Wanted
from kubectl_imagebuild.cluster.installation import Installation, responsible
from kubectl_imagebuild.cluster.operators import find_operators
from kubectl_imagebuild.cluster.reader import Cluster, Found, Hidden
from kubectl_imagebuild.explanation.facts import explain_build, new_build

_SCHEMA: Final = "dev.imagebuild.v1alpha1.ImageBuild"
#: An image that the least build names; it is not pushed.
_IMAGE: Final = "registry.example.com/imagebuild-doctor"
#: What an explanation says of where it comes from.
_ON_THE_OPERATOR: Final = ("Settings of ", "The operator has version", "No operator builds", "Defaults in force")


async def collect(cluster: Cluster, wanted: Wanted, operator_namespace: str = "") -> Facts:
    """Read the facts.

    Args:
        cluster: The cluster.
        wanted: What the user wants to be checked.
        operator_namespace: Namespace of the operator; empty to look for it.
    """
    now = datetime.now(UTC)
    resources = await cluster.get(f"/apis/{API_VERSION}")
    if not _has_builds(resources):
        return Facts(cluster.namespace, now, is_installed=False)
    rights = [*NEEDED, *USEFUL]
    may = cluster.connection.may
    allowed = await asyncio.gather(*(may(each.verb, each.resource, each.group, cluster.namespace) for each in rights))
    trial, server_time = await _trial(cluster, wanted, operator_namespace)
    facts = Facts(
        namespace=cluster.namespace,
        now=server_time or now,
        missing=await _missing_fields(cluster),
        rights=dict(zip(rights, allowed, strict=True)),
        builds=await cluster.list(cluster.path(PLURAL, group=API_VERSION)),
        trial=trial,
        secrets={
            name: await cluster.get(cluster.path("secrets", name))
            for name in (wanted.push_secret, wanted.git_secret)
            if name
        },
    )
    operators = await find_operators(cluster, operator_namespace)
    if isinstance(operators, Hidden):
        return replace(facts, operators=operators)
    found = responsible(operators, cluster.namespace, {})
    if found is None:
        return replace(facts, operators=operators)
    nodes = await cluster.list(cluster.path("nodes", namespace=""))
    return replace(facts, operators=operators, operator=await _with_lease(cluster, found), nodes=nodes)


def least_build(wanted: Wanted) -> dict[str, Any]:
    """The least ImageBuild that uses what the user wants to be checked."""
    output: dict[str, Any] = {"images": [wanted.image or _IMAGE]}
    if wanted.push_secret:
        output["pushSecretRef"] = {"name": wanted.push_secret}
    spec = {"source": {"inline": {"files": {"Dockerfile": "FROM scratch\n"}}}, "output": output}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"generateName": "imagebuild-doctor-"}, "spec": spec}


def _has_builds(resources: Found) -> bool:
    if resources is None or isinstance(resources, Hidden):
        return resources is not None
    return PLURAL in {each["name"] for each in resources.get("resources") or ()}


async def _missing_fields(cluster: Cluster) -> tuple[str, ...] | None:
    document = await cluster.get(f"/openapi/v3/apis/{API_VERSION}")
    if document is None or isinstance(document, Hidden):
        return None
    schema = ((document.get("components") or {}).get("schemas") or {}).get(_SCHEMA)
    return missing_fields(schema) if schema else None


async def _trial(cluster: Cluster, wanted: Wanted, operator_namespace: str) -> tuple[Trial, datetime | None]:
    """Check the least build as a dry run; also the time of the API server."""
    try:
        build = await new_build(cluster, least_build(wanted))
    except ApiError as error:
        may_not = f'cannot create resource "{PLURAL}" in API group "{GROUP}"' in error.message
        return Trial(refusal="" if may_not else error.message), None
    found = await explain_build(cluster, build, operator_namespace, with_dry_run=True)
    own = f"Secret {wanted.push_secret} "
    notes = tuple(
        note
        for note in found.notes
        if not note.startswith(_ON_THE_OPERATOR) and not (wanted.push_secret and note.startswith(own))
    )
    return Trial("", found.explanation, notes), datetime.fromisoformat(build["metadata"]["creationTimestamp"])


async def _with_lease(cluster: Cluster, found: Installation) -> Operator:
    lease = found.settings.lease
    if lease is None:
        return Operator(found)
    path = cluster.path("leases", lease.name, group="coordination.k8s.io/v1", namespace=lease.namespace)
    return Operator(found, await cluster.get(path))
