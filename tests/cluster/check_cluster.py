"""Does the test cluster keep its promises? Run by hand, as root: pytest tests/cluster/check_cluster.py.

It checks a second cluster, with a state folder of its own and in a network namespace that plays the
host, so that one which is up stays untouched. The tests build on each other, in this order.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster import leftovers, processes, settings
from cluster.lifecycle import parts

STATE = Path("/var/lib/imagebuild-check")
HOST = "imagebuild-check-host"
CLUSTER = settings.full(STATE, number=0)
PARTS = [
    "registry-plain",
    "registry-private",
    "containerd",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "coredns",
]
QUICK_SECONDS = 2


def on_host(*argv: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if name not in {"KUBECONFIG", "IMAGEBUILD_CLUSTER_NUMBER"}
    }
    environment["IMAGEBUILD_CLUSTER_STATE"] = str(STATE)
    done = subprocess.run(
        ["nsenter", f"--net=/run/netns/{HOST}", *argv],
        cwd=settings.SOURCES.parent,
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stdout.write(f"$ {' '.join(map(str, argv))}\n{done.stdout}{done.stderr}")
    return done


def cluster(*argv: str) -> str:
    done = on_host(sys.executable, "-m", "cluster", *argv)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def kubectl(*argv: str, text: str | None = None) -> str:
    done = on_host(CLUSTER.bin / "kubectl", f"--kubeconfig={CLUSTER.kubeconfig}", *argv, text=text)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_pod(name: str, image: str, *command: str, pull_secret: str | None = None) -> str:
    """Run a pod to its end and return its log."""
    create_pod(name, image, *command, pull_secret=pull_secret)
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{name}", "--timeout=60s")
    log = kubectl("logs", name)
    kubectl("delete", "pod", name, "--now", "--wait=false")
    return log


def create_pod(name: str, image: str, *command: str, pull_secret: str | None = None) -> None:
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "containers": [{"name": "main", "image": image, "command": command}],
    }
    if pull_secret:
        spec["imagePullSecrets"] = [{"name": pull_secret}]
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
    kubectl("create", "-f", "-", text=json.dumps(manifest))


def kill(*names: str) -> None:
    """Kill -9 these parts."""
    victims = [each for each in processes.find(STATE) if each.part in names and each.leader]
    assert {each.part for each in victims} == set(names)
    processes.end(
        [each.pid for each in victims], lambda pid: any(pid == each.pid for each in processes.find(STATE)), grace=0
    )


def traces() -> dict[str, object]:
    """What a cluster may leave on the machine."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    own = [f"/{STATE.name}", f"/{CLUSTER.host_interface}"]
    return {
        "processes": list(processes.find(STATE)),
        "mounts": sorted(line.split()[4] for line in mounts if str(STATE) in line),
        "interfaces": json.loads(on_host("ip", "-json", "link").stdout),
        "namespaces": sorted(path.name for path in Path("/run/netns").iterdir()),
        "rules": [line for line in on_host("iptables-save").stdout.splitlines() if not line.startswith("#")],
        "groups": [str(path) for name in own for path in Path("/sys/fs/cgroup").glob(f"**{name}")],
        "kernel": {name: (leftovers.KERNEL / name).read_text() for name in leftovers.KERNEL_SETTINGS},
        "files": sorted(
            str(path)
            for folder in (Path("/var/lib"), Path("/run/lock"), *leftovers.FOLDERS)
            if folder.exists()
            for path in folder.iterdir()
            if STATE.name in str(path) or (path.is_symlink() and STATE.name in str(path.readlink()))
        ),
    }


@pytest.fixture(scope="module", autouse=True)
def host() -> Iterator[None]:
    subprocess.run(["ip", "netns", "add", HOST], check=True)
    try:
        subprocess.run(["ip", "-n", HOST, "link", "set", "lo", "up"], check=True)
        yield
        on_host(sys.executable, "-m", "cluster", "down")
    finally:
        subprocess.run(["ip", "netns", "delete", HOST], check=True)


