import json
from dataclasses import replace
from typing import Any

import pytest
from imagebuild_operator.api.build import ImageBuild, Proxy
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.pod.index import index_pod
from imagebuild_operator.pod.manifest import Manifest, build_pod, pod_name
from imagebuild_operator.settings import BuildDefaults
from support.builds import DIGEST, SETTINGS, SPEC, UID, a_build

FULL_SPEC = {
    "source": {"configMap": {"name": "context"}},
    "contextDir": "app",
    "dockerfile": {"path": "Dockerfile.prod"},
    "target": "runtime",
    "buildArgs": [
        {"name": "VERSION", "value": "1,2 = 'drei'"},
        {"name": "EMPTY", "value": ""},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "npm", "key": "token"}}},
        {"name": "BRANCH", "valueFrom": {"configMapKeyRef": {"name": "ci", "key": "branch"}}},
    ],
    "output": {
        "images": ["registry.example/a:1", "registry.example/b:1"],
        "push": True,
        "pushSecretRef": {"name": "push"},
        "labels": {"org.example.b": 'with "quotes", ü', "a": ""},
    },
    "executor": {"args": ["--reproducible", "--annotation=a=b c's"]},
    "pullSecretRefs": [{"name": "hub"}, {"name": "cache"}],
    "cache": {"enabled": True, "repo": "registry.example/cache", "ttlSeconds": 60, "readOnly": True},
    "registries": [
        {"host": "docker.io", "mirrors": ["mirror.example", "mirror2.example/hub"]},
        {"host": "quay.io", "mirrors": ["mirror.example/quay"]},
        {"host": "plain.example:5000", "plainHTTP": True},
        {"host": "private.example", "insecureSkipTLSVerify": True},
        {"host": "a.example", "caBundle": {"configMapKeyRef": {"name": "ca", "key": "root.pem"}}},
        {"host": "b.example", "caBundle": {"secretKeyRef": {"name": "ca", "key": "ca.crt"}}},
        {"host": "c.example", "caBundle": {"configMapKeyRef": {"name": "ca", "key": "root.pem"}}},
    ],
    "proxy": {"httpProxy": "http://proxy:3128", "noProxy": ".svc"},
    "env": [
        {"name": "AWS_REGION", "value": "$(CACHE)"},
        {"name": "CI_JOB_TOKEN", "valueFrom": {"secretKeyRef": {"name": "ci", "key": "token"}}},
    ],
    "resources": {"limits": {"memory": "1Gi"}},
    "podTemplate": {
        "metadata": {
            "labels": {"team": "a"},
            "annotations": {"linkerd.io/inject": "enabled", "eks.amazonaws.com/skip-containers": "none"},
        },
        "spec": {
            "nodeSelector": {"disk": "ssd"},
            "runtimeClassName": "gvisor",
        },
    },
    "timeoutSeconds": 60,
}


INDEXED: dict[str, Any] = {
    "platforms": [{"platform": name, "digest": DIGEST} for name in ("linux/amd64", "linux/arm64")]
}


def pod(build: ImageBuild, defaults: BuildDefaults = SETTINGS.defaults) -> Manifest:
    return build_pod(build, parse_spec(build.spec), defaults)


