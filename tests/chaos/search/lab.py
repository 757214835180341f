"""Runs a plan: an operator behind a proxy that perturbs its calls, in a namespace of its own."""

import asyncio
import json
import math
import signal
import ssl
import tempfile
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from chaos.invariants import Violation, violations
from chaos.records import Records
from chaos.search.kinds import KINDS
from chaos.search.plans import Perturbation, Plan, Point
from chaos.search.world import World
from functional.operator_process import Deaths, OperatorProcess
from kubernetes import client, config
from support.api_faults import NO_EVENT_FAULT, NOTHING, Call, EventFault, Fault
from support.api_proxy import ApiProxy

SECRET: Final = "c2VjcmV0LXRoYXQtbm9ib2R5LW1heS1zZWU"
#: Seconds without any change after which a plan is over; more than each silence and backoff that the plans lead to.
PATIENCE: Final = 20.0
ANSWERS: Final = {
    "lost": Fault(status=0),
    "conflict": Fault(status=409, reaches=False),
    "throttled": Fault(status=429, reaches=False, headers={"Retry-After": "1"}),
    "failed": Fault(status=500, reaches=False),
    "taken-and-failed": Fault(status=500),
}


@dataclass(frozen=True)
class Outcome:
    """What came of a plan.

    Attributes:
        violations: What does not hold.
        points: What has happened, for plans to be made from.
        done: What was done of the plan: not every point comes in every run.
        log: The operator's.
    """

    violations: list[Violation]
    points: list[Point]
    done: list[Perturbation]
    log: str


@dataclass
class Perturber:
    """Decides for each call and event what is done to it."""

    operator: OperatorProcess
    left: list[Perturbation]
    done: list[Perturbation] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    deaths: Deaths = field(init=False)
    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lists: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.deaths = Deaths(self.operator)

    def fault(self, call: Call) -> Fault:
        """What is done to a call."""
        if call.is_list:
            resource = call.path.rpartition("/")[2]
            is_stale = bool(self._take("list", resource))
            key = f"{call.path}?{sorted(call.query.items())}"
            return Fault(edit=lambda text: self._list(key, text, is_stale=is_stale))
        if (
            not call.is_write
            or call.build is None
            or call.build not in KINDS
            or (call.body or {}).get("kind") == "Event"
        ):
            return NOTHING
        faults = [self._of_write(each) for each in self._take("write", call.build, call.nth)]
        return faults[0] if faults else NOTHING

    def event_fault(self, call: Call, line: bytes) -> EventFault:
        """What is done to an event."""
        resource = call.path.rpartition("/")[2]
        if resource not in {"imagebuilds", "pods"}:
            return NO_EVENT_FAULT
        event = json.loads(line)
        metadata: dict[str, Any] = event["object"].get("metadata") or {}
        owners = metadata.get("ownerReferences") or [{}]
        build = str(metadata.get("name") if resource == "imagebuilds" else owners[0].get("name"))
        if event["type"] in {"BOOKMARK", "ERROR"} or build not in KINDS:
            return NO_EVENT_FAULT
        faults = [_of_event(each) for each in self._take(resource, build)]
        return faults[0] if faults else NO_EVENT_FAULT

    def _take(self, what: str, build: str, nth: int = 0) -> list[Perturbation]:
        """What is to be done at the point that is reached now."""
        self._counts[what, build] += 1
        point = Point(what, build, nth or self._counts[what, build])
        self.points.append(point)
        found = [each for each in self.left if each.at == point] if self.deaths.is_up else []
        for each in found:
            self.left.remove(each)
            self.done.append(each)
        return found[:1]

    def _list(self, key: str, text: bytes, *, is_stale: bool) -> bytes:
        self._lists[key].append(text)
        return self._lists[key][0] if is_stale else text

    def _of_write(self, each: Perturbation) -> Fault:
        match each.kind:
            case "crash-before":
                return Fault(before=self.deaths.kill, reaches=False, status=0)
            case "crash-after":
                return Fault(after=self.deaths.kill, status=0)
            case "slow":
                return Fault(hold=each.seconds)
            case "pause":
                return Fault(before=lambda: self._pause(each.seconds))
            case kind:
                return ANSWERS[kind]

    def _pause(self, seconds: float) -> None:
        self.operator.send(signal.SIGSTOP)
        threading.Timer(seconds, self._go_on).start()

    def _go_on(self) -> None:
        if self.deaths.is_up:
            self.operator.send(signal.SIGCONT)


