"""The pod that looks at the remotes of the TrackedImages of a namespace, and what is read from its log."""

import json
from dataclasses import replace
from typing import Any

from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.api.tracked import TrackedImage
from imagebuild_operator.observe.watched import Seen, parse_watched
from imagebuild_operator.pod.tracked import Watched, in_pods, tags_of, watcher_name, watcher_pod
from support.builds import SETTINGS

BASE = "docker.io/library/busybox:latest"
GIT = {"url": "https://git.example/app", "revision": "main", "secretRef": {"name": "git"}}


def watched(name: str, template: dict[str, Any], *bases: str, **spec: Any) -> Watched:  # noqa: ANN401 - any field
    image = TrackedImage.of(
        {
            "metadata": {
                "namespace": "team",
                "name": name,
                "uid": f"uid-{name}",
                "resourceVersion": "1",
                "creationTimestamp": "2026-12-01T00:00:00Z",
            },
            "spec": {"template": {"spec": template}, "image": {"repositories": ["r.example/web"]}, **spec},
        }
    )
    return Watched(image, parse_spec({**template, "output": {"images": ["r.example/x:1"]}}), bases)


WEB = watched(
    "web",
    {
        "source": {"git": GIT},
        "pullSecretRefs": [{"name": "pull"}],
        "registries": [{"host": "r.example", "plainHTTP": True}],
    },
    BASE,
    triggers={"source": {"interval": "2m"}, "baseImages": {}},
)
APP = watched(
    "app",
    {"source": {"url": "https://x.example/a.zip"}},
    "r.example/base:1",
    triggers={"baseImages": {"interval": "1s"}},
)


def test_the_pod_as_a_whole():
    pod = watcher_pod("team", 0, [WEB, APP], SETTINGS.defaults)
    digest = pod["metadata"]["annotations"]["imagebuild.dev/spec-hash"]
    items = [
        {"name": "web", "sourceSeconds": 120, "images": [BASE], "imageSeconds": 3600},
        # Not more often than every ten seconds.
        {"name": "app", "images": ["r.example/base:1"], "imageSeconds": 10},
    ]

    def secret(name: str, key: str) -> dict[str, Any]:
        return {"secretKeyRef": {"name": name, "key": key}}

    owner = {"apiVersion": "imagebuild.dev/v1alpha1", "kind": "TrackedImage"}
    assert pod == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "imagebuild-watcher",
            "namespace": "team",
            "labels": {
                "app.kubernetes.io/name": "imagebuild",
                "app.kubernetes.io/component": "watcher",
                "app.kubernetes.io/managed-by": "imagebuild-operator",
            },
            "annotations": {
                "imagebuild.dev/spec-hash": digest,
                "sidecar.istio.io/inject": "false",
                "linkerd.io/inject": "disabled",
            },
            "ownerReferences": [{**owner, "name": "web", "uid": "uid-web"}, {**owner, "name": "app", "uid": "uid-app"}],
        },
        "spec": {
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 5,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "watch",
                    "image": "registry.example/builder:1",
                    "imagePullPolicy": SETTINGS.defaults.builder_pull_policy,
                    "args": ["watch"],
                    "env": [
                        {"name": "WATCH", "value": json.dumps(items)},
                        {"name": "W0_SOURCE_GET_URL", "value": "git+https://git.example/app#main"},
                        {"name": "W0_SOURCE_USERNAME", "valueFrom": secret("git", "username")},
                        {"name": "W0_SOURCE_PASSWORD", "valueFrom": secret("git", "password")},
                        {"name": "W0_INSECURE_REGISTRIES", "value": "r.example"},
                        {"name": "W0_DOCKER_CONFIG_JSON", "valueFrom": secret("pull", ".dockerconfigjson")},
                    ],
                    "resources": {"requests": {"cpu": "5m", "memory": "40Mi"}, "limits": {"memory": "256Mi"}},
                    "securityContext": {
                        "runAsUser": 65532,
                        "runAsGroup": 65532,
                        "runAsNonRoot": True,
                        "privileged": False,
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [{"name": "run", "mountPath": "/kaniko/.run"}],
                }
            ],
            "volumes": [{"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}}],
        },
    }


