"""What a build is made with: BuildKit where the build and the namespace allow it, and Kaniko with words why not."""

import base64
import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
from e2e.test_bare_pod import builder_settings
from e2e.test_builds import build
from e2e.test_credentials import SEARCH, private, push_secret
from functional.kube import Builds, Kubectl
from kubernetes import client
from support.file_server import FileServer
from support.registry import Registry
from support.watching import wait_for_finish, wait_for_pod

#: What RUN sees of its surroundings, a file each.
LOOK = """\
FROM busybox
RUN cat /proc/self/uid_map > /uids; ls /proc | grep -c '^[0-9]' > /processes
RUN ls -d /kaniko /run/secrets/* > /places 2>&1 || true
RUN (while true; do sleep 1; done) & ps > /before
RUN ps > /after
RUN unshare -m true 2> /unshare || true; mount -t proc none /mnt 2> /mount || true; dmesg 2> /dmesg || true
"""
#: What could be otherwise where root is not that of the node.
USERS = """\
FROM busybox
RUN cat /proc/self/uid_map > /uids
COPY --chown=65534:1000 file /owned
RUN cp /bin/busybox /tool && chmod 4755 /tool && chmod 777 /tmp
USER 1000
RUN id -u > /tmp/who
"""
LANGUAGE = """\
# syntax=docker/dockerfile:1
# check=skip=all
FROM busybox AS other
RUN mkdir -p /a/b && echo deep > /a/b/c && echo no > /a/b/d
FROM busybox
RUN --network=none wget -T 2 http://HOST/text 2> /offline || true
ADD --checksum=sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 http://HOST/text /text
COPY --from=other --parents /a/./b/c /kept/
COPY --from=other --exclude=d /a/b /some/
ENV GREETING=hello
COPY --link --chmod=u=rw,go=r <<here /heredoc
$GREETING
here
RUN --mount=type=ssh true
"""
#: Asks whoever listens in the network of the pod for the image, with names that a RUN can think of.
INTRUDE = """\
FROM busybox
RUN for address in $(awk '$4 == "0A" {print $2}' /proc/net/tcp); do \
      for request in "HEAD /v2/ " "POST /v2/image/blobs/uploads/ " "PUT /v2/0/image/manifests/built "; do \
        printf '%sHTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n' "$request" \
          | nc -w 2 127.0.0.1 $((0x${address#*:})) >> /answers; \
      done; done
"""


@pytest.fixture
def old_namespace(api: client.ApiClient) -> Iterator[str]:
    """A namespace whose PodSecurity is that of a version that allows no procMount."""
    prefix = "pod-security.kubernetes.io/enforce"
    labels = {prefix: "baseline", f"{prefix}-version": "v1.34"}
    core = client.CoreV1Api(api)
    made = core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(generate_name="old-", labels=labels)))
    assert made.metadata
    assert made.metadata.name
    yield made.metadata.name
    core.delete_namespace(made.metadata.name)


@pytest.mark.shows("A57")
def test_a_run_of_buildkit_sees_its_own_processes_and_nothing_of_the_builder(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    image = f"{registry.name}/{namespace}/look:1"
    builds.create(build({"Dockerfile": LOOK}, image, engine="BuildKit"))
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status["engine"]) == ("Succeeded", "BuildKit"), status
    names = ("/uids", "/processes", "/places", "/before", "/after", "/unshare", "/mount")
    made = registry.files(image)
    found = {name: made[name].content.decode() for name in names}
    # All ids of the pod, and none of the node.
    assert found["/uids"].split() == ["0", "0", "65536"]
    assert int(found["/processes"]) <= 4
    assert found["/places"].count("No such file") == 2
    # What a RUN leaves running is gone in the next.
    assert "sleep 1" in found["/before"]
    assert "sleep" not in found["/after"]
    for denied in ("/unshare", "/mount"):
        assert "not permitted" in found[denied] or "denied" in found[denied], (denied, found[denied])


@pytest.mark.shows("A71")
def test_kaniko_builds_in_a_user_namespace_where_that_is_asked_for(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    image = f"{registry.name}/{namespace}/users:1"
    fields = build({"Dockerfile": USERS, "file": "x"}, image, engine="Kaniko")
    builds.create({**fields, "podTemplate": {"spec": {"hostUsers": False}}})
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status["engine"], status.get("warnings")) == ("Succeeded", "Kaniko", None), status
    made = registry.files(image)
    inside, outside, count = made["/uids"].content.split()
    assert (inside, count) == (b"0", b"65536")
    assert int(outside) >= 65536
    assert (made["/tool"].mode, made["/tmp/who"].content) == (0o4755, b"1000\n")
    with tarfile.open(fileobj=io.BytesIO(registry.export(image))) as tar:
        owned = tar.getmember("owned")
    assert (owned.uid, owned.gid) == (65534, 1000)


