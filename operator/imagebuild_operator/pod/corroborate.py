"""The two builds of an image that is pushed only if both make the same.

The first is an attempt that does not push, and ends with the digest of what it has made. The pods after it push nothing
else. Pure.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from imagebuild_operator.api.build import Attempts, BuildSpec, Cache, Corroborate, ImageBuild
from imagebuild_operator.pod.env import Variable, plain

Witness = Mapping[str, Any]


def witness_in(attempts: Attempts) -> Witness | None:
    """The attempt that has built the image first, if one has."""
    return next((attempt for attempt in attempts if "digest" in attempt), None)


def is_first(build: ImageBuild, spec: BuildSpec) -> bool:
    """Whether the next attempt is the first of two builds; never for the pod of an index, which builds nothing."""
    has_pod_of_index = spec.has_index and build.platform is None
    return spec.corroborate is not None and witness_in(build.attempts) is None and not has_pod_of_index


def first_spec(spec: BuildSpec) -> BuildSpec:
    """What the first of two builds does: from nothing that another build has left, and for nobody else to see."""
    return replace(spec, push=False, cache=Cache(enabled=False), vulnerabilities=None)


def corroborating_variables(build: ImageBuild, spec: BuildSpec) -> list[Variable]:
    """What the container `push` needs: to describe the image, or to push it only if it is the one described."""
    if is_first(build, spec):
        return plain("CORROBORATE", "true")
    witness = witness_in(build.attempts)
    if spec.corroborate is None or witness is None:
        return []
    names = {"digest": "digest", "contents": "contents", "pod": "podName", "node": "node"}
    told = {name: witness.get(field, "") for name, field in names.items()}
    return plain("CORROBORATED_BY", json.dumps(told))


def away_from_first(build: ImageBuild, spec: BuildSpec, pod_spec: dict[str, Any]) -> dict[str, Any]:
    """The spec of a pod that does not run on the node of the first build, if that was asked for."""
    witness = witness_in(build.attempts)
    if spec.corroborate is not Corroborate.OTHER_NODE or witness is None or not witness.get("node"):
        return pod_spec
    other = {"key": "metadata.name", "operator": "NotIn", "values": [witness["node"]]}
    affinity = pod_spec.get("affinity") or {}
    nodes = affinity.get("nodeAffinity") or {}
    required = nodes.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    # Each term is an alternative, so each has to have it.
    terms = [
        {**term, "matchFields": [*(term.get("matchFields") or ()), other]}
        for term in required.get("nodeSelectorTerms") or [{}]
    ]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return {**pod_spec, "affinity": {**affinity, "nodeAffinity": {**nodes, **required}}}