def test_it_hears_of_webhooks_where_somebody_receives_them():
    hearing = replace(SETTINGS.defaults, webhook_url="http://webhook.system.svc:8080")
    [container] = watcher_pod("team", 0, [WEB], hearing)["spec"]["containers"]
    assert container["env"][1] == {"name": "WEBHOOK_URL", "value": "http://webhook.system.svc:8080"}


def test_another_remote_makes_another_pod_and_the_same_one_does_not():
    def digest(*each: Watched) -> object:
        return watcher_pod("team", 0, each, SETTINGS.defaults)["metadata"]["annotations"]["imagebuild.dev/spec-hash"]

    assert digest(WEB, APP) == digest(WEB, APP)
    assert len({digest(WEB, APP), digest(WEB), digest(replace(WEB, bases=()), APP)}) == 3


def test_where_nothing_is_watched_there_is_no_remote():
    assert WEB.has_remotes
    assert not watched("x", {"source": {"git": GIT}}).has_remotes
    # Base images are known after the first build.
    assert not watched("x", {"source": {"git": GIT}}, triggers={"baseImages": {}}).has_remotes


def test_tags_have_only_what_a_tag_can_have():
    image = watched("x", {"source": {"git": {**GIT, "revision": "refs/heads/feature/ä b"}}}).image
    image.__dict__["spec"] = replace(
        image.spec, tags=("{branch}-{number}", "{shortCommit}", "{number}", "v{number}{x}")
    )
    assert tags_of(image, 7, "c" * 40) == ["feature-b-7", "cccccccc", "7", "v7-x-"]


TIME = "2026-12-01T12:00:00.123456789Z "


def line(**fields: object) -> str:
    return f"{TIME}kaniko-shim: watch: {json.dumps(fields)}"


def test_the_last_words_of_a_log_count():
    log = "\n".join(
        [
            line(name="web", commit="a" * 40, images={}, at="2026-12-01T12:00:00Z", problem=""),
            line(name="app", commit=None, images={BASE: ["b" * 16, "x"]}, at="", problem="it is \x1b[1mdown"),
            f"{TIME}kaniko-shim: watch: {{",
            f"{TIME}kaniko-shim: watch: []",
            f"{TIME}watch: nothing",
            line(name="web", commit="c" * 40, images=[], at="2026-12-01T12:01:00Z", problem=""),
        ]
    )
    found = parse_watched(log)
    assert found.keys() == {"web", "app"}
    assert found["web"].commit == "c" * 40
    assert found["app"] == Seen(None, {BASE: frozenset({"b" * 16})}, None, "it is [1mdown")
    assert parse_watched(line(name="web", commit="HEAD; rm")) == {"web": Seen()}


def test_many_are_looked_at_by_several_pods_and_one_more_changes_one_of_them():
    def many(count: int) -> list[Watched]:
        return [replace(WEB, image=replace(WEB.image, name=f"web-{number}")) for number in range(count)]

    before, after = in_pods(many(990)), in_pods(many(991))
    assert len(before) == len(after) == 4
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
    assert sorted(each.image.name for pod in after for each in pod) == sorted(each.image.name for each in many(991))
    assert in_pods([]) == []
    assert [watcher_name(number) for number in range(2)] == ["imagebuild-watcher", "imagebuild-watcher-2"]
    # Linux refuses a program with a longer variable.
    long = [replace(each, bases=tuple(f"r.example/{each.image.name}/{n}:1" for n in range(100))) for each in many(500)]
    pods = [watcher_pod("team", number, pod, SETTINGS.defaults) for number, pod in enumerate(in_pods(long))]
    variables = [env for pod in pods for env in pod["spec"]["containers"][0]["env"]]
    assert max(len(env.get("value") or "") for env in variables) < 128 * 1024
    assert max(len(json.dumps(pod)) for pod in pods) < 1024 * 1024