def test_all_of_the_language(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, files: FileServer
):
    files.files["/text"] = b"hello"
    image = f"{registry.name}/{namespace}/language:1"
    dockerfile = LANGUAGE.replace("http://HOST", files.url)
    builds.create(build({"Dockerfile": dockerfile}, image, engine="BuildKit"))
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status.get("warnings")) == ("Succeeded", None), status
    made = registry.files(image)
    assert made["/text"].content == b"hello"
    assert made["/offline"].content != b""
    assert made["/kept/b/c"].content == made["/some/c"].content == b"deep\n"
    assert "/some/d" not in made
    assert (made["/heredoc"].content, made["/heredoc"].mode) == (b"hello\n", 0o644)


def test_a_build_of_the_same_inputs_ends_without_building(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    def ended(name: str, dockerfile: str) -> dict[str, Any]:
        spec = build({"Dockerfile": dockerfile}, f"{registry.name}/{namespace}/same:1", engine="BuildKit")
        spec["output"]["skipIfUnchanged"] = True
        builds.create(spec, name)
        status = wait_for_finish(api, namespace, name)
        assert (status["phase"], status["digest"]) == ("Succeeded", registry.digest(spec["output"]["images"][0])), (
            status
        )
        return status

    made = "FROM busybox\nRUN date +%N > /made\n"
    first, second, third = ended("first", made), ended("second", made), ended("third", f"{made}# other\n")
    assert [each.get("reason") for each in (first, second, third)] == [None, "Unchanged", None]
    assert first["digest"] == second["digest"] != third["digest"]
    assert first["baseImages"] == second["baseImages"]
    assert "nothing was built" in second["message"]


@pytest.mark.shows("A58")
def test_pull_credentials_are_out_of_reach_of_run_so_that_one_secret_serves_both(
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    private_registry: Registry,
    cluster: dict[str, str],
    kubectl: Kubectl,
):
    push_secret(kubectl, namespace, "both", cluster["REGISTRY_AUTH"])
    auth = json.loads(cluster["REGISTRY_AUTH"])["auths"][private_registry.name]["auth"]
    words = (cluster["REGISTRY_PASSWORD"], auth, base64.b64encode(cluster["REGISTRY_AUTH"].encode()).decode()[:40])
    needles = " ".join(f"{word[:4]}''{word[4:]}" for word in words)

    def made(name: str, dockerfile: str) -> dict[str, Any]:
        fields = private(namespace, private_registry, name, insecureSkipTLSVerify=True)
        fields["output"] = {**fields["output"], "pushSecretRef": {"name": "both"}}  # type: ignore[dict-item]
        spec = {**build({"Dockerfile": dockerfile}, "replaced", engine="BuildKit"), **fields}
        builds.create({**spec, "pullSecretRefs": [{"name": "both"}]}, name)
        return wait_for_finish(api, namespace, name)

    assert made("base", "FROM busybox\nRUN true\n")["phase"] == "Succeeded"
    base = f"FROM {private_registry.name}/{namespace}/base:1\n"
    status = made("app", base + SEARCH.replace("NEEDLES", needles).partition("\n")[2])
    assert status["phase"] == "Succeeded", status
    assert private_registry.files(f"{private_registry.name}/{namespace}/app:1")["/found/list"].content == b""


@pytest.mark.shows("A59")
def test_a_run_can_not_talk_to_what_takes_in_the_image(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    image = f"{registry.name}/{namespace}/intake:1"
    builds.create(build({"Dockerfile": INTRUDE}, image, engine="BuildKit"))
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded", status
    answers = registry.files(image)["/answers"].content.decode()
    # It listens, and answers nothing but that there is nothing.
    assert answers.count("HTTP/1.1 404") >= 3, answers
    assert "HTTP/1.1 2" not in answers


def test_the_cache_is_pushed_with_the_push_credentials_and_an_unchanged_build_pushes_nothing(
    builds: Builds,
    api: client.ApiClient,
    namespace: str,
    private_registry: Registry,
    cluster: dict[str, str],
    kubectl: Kubectl,
):
    push_secret(kubectl, namespace, "push", cluster["REGISTRY_AUTH"])
    made = []
    for name in ("cold", "warm"):
        fields = private(namespace, private_registry, "app", insecureSkipTLSVerify=True)
        fields["output"] = {**fields["output"], "pushSecretRef": {"name": "push"}}  # type: ignore[dict-item]
        fields["cache"] = {"enabled": True}
        # Without them, the build can't read the cache.
        pull = {"pullSecretRefs": [{"name": "push"}]} if name == "warm" else {}
        spec = build({"Dockerfile": "FROM busybox\nRUN date +%N > /made\n"}, "replaced", engine="BuildKit")
        builds.create({**spec, **fields, **pull}, name)
        made.append(wait_for_finish(api, namespace, name))
    assert [each["phase"] for each in made] == ["Succeeded"] * 2, made
    assert [each["cache"] for each in made] == [{"hits": 0, "misses": 1}, {"hits": 1, "misses": 0}]
    assert made[0]["digest"] == made[1]["digest"]


def test_where_the_namespace_does_not_allow_it_auto_goes_on_with_kaniko(
    api: client.ApiClient, old_namespace: str, registry: Registry
):
    builds = Builds(client.CustomObjectsApi(api), old_namespace)
    files = {"Dockerfile": "FROM busybox\nRUN echo made > /made\n"}
    for engine in ("Auto", "BuildKit"):
        image = f"{registry.name}/{old_namespace}/{engine.lower()}:1"
        builds.create(build(files, image, engine=engine, retry={"limit": 0}), engine.lower())
    auto, forced = (wait_for_finish(api, old_namespace, name) for name in ("auto", "buildkit"))
    assert (auto["phase"], auto["engine"]) == ("Succeeded", "Kaniko"), auto
    assert [attempt.get("reason") for attempt in auto["attempts"]] == ["EngineUnavailable", None]
    [warning] = auto["warnings"]
    assert warning.startswith("Built with Kaniko. The pod for BuildKit was refused: ")
    assert "procMount" in warning
    assert (forced["phase"], forced["reason"]) == ("Failed", "PodRejected"), forced
    assert "procMount" in forced["message"]


def test_what_only_kaniko_can_do_is_left_to_it_and_refused_where_buildkit_is_asked_for(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    files = {"Dockerfile": "FROM busybox\nRUN echo made > /made\n"}
    for engine in ("Auto", "BuildKit"):
        image = f"{registry.name}/{namespace}/{engine.lower()}:1"
        spec = build(files, image, engine=engine, executor={"args": ["--reproducible"]})
        builds.create(spec, engine.lower())
    auto, forced = (wait_for_finish(api, namespace, name) for name in ("auto", "buildkit"))
    assert (auto["phase"], auto["engine"]) == ("Succeeded", "Kaniko"), auto
    assert (forced["phase"], forced["reason"]) == ("Failed", "InvalidSpec"), forced
    assert "--reproducible is a flag of Kaniko" in forced["message"]
    assert "set engine to Kaniko" in forced["message"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"seccompProfile": {"type": "RuntimeDefault"}},
            "the seccomp profile of the container forbids user namespaces",
        ),
        ({"capabilities": {"drop": ["ALL"]}}, "the container lacks the capability SETUID, SETGID or SETFCAP"),
    ],
    ids=["seccomp", "capabilities"],
)
def test_the_first_process_says_why_it_can_not_work(
    api: client.ApiClient, namespace: str, registry: Registry, kubectl: Kubectl, change: dict[str, Any], words: str
):
    security = {
        "procMount": "Unmasked",
        "capabilities": {"drop": ["ALL"], "add": ["SETFCAP", "SETGID", "SETUID"]},
        **change,
    }
    variables = {
        "DOCKERFILE_CONTENT": "FROM busybox\n",
        "SOURCE_GET_URL": "dir:///kaniko/layout",
        "OUTPUT_IMAGE": f"{registry.name}/{namespace}/app:1",
        "NO_PUSH": "true",
    }
    container = {
        "name": "builder",
        "image": builder_settings(kubectl)["buildkit"]["image"],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "securityContext": security,
        "volumeMounts": [{"name": "state", "mountPath": f"/kaniko/{name}", "subPath": name} for name in ("layout",)],
    }
    pod: Any = {
        "metadata": {"name": "bare"},
        "spec": {
            "hostUsers": False,
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "containers": [container],
            "volumes": [{"name": "state", "emptyDir": {}}],
        },
    }
    client.CoreV1Api(api).create_namespaced_pod(namespace, pod)
    wait_for_pod(api, namespace, lambda body: body["status"].get("phase") == "Failed")
    ended = json.loads(kubectl("-n", namespace, "get", "pod", "bare", "-o", "json"))["status"]["containerStatuses"][0]
    report = json.loads(ended["state"]["terminated"]["message"])
    assert (report["reason"], report["exitCode"]) == ("EngineUnavailable", 86)
    assert words in report["message"]