def test_the_whole_pod_of_a_small_build():
    assert pod(a_build()) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "app-eebc00bd",
            "namespace": "team",
            "labels": {
                "app.kubernetes.io/name": "imagebuild",
                "app.kubernetes.io/component": "build",
                "imagebuild.dev/engine": "Kaniko",
                "app.kubernetes.io/managed-by": "imagebuild-operator",
                "imagebuild.dev/build": "app",
                "imagebuild.dev/build-uid": UID,
                "sidecar.istio.io/inject": "false",
            },
            "annotations": {
                "azure.workload.identity/skip-containers": "build",
                "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
                "karpenter.sh/do-not-disrupt": "true",
                "eks.amazonaws.com/skip-containers": "build",
                "kubectl.kubernetes.io/default-container": "build",
                "linkerd.io/inject": "disabled",
                "sidecar.istio.io/inject": "false",
            },
            "ownerReferences": [
                {
                    "apiVersion": "imagebuild.dev/v1alpha1",
                    "kind": "ImageBuild",
                    "name": "app",
                    "uid": UID,
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": 600,
            "terminationGracePeriodSeconds": 30,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "initContainers": [
                {
                    "name": "check",
                    "image": "registry.example/builder:1",
                    "imagePullPolicy": "IfNotPresent",
                    "args": ["check"],
                    "env": [{"name": "OUTPUT_IMAGE", "value": "registry.example/team/app:1"}],
                    "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
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
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                },
                {
                    "name": "build",
                    "image": "registry.example/builder:1",
                    "imagePullPolicy": "IfNotPresent",
                    "args": ["build"],
                    "env": [
                        {"name": "SOURCE_GET_URL", "value": "https://example.com/context.tar.gz"},
                        {"name": "OUTPUT_IMAGE", "value": "registry.example/team/app:1"},
                        {"name": "OUTPUT_LAYOUT", "value": "/kaniko/layout"},
                        {"name": "CACHE", "value": "false"},
                    ],
                    "resources": {},
                    "securityContext": {
                        "runAsUser": 0,
                        "runAsNonRoot": False,
                        "privileged": False,
                        "allowPrivilegeEscalation": False,
                        "capabilities": {
                            "drop": ["ALL"],
                            "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETFCAP", "SETGID", "SETUID"],
                        },
                    },
                    "volumeMounts": [{"name": "layout", "mountPath": "/kaniko/layout"}],
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                },
            ],
            "containers": [
                {
                    "name": "push",
                    "image": "registry.example/builder:1",
                    "imagePullPolicy": "IfNotPresent",
                    "args": ["push"],
                    "env": [
                        {"name": "OUTPUT_IMAGE", "value": "registry.example/team/app:1"},
                        {"name": "OUTPUT_LAYOUT", "value": "/kaniko/layout"},
                    ],
                    "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
                    "securityContext": {
                        "runAsUser": 65532,
                        "runAsGroup": 65532,
                        "runAsNonRoot": True,
                        "privileged": False,
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [
                        {"name": "layout", "mountPath": "/kaniko/layout", "readOnly": True},
                        {"name": "run", "mountPath": "/kaniko/.run"},
                        {"name": "run", "mountPath": "/dev/shm", "subPath": "shm"},
                        {"name": "run", "mountPath": "/etc/resolv.conf", "subPath": "resolv.conf", "readOnly": True},
                        {"name": "run", "mountPath": "/etc/hostname", "subPath": "hostname", "readOnly": True},
                    ],
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                }
            ],
            "volumes": [
                {"name": "layout", "emptyDir": {}},
                {"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}},
            ],
        },
    }


def test_every_field_of_a_full_build_becomes_a_variable():
    _, container = pod(a_build(FULL_SPEC))["spec"]["initContainers"]
    assert container["env"] == [
        {"name": "AWS_REGION", "value": "$$(CACHE)"},
        {"name": "CI_JOB_TOKEN", "valueFrom": {"secretKeyRef": {"name": "ci", "key": "token"}}},
        {"name": "SOURCE_GET_URL", "value": "dir:///kaniko/source"},
        {"name": "CONTEXT_SUB_PATH", "value": "app"},
        {"name": "DOCKERFILE_PATH", "value": "Dockerfile.prod"},
        {"name": "TARGET", "value": "runtime"},
        {"name": "BUILD_ARG", "value": "VkVSU0lPTj0xLDIgPSAnZHJlaSc=,RU1QVFk9"},
        {"name": "BUILD_ARG_FROM", "value": "TOKEN=BUILD_ARG_VALUE_0"},
        {"name": "BUILD_ARG_FROM_CONFIG", "value": "BRANCH=BUILD_ARG_VALUE_1"},
        {"name": "BUILD_ARG_VALUE_0", "valueFrom": {"secretKeyRef": {"name": "npm", "key": "token"}}},
        {"name": "BUILD_ARG_VALUE_1", "valueFrom": {"configMapKeyRef": {"name": "ci", "key": "branch"}}},
        {"name": "OUTPUT_IMAGE", "value": "registry.example/a:1,registry.example/b:1"},
        {"name": "OUTPUT_LAYOUT", "value": "/kaniko/layout"},
        {"name": "LABELS", "value": '{"a": "", "org.example.b": "with \\"quotes\\", ü"}'},
        {"name": "EXTRA_ARGS", "value": "--reproducible '--annotation=a=b c'\"'\"'s'"},
        {"name": "CACHE", "value": "true"},
        {"name": "CACHE_REPO", "value": "registry.example/cache"},
        {"name": "CACHE_TTL", "value": "60s"},
        {"name": "CACHE_READ_ONLY", "value": "true"},
        {"name": "INSECURE_REGISTRIES", "value": "plain.example:5000"},
        {"name": "SKIP_TLS_VERIFY_REGISTRIES", "value": "private.example"},
        {"name": "REGISTRY_CA", "valueFrom": {"configMapKeyRef": {"name": "ca", "key": "root.pem"}}},
        {"name": "REGISTRY_CA_1", "valueFrom": {"secretKeyRef": {"name": "ca", "key": "ca.crt"}}},
        {"name": "REGISTRY_MIRRORS", "value": "mirror.example,mirror2.example/hub"},
        {"name": "REGISTRY_MAP", "value": "quay.io=mirror.example/quay"},
        {
            "name": "DOCKER_CONFIG_JSON",
            "valueFrom": {"secretKeyRef": {"name": "hub", "key": ".dockerconfigjson"}},
        },
        {
            "name": "DOCKER_CONFIG_JSON_1",
            "valueFrom": {"secretKeyRef": {"name": "cache", "key": ".dockerconfigjson"}},
        },
        {"name": "HTTP_PROXY", "value": "http://proxy:3128"},
        {"name": "http_proxy", "value": "http://proxy:3128"},
        {"name": "NO_PROXY", "value": ".svc"},
        {"name": "no_proxy", "value": ".svc"},
        {"name": "RUN_PROXY", "value": "true"},
    ]


def envs(manifest: Manifest) -> dict[str, list[Any]]:
    """The variables of each container."""
    spec = manifest["spec"]
    return {each["name"]: each["env"] for each in (*spec.get("initContainers", []), *spec["containers"])}


PROXIES: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "of the build": ({"proxy": {"httpsProxy": "http://own:1"}}, {"value": "http://own:1"}),
    "in a Secret": (
        {"proxy": {"secretRef": {"name": "proxy"}}},
        {"valueFrom": {"secretKeyRef": {"name": "proxy", "key": "HTTPS_PROXY"}}},
    ),
    "of the settings": ({}, {"value": "http://chart:1"}),
    "none": ({"proxy": {}}, None),
}