@pytest.fixture(scope="module")
def before() -> dict[str, object]:
    return traces()


@pytest.fixture(scope="module")
def lasting_pod() -> str:
    """A pod that runs while the parts around it die."""
    create_pod("lasting", "busybox", "sleep", "86400")
    kubectl("wait", "--for=condition=Ready", "pod/lasting", "--timeout=60s")
    return "lasting"


def restarts_and_start(pod: str) -> str:
    return kubectl("get", "pod", pod, "-o", "jsonpath={.status.containerStatuses[0]['restartCount','state']}")


def test_parts_are_the_known_ones() -> None:
    assert [part.name for part in parts(CLUSTER)] == PARTS


def test_without_a_cluster_info_says_how_to_get_one() -> None:
    done = on_host(sys.executable, "-m", "cluster", "info")
    assert done.returncode == 1
    assert "cluster up" in done.stderr


def test_two_that_start_it_at_once_get_one_cluster(before: dict[str, object]) -> None:
    assert not before["processes"]
    argv = ["nsenter", f"--net=/run/netns/{HOST}", sys.executable, "-m", "cluster", "up"]
    environment = os.environ | {"IMAGEBUILD_CLUSTER_STATE": str(STATE), "KUBECONFIG": ""}
    both = [subprocess.Popen(argv, cwd=settings.SOURCES.parent, env=environment) for _ in range(2)]
    assert [each.wait() for each in both] == [0, 0]
    assert "not" not in cluster("status")


def test_up_of_a_cluster_that_is_up_is_quick_and_does_nothing() -> None:
    start = time.monotonic()
    assert cluster("up") == ""
    assert time.monotonic() - start < QUICK_SECONDS


def test_info_is_safe_for_a_shell() -> None:
    script = 'eval "$(python3 -m cluster info)"; echo "$REGISTRY"; echo "$REGISTRY_AUTH"'
    registry, auth = on_host("sh", "-c", script).stdout.splitlines()
    assert registry == "plain.registries.svc:5000"
    assert "private.registries.svc:5443" in json.loads(auth)["auths"]


def test_pods_resolve_services_and_no_other_name() -> None:
    script = "wget -qO- http://plain.registries.svc:5000/v2/_catalog; nslookup example.com || echo no such name"
    log = run_pod("names", "busybox:1.35", "sh", "-c", script)
    assert "library/python" in log
    assert "no such name" in log


def test_pods_reach_the_api_server_with_their_account() -> None:
    code = """if True:
        import ssl, urllib.request
        folder = "/var/run/secrets/kubernetes.io/serviceaccount/"
        url = "https://kubernetes.default.svc/apis/authentication.k8s.io/v1/selfsubjectreviews"
        body = b'{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}'
        token = open(folder + "token").read()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        context = ssl.create_default_context(cafile=folder + "ca.crt")
        print(urllib.request.urlopen(urllib.request.Request(url, body, headers), context=context).read().decode())
    """
    assert "system:serviceaccount:default:default" in run_pod("account", "python:3.11", "python", "-c", code)


def test_the_python_image_compiles() -> None:
    script = (
        "echo 'int main(void) { return 42; }' | gcc -x c - -o /tmp/a; /tmp/a; echo $?; make --version; pip --version"
    )
    assert run_pod("compile", "python:3.11", "bash", "-c", script).startswith("42\nGNU Make")


