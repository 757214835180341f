"""Credentials that the API server rejects."""

from pathlib import Path

import pytest
from functional.kube import Builds, spec
from functional.kubelet import Kubelet
from functional.operator_process import OperatorProcess, Settings
from kubernetes import client
from support.api_proxy import ApiProxy
from support.waiting import until

#: Seconds without a bookmark after which a watch is opened again, so that it is soon rejected.
WATCHES: Settings = {"silenceSeconds": 1}
REJECTED = "The API server has rejected the operator's credentials (401) for"


@pytest.mark.shows("F27")
def test_rejected_credentials_are_tried_ever_less_and_make_it_unready_until_they_are_accepted(
    proxy: ApiProxy, builds: Builds, kubelet: Kubelet, namespace: str, tmp_path: Path
):
    config = proxy.kubeconfig(tmp_path / "proxy.yaml")
    operator = OperatorProcess(config, namespace, tmp_path / "operator.log", {"watches": WATCHES})
    operator.start()
    until(lambda: operator.probe("/readyz")[0] == 200)
    before = len(proxy.calls)
    proxy.is_rejecting = True
    until(lambda: operator.log.count("Re-authentication has been initiated") == 4)
    calls = proxy.calls[before:]
    # The operator's own watches and its resync list by pages, by a backoff of each: not as often as kopf has sessions.
    own = sum("continue" in call.query for call in calls)
    # Three watches each time that there was a session.
    assert len(calls) - own <= 4 * 3 + 4
    # Five tries of each of the three take more than ten seconds.
    assert own <= 3 * 5
    assert REJECTED in operator.probe("/readyz")[1]
    assert operator.probe("/healthz")[0] == 200
    proxy.is_rejecting = False
    until(lambda: operator.probe("/readyz")[0] == 200)
    builds.create(spec())
    kubelet.pod()
    operator.stop()
    assert operator.surprises() == []


@pytest.mark.shows("F27")
def test_it_ends_when_its_token_is_revoked(
    token: Path, crd: Path, api: client.ApiClient, namespace: str, tmp_path: Path
):
    assert crd.exists()
    settings = {"watches": WATCHES, "credentials": {"rejectedSeconds": 3}}
    operator = OperatorProcess(token, namespace, tmp_path / "operator.log", settings)
    operator.start()
    until(lambda: operator.probe("/readyz")[0] == 200)
    client.CoreV1Api(api).delete_namespaced_service_account("operator", namespace)
    until(lambda: REJECTED in operator.probe("/readyz")[1])
    assert operator.wait() == 1
    assert f"{REJECTED} " in operator.log
    assert operator.surprises() == []
