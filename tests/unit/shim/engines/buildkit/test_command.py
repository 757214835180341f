"""The daemon's configuration and buildctl's command, as whole values."""

import json
import tomllib
from pathlib import Path

import pytest
from kaniko_shim.engines.buildkit.command import Places, daemon, daemon_config, invocation, refuse, source_policy
from kaniko_shim.engines.engine import shown
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.registry.registries import Registries, RegistryMap
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.request.command_request import parse_request
from kaniko_shim.system.paths import Paths
from kaniko_shim.system.subcommand import Command

PATHS = Paths()
PLACES = Places(PATHS.context, PATHS.context / "Dockerfile", "127.0.0.1:1/name", PATHS.scratch / "metadata.json", {})
HEAD = (
    "/kaniko/.Shim/bin/buildctl",
    *("--addr", "unix:///kaniko/.run/buildkit/buildkitd.sock", "build"),
    *("--progress=rawjson", "--frontend=dockerfile.v0", "--allow=network.host"),
    *("--local=context=/kaniko/buildcontext", "--local=dockerfile=/kaniko/buildcontext"),
    *("--opt=filename=Dockerfile", "--opt=cmdline=builtin"),
)
TAIL = (
    "--metadata-file=/kaniko/.run/metadata.json",
    "--output=type=image,name=127.0.0.1:1/name/image:built,push=true,oci-mediatypes=true",
)


def request(**variables: str) -> BuildRequest:
    made = parse_request(Command.BUILD, {"OUTPUT_IMAGE": "r.example/app", **variables})
    assert isinstance(made, BuildRequest)
    return made


def argv(**variables: str) -> tuple[str, ...]:
    return invocation(request(**variables), PLACES, PATHS, variables).argv


def test_the_plainest_request():
    assert argv() == (*HEAD, *TAIL, "--no-cache")


def test_everything_at_once():
    made = argv(
        BUILD_ARG="QT0xLCAi,Qj0=",
        TARGET="final",
        PLATFORM="linux/arm64",
        LABELS='{"a": "b c"}',
        RUN_PROXY="true",
        HTTPS_PROXY="http://proxy.example",
    )
    assert made == (
        *HEAD,
        *('--opt=build-arg:A=1, "', "--opt=build-arg:B=", "--opt=build-arg:HTTPS_PROXY=http://proxy.example"),
        *("--opt=label:a=b c", "--opt=target=final", "--opt=platform=linux/arm64"),
        *TAIL,
        "--no-cache",
    )


def test_the_values_of_build_arguments_are_not_shown():
    variables = {"BUILD_ARG": "QT1oaWRkZW4KbGluZQ==", "RUN_PROXY": "true", "HTTPS_PROXY": "http://me:hidden@proxy"}
    text = shown(invocation(request(**variables), PLACES, PATHS, variables))
    assert "hidden" not in text
    assert "line" not in text.replace("cmdline", "")
    assert "--opt=build-arg:A=***" in text
    assert "--opt=build-arg:HTTPS_PROXY=***" in text


def test_secrets_are_files():
    places = Places(PATHS.context, PATHS.context / "D", "l", Path("/m"), {"npm": Path("/s/npm")})
    assert "--secret=id=npm,src=/s/npm" in invocation(request(), places, PATHS, {}).argv


def test_a_build_without_network_and_with_a_time_of_its_own():
    made = argv(RUN_NETWORK="none", IMAGE_TIMESTAMP="7")
    assert "--allow=network.host" not in made
    assert {"--opt=force-network-mode=none", "--opt=build-arg:SOURCE_DATE_EPOCH=7"} <= set(made)
    [output] = [each for each in made if each.startswith("--output=")]
    assert output.endswith(",rewrite-timestamp=true")


def test_a_secret_that_a_run_mounts_as_an_ssh_key_is_one():
    places = Places(
        PATHS.context,
        PATHS.context / "D",
        "l",
        Path("/m"),
        {"npm": Path("/s/npm"), "default": Path("/s/d")},
        {"default"},
    )
    made = invocation(request(), places, PATHS, {}).argv
    assert [each for each in made if each.startswith("--ssh")] == ["--ssh=default=/s/d"]


