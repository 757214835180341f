from base64 import b64encode
from pathlib import Path

import pytest
from kaniko_shim.engines.engine import shown
from kaniko_shim.engines.kaniko.executor.abilities import Abilities
from kaniko_shim.engines.kaniko.executor.command import invocation
from kaniko_shim.engines.kaniko.executor.feature_flags import TABLE
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.request.command_request import parse_request
from kaniko_shim.system.paths import Paths
from kaniko_shim.system.processes.invocation import Invocation
from kaniko_shim.system.subcommand import Command

ALL_FLAGS = frozenset(
    {
        *("context", "dockerfile", "destination", "digest-file", "no-push", "oci-layout-path", "target", "build-arg"),
        *("log-format", "log-timestamp", "snapshot-mode", "ignore-path", "ignore-var-run"),
        *("push-retry", "image-download-retry", "image-fs-extract-retry"),
        *("cache", "cache-repo", "cache-ttl", "compressed-caching", "no-push-cache"),
        *("insecure-registry", "skip-tls-verify-registry", "registry-map", "skip-default-registry-fallback"),
    }
)
ALWAYS = (
    "/kaniko/executor",
    "--context=/kaniko/buildcontext",
    "--dockerfile=/kaniko/buildcontext/Dockerfile",
    "--log-format=text",
    "--log-timestamp=false",
    "--snapshot-mode=full",
    "--ignore-var-run=false",
    "--push-retry=3",
    "--image-download-retry=1",
    "--image-fs-extract-retry=3",
)
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/kaniko:/kaniko/.Shim/credential-helpers",
    "HOME": "/root",
    "TMPDIR": "/kaniko/.run",
    "DOCKER_CONFIG": "/kaniko/.run/docker",
    "AWS_ECR_CACHE_DIR": "/kaniko/.run/credential-helpers",
    "DOCKER_CREDENTIAL_GCR_CONFIG": "/kaniko/.run/credential-helpers/gcr.json",
    "container": "kube",
    "USER": "root",
}


def command(
    environment: dict[str, str],
    *,
    which: Command = Command.ALL,
    flags: frozenset[str] = ALL_FLAGS,
    keeps_var_run: bool = True,
    executor: Abilities | None = None,
) -> Invocation:
    request = parse_request(which, environment)
    assert isinstance(request, BuildRequest)
    paths = Paths()
    return invocation(
        request,
        context=paths.context,
        dockerfile=paths.context / "Dockerfile",
        abilities=executor or Abilities(flags),
        environment=environment,
        paths=paths,
        keeps_var_run=keeps_var_run,
    )


def test_the_plainest_request():
    assert command({"OUTPUT_IMAGE": "r.example/app"}) == Invocation(
        (*ALWAYS, "--destination=r.example/app:latest", "--digest-file=/kaniko/.run/digest"), ENVIRONMENT
    )


def test_everything_at_once():
    environment = {
        "OUTPUT_IMAGE": "r.example/app,me/app:2",
        "BUILD_ARG": "QT0xLCAi,Qj0=",
        "BUILD_ARG_FROM": "TOKEN=SECRET",
        "SECRET": "s3cret",
        "TARGET": "final",
        "CACHE_REPO": "r.example/cache",
        "CACHE_TTL": "3600",
        "CACHE_READ_ONLY": "true",
        "INSECURE_REGISTRIES": "i.example;j.example",
        "SKIP_TLS_VERIFY_REGISTRIES": "s.example",
        "REGISTRY_MIRRORS": "m.example,n.example/hub",
        "REGISTRY_MAP": "gcr.io=g.example/x,gcr.io=h.example",
        "SKIP_DEFAULT_REGISTRY_FALLBACK": "true",
        "HTTPS_PROXY": "http://proxy.example",
        "AWS_REGION": "eu",
        "KANIKO_DIR": "/elsewhere",
        "LD_PRELOAD": "/x",
        "SSL_CERT_DIR": "/kaniko/ssl/certs",
    }
    found = command(environment, which=Command.BUILD)
    assert found == Invocation(
        (
            *ALWAYS,
            '--build-arg=A=1, "',
            "--build-arg=B=",
            "--build-arg=TOKEN",
            "--destination=r.example/app:latest",
            "--destination=index.docker.io/me/app:2",
            "--no-push=true",
            "--oci-layout-path=/kaniko/layout",
            "--cache=true",
            "--cache-repo=r.example/cache",
            "--compressed-caching=false",
            "--cache-ttl=3600s",
            "--no-push-cache=true",
            "--insecure-registry=i.example",
            "--insecure-registry=j.example",
            "--skip-tls-verify-registry=s.example",
            "--registry-map=index.docker.io=m.example",
            "--registry-map=index.docker.io=n.example/hub",
            "--registry-map=gcr.io=g.example/x",
            "--registry-map=gcr.io=h.example",
            "--skip-default-registry-fallback=true",
            "--target=final",
        ),
        {
            **ENVIRONMENT,
            "HTTPS_PROXY": "http://proxy.example",
            "AWS_REGION": "eu",
            "SSL_CERT_DIR": "/kaniko/ssl/certs",
            "TOKEN": "s3cret",
        },
    )
    assert "'--build-arg=A=***'" in shown(found) or "--build-arg=A=***" in shown(found)
    assert "1, " not in shown(found)
    assert "s3cret" not in repr(found)


