from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from imagebuild_operator.__main__ import SETTINGS_FILE, main, read_settings
from imagebuild_operator.api.build import Proxy, Registry
from imagebuild_operator.api.errors import SettingsError
from imagebuild_operator.api.sources import KeyRef
from imagebuild_operator.settings import (
    BuildDefaults,
    History,
    KeepPods,
    LeaseSettings,
    Limits,
    OperatorSettings,
)
from imagebuild_operator.settings_file import parse_settings

LEAST: dict[str, Any] = {"builder": {"image": "b:1"}}
EVERYTHING = """
watchNamespaces: [one, two]
buildSelector: team in (a, b),!legacy
leaderElection: {leaseName: ib, leaseNamespace: system, leaseSeconds: 30}
builder:
  image: b:1
  pullPolicy: Always
  imagePullSecrets: [{name: regcred}]
  resources: {requests: {cpu: 100m}}
  keepPods: none
  nodeSelector: {pool: builds}
  tolerations: [{key: builds, operator: Exists}]
  checkPush: false
  pushProofSeconds: 600
  allowPrivilegeEscalation: true
  capabilities: [CHOWN]
  proxy: {httpProxy: "http://proxy:3128", httpsProxy: "", noProxy: ".svc"}
  registries:
  - {host: docker.io, mirrors: [mirror.example]}
  - {host: plain.example, plainHTTP: true, insecureSkipTLSVerify: true}
  - {host: private.example, mapTo: m.example, caBundle: {secretKeyRef: {name: ca, key: ca.crt}}}
admission: {maxRunning: 50, maxRunningPerNamespace: 2, namespaces: {team-a: 5, team-b: 0}, waitSeconds: 3600}
history: {succeeded: 5, failed: null}
retry: {delaySeconds: 2.5}
progress: {enabled: false}
log: {format: json, level: debug}
probes: {port: 9000}
metrics: {port: 9001, namespaceLabels: true}
tracing: {endpoint: "http://collector:4318"}
watches: {silenceSeconds: 5}
credentials: {rejectedSeconds: 60}
"""


def test_the_least_that_is_needed():
    assert parse_settings(LEAST) == OperatorSettings(BuildDefaults("b:1"))


def test_null_is_the_default():
    document = {key: dict.fromkeys(value) if isinstance(value, dict) else None for key, value in LEAST.items()}
    document |= dict.fromkeys(key for key in yaml.safe_load(EVERYTHING) if key != "builder")
    assert parse_settings({**document, "builder": {"image": "b:1", "nodeSelector": None}}) == parse_settings(LEAST)