@pytest.mark.parametrize("case", PROXIES)
@pytest.mark.parametrize("kind", ["build", "index"])
def test_every_container_uses_the_proxy_and_run_steps_do_too(case: str, kind: str):
    spec, proxy = PROXIES[case]
    defaults = replace(SETTINGS.defaults, proxy=Proxy(https="http://chart:1"))
    build = a_build({**spec, "output": {**SPEC["output"], "platforms": ["linux/amd64", "linux/arm64"]}}, INDEXED)
    make = (
        build_pod(build, parse_spec(build.spec), defaults)
        if kind == "build"
        else index_pod(build, parse_spec(build.spec), defaults, 60)
    )
    for name, env in envs(make).items():
        found = {entry["name"]: entry for entry in env if entry["name"].lower() == "https_proxy"}
        expected = {spelled: {"name": spelled, **proxy} for spelled in ("HTTPS_PROXY", "https_proxy")} if proxy else {}
        assert found == expected
        assert ({"name": "RUN_PROXY", "value": "true"} in env) is (name == "build" and proxy is not None)


def test_the_variables_of_the_spec_reach_the_build_container_alone():
    with_env, without = envs(pod(a_build({"env": [{"name": "AWS_REGION", "value": ""}]}))), envs(pod(a_build()))
    assert with_env == {**without, "build": [{"name": "AWS_REGION", "value": ""}, *without["build"]]}