def test_a_flag_that_the_executor_does_not_know_is_never_passed():
    few = frozenset({"context", "dockerfile", "destination"})
    assert command({"OUTPUT_IMAGE": "r.example/app"}, flags=few).argv == (
        *ALWAYS[:3],
        "--destination=r.example/app:latest",
    )
    with pytest.raises(JobError, match="CACHE_READ_ONLY"):
        command(
            {"OUTPUT_IMAGE": "r.example/app", "CACHE_REPO": "r.example/c1", "CACHE_READ_ONLY": "1"},
            flags=ALL_FLAGS - {"no-push-cache"},
        )


def test_the_platform_is_passed_on_or_refused():
    environment = {"OUTPUT_IMAGE": "r.example/app", "PLATFORM": "linux/arm/v7"}
    assert "--custom-platform=linux/arm/v7" in command(environment, flags=ALL_FLAGS | {"custom-platform"}).argv
    with pytest.raises(JobError, match="PLATFORM: this executor"):
        command(environment)


def test_paths_below_a_dot_can_not_be_those_of_an_image():
    paths = Paths()
    for path in (paths.crane, paths.executor_help, paths.scratch, paths.docker_config):
        assert path.relative_to(Path("/kaniko")).parts[0].startswith(".")


def test_proxies_reach_run_steps_as_predefined_arguments_without_their_values():
    proxies = {
        "HTTP_PROXY": "http://me:hunter2@proxy:3128",
        "https_proxy": "http://proxy:3128",
        "no_proxy": ".svc",
        "NO_PROXY": " ",
    }
    made = command({"OUTPUT_IMAGE": "r.example/app", "RUN_PROXY": "true", **proxies})
    assert [arg for arg in made.argv if arg.startswith("--build-arg")] == [
        "--build-arg=HTTP_PROXY",
        "--build-arg=https_proxy",
        "--build-arg=no_proxy",
    ]
    assert made.environment["HTTP_PROXY"] == proxies["HTTP_PROXY"]
    assert "--build-arg" not in " ".join(command({"OUTPUT_IMAGE": "r.example/app", **proxies}).argv)


def test_a_build_argument_goes_before_the_proxy_of_the_environment():
    argument = b64encode(b"http_proxy=").decode()
    made = command(
        {"OUTPUT_IMAGE": "r.example/app", "RUN_PROXY": "true", "HTTP_PROXY": "http://proxy:3128", "BUILD_ARG": argument}
    )
    assert [arg for arg in made.argv if arg.startswith("--build-arg")] == [
        "--build-arg=http_proxy=",
        "--build-arg=HTTP_PROXY=",
    ]


SHIPPED = Abilities(ALL_FLAGS | {"secret", "cache-copy-layers"}, (1, 28, 3))


def test_feature_flags_are_set_where_the_executor_knows_them():
    old = command({"OUTPUT_IMAGE": "r.example/app"}).environment
    assert not [name for name in old if name.startswith("FF_KANIKO_")]
    new = command({"OUTPUT_IMAGE": "r.example/app"}, executor=SHIPPED).environment
    assert {name: value for name, value in new.items() if name.startswith("FF_")} == dict.fromkeys(TABLE, "true")


def test_a_feature_flag_of_the_environment_is_left_as_it_is():
    made = command({"OUTPUT_IMAGE": "r.example/app", "FF_KANIKO_COPY_AS_ROOT": "0"}, executor=SHIPPED)
    assert made.environment["FF_KANIKO_COPY_AS_ROOT"] == "0"


@pytest.mark.parametrize(
    ("executor", "extra", "found"),
    [
        (SHIPPED, "", ["--cache-copy-layers=true"]),
        (SHIPPED, "--cache-copy-layers=false", ["--cache-copy-layers=false"]),
        (None, "", []),
    ],
)
def test_layers_of_copy_are_cached_where_that_saves_whole_stages(
    executor: Abilities | None, extra: str, found: list[str]
):
    environment = {"OUTPUT_IMAGE": "r.example/app", "CACHE_REPO": "r.example/cache", "EXTRA_ARGS": extra}
    made = command(environment, executor=executor)
    assert [arg for arg in made.argv if arg.startswith("--cache-copy-layers")] == found


@pytest.mark.parametrize("read", [True, False])
def test_cached_base_images_are_read_from_layouts(read: bool):  # noqa: FBT001
    environment = {"OUTPUT_IMAGE": "r.example/app", "CACHE_REPO": "r.example/cache"}
    executor = Abilities((SHIPPED.flags if read else ALL_FLAGS) | {"cache-dir"}, (1, 28, 3))
    made = command(environment, executor=executor)
    assert ("--cache-dir=/kaniko/.base-images" in made.argv) is read
    assert not [each for each in command({"OUTPUT_IMAGE": "r.example/app"}, executor=executor).argv if "cache" in each]


def test_var_run_is_ignored_where_something_is_mounted_there():
    made = command({"OUTPUT_IMAGE": "r.example/app"}, keeps_var_run=False)
    assert not [arg for arg in made.argv if arg.startswith("--ignore-var-run")]
