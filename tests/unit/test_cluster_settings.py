"""Test clusters of different numbers share no address, interface or folder."""

import pytest
from cluster import settings
from cluster.console import ClusterError


def owned(number: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    monkeypatch.setenv("IMAGEBUILD_CLUSTER_NUMBER", number)
    cluster = settings.cluster(functional=False)
    names = {cluster.host_address, cluster.node_address, cluster.pod_subnet, cluster.service_subnet}
    names |= {cluster.dns_service, cluster.kubernetes_service, cluster.loopback, cluster.host_interface}
    return names | {cluster.server, str(cluster.state), cluster.name, str(cluster.lock)}


@pytest.mark.parametrize("state", ["", "/state/cluster"])
def test_clusters_of_different_numbers_have_nothing_in_common(state: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("IMAGEBUILD_CLUSTER_STATE", state)
    all_of_them = [owned(str(number), monkeypatch) for number in settings.NUMBERS]
    assert len(set.union(*all_of_them)) == sum(map(len, all_of_them))


@pytest.mark.parametrize("number", ["one", "-1", "10"])
def test_another_number_is_refused_with_what_to_write(number: str, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ClusterError, match=f"IMAGEBUILD_CLUSTER_NUMBER is '{number}'; set it to a number from 0 to 9"):
        owned(number, monkeypatch)