@pytest.mark.parametrize(
    "source",
    [
        {"http": {"url": "https://a.b/c.tar", "secretRef": {"name": "s"}}},
        {"git": {"url": "https://a.b/c", "submodules": True}},
        {"s3": {"bucket": "bb", "key": "k", "secretRef": {"name": "s"}}},
        {"oci": {"image": "a.b/c:1"}},
    ],
    ids=lambda source: str(*source),
)
@pytest.mark.parametrize("field", ["configMapKeyRef", "secretKeyRef"])
def test_build_alone_trusts_the_ca_bundle_of_the_source(source: dict[str, dict[str, Any]], field: str):
    [(kind, fields)] = source.items()
    ref = {field: {"name": "ca", "key": "root.pem"}}
    without = pod(a_build({"source": source}))["spec"]
    spec = pod(a_build({"source": {kind: {**fields, "caBundle": ref}}}))["spec"]
    added = {"name": "SOURCE_CA", "valueFrom": ref}
    assert [entry for entry in spec["initContainers"][1]["env"] if entry != added] == without["initContainers"][1][
        "env"
    ]
    assert added in spec["initContainers"][1]["env"]
    assert [spec["initContainers"][0], *spec["containers"]] == [without["initContainers"][0], *without["containers"]]


def build_env(fields: dict[str, Any]) -> list[dict[str, Any]]:
    env: list[dict[str, Any]] = pod(a_build(fields))["spec"]["initContainers"][-1]["env"]
    return env


def test_git_over_ssh_takes_the_key_and_the_servers_keys_from_the_secret():
    git = {"url": "git@a.b:c", "revision": "v1", "secretRef": {"name": "ssh"}, "submodules": True}
    key = {"secretKeyRef": {"name": "ssh", "key": "ssh-privatekey"}}
    known = {"secretKeyRef": {"name": "ssh", "key": "known_hosts", "optional": True}}
    assert build_env({"source": {"git": git}})[:4] == [
        {"name": "SOURCE_GET_URL", "value": "git@a.b:c#v1"},
        {"name": "GIT_SUBMODULES", "value": "true"},
        {"name": "SOURCE_SSH_PRIVATE_KEY", "valueFrom": key},
        {"name": "SOURCE_SSH_KNOWN_HOSTS", "valueFrom": known},
    ]
    assert build_env({"source": {"git": {**git, "url": "ssh://a.b/c", "knownHosts": "a.b ssh-rsa A"}}})[:4] == [
        {"name": "SOURCE_GET_URL", "value": "ssh://a.b/c#v1"},
        {"name": "GIT_SUBMODULES", "value": "true"},
        {"name": "SOURCE_SSH_PRIVATE_KEY", "valueFrom": key},
        {"name": "SOURCE_SSH_KNOWN_HOSTS", "value": "a.b ssh-rsa A"},
    ]


