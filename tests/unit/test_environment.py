"""What the tools make of REGISTRY and its companions."""

from environment import ClusterRegistry


def test_a_path_belongs_to_the_registry_and_not_to_its_host():
    registry = ClusterRegistry("registry.example.com:5000/team", "localhost:5000/team", insecure=True, hub_mirror="")
    assert registry.host == "registry.example.com:5000"
    assert registry.builder_registries == [{"host": "registry.example.com:5000", "plainHTTP": True}]


def test_only_what_builds_need_is_configured():
    assert ClusterRegistry("ghcr.io/me", "ghcr.io/me", insecure=False, hub_mirror="").builder_registries == []
    mirrored = ClusterRegistry("ghcr.io/me", "ghcr.io/me", insecure=False, hub_mirror="mirror.example.com/hub")
    assert mirrored.builder_registries == [{"host": "docker.io", "mirrors": ["mirror.example.com/hub"]}]
