"""The DaemonSet that gives nodes a seccomp profile for BuildKit."""

import json

from chart.render import Chart, one, settings

LOCALHOST = {"type": "Localhost", "localhostProfile": "imagebuild/buildkit.json"}


def test_nothing_touches_the_nodes_by_default(chart: Chart) -> None:
    objects = chart.render()
    assert not [each for each in objects if each["kind"] == "DaemonSet"]
    assert settings(objects)["builder"]["buildkit"]["seccompProfile"] == {}


def test_the_profile_is_written_to_the_nodes_of_builds_and_used_there(chart: Chart) -> None:
    node_profile = {"enabled": True, "directory": "/kubelet/seccomp"}
    builder = {
        "buildkit": {"nodeProfile": node_profile},
        "nodeSelector": {"builds": "yes"},
        "tolerations": [{"key": "a"}],
    }
    objects = chart.render({"builder": builder})
    assert settings(objects)["builder"]["buildkit"]["seccompProfile"] == LOCALHOST
    pod = one(objects, "DaemonSet")["spec"]["template"]["spec"]
    assert pod["nodeSelector"]["builds"] == "yes"
    assert pod["tolerations"] == [{"key": "a"}]
    [node] = [volume for volume in pod["volumes"] if "hostPath" in volume]
    assert node["hostPath"] == {"path": "/kubelet/seccomp/imagebuild", "type": "DirectoryOrCreate"}
    # Nothing that stays running has the directory.
    [wait] = pod["containers"]
    assert "volumeMounts" not in wait
    assert wait["securityContext"]["runAsNonRoot"]
    [write] = pod["initContainers"]
    assert write["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_a_profile_that_the_values_name_is_used_instead(chart: Chart) -> None:
    own = {"type": "Localhost", "localhostProfile": "own.json"}
    objects = chart.render({"builder": {"buildkit": {"nodeProfile": {"enabled": True}, "seccompProfile": own}}})
    assert settings(objects)["builder"]["buildkit"]["seccompProfile"] == own


def test_the_pods_of_the_profile_are_not_the_operators(chart: Chart) -> None:
    objects = chart.render({"builder": {"buildkit": {"nodeProfile": {"enabled": True}}}})
    selected, labels = (
        one(objects, "Deployment")["spec"]["selector"]["matchLabels"],
        one(objects, "DaemonSet")["spec"]["template"]["metadata"]["labels"],
    )
    assert not selected.items() <= labels.items()


def test_the_profile_denies_what_no_build_needs(chart: Chart) -> None:
    objects = chart.render({"builder": {"buildkit": {"nodeProfile": {"enabled": True}}}})
    [text] = [each["data"]["buildkit.json"] for each in objects if "buildkit.json" in each.get("data", {})]
    profile = json.loads(text)
    [rule] = profile["syscalls"]
    assert (profile["defaultAction"], rule["action"]) == ("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO")
    assert rule["names"] == sorted(set(rule["names"]))
    assert {"bpf", "init_module", "io_uring_setup", "kexec_load", "perf_event_open"} <= set(rule["names"])