def _of_event(each: Perturbation) -> EventFault:
    match each.kind:
        case "late":
            return EventFault(hold=each.seconds)
        case "missed":
            # All that happens meanwhile is missed; then everything is listed.
            return EventFault(hold=each.seconds, expires=True)
        case "cut":
            return EventFault(cut=True)
        case _:
            return EventFault(times=2)


def run_plan(plan: Plan, kubeconfig: Path) -> Outcome:
    """Run a plan in a namespace of its own."""
    with config.new_client_from_config(str(kubeconfig)) as api, tempfile.TemporaryDirectory() as folder:
        namespace, since = _namespace(api)
        try:
            return _run(plan, kubeconfig, api, namespace, since, Path(folder))
        finally:
            custom = client.CustomObjectsApi(api)
            for plural in ("trackedimages", "imagebuilds"):
                custom.delete_collection_namespaced_custom_object("imagebuild.dev", "v1alpha1", namespace, plural)
            client.CoreV1Api(api).delete_namespace(namespace)
            api.rest_client.pool_manager.clear()


def _run(plan: Plan, kubeconfig: Path, api: client.ApiClient, namespace: str, since: str, folder: Path) -> Outcome:
    with ApiProxy(kubeconfig).running() as proxy:
        settings = {"watches": {"silenceSeconds": 5}, "admission": {"maxRunningPerNamespace": plan.limit}}
        operator = OperatorProcess(
            proxy.kubeconfig(folder / "kubeconfig"), namespace, folder / "operator.log", settings
        )
        perturber = Perturber(operator, list(plan.perturbations))
        proxy.fault, proxy.event_fault = perturber.fault, perturber.event_fault
        world = World(str(api.configuration.host), _tls(api), namespace, plan.builds, plan.seed)
        operator.start()
        with perturber.deaths.survived():
            asyncio.run(world.live(since, PATIENCE))
        operator.stop(signal.SIGKILL)
        proxy.fault, proxy.event_fault = lambda _: NOTHING, lambda _, __: NO_EVENT_FAULT
    found = violations(_records(plan, world, namespace, operator.log))
    found += [Violation("log", "the operator", line) for line in operator.surprises()]
    created = Counter(version.name for version in world.builds if version.change == "ADDED")
    wanted = {f"{namespace}/{name}" for name in plan.builds}
    found += [
        Violation(
            "one build for one cause", name, f"it was created {count} times, and wanted {int(name in wanted)} times"
        )
        for name, count in created.items()
        if count > (name in wanted)
    ]
    return Outcome(found, perturber.points, perturber.done, operator.log)


def _records(plan: Plan, world: World, namespace: str, log: str) -> Records:
    bodies = json.dumps([version.body for version in (*world.builds, *world.pods)])
    return Records(
        expected={f"{namespace}/{name}": KINDS[name].expected for name in plan.builds},
        builds=world.builds,
        pods=world.pods,
        texts={"the operator's log": log, "pods and builds": bodies},
        secrets=[SECRET],
        namespace_limits={namespace: plan.limit} if plan.limit else {},
        lost_seconds=math.inf,
        keeps_succeeded=False,
    )


def _namespace(api: client.ApiClient) -> tuple[str, str]:
    """A new namespace with what builds need; its name, and a resourceVersion from which its builds can be watched."""
    core = client.CoreV1Api(api)
    made = core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(generate_name="search-")))
    assert made.metadata
    assert made.metadata.name
    name = made.metadata.name
    account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
    core.create_namespaced_service_account(name, account)
    secret = client.V1Secret(metadata=client.V1ObjectMeta(name="secret"), string_data={"token": SECRET})
    core.create_namespaced_secret(name, secret)
    # Not the namespace's own: the API server may have started to serve builds after it, and then knows nothing so old.
    custom = client.CustomObjectsApi(api)
    builds: Any = custom.list_namespaced_custom_object("imagebuild.dev", "v1alpha1", name, "imagebuilds")
    return name, str(builds["metadata"]["resourceVersion"])


def _tls(api: client.ApiClient) -> ssl.SSLContext:
    given = api.configuration
    tls = ssl.create_default_context(cafile=given.ssl_ca_cert)
    tls.load_cert_chain(given.cert_file, given.key_file)
    return tls
