"""Two hundred random specs, each of which must end, with a reason, whatever becomes of its pods."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from functional.kube import Builds, Json
from functional.kubelet import PUSHED, Kubelet, terminated, waiting
from functional.operator_process import OperatorProcess
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from kubernetes import client, watch
from support.specs import specs
from support.watching import GROUP, PLURAL, VERSION, phase

COUNT = 200
ENDS = {"Succeeded", "Failed", "Cancelled"}
#: Seconds of spec.timeoutSeconds that the test waits for; longer ones are never met.
SOON = 3
BUILT = terminated(0, json.dumps({"timings": {"buildMs": 20000}}))
FAILED = terminated(7, json.dumps({"reason": "RunCommandFailed", "message": "RUN make failed."}), "Error")
UNAVAILABLE = terminated(80, json.dumps({"reason": "RegistryUnavailable", "message": "No answer."}), "Error")
KILLED = terminated(137, "", "OOMKilled")
GARBLED = terminated(84, '{"reason": "Never heard of", "message": 7, "timings": []', "Error")
UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes fit."}
EVICTED = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "Drained."}


def some_specs(count: int) -> list[Json]:
    """Specs, the same in each run, the first ones among the smallest."""
    made: list[Json] = []

    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(specs(timeoutSeconds=st.sampled_from([1, SOON, 3600]), group=st.sampled_from("abcd")))
    def collect(spec: Json) -> None:
        made.append(spec)

    collect()
    return made


class Fate:
    """What becomes of pods: chosen at random, but a build that has been through enough is let be."""

    def __init__(self, kubelet: Kubelet, patience: Mapping[str, int]) -> None:
        self._kubelet = kubelet
        self._patience = patience
        self._random = Random(20)
        self._pods: dict[str, int] = {}

    def meet(self, pod: Json) -> None:
        """Let one pod come to its end, or to a state that its build has to wait in."""
        build = pod["metadata"]["ownerReferences"][0]["name"]
        met = self._pods[build] = self._pods.get(build, 0) + 1
        # By the third pod neither retries nor their growing waits are the question.
        fate = self._random.choice(self._choices(build)) if met < 3 else {"phase": "Succeeded", "build": BUILT}
        own = {"push": PUSHED} if fate["phase"] == "Succeeded" else {}
        try:
            self._kubelet.report(pod, **{**fate, **own})
        except client.ApiException as error:
            # Its build may have been cancelled or superseded in the meantime.
            if error.status != 404:
                raise

    def _choices(self, build: str) -> list[dict[str, Any]]:
        ends: list[dict[str, Any]] = [
            {"phase": "Succeeded", "build": BUILT},
            {"phase": "Failed", "build": FAILED},
            {"phase": "Failed", "build": UNAVAILABLE},
            {"phase": "Failed", "build": KILLED},
            {"phase": "Failed", "build": GARBLED},
            {"phase": "Failed", "build": BUILT, "push": UNAVAILABLE},
            {"phase": "Failed", "reason": "Evicted", "message": "Drained.", "conditions": [EVICTED]},
            {"phase": "Failed", "reason": "DeadlineExceeded", "message": "Active longer than its deadline."},
        ]
        waits: list[dict[str, Any]] = [
            {"phase": "Pending", "conditions": [UNSCHEDULABLE]},
            {"phase": "Pending", "build": waiting("CreateContainerConfigError", 'secret "s" not found')},
        ]
        return [*ends, *(waits if self._patience[build] <= SOON else [])]


@contextmanager
def living(api: client.ApiClient, namespace: str, patience: Mapping[str, int]) -> Iterator[None]:
    """Let each pod of the namespace meet its fate once, as it comes."""
    done = threading.Event()

    def live() -> None:
        # A client of its own: the test's is not for two threads.
        with client.ApiClient(api.configuration) as own:
            fate = Fate(Kubelet(own, namespace), patience)
            version: dict[str, Any] = {}
            while not done.is_set():
                stream = watch.Watch()
                pods = client.CoreV1Api(own).list_namespaced_pod
                for event in stream.stream(pods, namespace, timeout_seconds=1, **version):
                    if event["type"] == "ADDED":
                        fate.meet(event["raw_object"])
                    version = {"resource_version": stream.resource_version}
            own.rest_client.pool_manager.clear()

    with ThreadPoolExecutor(1) as pool:
        life = pool.submit(live)
        try:
            yield
        finally:
            done.set()
            life.result()


@pytest.mark.shows("A20")
@pytest.mark.parametrize("settings", [{"retry": {"delaySeconds": 0.05}}])
def test_every_spec_that_is_accepted_ends_with_a_reason(
    operator: OperatorProcess, builds: Builds, api: client.ApiClient, namespace: str
):
    listed: Any = builds.api.list_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL)
    patience: dict[str, int] = {}
    refused: list[str] = []
    with living(api, namespace, patience):
        for number, spec in enumerate(some_specs(COUNT)):
            name = f"any-{number}"
            patience[name] = spec.get("timeoutSeconds", 3600)
            try:
                builds.create({**spec, "suspend": False}, name=name)
            except client.ApiException as error:
                del patience[name]
                refused.append(f"{error.body} {json.dumps(spec)[:2000]}")
        assert not refused, f"{len(refused)} were refused, the first: {refused[0]}"
        ended = ends_of(api, namespace, listed["metadata"]["resourceVersion"], set(patience))
    assert len(ended) == COUNT
    for body in ended.values():
        status = body["status"]
        assert status["phase"] == "Succeeded" or status["reason"], status
        assert status["message"], status
        [finished] = [entry for entry in status["conditions"] if entry["type"] == "Finished"]
        assert finished["status"] == "True"
    assert {phase(body) for body in ended.values()} == ENDS
    assert {"RunCommandFailed", "OutOfMemory", "DeadlineExceeded", "Cancelled"} <= {
        body["status"].get("reason") for body in ended.values()
    }
    assert operator.is_running()


def ends_of(api: client.ApiClient, namespace: str, since: str, names: set[str]) -> dict[str, Json]:
    """Every build when it has ended; some are deleted soon after."""
    ended: dict[str, Json] = {}
    last: dict[str, Json] = {}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        # A watch ends early where the definition has just been replaced.
        stream = watch.Watch()
        builds = client.CustomObjectsApi(api).list_namespaced_custom_object
        for event in stream.stream(
            builds, GROUP, VERSION, namespace, PLURAL, resource_version=since, timeout_seconds=10
        ):
            body, since = event["object"], stream.resource_version or since
            last[body["metadata"]["name"]] = body
            if phase(body) in ENDS:
                ended[body["metadata"]["name"]] = body
            if set(ended) == names:
                return ended
    left = names - set(ended)
    raise AssertionError(f"{len(left)} have not ended, one of them {min(left)}: {last.get(min(left))}")
