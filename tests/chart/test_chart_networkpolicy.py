"""NetworkPolicies. That they are heeded is the network's matter; the test cluster's heeds none."""

from ipaddress import ip_address, ip_network
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from chart.render import KUBERNETES, Chart, one
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.pod.manifest import build_pod
from support.builds import SETTINGS, a_build

NAMES = {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
#: Where machines of clouds learn who they are: Amazon (two), Google and Azure, Alibaba, and a link-local neighbour.
METADATA = ["169.254.169.254", "fd00:ec2::254", "169.254.170.2", "100.100.100.200", "fe80::1"]
REACHABLE = ["10.0.0.1", "192.0.2.7", "100.64.0.1", "fd00::1", "2001:db8::1"]


def policies(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for item in objects if item["kind"] == "NetworkPolicy"]


def operators(chart: Chart, **values: object) -> dict[str, Any]:
    objects = chart.render({"networkPolicy": {"operator": values}})
    [policy] = policies(objects)
    kubernetes_validate.validate(policy, KUBERNETES, strict=True)
    labels = one(objects, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert policy["metadata"]["namespace"] == "imagebuild-system"
    assert policy["spec"]["policyTypes"] == (["Egress", "Ingress"] if values.get("limitEgress") else ["Ingress"])
    spec: dict[str, Any] = policy["spec"]
    return spec


def of_builds(chart: Chart, values: dict[str, Any]) -> list[dict[str, Any]]:
    return [policy for policy in policies(chart.render(values)) if policy["metadata"]["name"].endswith("-builds")]


def reaches(policy: dict[str, Any], address: str) -> bool:
    """Whether a build may reach an address at any port."""
    blocks = [peer["ipBlock"] for rule in policy["egress"] for peer in rule.get("to", ()) if "ipBlock" in peer]
    sought = ip_address(address)
    return any(
        sought in ip_network(block["cidr"]) and not any(sought in ip_network(each) for each in block["except"])
        for block in blocks
    )


@pytest.mark.shows("A50")
def test_by_default_others_reach_the_metrics_only(chart: Chart) -> None:
    spec = operators(chart)
    assert spec["ingress"] == [{"ports": [{"port": 8081, "protocol": "TCP"}]}]
    assert "egress" not in spec
    [policy] = policies(chart.render({"metrics": {"enabled": False}}))
    assert policy["spec"]["ingress"] == []
    assert policies(chart.render({"networkPolicy": {"operator": {"enabled": False}}})) == []


def test_the_operator_reaches_the_api_server_only(chart: Chart) -> None:
    api = {"cidrs": ["10.96.0.1/32", "fd00::1/128"], "ports": [6443]}
    spec = operators(chart, limitEgress=True, apiServer=api)
    assert spec["egress"] == [
        NAMES,
        {
            "ports": [{"port": 6443, "protocol": "TCP"}],
            "to": [{"ipBlock": {"cidr": "10.96.0.1/32"}}, {"ipBlock": {"cidr": "fd00::1/128"}}],
        },
    ]


def test_without_addresses_the_ports_of_the_api_server_are_allowed(chart: Chart) -> None:
    ports = [{"port": port, "protocol": "TCP"} for port in (443, 6443, 8443, 16443)]
    assert operators(chart, limitEgress=True)["egress"] == [NAMES, {"ports": ports}]


def test_others_may_be_let_in_and_reached(chart: Chart) -> None:
    monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    collector = {"to": [monitoring], "ports": [{"port": 4318}]}
    spec = operators(chart, **{"limitEgress": True, "from": [monitoring], "egress": [collector]})
    assert spec["ingress"][0]["from"] == [monitoring]
    assert spec["egress"][-1] == collector


@pytest.mark.shows("A37")
def test_builds_reach_no_metadata(chart: Chart) -> None:
    values = {"watchNamespaces": ["team-a", "team-b"], "networkPolicy": {"builds": {"enabled": True}}}
    made = of_builds(chart, values)
    assert [policy["metadata"]["namespace"] for policy in made] == ["team-a", "team-b"]
    for policy in made:
        kubernetes_validate.validate(policy, KUBERNETES, strict=True)
        assert [address for address in METADATA if reaches(policy["spec"], address)] == []
        assert [address for address in REACHABLE if not reaches(policy["spec"], address)] == []
        assert policy["spec"]["ingress"] == []
        assert policy["spec"]["egress"][0] == NAMES


def test_the_example_says_the_same_and_selects_build_pods(chart: Chart) -> None:
    values = {"watchNamespaces": ["team-a"], "networkPolicy": {"builds": {"enabled": True}}}
    [policy] = of_builds(chart, values)
    example = yaml.safe_load((chart.folder.parents[1] / "examples/networkpolicy.yaml").read_text())
    assert example["spec"] == policy["spec"]
    build = a_build()
    labels = build_pod(build, parse_spec(build.spec), SETTINGS.defaults)["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()


def test_an_operator_of_all_namespaces_lists_those_with_builds(chart: Chart) -> None:
    values = {"networkPolicy": {"builds": {"enabled": True, "namespaces": ["team-c"]}}}
    [policy] = of_builds(chart, values)
    assert policy["metadata"]["namespace"] == "team-c"


def test_without_a_list_the_example_is_named(chart: Chart) -> None:
    assert "apply examples/networkpolicy.yaml" in chart.refusal({"networkPolicy": {"builds": {"enabled": True}}})


@pytest.mark.parametrize("cidr", ["10.0.0.1", "everything", "10.0.0.1/x"])
def test_what_is_no_block_of_addresses(chart: Chart, cidr: str) -> None:
    assert "cidrs" in chart.refusal({"networkPolicy": {"operator": {"apiServer": {"cidrs": [cidr]}}}})