def test_everything():
    assert parse_settings(yaml.safe_load(EVERYTHING)) == OperatorSettings(
        defaults=BuildDefaults(
            builder_image="b:1",
            builder_pull_policy="Always",
            image_pull_secrets=("regcred",),
            resources={"requests": {"cpu": "100m"}},
            node_selector={"pool": "builds"},
            tolerations=({"key": "builds", "operator": "Exists"},),
            registries=(
                Registry("docker.io", mirrors=("mirror.example",)),
                Registry("plain.example", plain_http=True, skip_tls_verify=True),
                Registry("private.example", map_to="m.example", ca_bundle=KeyRef("secretKeyRef", "ca", "ca.crt")),
            ),
            proxy=Proxy(http="http://proxy:3128", no=".svc"),
            check_push=False,
            traced=True,
            allow_privilege_escalation=True,
            capabilities=("CHOWN",),
        ),
        namespaces=("one", "two"),
        selector="team in (a, b),!legacy",
        log_format="json",
        log_level="DEBUG",
        health_port=9000,
        metrics_port=9001,
        metrics_namespaces=True,
        watch_silence=5.0,
        credentials_rejected=60.0,
        tracing_endpoint="http://collector:4318",
        push_proof=600.0,
        retry_delay=2.5,
        keep_pods=KeepPods.NONE,
        progress=False,
        history=History(succeeded=5),
        limits=Limits(cluster=50, namespace=2, namespaces={"team-a": 5, "team-b": 0}),
        max_wait=3600,
        lease=LeaseSettings("system", "ib", 30),
    )


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "the document is []: write a mapping"),
        ({"log": "json"}, "log is 'json': write a mapping"),
        ({"log": {"format": "xml"}}, "log.format is 'xml': write plain or json"),
        ({"log": {"level": "loud"}}, "log.level is 'loud': write debug, info, warning or error"),
        ({"logs": {}}, "logs is unknown: write one of leaderElection, log, metrics,"),
        ({"log": {"levl": "info"}}, "log.levl is unknown: write one of format, level"),
        ({"buildSelector": "team: a"}, "buildSelector is 'team: a': write a label selector such as team=a or !team"),
        (
            {"builder": {"registries": [{"host": "a.b", "caBundle": {"name": "ca"}}]}},
            "builder.registries[0].caBundle is {'name': 'ca'}: write configMapKeyRef or secretKeyRef, with name",
        ),
        (
            {"builder": {"proxy": {"httpProxy": "http://me:hunter22@proxy:3128"}}},
            "builder.proxy.httpProxy is 'http://***@proxy:3128': write the URL of the proxy, scheme, host and port",
        ),
        ({"watchNamespaces": "team-a"}, "watchNamespaces is 'team-a': write a list of strings"),
        ({"probes": {"port": "http"}}, "probes.port is 'http': write a number from 1 to 65535"),
        ({"metrics": {"port": 65536}}, "metrics.port is 65536: write a number from 1 to 65535"),
        ({"metrics": {"enabled": "yes"}}, "metrics.enabled is 'yes': write true or false"),
        ({"retry": {"delaySeconds": "soon"}}, "retry.delaySeconds is 'soon': write a number of seconds, 0 or more"),
        ({"retry": {"delaySeconds": float("inf")}}, "retry.delaySeconds is inf: write a number of seconds"),
        ({"history": {"failed": -1}}, "history.failed is -1: write a whole number, 0 or more"),
        ({"history": {"failed": True}}, "history.failed is True: write a whole number, 0 or more"),
        ({"admission": {"namespaces": {"team-a": "x"}}}, "admission.namespaces is {'team-a': 'x'}: write a mapping of"),
        ({"leaderElection": {"leaseName": "ib"}}, "leaderElection.leaseNamespace is not set: write the namespace of"),
        ({"leaderElection": {"leaseSeconds": 0}}, "leaderElection.leaseSeconds is 0: write a whole number, 1 or more"),
        ({"tracing": {"endpoint": "collector:4318"}}, "tracing.endpoint is 'collector:4318': write http://HOST:PORT"),
        ({"builder": {"image": ""}}, "builder.image is '': write the reference of the builder image"),
        ({"builder": {"keepPods": "some"}}, "builder.keepPods is 'some': write none, failed or all"),
        ({"builder": {"resourcs": {}}}, "builder.resourcs is unknown: write one of image, pullPolicy"),
        ({"builder": {"registries": [{"hst": "a"}]}}, "builder.registries[0].host is not set: write HOST[:PORT]"),
        ({"builder": {"registries": ["a"]}}, "builder.registries[0] is 'a': write a mapping"),
        ({"builder": {"registries": [{"host": "a", "mirrors": "b"}]}}, "builder.registries[0].mirrors is 'b': write"),
        ({"builder": {"imagePullSecrets": [{}]}}, "builder.imagePullSecrets[0].name is not set: write the name of a"),
        ({"builder": {"nodeSelector": {"a": 1}}}, "builder.nodeSelector is {'a': 1}: write a mapping of strings"),
    ],
)
def test_a_problem_names_the_field_its_value_and_what_to_write(document: object, problem: str):
    with pytest.raises(SettingsError) as caught:
        parse_settings(document)
    assert problem in str(caught.value).split("; ")[-1] or problem in str(caught.value)


def test_all_problems_are_named_at_once_and_no_secret():
    document = {
        "log": {"format": "xml"},
        "builder": {"image": "b:1"},
        "tracing": {"endpoint": "x://bob:hunter22@c"},
        "a": 1,
    }
    with pytest.raises(SettingsError) as caught:
        parse_settings(document)
    assert [problem.split()[0] for problem in str(caught.value).split("; ")] == ["a", "log.format", "tracing.endpoint"]
    assert "hunter22" not in str(caught.value)


def test_metrics_can_be_off():
    made = parse_settings({**LEAST, "metrics": {"enabled": False, "port": 9001}})
    assert made == replace(parse_settings(LEAST), metrics_port=None)


def test_the_file_is_named_by_a_variable(tmp_path: Path):
    file = tmp_path / "settings.yaml"
    file.write_text(yaml.safe_dump(LEAST))
    assert read_settings({SETTINGS_FILE: str(file)}) == parse_settings(LEAST)


@pytest.mark.parametrize("text", [None, "a: [", "log: {format: xml}", b"\xff"])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str | bytes | None):
    file = tmp_path / "settings.yaml"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError, match=f"settings file {file}: "):
        read_settings({SETTINGS_FILE: str(file)})


def test_without_a_file_the_operator_does_not_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.delenv(SETTINGS_FILE, raising=False)
    assert main() == 2
    assert f"{SETTINGS_FILE} is not set: write the path of the settings file" in capsys.readouterr().err