def test_git_over_http_takes_user_and_password_from_the_secret():
    git = {"url": "https://a.b/c", "secretRef": {"name": "basic"}}
    assert build_env({"source": {"git": git}})[:3] == [
        {"name": "SOURCE_GET_URL", "value": "git+https://a.b/c"},
        {"name": "SOURCE_USERNAME", "valueFrom": {"secretKeyRef": {"name": "basic", "key": "username"}}},
        {"name": "SOURCE_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "basic", "key": "password"}}},
    ]


def test_a_bucket_is_opened_by_a_secret_with_the_names_that_programs_for_s3_know():
    def key(name: str, **more: bool) -> dict[str, Any]:
        return {"secretKeyRef": {"name": "s3", "key": name, **more}}

    bucket = {
        "bucket": "contexts",
        "key": "a b/c#.tgz",
        "endpoint": "https://minio:9000",
        "region": "eu",
        "sha256": "0",
    }
    env = build_env({"source": {"s3": {**bucket, "secretRef": {"name": "s3"}}}})
    assert env[:7] == [
        {"name": "SOURCE_GET_URL", "value": "s3://contexts/a%20b/c%23.tgz"},
        {"name": "SOURCE_SHA256", "value": "0"},
        {"name": "SOURCE_S3_ENDPOINT", "value": "https://minio:9000"},
        {"name": "SOURCE_S3_REGION", "value": "eu"},
        {"name": "SOURCE_ACCESS_KEY_ID", "valueFrom": key("AWS_ACCESS_KEY_ID")},
        {"name": "SOURCE_SECRET_ACCESS_KEY", "valueFrom": key("AWS_SECRET_ACCESS_KEY")},
        {"name": "SOURCE_SESSION_TOKEN", "valueFrom": key("AWS_SESSION_TOKEN", optional=True)},
    ]
    names = [entry["name"] for entry in build_env({"source": {"s3": {"bucket": "bb", "key": "k"}}})]
    assert names[:2] == ["SOURCE_GET_URL", "OUTPUT_IMAGE"]


def test_the_secret_of_an_oci_context_goes_before_those_of_base_images():
    def config(name: str, secret: str) -> dict[str, Any]:
        return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": ".dockerconfigjson"}}}

    source = {"oci": {"image": "a.b/c@sha256:" + "0" * 64, "secretRef": {"name": "context"}}}
    env = build_env({"source": source, "pullSecretRefs": [{"name": "hub"}, {"name": "context"}]})
    assert env[0] == {"name": "SOURCE_GET_URL", "value": "oci://a.b/c@sha256:" + "0" * 64}
    assert env[-2:] == [config("DOCKER_CONFIG_JSON", "context"), config("DOCKER_CONFIG_JSON_1", "hub")]


@pytest.mark.parametrize(
    ("claim", "url"),
    [
        ({}, "dir:///kaniko/source"),
        ({"path": "apps/my app#1"}, "dir:///kaniko/source/apps/my%20app%231"),
        ({"path": "apps/"}, "dir:///kaniko/source/apps"),
        ({"archive": "ü.tar"}, "file:///kaniko/source/%C3%BC.tar"),
    ],
)
def test_a_volume_is_mounted_read_only_in_build_alone(claim: dict[str, str], url: str):
    spec = pod(a_build({"source": {"persistentVolumeClaim": {"claimName": "code", **claim}}}))["spec"]
    check, build = spec["initContainers"]
    assert build["env"][0] == {"name": "SOURCE_GET_URL", "value": url}
    volume = {"claimName": "code", "readOnly": True}
    assert spec["volumes"][-1] == {"name": "source", "persistentVolumeClaim": volume}
    assert build["volumeMounts"][-1] == {"name": "source", "mountPath": "/kaniko/source", "readOnly": True}
    assert '"source"' not in json.dumps([check, spec["containers"]])


def test_an_upload_is_received_by_a_container_without_credentials():
    spec = pod(a_build({"source": {"upload": {"timeoutSeconds": 60, "maxBytes": 1000}}}))["spec"]
    check, upload, build = spec["initContainers"]
    assert upload == {
        "name": "upload",
        "image": build["image"],
        "imagePullPolicy": build["imagePullPolicy"],
        "args": ["receive"],
        "env": [
            {"name": "UPLOAD_DEADLINE_SECONDS", "value": "60"},
            {"name": "UPLOAD_MAX_BYTES", "value": "1000"},
        ],
        "resources": check["resources"],
        "securityContext": check["securityContext"],
        "volumeMounts": [{"name": "source", "mountPath": "/kaniko/source"}],
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    assert spec["volumes"][-1] == {"name": "source", "emptyDir": {}}
    assert build["env"][0] == {"name": "SOURCE_GET_URL", "value": "file:///kaniko/source/archive"}
    assert build["volumeMounts"][-1] == {"name": "source", "mountPath": "/kaniko/source", "readOnly": True}


def test_the_digest_of_an_upload_is_checked_when_it_arrives_and_when_it_is_built():
    _, upload, build = pod(a_build({"source": {"upload": {"sha256": "ab" * 32}}}))["spec"]["initContainers"]
    assert upload["env"][-1] == {"name": "UPLOAD_SHA256", "value": "ab" * 32}
    assert build["env"][1] == {"name": "SOURCE_SHA256", "value": "ab" * 32}


def test_build_is_not_given_the_push_credentials():
    spec = pod(a_build(FULL_SPEC))["spec"]
    check, build = spec["initContainers"]
    (push,) = spec["containers"]
    for container in (check, push):
        assert {
            "name": "DOCKER_CONFIG_JSON",
            "valueFrom": {"secretKeyRef": {"name": "push", "key": ".dockerconfigjson"}},
        } in container["env"]
    assert '"name": "push", "key"' not in json.dumps(build)


def test_every_container_trusts_the_ca_bundles_of_registries_and_can_write_them_down():
    spec = pod(a_build(FULL_SPEC))["spec"]
    for container in (*spec["initContainers"], *spec["containers"]):
        assert [entry["name"] for entry in container["env"] if "CA" in entry["name"].split("_")] == [
            "REGISTRY_CA",
            "REGISTRY_CA_1",
        ]
        is_read_only = container["securityContext"].get("readOnlyRootFilesystem", False)
        assert ({"name": "run", "mountPath": "/kaniko/.run"} in container["volumeMounts"]) is is_read_only


def test_nothing_is_checked_where_nothing_is_pushed_or_the_chart_says_so():
    def names(manifest: Manifest) -> list[str]:
        return [container["name"] for container in manifest["spec"]["initContainers"]]

    assert names(pod(a_build())) == ["check", "build"]
    assert names(pod(a_build({"output": {"images": ["registry.example/a:1"], "push": False}}))) == ["build"]
    assert names(pod(a_build(), BuildDefaults("b:1", check_push=False))) == ["build"]


@pytest.mark.parametrize(("image", "host"), [("team/app:1", "docker.io"), ("docker.io/team/app:1", "index.docker.io")])
def test_names_are_kept_before_the_build_where_no_certificate_of_docker_hub_is_verified(image: str, host: str):
    build = a_build({"output": {"images": [image]}, "registries": [{"host": host, "insecureSkipTLSVerify": True}]})
    made = pod(build, BuildDefaults("b:1", check_push=False))
    assert [container["name"] for container in made["spec"]["initContainers"]] == ["check", "build"]


def test_the_template_places_the_pod_and_adds_labels():
    manifest = pod(
        a_build(FULL_SPEC),
        BuildDefaults(
            "b:1",
            node_selector={"pool": "builds"},
            resources={"requests": {"cpu": "1"}, "limits": {"memory": "1", "cpu": "2"}},
        ),
    )
    spec = manifest["spec"]
    assert spec["nodeSelector"] == {"disk": "ssd"}
    assert spec["runtimeClassName"] == "gvisor"
    assert spec["initContainers"][-1]["resources"] == {
        "limits": {"cpu": "2", "memory": "1Gi"},
        "requests": {"cpu": "1"},
    }
    assert manifest["metadata"]["labels"]["team"] == "a"
    assert manifest["metadata"]["annotations"]["linkerd.io/inject"] == "enabled"
    assert manifest["metadata"]["annotations"]["eks.amazonaws.com/skip-containers"] == "none"
    assert {"name": "source", "configMap": {"name": "context"}} in spec["volumes"]
    assert {"name": "source", "mountPath": "/kaniko/source", "readOnly": True} in spec["initContainers"][-1][
        "volumeMounts"
    ]


def test_a_queue_of_kueue_is_named_by_its_label():
    assert pod(a_build({"queueName": "builds"}))["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "builds"


def test_defaults_hold_where_the_build_says_nothing():
    defaults = BuildDefaults(
        "b:1", image_pull_secrets=("regcred",), node_selector={"pool": "builds"}, tolerations=({"key": "builds"},)
    )
    own: Manifest = {"podTemplate": {"spec": {"imagePullSecrets": [{"name": "own"}], "hostUsers": False}}}
    spec = pod(a_build(own), defaults)["spec"]
    assert spec["hostUsers"] is False
    assert spec["imagePullSecrets"] == [{"name": "own"}, {"name": "regcred"}]
    spec = pod(a_build(), defaults)["spec"]
    assert spec["imagePullSecrets"] == [{"name": "regcred"}]
    assert spec["nodeSelector"] == {"pool": "builds"}
    assert spec["tolerations"] == [{"key": "builds"}]


def test_a_map_switches_off_the_way_back_to_the_registry():
    build = a_build({"registries": [{"host": "docker.io", "mapTo": "proxy.example/hub"}]})
    env = pod(build)["spec"]["initContainers"][-1]["env"]
    assert {"name": "REGISTRY_MAP", "value": "index.docker.io=proxy.example/hub"} in env
    assert {"name": "SKIP_DEFAULT_REGISTRY_FALLBACK", "value": "true"} in env


def test_pod_names_are_valid_and_tell_builds_apart():
    long = "a" * 240 + ".b"
    assert pod_name(a_build(name=long)) == "a" * 54 + "-eebc00bd"
    assert pod_name(a_build(name="v1.2-")) == "v1-2-eebc00bd"
    assert pod_name(a_build(uid="other")) != pod_name(a_build())
    assert pod_name(a_build(), attempt=2) != pod_name(a_build())


def test_the_disk_of_every_container_is_limited_where_that_of_the_build_is():
    build = a_build({"resources": {"limits": {"ephemeral-storage": "5Gi"}}})
    manifest = pod(build)["spec"]
    small = {
        "requests": {"cpu": "50m", "memory": "64Mi", "ephemeral-storage": "0"},
        "limits": {"memory": "512Mi", "ephemeral-storage": "5Gi"},
    }
    check, own = manifest["initContainers"]
    [push] = manifest["containers"]
    assert own["resources"] == {"limits": {"ephemeral-storage": "5Gi"}}
    assert check["resources"] == push["resources"] == small


@pytest.mark.parametrize(
    ("name", "label"), [("app", "app"), ("a.b-1", "a.b-1"), ("a" * 253, "a" * 63), ("a" * 62 + "-b", "a" * 62)]
)
def test_pods_have_the_name_of_their_build_as_a_label(name: str, label: str):
    assert pod(a_build(name=name))["metadata"]["labels"]["imagebuild.dev/build"] == label


@pytest.mark.parametrize(
    ("limits", "allowed"), [({}, None), ({"baseImages": ["a.example/b", "c.example"]}, "a.example/b,c.example")]
)
def test_build_gets_the_base_images_that_are_allowed(limits: dict[str, Any], allowed: str | None):
    env = {each["name"]: each.get("value") for each in build_env({"limits": limits})}
    assert env.get("ALLOWED_BASE_IMAGES") == allowed


def test_limits_that_have_nothing_in_common_allow_no_base_image():
    env = {each["name"]: each.get("value") for each in build_env({"limits": {"baseImages": []}})}
    assert env["ALLOWED_BASE_IMAGES"] == "scratch"
