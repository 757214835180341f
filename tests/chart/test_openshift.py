"""What docs/how-to/openshift.md says: the SCC allows every build pod what it asks for, and no more."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.pod.index import index_pod
from imagebuild_operator.pod.manifest import Manifest, build_pod
from imagebuild_operator.settings import CAPABILITIES
from support.builds import DIGEST, SETTINGS, a_build

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "openshift.md"
OUTPUT = {"images": ["registry.example/app:1"], "push": True, "pushSecretRef": {"name": "push"}}
SOURCES: list[dict[str, Any]] = [
    {"inline": {"files": {"Dockerfile": "FROM scratch\n"}}},
    {"git": {"url": "git@example.com:a/b", "secretRef": {"name": "s"}}},
    {"configMap": {"name": "c"}},
    {"persistentVolumeClaim": {"claimName": "c", "path": "a"}},
]


@pytest.fixture(scope="module")
def scc() -> dict[str, Any]:
    """The page's SecurityContextConstraints."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    [found] = [yaml.safe_load(block) for block in blocks if "SecurityContextConstraints" in block]
    made: dict[str, Any] = found
    return made


def pods() -> list[Manifest]:
    specs = [{"source": source, "output": OUTPUT} for source in SOURCES]
    specs.append(
        {"source": SOURCES[0], "output": OUTPUT, "cache": {"mounts": {"persistentVolumeClaim": {"claimName": "c"}}}}
    )
    builds = [a_build(spec) for spec in specs]
    made = [build_pod(build, parse_spec(build.spec), SETTINGS.defaults) for build in builds]
    platforms = ["linux/amd64", "linux/arm64"]
    several = a_build(
        {"output": {**OUTPUT, "platforms": platforms}},
        {"platforms": [{"platform": name, "digest": DIGEST} for name in platforms]},
    )
    return [*made, index_pod(several, parse_spec(several.spec), SETTINGS.defaults, 60)]


def test_the_scc_allows_what_build_pods_ask_for(scc: dict[str, Any]) -> None:
    kinds = set()
    for pod in pods():
        spec = pod["spec"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert spec["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
        for container in [*spec.get("initContainers", ()), *spec["containers"]]:
            context = container["securityContext"]
            assert set(context["capabilities"].get("add", ())) <= set(scc["allowedCapabilities"])
            assert context["allowPrivilegeEscalation"] is scc["allowPrivilegeEscalation"] is False
            assert context["privileged"] is scc["allowPrivilegedContainer"] is False
            assert not [port for port in container.get("ports", ()) if "hostPort" in port]
        kinds |= {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
    assert kinds <= set(scc["volumes"])
    assert scc["seccompProfiles"] == ["runtime/default"]
    assert scc["runAsUser"] == {"type": "RunAsAny"}


def test_the_scc_allows_no_other_capability(scc: dict[str, Any]) -> None:
    assert scc["allowedCapabilities"] == list(CAPABILITIES)
    assert [name for name, value in scc.items() if name.startswith("allow") and value is True] == []
