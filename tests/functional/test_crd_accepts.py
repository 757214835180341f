"""Specs that the API server takes, and what it makes of them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from functional.kube import Builds, spec

CHART = Path(__file__).parents[2] / "charts" / "imagebuild-operator"
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))

FULL: dict[str, Any] = {
    "source": {
        "git": {
            "url": "https://git.example.com/team/app.git",
            "revision": "feature/x@1.0",
            "secretRef": {"name": "git"},
        }
    },
    "contextDir": "services/web",
    "dockerfile": {"path": "build/Dockerfile.prod"},
    "target": "runtime",
    "buildArgs": [
        {"name": "VERSION", "value": "1.0, with = and \"quotes\", 'both', and ü"},
        {"name": "EMPTY", "value": ""},
        {"name": "NPM_TOKEN", "valueFrom": {"secretKeyRef": {"name": "npm", "key": "token"}}},
        {"name": "FLAGS", "valueFrom": {"configMapKeyRef": {"name": "flags", "key": "c.flags_1"}}},
    ],
    "buildSecrets": [
        {"id": "npm", "secretKeyRef": {"name": "npm", "key": ".npmrc"}},
        {"id": "pip.conf", "configMapKeyRef": {"name": "pip", "key": "pip.conf"}},
    ],
    "output": {
        "images": ["registry.example.com:5000/team/app:1.0", "docker.io/team/app"],
        "pushSecretRef": {"name": "push"},
        "attestations": {"provenance": "SLSA", "sbom": "None"},
        "signing": {"key": {"secretRef": {"name": "cosign"}}},
        "push": True,
        "labels": {"org.opencontainers.image.source": "https://git.example.com/team/app", "a/b-c_d": 'ü, = "\n'},
        "platforms": ["linux/amd64", "linux/amd64/v3"],
        "platformNodes": "Native",
    },
    "executor": {
        "args": [
            "--reproducible",
            "--single-snapshot=false",
            "--push-retry=20",
            "--compression=zstd",
            "--compression-level=-1",
            "--ignore-path=/var/tmp",
            "--ignore-path=/srv",
            "--annotation=a.b/c=d=e, f",
            "--annotation=a=",
            "--verbosity=debug",
        ]
    },
    "pullSecretRefs": [{"name": "pull"}, {"name": "hub.pull"}],
    "cache": {
        "enabled": True,
        "repo": "registry.example.com/team/cache",
        "ttlSeconds": 86400,
        "readOnly": False,
        "mounts": {"persistentVolumeClaim": {"claimName": "build-cache"}},
        "baseImages": {"persistentVolumeClaim": {"claimName": "base-images"}},
    },
    "registries": [
        {"host": "docker.io", "mirrors": ["mirror.example.com/hub", "mirror2.example.com:5000"]},
        {"host": "registry.example.com:5000", "plainHTTP": True},
        {"host": "10.0.0.1", "insecureSkipTLSVerify": True},
        {
            "host": "private.example.com",
            "insecureSkipTLSVerify": False,
            "caBundle": {"configMapKeyRef": {"name": "trust.bundle", "key": "root.pem"}},
        },
    ],
    "proxy": {
        "httpProxy": "http://proxy.example.com:3128",
        "httpsProxy": "https://[::1]:3128/",
        "noProxy": "localhost, .svc,10.0.0.0/8",
    },
    "env": [
        {"name": "AWS_REGION", "value": "eu-central-1"},
        {"name": "EMPTY", "value": ""},
        {"name": "CI_JOB_TOKEN", "valueFrom": {"secretKeyRef": {"name": "ci", "key": "token"}}},
        {"name": "AZURE_CLIENT_ID", "valueFrom": {"configMapKeyRef": {"name": "azure", "key": "client"}}},
    ],
    "resources": {
        "requests": {"cpu": 1, "memory": "512Mi", "ephemeral-storage": "2Gi"},
        "limits": {"memory": "2Gi", "nvidia.com/gpu": "1"},
    },
    "podTemplate": {
        "metadata": {
            "labels": {"team": "web", "example.com/cost-center": "4711"},
            "annotations": {"sidecar.istio.io/inject": "false"},
        },
        "spec": {
            "nodeSelector": {"kubernetes.io/arch": "amd64"},
            "tolerations": [{"key": "builds", "operator": "Exists", "effect": "NoSchedule"}],
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [
                            {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd", "nvme"]}]}
                        ]
                    }
                },
                "podAntiAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {
                            "weight": 50,
                            "podAffinityTerm": {
                                "topologyKey": "kubernetes.io/hostname",
                                "labelSelector": {"matchLabels": {"team": "web"}},
                                "namespaces": ["ci"],
                            },
                        }
                    ]
                },
            },
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": "topology.kubernetes.io/zone",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": {"team": "web"}},
                }
            ],
            "serviceAccountName": "builder",
            "priorityClassName": "low",
            "runtimeClassName": "gvisor",
            "schedulerName": "default-scheduler",
            "hostUsers": False,
            "imagePullSecrets": [{"name": "builder-pull"}],
            "dnsConfig": {
                "nameservers": ["10.0.0.10"],
                "searches": ["example.com"],
                "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
            },
            "hostAliases": [{"ip": "10.0.0.5", "hostnames": ["registry.example.com"]}],
        },
    },
    "timeoutSeconds": 1800,
    "retry": {"limit": 5, "memoryPercent": 150},
    "cancel": True,
    "suspend": True,
    "priority": -5,
    "concurrency": {"group": "web-main", "policy": "LatestCancelRunning"},
    "queueName": "builds",
    "ttlSecondsAfterFinished": 0,
}

CA = {"name": "trust.bundle", "key": "root.pem"}

SOURCES: list[dict[str, Any]] = [
    {"url": "https://example.com/context.tar.gz?token=a%20b#x"},
    {"url": "http://[::1]:8080/context.tar"},
    {"url": "git+https://git.example.com/team/app#main:services/web"},
    {"url": "git+http://git.example.com/team/app"},
    {"url": "git://git.example.com/team/app#v1"},
    {"url": "https://git.example.com/@scope/app.git"},
    {"url": "data:application/gzip;base64,H4sIAAAAAAAAA0vOyy8BAB=="},
    {"url": "data:,hello%20world"},
    {"url": "data:;base64," + "A" * 130_000},
    {"http": {"url": "https://example.com/c.zip"}},
    {"http": {"url": "http://host:8000/c.zip", "sha256": "0" * 64, "secretRef": {"name": "basic"}}},
    {"git": {"url": "https://git.example.com/team/app"}},
    {"git": {"url": "git://git.example.com/team/app", "revision": "0123456789abcdef0123456789abcdef01234567"}},
    {"git": {"url": "http://git.example.com/team/app", "revision": "refs/tags/v1.0"}},
    *(
        {"git": {"url": url, "secretRef": {"name": "ssh"}, "submodules": True}}
        for url in (
            "git@github.com:team/app.git",
            "git@ssh.dev.azure.com:v3/org/project/repo",
            "ssh://git@git.example.com:2222/team/app.git",
            "ssh://git.example.com/~me/app",
            "ssh://git@[::1]/srv/app.git",
        )
    ),
    {"git": {"url": "git@a.b:c", "secretRef": {"name": "s"}, "knownHosts": "# x\na.b ssh-ed25519 AAAAC3Nz==\n"}},
    {"url": "oci://registry.example.com/team/context:1"},
    {"url": "s3://contexts/app.tar.gz"},
    {"url": "gs://contexts/app.tar.gz"},
    {"s3": {"bucket": "contexts", "key": "team a/ü.tar.gz", "secretRef": {"name": "s3"}, "sha256": "0" * 64}},
    {"s3": {"bucket": "a.b_c", "key": "k", "endpoint": "http://[::1]:9000", "region": "eu-central-1"}},
    {"oci": {"image": "registry.example.com:5000/team/context"}},
    {"oci": {"image": "a.b/x:1@sha256:" + "0" * 64, "secretRef": {"name": "pull"}}},
    *(
        {kind: {**fields, "caBundle": {ref: {"name": "ca", "key": "ca.crt"}}}}
        for kind, fields in {
            "http": {"url": "https://a.b/c"},
            "git": {"url": "https://a.b/c"},
            "s3": {"bucket": "bb", "key": "k"},
            "oci": {"image": "a.b/cc"},
        }.items()
        for ref in ("configMapKeyRef", "secretKeyRef")
    ),
    {"git": {"url": "git@a.b:c", "secretRef": {"name": "s"}, "submodules": True, "caBundle": {"secretKeyRef": CA}}},
    {"s3": {"bucket": "bb", "key": "k", "endpoint": "https://minio:9000", "caBundle": {"configMapKeyRef": CA}}},
    {"persistentVolumeClaim": {"claimName": "code"}},
    {"persistentVolumeClaim": {"claimName": "code", "path": "a b/ü"}},
    {"persistentVolumeClaim": {"claimName": "code", "archive": "..a/app.tar.gz"}},
    {"configMap": {"name": "context"}},
    {"upload": {}},
    {"upload": {"timeoutSeconds": 86_400, "maxBytes": 2**50, "sha256": "0" * 64}},
    {"inline": {"files": {"Dockerfile": "FROM scratch", "src/main.py": "", ".dockerignore": "*.md", "a b/ü.txt": "ü"}}},
    {"inline": {"files": {"big": "x" * 98_304}}},
    {"inline": {"files": {f"dir/{number}": "x" for number in range(64)}}},
]

IMAGES = [
    "registry.example.com/app",
    "registry.example.com/team/sub/app_1.x-y:V1.0_rc-1",
    "localhost/team/app",
    "localhost:5000/ab",
    "registry:5000/team/app",
    "10.244.0.1:5000/team/app:latest",
    "Registry.Example.com/app",
    "team/app:1",
    "a.b/cd__ef/g--h:" + "t" * 128,
]


def test_the_least_spec_gets_its_defaults(builds: Builds) -> None:
    created = builds.create(spec())
    assert created["spec"]["output"]["push"] is True
    assert set(created["spec"]) == {"source", "output"}
    assert created["metadata"]["generation"] == 1
    assert "status" not in created


def test_every_field_at_once_comes_back_as_written(builds: Builds) -> None:
    assert builds.create(FULL)["spec"] == FULL


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source)[:60])
def test_source(builds: Builds, source: dict[str, Any]) -> None:
    assert builds.create(spec(source=source))["spec"]["source"] == source


@pytest.mark.parametrize("image", IMAGES)
def test_image(builds: Builds, image: str) -> None:
    assert builds.create(spec(output={"images": [image]}))


@pytest.mark.parametrize("platform", ["linux/386", "linux/arm/v7", "linux/arm64/v8", "linux/s390x", "linux/riscv64"])
def test_platform(builds: Builds, platform: str) -> None:
    assert builds.create(spec(output={"images": ["a.b/app"], "platforms": [platform]}))


def test_nodes_of_any_platform_may_be_chosen_where_they_emulate_it(builds: Builds) -> None:
    output = {"images": ["a.b/app"], "platforms": ["linux/amd64", "linux/arm64"], "platformNodes": "Any"}
    nodes = {"spec": {"nodeSelector": {"kubernetes.io/arch": "amd64"}}}
    assert builds.create(spec(output=output, podTemplate=nodes))


def test_attestations_that_are_none_do_not_stand_against_an_unchanged_image(builds: Builds) -> None:
    attestations = {"provenance": "None", "sbom": "None"}
    assert builds.create(spec(output={"images": ["a.b/app"], "skipIfUnchanged": True, "attestations": attestations}))


def test_map_instead_of_mirrors(builds: Builds) -> None:
    registries = [
        {"host": "docker.io", "mapTo": "mirror.example.com/hub"},
        {"host": "quay.io", "mapTo": "mirror.example.com"},
    ]
    assert builds.create(spec(registries=registries))


@pytest.mark.parametrize("proxy", [{}, {"secretRef": {"name": "proxy"}}, {"noProxy": "*"}], ids=str)
def test_proxy(builds: Builds, proxy: dict[str, Any]) -> None:
    assert builds.create(spec(proxy=proxy))["spec"]["proxy"] == proxy


def test_cache_can_be_off_with_its_fields_kept(builds: Builds) -> None:
    assert builds.create(spec(cache={"enabled": False, "repo": "registry.example.com/cache"}))


def test_the_longest_name(builds: Builds) -> None:
    assert builds.create(spec(), name=".".join(["a" * 61] * 4) + "bcdef")


def test_a_hundred_build_args(builds: Builds) -> None:
    args = [{"name": f"ARG_{number}", "value": "x" * 900} for number in range(100)]
    assert builds.create(spec(buildArgs=args))


def test_the_examples(builds: Builds) -> None:
    documents = [body for file in EXAMPLES for body in yaml.safe_load_all(file.read_text())]
    examples = [body for body in documents if body["kind"] == "ImageBuild"]
    assert examples
    for example in examples:
        assert builds.create(example["spec"], name=example["metadata"]["name"])


@pytest.mark.parametrize("name", ["PATH", "HTTP_PROXY", "AWS_REGION", "BUILD_ARG_VALUE_0"])
def test_a_value_that_is_no_secret_may_have_any_name(builds: Builds, name: str) -> None:
    reference = {"configMapKeyRef": {"name": "c", "key": "k"}}
    assert builds.create(spec(buildArgs=[{"name": name, "valueFrom": reference}]))


def test_the_charts_examples(builds: Builds) -> None:
    notes = (CHART / "templates" / "NOTES.txt").read_text()
    [in_notes] = re.findall(r"<<'EOF'\n(.*?)\nEOF\n", notes, flags=re.DOTALL)
    annotations = yaml.safe_load((CHART / "Chart.yaml").read_text())["annotations"]
    examples = [yaml.safe_load(in_notes), *yaml.safe_load(annotations["artifacthub.io/crdsExamples"])]
    for number, example in enumerate(examples):
        assert builds.create(example["spec"], name=f"example-{number}")
