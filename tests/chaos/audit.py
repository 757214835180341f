"""The audit log of an API server, read as a history of pods and ImageBuilds. Pure: lines in, versions out.

A server that is killed writes no line for the calls that it was answering. So a version can be missing, and its effect
is seen in the next one, or in what is there at the end.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from chaos.history import ADDED, DELETED, MODIFIED, Version

#: What the log has to hold; written where `IMAGEBUILD_CLUSTER_AUDIT` asks for the log (tests/cluster/kubernetes.py).
RESOURCES: Final = ("imagebuilds", "pods")
WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass
class History:
    """The versions of the objects that the log shows.

    Attributes:
        builds: Of ImageBuilds.
        pods: Of pods.
    """

    builds: list[Version] = field(default_factory=list)
    pods: list[Version] = field(default_factory=list)


def history(lines: Iterable[str]) -> History:
    """The history in the lines of an audit log."""
    found = History()
    newest: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # The server was killed while it wrote this line.
        resource = (entry.get("objectRef") or {}).get("resource")
        if resource in RESOURCES:
            versions = list(_versions(entry, newest))
            newest |= {key: version.body for version in versions for key in (version.uid, version.name)}
            (found.builds if resource == "imagebuilds" else found.pods).extend(versions)
    return found


def with_end(versions: Sequence[Version], bodies: Iterable[Mapping[str, Any]], now: float) -> list[Version]:
    """Versions, and those last ones that the log lacks.

    Args:
        versions: What the log shows of some objects.
        bodies: Those of them that are there at the end.
        now: When they were listed.
    """
    newest = {version.uid: version for version in sorted(versions, key=lambda version: version.revision)}
    gone = {version.uid for version in versions if version.change == DELETED}
    found = list(versions)
    for body in bodies:
        last = newest.pop(body["metadata"]["uid"], None)
        if last is None or int(body["metadata"]["resourceVersion"]) > last.revision:
            begin = _seconds(body["metadata"]["creationTimestamp"]) if last is None else last.end
            found.append(Version(MODIFIED, body, begin, now))
    found += [Version(DELETED, last.body, last.end, now) for uid, last in newest.items() if uid not in gone]
    return found


def _versions(entry: Mapping[str, Any], newest: Mapping[str, Mapping[str, Any]]) -> Iterator[Version]:
    code = (entry.get("responseStatus") or {}).get("code", 0)
    answer = entry.get("responseObject") or {}
    if entry.get("stage") != "ResponseComplete" or entry["verb"] not in WRITES or not 200 <= code < 300:
        return
    begin, end = _seconds(entry["requestReceivedTimestamp"]), _seconds(entry["stageTimestamp"])
    if entry["objectRef"].get("subresource") == "eviction":
        # The answer is no pod. One that has no node yet is gone at once.
        pod = newest.get(f"{entry['objectRef'].get('namespace')}/{entry['objectRef'].get('name')}", {})
        if pod and not (pod.get("spec") or {}).get("nodeName"):
            yield Version(DELETED, pod, begin, end)
        return
    bodies = answer.get("items") if entry["verb"] == "deletecollection" else [answer]
    for body in bodies or ():
        if "uid" not in (body.get("metadata") or {}):
            # A Status, as the answer to a binding, or to the deletion of an ImageBuild.
            uid = str((body.get("details") or {}).get("uid"))
            if entry["verb"] == "delete" and uid in newest:
                yield Version(DELETED, newest[uid], begin, end)
            continue
        yield Version(_change(entry["verb"], body), body, begin, end, forced=_is_forced(entry))


def _change(verb: str, body: Mapping[str, Any]) -> str:
    match verb:
        case "create":
            return ADDED
        case "delete" | "deletecollection":
            # With a grace period, the pod stays until the kubelet deletes it once more, without one.
            grace = body["metadata"].get("deletionGracePeriodSeconds")
            return MODIFIED if body["metadata"].get("deletionTimestamp") and grace else DELETED
        case _:
            return MODIFIED


def _is_forced(entry: Mapping[str, Any]) -> bool:
    """Whether somebody other than its node deletes an object at once."""
    user = (entry.get("user") or {}).get("username", "")
    options = entry.get("requestObject") or {}
    return entry["verb"] == "delete" and options.get("gracePeriodSeconds") == 0 and not user.startswith("system:node:")


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