def test_images_come_from_the_private_registry_for_who_has_its_password() -> None:
    info = dict(line.split("=", 1) for line in cluster("info").splitlines())
    crane = CLUSTER.bin / "crane"
    address = info["PRIVATE_REGISTRY_ADDRESS"]
    certificate = f"SSL_CERT_FILE={info['REGISTRY_CA']}"
    login = ["auth", "login", address, "-u", info["REGISTRY_USER"], "-p", info["REGISTRY_PASSWORD"]]
    home = f"DOCKER_CONFIG={STATE / 'docker'}"
    source = f"{info['REGISTRY_ADDRESS']}/library/busybox"
    assert on_host("env", certificate, home, crane, "copy", source, f"{address}/secret").returncode != 0
    assert on_host("env", certificate, home, crane, *login).returncode == 0
    assert on_host("env", certificate, home, crane, "copy", source, f"{address}/secret").returncode == 0
    config = STATE / "docker" / "config.json"
    config.write_text(info["REGISTRY_AUTH"].strip("'"))
    kubectl(
        "create", "secret", "generic", "pull", "--type=kubernetes.io/dockerconfigjson",
        f"--from-file=.dockerconfigjson={config}",
    )  # fmt: skip
    image = f"{info['PRIVATE_REGISTRY']}/secret:latest"
    assert run_pod("private", image, "echo", "pulled", pull_secret="pull") == "pulled\n"
    create_pod("denied", image.replace(".svc:", ".svc.cluster.local:"), "true")
    reason = "jsonpath={.status.containerStatuses[0].state.waiting.reason}=ErrImagePull"
    kubectl("wait", f"--for={reason}", "pod/denied", "--timeout=60s")


def test_exec_takes_standard_input(lasting_pod: str) -> None:
    assert kubectl("exec", "-i", lasting_pod, "--", "cat", text="hello") == "hello"


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_is_healed_and_pods_live_on(part: str, lasting_pod: str) -> None:
    state = restarts_and_start(lasting_pod)
    kill(part)
    said = cluster("up")
    assert f"starting {part}" in said
    assert "starting a new one" not in said
    assert run_pod(f"after-{part}", "busybox", "wget", "-qO-", "http://plain.registries.svc:5000/v2/") == "{}"
    assert restarts_and_start(lasting_pod) == state


def test_all_parts_killed_at_once_are_healed(lasting_pod: str) -> None:
    state = restarts_and_start(lasting_pod)
    kill(*PARTS)
    assert "starting a new one" not in cluster("up")
    assert run_pod("after-all", "busybox", "echo", "fine") == "fine\n"
    assert restarts_and_start(lasting_pod) == state


def test_all_processes_killed_at_once_pods_included_are_healed(lasting_pod: str) -> None:
    processes.end_all(CLUSTER)
    for file in Path("/sys/fs/cgroup").rglob(f"{STATE.name}/**/cgroup.procs"):
        for pid in file.read_text().split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                continue
    cluster("up")
    assert run_pod("after-power", "busybox", "echo", "fine") == "fine\n"
    kubectl("delete", "pod", lasting_pod, "--now", "--timeout=60s")


def test_a_broken_database_is_replaced() -> None:
    kill("etcd")
    (STATE / "etcd" / "member" / "snap" / "db").write_bytes(b"not a database")
    assert "starting a new one" in cluster("up")
    assert run_pod("after-loss", "busybox", "echo", "fine") == "fine\n"


def test_a_lost_wire_is_replaced() -> None:
    on_host("ip", "link", "delete", CLUSTER.host_interface)
    assert "starting a new one" in cluster("up")
    assert run_pod("after-wire", "busybox", "echo", "fine") == "fine\n"


def test_what_is_left_from_before_a_reboot_is_replaced() -> None:
    (STATE / "boot-id").write_text("another boot")
    assert "making the node's network" in cluster("up")
    assert run_pod("after-boot", "busybox", "echo", "fine") == "fine\n"


def test_a_lost_state_folder_is_replaced() -> None:
    shutil.rmtree(STATE / "pki")
    (STATE / "boot-id").unlink()
    cluster("up")
    assert "not" not in cluster("status")


def test_down_leaves_nothing(before: dict[str, object]) -> None:
    create_pod("running", "busybox", "sleep", "86400")
    kubectl("wait", "--for=condition=Ready", "pod/running", "--timeout=60s")
    cluster("down")
    assert traces() == before
    cluster("down")
