"""The traces of builds, as a collector receives them."""

from collections.abc import Iterator

import pytest
from functional.kube import Builds, spec
from functional.kubelet import PUSHED, Kubelet, terminated
from functional.operator_process import OperatorProcess, Settings
from kubernetes import client
from support.otlp import Collector
from support.waiting import until
from support.watching import phase, wait_for_build, wait_for_finish

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture
def settings(collector: Collector) -> Settings:
    return {"tracing": {"endpoint": collector.endpoint}, "log": {"format": "json"}}


def test_a_build_is_one_trace_in_that_of_whoever_made_it(
    operator: OperatorProcess,
    collector: Collector,
    builds: Builds,
    kubelet: Kubelet,
    api: client.ApiClient,
    namespace: str,
):
    builds.create(spec(), traceparent=f"00-{TRACE}-{CALLER}-01")
    pod = kubelet.pod()
    wait_for_build(api, namespace, "hello", phase)
    build = terminated(0, '{"timings": {"fetchMs": 2000, "buildMs": 15000}}')
    kubelet.report(pod, "Succeeded", build=build, push=PUSHED)
    wait_for_finish(api, namespace, "hello")
    # The status is there before the operator has the answer to its write, and the trace follows that.
    until(lambda: '"event": "Succeeded"' in operator.log)
    operator.stop()
    found = collector.of(TRACE)
    assert found["ImageBuild"].parent_span_id.hex() == CALLER
    assert {"ImageBuild", "queue", "attempt", "build", "fetch"} <= set(found)
    assert found["attempt"].parent_span_id == found["ImageBuild"].span_id
    assert found["build"].parent_span_id == found["attempt"].span_id
    assert collector.services == {"imagebuild-operator"}
    for container in pod["spec"]["initContainers"] + pod["spec"]["containers"]:
        told = {variable["name"]: variable.get("value") for variable in container["env"]}
        assert told["TRACEPARENT"] == f"00-{TRACE}-{found['attempt'].span_id.hex()}-01"
    assert f'"trace_id": "{TRACE}"' in operator.log


def test_without_a_caller_the_uid_is_the_trace(
    operator: OperatorProcess, collector: Collector, builds: Builds, api: client.ApiClient, namespace: str
):
    uid = builds.create(spec(cancel=True), traceparent="nonsense")["metadata"]["uid"]
    wait_for_finish(api, namespace, "hello")
    [root] = until(lambda: list(collector.of(uid.replace("-", "")).values()))
    assert (root.name, root.parent_span_id) == ("ImageBuild", b"")
    assert {a.key: a.value.string_value for a in root.attributes}["cicd.pipeline.result"] == "cancellation"
    assert operator.is_running()


def test_a_collector_that_is_away_costs_a_build_nothing(
    operator: OperatorProcess, collector: Collector, builds: Builds, api: client.ApiClient, namespace: str
):
    collector.close()
    builds.create(spec(cancel=True))
    assert wait_for_finish(api, namespace, "hello")["phase"] == "Cancelled"
    assert operator.is_running()
