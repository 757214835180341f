"""The builds of the search: what each asks for, what its pods do, and how it has to end. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from chaos.records import Expected

Json = Mapping[str, Any]
DIGEST: Final = "sha256:" + "ab" * 32
PLATFORMS: Final = ("linux/amd64", "linux/arm64")
SUCCESS: Final = Expected({"Succeeded": frozenset({""})})
#: A build that is cancelled in the moment in which it succeeds may succeed.
CANCELLED: Final = Expected({"Cancelled": frozenset({"Cancelled"})})


def running() -> Json:
    return {"running": {"startedAt": "2026-11-24T08:00:05Z"}}


def terminated(code: int, report: Json, reason: str = "Completed") -> Json:
    times = {"startedAt": "2026-11-24T08:00:05Z", "finishedAt": "2026-11-24T08:00:25Z"}
    return {"terminated": {"exitCode": code, "message": json.dumps(report), "reason": reason, **times}}


PUSHED: Final = terminated(0, {"digest": DIGEST, "images": [{"reference": "r/i:1", "digest": DIGEST}]})
BUILT: Final = terminated(0, {})

#: One step of a pod: its phase, and the states of `build` and of its own container.
Step = tuple[str, Json | None, Json | None]
WELL: Final[Sequence[Step]] = (
    ("Running", running(), None),
    ("Running", BUILT, running()),
    ("Succeeded", BUILT, PUSHED),
)
INDEX: Final[Sequence[Step]] = (("Running", None, running()), ("Succeeded", None, PUSHED))
UNAVAILABLE: Final = terminated(69, {"reason": "RegistryUnavailable", "message": "It is away."}, "Error")
BROKEN: Final = terminated(7, {"reason": "RunCommandFailed", "message": "RUN false failed."}, "Error")
ENDLESS: Final[Sequence[Step]] = (("Running", running(), None),)


@dataclass(frozen=True)
class Kind:
    """A build of the search.

    Attributes:
        expected: How it has to end.
        spec: What its spec has in addition to the least.
        pods: The steps of its first pod, its second, and so on; the last are those of all that follow.
        change: The change of its spec that its user makes when its pod runs, or at once where it is suspended.
        group: Its concurrency group.
        tracked: The TrackedImage for which the operator creates it; empty where its user does.
    """

    expected: Expected = SUCCESS
    spec: Json = field(default_factory=dict)
    pods: Sequence[Sequence[Step]] = (WELL,)
    change: Json | None = None
    group: str = ""
    tracked: str = ""


def _group(name: str, policy: str) -> Json:
    return {"concurrency": {"group": name, "policy": policy}}


#: By name, in the order in which they are created.
KINDS: Final[Mapping[str, Kind]] = {
    "well": Kind(),
    "again": Kind(pods=((("Running", running(), None), ("Failed", UNAVAILABLE, None)), WELL)),
    "broken": Kind(
        Expected({"Failed": frozenset({"RunCommandFailed"})}),
        pods=((("Running", running(), None), ("Failed", BROKEN, None)),),
    ),
    "endless": Kind(CANCELLED, pods=(ENDLESS,), change={"cancel": True}),
    "short": Kind(Expected(SUCCESS.ends, expires=True), {"ttlSecondsAfterFinished": 0}),
    "held": Kind(spec={"suspend": True}, change={"suspend": False}),
    "double": Kind(spec={"output": {"images": ["registry.example.com/team/app:1"], "platforms": list(PLATFORMS)}}),
    "first": Kind(Expected(SUCCESS.ends, group="line"), _group("line", "Serial"), group="line"),
    "second": Kind(Expected(SUCCESS.ends, group="line"), _group("line", "Serial"), group="line"),
    # Of two builds of the same second, an operator that starts does not know which is older.
    "old": Kind(
        Expected({"Succeeded": frozenset({""}), "Cancelled": frozenset({"Superseded"})}, group="race"),
        _group("race", "LatestCancelRunning"),
        group="race",
    ),
    "new": Kind(
        Expected({"Succeeded": frozenset({""}), "Cancelled": frozenset({"Superseded"})}, group="race"),
        _group("race", "LatestCancelRunning"),
        group="race",
    ),
    "image-1": Kind(tracked="image"),
    "other-1": Kind(
        Expected({"Failed": frozenset({"RunCommandFailed"})}),
        pods=((("Running", running(), None), ("Failed", BROKEN, None)),),
        tracked="other",
    ),
}


def manifest(name: str) -> dict[str, Any]:
    """The ImageBuild of a kind, or the TrackedImage for which the operator creates it."""
    kind = KINDS[name]
    spec = {
        "source": {"inline": {"files": {"Dockerfile": "FROM scratch\nCOPY . /\n"}}},
        "buildArgs": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "secret", "key": "token"}}}],
        **kind.spec,
    }
    if kind.tracked:
        # The next try of a build that has failed is after the end of each plan.
        patient = {"template": {"spec": spec}, "failure": {"backoff": {"initial": "1h"}}}
        return _body(
            "TrackedImage", kind.tracked, {**patient, "image": {"repositories": ["registry.example.com/team/app"]}}
        )
    return _body("ImageBuild", name, {"output": {"images": ["registry.example.com/team/app:1"]}, **spec})


def _body(kind: str, name: str, spec: Json) -> dict[str, Any]:
    return {"apiVersion": "imagebuild.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}


def steps(name: str, pod: Json, earlier: int) -> Sequence[Step]:
    """What becomes of a pod of a build that had so many before it."""
    if pod["spec"]["containers"][0]["name"] == "index":
        return INDEX
    pods = KINDS[name].pods
    return pods[min(earlier, len(pods) - 1)]


def status(pod: Json, step: Step) -> dict[str, Any]:
    """The status that a node writes for a step of a pod."""
    phase, build, own = step
    found: dict[str, Any] = {"phase": phase}
    name = pod["spec"]["containers"][0]["name"]
    for key, container, state in (("initContainerStatuses", "build", build), ("containerStatuses", name, own)):
        if state:
            entry = {"name": container, "state": state, "ready": False, "restartCount": 0, "image": "i", "imageID": ""}
            found[key] = [entry]
    return found
