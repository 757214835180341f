"""Reads what an explanation needs, with the user's rights, and says what they may not see."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from imagebuild import ApiError, ExistsError, NotFoundError
from imagebuild_operator.api.body import Document
from imagebuild_operator.api.errors import ClusterError, RejectedError
from imagebuild_operator.defaults.namespace import NamespaceDefaults, namespace_defaults
from imagebuild_operator.defaults.objects import DefaultsObject, parse_defaults
from imagebuild_vocabulary.names import (
    API_VERSION,
    CLUSTER_DEFAULTS_PLURAL,
    DEFAULTS_NAME,
    DEFAULTS_PLURAL,
    INDEX,
    PLURAL,
)

from kubectl_imagebuild.cluster.installation import Installation, assumed, responsible
from kubectl_imagebuild.cluster.operators import find_operators
from kubectl_imagebuild.cluster.reader import Cluster, Hidden
from kubectl_imagebuild.explanation.decision import Explanation, Facts, explain
from kubectl_imagebuild.explanation.references import problem, references

#: Phases of builds that have ended.
_FINAL: Final = frozenset({"Succeeded", "Failed", "Cancelled"})
#: Statuses with which the API server refuses an object for good.
_REJECTED: Final = frozenset({400, 403, 422})
#: The words of the API server for a user who may not create pods.
_MAY_NOT: Final = 'cannot create resource "pods"'


@dataclass(frozen=True, slots=True)
class Findings:
    """An explanation, and what it rests on.

    Attributes:
        build: The ImageBuild.
        explanation: What the operator does with it.
        notes: What to know of the explanation, a sentence each.
    """

    build: Mapping[str, Any]
    explanation: Explanation
    notes: tuple[str, ...]


async def existing_build(cluster: Cluster, name: str) -> dict[str, Any]:
    """Read an ImageBuild.

    Raises:
        ApiError: there is none, or the user may not read it.
    """
    return await cluster.connection.call("GET", cluster.path(PLURAL, name, group=API_VERSION))


async def new_build(cluster: Cluster, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Let the API server complete an ImageBuild as if it were created; nothing is stored.

    Raises:
        ApiError: the API server would refuse it.
    """
    path = cluster.path(PLURAL, group=API_VERSION)
    try:
        body = await cluster.dry_run(path, manifest)
    except ExistsError:
        name = manifest["metadata"]["name"]
        metadata = {key: value for key, value in manifest["metadata"].items() if key != "name"}
        body = await cluster.dry_run(path, {**manifest, "metadata": {**metadata, "generateName": f"{name[:50]}-"}})
        body["metadata"]["name"] = name
    body["metadata"].setdefault("resourceVersion", "0")
    return body


async def explain_build(
    cluster: Cluster, build: Mapping[str, Any], operator_namespace: str = "", *, with_dry_run: bool = False
) -> Findings:
    """Explain what the operator does with a build.

    Args:
        cluster: The cluster.
        build: The ImageBuild, as the API server holds it or would hold it.
        operator_namespace: Namespace of the operator; empty to look for it.
        with_dry_run: Whether to send the pods to the API server as a dry run.
    """
    now = datetime.now(UTC)
    installed, notes = await _installation(cluster, build, operator_namespace)
    defaults, limit, missing = await _defaults(cluster, installed)
    others, unseen = await _others(cluster, installed)
    facts = Facts(build, installed.settings, defaults, others, now, limit)
    found = explain(facts)
    if with_dry_run:
        refusals, said = await _refusals(cluster, found.pods)
        found = explain(replace(facts, refusals=refusals))
        missing = [*missing, *said]
    problems = await missing_objects(cluster, found.pods)
    notes = [*notes, *_on_defaults(defaults), *missing, *unseen, *problems]
    return Findings(build, found, tuple(notes))


async def missing_objects(cluster: Cluster, pods: Iterable[Mapping[str, Any]]) -> list[str]:
    """Say what pods refer to and cannot use, as far as the user may read it."""
    said: list[str] = []
    for reference in references(pods):
        body = await cluster.get(cluster.path(reference.kind.plural, reference.name))
        if isinstance(body, Hidden):
            said.append(f"{reference.kind} {reference.name} is not checked: you may not read it.")
        elif text := problem(reference, body):
            said.append(text)
    return list(dict.fromkeys(said))