def test_each_build_of_a_cache_repository_has_a_tag_of_its_own():
    def cache(**variables: str) -> list[str]:
        return [each for each in argv(CACHE_REPO="r.example/cache", **variables) if "cache" in each.partition("=")[0]]

    imported, exported = cache()
    ref = imported.removeprefix("--import-cache=type=registry,ref=")
    assert ref.startswith("r.example/cache:buildkit-")
    assert exported == "--export-cache=type=registry,ref=127.0.0.1:1/name/cache:built,mode=max,ignore-error=true"
    assert cache(CACHE_READ_ONLY="true") == [imported]
    assert len({cache(**each)[0] for each in ({}, {"TARGET": "a"}, {"PLATFORM": "linux/arm64"})}) == 3


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"BUILD_ARG_FROM": "TOKEN=SECRET", "SECRET": "x"}, "BUILD_ARG_FROM: BuildKit writes the values"),
        ({"EXTRA_ARGS": "--reproducible"}, "EXTRA_ARGS: --reproducible"),
        ({"REGISTRY_MAP": "a.example=b.example", "SKIP_DEFAULT_REGISTRY_FALLBACK": "true"}, "SKIP_DEFAULT_REGISTRY"),
        ({"CACHE_REPO": "r.example/cache", "CACHE_TTL": "60"}, "CACHE_TTL"),
    ],
)
def test_what_it_would_leave_out_is_refused(variables: dict[str, str], words: str):
    with pytest.raises(JobError) as refused:
        refuse(request(**variables))
    assert words in refused.value.failure.message
    assert "Kaniko" in refused.value.failure.hint


def test_what_push_alone_reads_is_not_refused():
    refuse(request(EXTRA_ARGS="--push-ignore-immutable-tag-errors=true"))


def test_the_configuration():
    registries = Registries(
        insecure=("plain.example:5000",),
        skip_tls_verify=("self.example", "plain.example:5000"),
        mirrors=("plain.example:5000", "m.example/hub"),
        maps=(RegistryMap("quay.io", 'q".example'), RegistryMap("index.docker.io", "last.example")),
    )
    made = tomllib.loads(daemon_config(registries, PATHS))
    assert made == {
        "root": "/kaniko/.buildkit",
        "insecure-entitlements": ["network.host"],
        "log": {"level": "warn"},
        "otel": {"socketPath": "/kaniko/.run/buildkit/otel.sock"},
        "cdi": {"disabled": True},
        "grpc": {"address": ["unix:///kaniko/.run/buildkit/buildkitd.sock"]},
        "frontend": {"gateway.v0": {"enabled": False}},
        "worker": {
            "containerd": {"enabled": False},
            "oci": {
                "enabled": True,
                "gc": False,
                "snapshotter": "overlayfs",
                "networkMode": "host",
                "binary": "/kaniko/.Shim/bin/buildkit-runc",
            },
        },
        "registry": {
            "docker.io": {"mirrors": ["plain.example:5000", "m.example/hub", "last.example"]},
            "quay.io": {"mirrors": ['q".example']},
            "plain.example:5000": {"http": True},
            "self.example": {"insecure": True},
        },
    }


def test_without_process_ids_of_their_own_runs_share_those_of_the_daemon():
    config = Path("/c")
    assert daemon(PATHS, config, has_own_processes=True) == ("/kaniko/.Shim/bin/buildkitd", "--config", "/c")
    shared = daemon(PATHS, config, has_own_processes=False)
    assert shared[3:] == ("--rootless", "--oci-worker-no-process-sandbox")


def test_the_policy_for_sources_denies_every_image_but_what_is_allowed():
    rules = json.loads(source_policy(["r.example:5000", "docker.io/library/python:3.11"]))["rules"]
    assert [(rule["action"], rule["selector"]["identifier"]) for rule in rules] == [
        ("DENY", "docker-image://*"),
        ("ALLOW", "docker-image://r.example:5000"),
        ("ALLOW", "docker-image://r.example:5000/*"),
        ("ALLOW", "docker-image://docker.io/library/python:3.11"),
        ("ALLOW", "docker-image://docker.io/library/python:3.11/*"),
        ("ALLOW", "docker-image://docker.io/library/python:3.11:*"),
        ("ALLOW", "docker-image://docker.io/library/python:3.11@*"),
    ]
    assert {rule["selector"]["matchType"] for rule in rules} == {"WILDCARD"}
    assert not any("policy" in each for each in argv())
    assert "--source-policy-file=." in argv(ALLOWED_BASE_IMAGES="docker.io/library")
