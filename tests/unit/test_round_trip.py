"""What the operator writes into a build pod's variables, the shim reads back, for any spec."""

import json
import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.pod.source import UPLOADED
from imagebuild_operator.pod.variables import build_variables, index_variables, push_variables
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.request.command_request import parse_request
from kaniko_shim.request.push_request import IndexRequest, PushRequest
from kaniko_shim.sources.git.ssh_access import SshAccess
from kaniko_shim.sources.kinds import (
    BucketSource,
    Cloud,
    DataSource,
    DirectorySource,
    FileSource,
    GitSource,
    HttpSource,
    OciSource,
)
from kaniko_shim.system.subcommand import Command
from support.authorities import ONE, TWO

Json = dict[str, Any]

#: A Secret's value has everything that could break a list or a line; it is the same for every key.
SECRET = " s3cret, with=signs;'quotes' \"and\"\nä line "
DOCKER_CONFIG = json.dumps({"auths": {"registry.example": {"auth": "dXNlcjpwYXNzd29yZA=="}}})
SERVER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="
SECRET_KEYS = {
    ".dockerconfigjson": DOCKER_CONFIG,
    "ssh-privatekey": "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    "ca.crt": ONE,
    "two.pem": TWO,
    **dict.fromkeys(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"], "hunter2"),
    "known_hosts": f"git.example {SERVER_KEY}\n",
}

HOSTS = st.sampled_from(["registry.example", "registry.example:5000", "quay.io", "10.0.0.1:5000"])
PATHS = st.sampled_from(["team/app", "mirror", "a-b/c_d/e.f"])
IMAGES = st.builds(
    lambda host, path, tag: f"{host}/{path}:{tag}", HOSTS, PATHS, st.sampled_from(["1", "v1.2-rc", "x_y"])
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30),
    st.sampled_from(["kill $$", "$(OUTPUT_IMAGE)", "$$(TARGET) $PATH ${HOME} $", "$$$(CACHE)"]),
)
PARTS = st.text(st.characters(exclude_categories=["C"], exclude_characters="/"), min_size=1).filter(
    lambda part: part not in {".", ".."}
)
BUNDLES = st.sampled_from(
    [{"configMapKeyRef": {"name": "ca", "key": "ca.crt"}}, {"secretKeyRef": {"name": "ca", "key": "two.pem"}}]
)
#: A CA bundle, or none.
TRUSTED: st.SearchStrategy[Json] = st.one_of(st.just({}), st.builds(lambda bundle: {"caBundle": bundle}, BUNDLES))
SOURCES: st.SearchStrategy[Json] = st.one_of(
    st.builds(lambda host: {"url": f"https://{host}/context.tar.gz"}, HOSTS),
    st.builds(
        lambda host, trusted: {
            "http": {"url": f"https://{host}/c.zip", "sha256": "ab" * 32, "secretRef": {"name": "s"}, **trusted}
        },
        HOSTS,
        TRUSTED,
    ),
    st.builds(
        lambda host, revision, trusted: {"git": {"url": f"https://{host}/team/app", "revision": revision, **trusted}},
        HOSTS,
        st.sampled_from(["main", "v1.2", "feature/x", "0" * 40]),
        TRUSTED,
    ),
    st.builds(
        lambda url, revision, submodules, known: {
            "git": {"url": url, "revision": revision, "submodules": submodules, "secretRef": {"name": "ssh"}, **known}
        },
        st.sampled_from(["ssh://git@git.example:2222/team/app", "git@git.example:team/app.git"]),
        st.sampled_from(["main", "0" * 40]),
        st.booleans(),
        st.sampled_from([{}, {"knownHosts": f"other.example {SERVER_KEY}"}]),
    ),
    st.builds(lambda text: {"inline": {"files": {"Dockerfile": text, "a/b": ""}}}, TEXTS),
    st.just({"configMap": {"name": "context"}}),
    st.builds(
        lambda image, digest, trusted: {"oci": {"image": image + digest, "secretRef": {"name": "context"}, **trusted}},
        IMAGES,
        st.sampled_from(["", "@sha256:" + "0" * 64]),
        TRUSTED,
    ),
    st.builds(
        lambda key, more: {"s3": {"bucket": "contexts", "key": key, **more}},
        st.lists(PARTS, min_size=1, max_size=3).map("/".join),
        st.sampled_from(
            [
                {},
                {"secretRef": {"name": "s3"}, "caBundle": {"secretKeyRef": {"name": "ca", "key": "ca.crt"}}},
                {"endpoint": "http://minio.example:9000", "region": "eu-central-1", "sha256": "ab" * 32},
            ]
        ),
    ),
    st.builds(
        lambda field, path: {"persistentVolumeClaim": {"claimName": "code", field: path}},
        st.sampled_from(["path", "archive"]),
        PARTS,
    ),
    st.sampled_from([{"upload": {}}, {"upload": {"sha256": "ab" * 32}}]),
)
CONFIG: Json = {"valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}
BUILD_ARGS = st.lists(
    st.one_of(
        st.tuples(
            st.from_regex(r"ARG_[A-Z0-9_]{1,6}", fullmatch=True),
            st.one_of(
                st.builds(lambda text: {"value": text}, TEXTS),
                st.just({"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}),
                st.just(CONFIG),
            ),
        ),
        # Only a secret's value needs a variable of its argument's name in the executor's environment.
        st.tuples(st.sampled_from(["PATH", "HTTP_PROXY", "OUTPUT_IMAGE"]), st.just(CONFIG)),
    ),
    max_size=6,
    unique_by=lambda pair: pair[0],
).map(lambda pairs: [{"name": name, **value} for name, value in pairs])
SECRET_KEY: Json = {"secretKeyRef": {"name": "s", "key": "k"}}
#: The ids of build secrets: some look like the variables that hold them.
SECRET_IDS = st.lists(st.sampled_from(["npm", "gh-token", "VALUE_0", "FROM", "_a.B"]), max_size=4, unique=True)
PLATFORMS = ["linux/amd64", "linux/arm64/v8", "linux/arm/v7", "linux/s390x"]
CACHES: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {"enabled": st.booleans()},
    optional={
        "repo": st.just("registry.example/cache"),
        "ttlSeconds": st.integers(1, 10**6),
        "readOnly": st.booleans(),
    },
)
EXECUTOR_ARGS = st.lists(
    st.one_of(
        st.sampled_from(["--reproducible", "--snapshot-mode=full", "--push-retry=3", "--compression-level=-1"]),
        st.builds(lambda text: f"--annotation=a={text}", TEXTS),
    ),
    max_size=4,
    unique=True,
)
REGISTRIES = st.lists(
    st.fixed_dictionaries(
        {"host": st.sampled_from(["docker.io", "quay.io", "plain.example:5000", "private.example"])},
        optional={
            "plainHTTP": st.booleans(),
            "insecureSkipTLSVerify": st.booleans(),
            "caBundle": BUNDLES,
            "mirrors": st.lists(st.sampled_from(["m1.example", "m2.example:5000/hub"]), unique=True),
        },
    ),
    max_size=4,
    unique_by=lambda registry: str(registry["host"]),
)
SPECS: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {
        "source": SOURCES,
        "output": st.builds(
            lambda images, push, labels, platforms: {
                "images": images,
                "push": push,
                "pushSecretRef": {"name": "push"},
                "labels": labels,
                **({"platforms": platforms} if platforms else {}),
            },
            st.lists(IMAGES, min_size=1, max_size=3, unique=True),
            st.booleans(),
            st.dictionaries(st.from_regex(r"[a-z][a-z./-]{0,8}[a-z]", fullmatch=True), TEXTS, max_size=4),
            st.lists(st.sampled_from(PLATFORMS), max_size=3, unique=True),
        ),
        "buildArgs": BUILD_ARGS,
        "buildSecrets": SECRET_IDS.map(lambda ids: [{"id": name, **SECRET_KEY} for name in ids]),
        "registries": REGISTRIES,
    },
    optional={
        "contextDir": st.sampled_from(["app", "services/web"]),
        "dockerfile": st.one_of(
            st.builds(lambda path: {"path": path}, st.sampled_from(["Dockerfile.prod", "build/Dockerfile"])),
            st.builds(
                lambda url, revision, submodules, known: {
                    "git": {
                        "url": url,
                        "revision": revision,
                        "submodules": submodules,
                        "secretRef": {"name": "ssh"},
                        **known,
                    }
                },
                st.sampled_from(["ssh://git@git.example:2222/team/app", "git@git.example:team/app.git"]),
                st.sampled_from(["main", "0" * 40]),
                st.booleans(),
                st.sampled_from([{}, {"knownHosts": f"other.example {SERVER_KEY}"}]),
            ),
            st.builds(lambda text: {"inline": f"FROM scratch\n# {text}"}, TEXTS),
        ),
        "target": st.sampled_from(["runtime", "stage-1"]),
        "cache": CACHES,
        "executor": st.builds(lambda args: {"args": args}, EXECUTOR_ARGS),
        "pullSecretRefs": st.just([{"name": "hub"}, {"name": "cache"}]),
    },
)


def environment(entries: list[Json]) -> dict[str, str]:
    """What the kubelet makes of a container's `env`: it replaces references to earlier variables in values."""
    resolved: dict[str, str] = {}
    for entry in entries:
        [key] = [reference["key"] for reference in entry.get("valueFrom", {}).values()] or [""]
        value = expanded(entry["value"], resolved) if "value" in entry else SECRET_KEYS.get(key, SECRET)
        resolved[entry["name"]] = value
    return resolved


def expanded(text: str, variables: dict[str, str]) -> str:
    """What Kubernetes makes of `$$` and `$(NAME)`, as its package expansion does."""

    def replaced(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else variables.get(match[1], match[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", replaced, text)


@settings(max_examples=200)
@given(SPECS)
def test_the_shim_is_asked_for_what_the_spec_says(document: Json):
    spec = parse_spec(document)
    platform = next(iter(spec.platforms), None)
    request = parse_request(Command.BUILD, environment(build_variables(spec, spec.registries, platform)))
    assert isinstance(request, BuildRequest)
    assert (request.platform.name if request.platform else None) == (str(platform) if platform else None)
    assert [output.name for output in request.outputs] == document["output"]["images"]
    assert request.layout == "/kaniko/layout"
    assert request.target == document.get("target", "")
    assert request.source.sub_path == document.get("contextDir", "")
    dockerfile = document.get("dockerfile", {})
    assert request.dockerfile_content == dockerfile.get("inline", "")
    assert request.dockerfile_path == dockerfile.get("path", "Dockerfile")
    plain = {arg["name"]: arg.get("value", SECRET) for arg in document["buildArgs"] if "secretKeyRef" not in str(arg)}
    secret = {arg["name"]: SECRET for arg in document["buildArgs"] if "secretKeyRef" in str(arg)}
    assert {arg.name: arg.value for arg in request.build_args} == plain
    assert {arg.name: arg.value for arg in request.secret_build_args} == secret
    assert {given.id: given.value.decode() for given in request.build_secrets} == {
        given["id"]: SECRET for given in document["buildSecrets"]
    }
    assert (request.docker_config is not None) == ("pullSecretRefs" in document or "oci" in document["source"])
    assert {label.name: label.value for label in request.labels} == document["output"]["labels"]
    args = [arg if "=" in arg else f"{arg}=true" for arg in document.get("executor", {}).get("args", [])]
    assert [f"--{arg.name}={arg.value}" for arg in request.extra_args] == args
    check_source(request, document["source"])
    check_cache(request, document.get("cache", {}))
    check_registries(request, document["registries"])


@settings(max_examples=50)
@given(SPECS)
def test_only_push_is_given_what_it_needs_to_push(document: Json):
    spec = parse_spec(document)
    variables = environment(push_variables(spec, spec.registries))
    request = parse_request(Command.PUSH, variables)
    assert isinstance(request, PushRequest)
    assert request.by_digest is (request.push and len(document["output"].get("platforms", [])) > 1)
    assert [output.name for output in request.outputs] == document["output"]["images"]
    assert request.push is document["output"]["push"]
    assert (request.docker_config is not None) == request.push
    assert not {"SOURCE_GET_URL", "BUILD_ARG", "BUILD_ARG_FROM", "BUILD_SECRET_FROM", "CACHE_REPO"} & set(variables)


@settings(max_examples=50)
@given(SPECS)
def test_the_index_is_asked_for_with_the_image_of_each_platform(document: Json):
    spec = parse_spec(document)
    digests = {str(platform): f"sha256:{number:064x}" for number, platform in enumerate(spec.platforms)}
    assume(digests and spec.push)
    variables = environment(index_variables(spec, spec.registries, digests))
    request = parse_request(Command.INDEX, variables)
    assert isinstance(request, IndexRequest)
    assert {member.platform.name: member.digest for member in request.members} == digests
    assert [output.name for output in request.outputs] == document["output"]["images"]
    assert request.docker_config is not None
    assert not {"SOURCE_GET_URL", "BUILD_ARG", "BUILD_ARG_FROM", "BUILD_SECRET_FROM", "CACHE_REPO"} & set(variables)


def bundle_of(ca_bundle: Json) -> str:
    [ref] = ca_bundle.values()
    return SECRET_KEYS[ref["key"]]


def check_source(request: BuildRequest, source: Json) -> None:
    [kind] = source.values()
    bundle = kind.get("caBundle") if isinstance(kind, dict) else None
    assert request.source.ca_bundle == (bundle_of(bundle) if bundle else "")
    match request.source.source:
        case HttpSource(url):
            assert url == source.get("url", source.get("http", {}).get("url"))
            assert request.source.sha256 == source.get("http", {}).get("sha256", "")
            assert request.source.password == (SECRET if "http" in source else "")
        case GitSource(url, ref):
            assert (url, ref) == (source["git"]["url"], source["git"]["revision"])
            assert request.source.submodules is source["git"].get("submodules", False)
            check_ssh(request, source["git"])
        case DirectorySource(path):
            inner = source.get("persistentVolumeClaim", {}).get("path")
            assert path == f"/kaniko/source/{inner}" if inner else "/kaniko/source"
        case FileSource(path):
            archive = source["persistentVolumeClaim"]["archive"] if "upload" not in source else UPLOADED
            assert path == f"/kaniko/source/{archive}"
            assert request.source.sha256 == source.get("upload", {}).get("sha256", "")
        case BucketSource(cloud, bucket, key):
            assert (cloud, bucket, key) == (Cloud.S3, source["s3"]["bucket"], source["s3"]["key"])
            check_bucket(request, source["s3"])
        case OciSource(image):
            assert image.name == source["oci"]["image"]
        case DataSource():
            assert "inline" in source
        case other:
            raise AssertionError(other)


def check_bucket(request: BuildRequest, s3: Json) -> None:
    access = request.source.buckets
    assert (access.endpoint, access.region) == (s3.get("endpoint", ""), s3.get("region", ""))
    assert request.source.sha256 == s3.get("sha256", "")
    keys = (access.key_id, access.secret_key, access.session_token)
    assert keys == (("hunter2",) * 3 if "secretRef" in s3 else ("", "", ""))


def check_ssh(request: BuildRequest, git: Json) -> None:
    access = request.source.ssh
    if "secretRef" not in git:
        assert access == SshAccess()
        return
    assert access.private_key == SECRET_KEYS["ssh-privatekey"]
    assert [host.names for host in access.known_hosts] == [("other.example" if "knownHosts" in git else "git.example",)]
    assert not access.any_host


def check_cache(request: BuildRequest, cache: Json) -> None:
    if not cache.get("enabled"):
        assert request.cache is None
        return
    assert request.cache is not None
    assert "repo" not in cache or request.cache.repo == cache["repo"]
    assert request.cache.ttl_seconds == cache.get("ttlSeconds")
    assert request.cache.read_only is cache.get("readOnly", False)


def check_registries(request: BuildRequest, registries: list[Json]) -> None:
    by_host = {registry["host"]: registry for registry in registries}
    assert len(request.registries.insecure) == sum(r.get("plainHTTP", False) for r in registries)
    assert len(request.registries.skip_tls_verify) == sum(r.get("insecureSkipTLSVerify", False) for r in registries)
    bundles = dict.fromkeys(json.dumps(r["caBundle"]) for r in registries if "caBundle" in r)
    assert request.registries.ca_bundle == "".join(bundle_of(json.loads(bundle)) for bundle in bundles)
    hub = by_host.pop("docker.io", {})
    assert list(request.registries.mirrors) == hub.get("mirrors", [])
    mapped = [(m.host, m.mirror) for m in request.registries.maps]
    assert sorted(mapped) == sorted((host, m) for host, r in by_host.items() for m in r.get("mirrors", []))


@pytest.mark.parametrize(
    ("args", "ignored"),
    [
        (["--push-ignore-immutable-tag-errors"], True),
        (["--push-ignore-immutable-tag-errors=false", "--reproducible"], False),
        (["--reproducible"], False),
    ],
)
def test_whatever_pushes_knows_whether_immutable_tags_are_ignored(args: list[str], ignored: bool):  # noqa: FBT001 - a parameter
    output = {"images": ["registry.example/app:1"], "push": True}
    spec = parse_spec({"source": {"inline": {"files": {}}}, "output": output, "executor": {"args": args}})
    push = parse_request(Command.PUSH, environment(push_variables(spec, ())))
    index = parse_request(Command.INDEX, environment(index_variables(spec, (), {"linux/amd64": f"sha256:{'0' * 64}"})))
    assert isinstance(push, PushRequest)
    assert isinstance(index, IndexRequest)
    assert (push.ignore_immutable_tags, index.ignore_immutable_tags) == (ignored, ignored)