async def _installation(cluster: Cluster, build: Mapping[str, Any], namespace: str) -> tuple[Installation, list[str]]:
    found = await find_operators(cluster, namespace)
    if isinstance(found, Hidden):
        used = assumed("you may not see the operator's Deployment")
        return used, [f"Settings of the operator: {used.origin}."]
    labels = build["metadata"].get("labels") or {}
    used = responsible(found, cluster.namespace, labels) or assumed("no operator is found")
    if not used.name:
        text = f"No operator builds ImageBuilds like this in namespace {cluster.namespace}: check what it watches."
        return used, [text, f"Settings of the operator: {used.origin}."]
    notes = [f"Settings of operator {used.namespace}/{used.name}: {used.origin}.", used.version_difference]
    return used, list(filter(None, notes))


async def _defaults(cluster: Cluster, installed: Installation) -> tuple[NamespaceDefaults, int | None, list[str]]:
    """The defaults in force, the limit of the cluster's, and what cannot be seen of them."""
    own = cluster.path(DEFAULTS_PLURAL, DEFAULTS_NAME, group=API_VERSION)
    wide = cluster.path(CLUSTER_DEFAULTS_PLURAL, DEFAULTS_NAME, group=API_VERSION, namespace="")
    # An operator that watches some namespaces has no right to read what belongs to none.
    paths = [own] if installed.settings.namespaces else [own, wide]
    objects: list[DefaultsObject | None] = []
    notes: list[str] = []
    for path, kind in zip(paths, ("ImageBuildDefaults", "ClusterImageBuildDefaults"), strict=False):
        body = await cluster.get(path)
        if isinstance(body, Hidden):
            notes.append(f"{kind} are not considered: you may not read them.")
        objects.append(None if body is None or isinstance(body, Hidden) else parse_defaults(body))
    namespace, *rest = objects
    of_cluster = rest[0] if rest else None
    limit = (of_cluster.spec.get("limits") or {}).get("maxRunning") if of_cluster else None
    return namespace_defaults(namespace, of_cluster), limit, notes


async def _others(cluster: Cluster, installed: Installation) -> tuple[list[Document], list[str]]:
    """The builds that have not ended, and whether the user may not see some of them."""
    everywhere = await cluster.list(cluster.path(PLURAL, group=API_VERSION, namespace=""))
    if not isinstance(everywhere, Hidden):
        return _unfinished(everywhere), []
    note = "The cluster's limit of builds is not considered: you may not list the builds of other namespaces."
    notes = [note] if installed.settings.limits.cluster else []
    here = await cluster.list(cluster.path(PLURAL, group=API_VERSION))
    if isinstance(here, Hidden):
        return [], [*notes, "Other builds are not considered: you may not list them."]
    return _unfinished(here), notes


def _unfinished(bodies: Iterable[Mapping[str, Any]]) -> list[Document]:
    return [dict(body) for body in bodies if (body.get("status") or {}).get("phase") not in _FINAL]


def _on_defaults(defaults: NamespaceDefaults) -> list[str]:
    named = [f"{each['kind']} (generation {each['generation']})" for each in defaults.sources]
    return [f"Defaults in force: {' over '.join(named)}."] if named else []


async def _refusals(cluster: Cluster, pods: Iterable[Mapping[str, Any]]) -> tuple[dict[str, ClusterError], list[str]]:
    """The API server's answers to the pods of a build, as if they were created now, and what they do not tell."""
    refusals: dict[str, ClusterError] = {}
    for pod in pods:
        name = pod["metadata"]["name"]
        try:
            await cluster.dry_run(cluster.path("pods"), pod)
        except (ExistsError, NotFoundError):
            continue
        except ApiError as error:
            if _MAY_NOT in error.message:
                return refusals, ["The pods are not checked by the API server: you may not create pods."]
            kind = RejectedError if error.status in _REJECTED else ClusterError
            if pod["metadata"]["labels"].get("app.kubernetes.io/component") != INDEX:
                refusals[name] = kind(error.status, error.message.removesuffix("."))
    return refusals, []
