"""Logs in to Amazon ECR with the identity of the pod, through Amazon's APIs as moto serves them.

docs/how-to/registries/ecr.md describes what is shown here.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from standalone.container import Builder, Done, Limits
from standalone.registry import CloudRegistry, cloud_registry
from standalone.test_oci_source import layer
from support.registry import Registry
from support.s3 import serve_s3

NOBODY = 65532
HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
# What moto's GetAuthorizationToken answers for this account.
USER, PASSWORD = "AWS", "123456789012-auth-token"
TOKEN_FILE = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"
# No test may ask a metadata server: this machine could have one.
NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true"}


@dataclass(frozen=True)
class Amazon:
    """ECR, and the identity that the webhook of EKS gives a container."""

    ecr: CloudRegistry
    identity: dict[str, str]
    token: Path

    def run(self, builder: Builder, *arguments: str, env: dict[str, str], mounts: dict[str, Path]) -> Done:
        """Run a container with the identity; without privileges unless it builds."""
        builds = not arguments or arguments[0] == "build"
        given = {TOKEN_FILE: self.token, "/etc/hosts": self.ecr.hosts, **mounts}
        return builder.run(
            *arguments,
            env={"REGISTRY_CA": self.ecr.authority, **env, **self.identity},
            mounts=given,
            user=0 if builds else NOBODY,
            limits=Limits(read_only=(TOKEN_FILE,)),
        )


@pytest.fixture(scope="module")
def amazon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Amazon]:
    token = tmp_path_factory.mktemp("identity") / "token"
    token.write_text("the-token-of-the-service-account")
    with (
        serve_s3(tmp_path_factory.mktemp("moto"), tls=False) as apis,
        cloud_registry(tmp_path_factory.mktemp("ecr"), HOST, USER, PASSWORD) as ecr,
    ):
        identity = {
            "AWS_ENDPOINT_URL": apis.url,
            # Amazon's library resolves credentials before it reads the variable above.
            "AWS_ENDPOINT_URL_STS": apis.url,
            "AWS_REGION": "us-east-1",
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/builds",
            "AWS_WEB_IDENTITY_TOKEN_FILE": TOKEN_FILE,
            **NO_METADATA,
        }
        yield Amazon(ecr, identity, token)


@pytest.fixture
def mounts(source: Path, tmp_path: Path) -> dict[str, Path]:
    found = {"/tmp/source": source, "/kaniko/layout": tmp_path / "layout", "/kaniko/.run": tmp_path / "run"}
    for path in found.values():
        path.mkdir(exist_ok=True)
        path.chmod(0o777)
    return found


def test_check_push_and_index_log_in(
    builder: Builder, amazon: Amazon, source: Path, mounts: dict[str, Path], env: dict[str, str]
):
    (source / "Dockerfile").write_text("FROM busybox\nRUN echo hello > /hello\n")
    env |= {"OUTPUT_IMAGE": f"{HOST}/team/app:1", "PROVENANCE": "true"}
    checked = amazon.run(builder, "check", env=env, mounts={"/kaniko/.run": mounts["/kaniko/.run"]})
    assert checked.code == 0, checked.log
    assert f"using the credentials of docker-credential-ecr-login for {HOST}" in checked.log

    run = mounts.pop("/kaniko/.run")
    built = builder.run("build", env=env, mounts=mounts)
    assert built.code == 0, built.log
    mounts["/kaniko/.run"] = run

    pushed = amazon.run(builder, "push", env={**env, "PUSH_BY_DIGEST": "true"}, mounts=mounts)
    assert pushed.code == 0, pushed.log
    assert "warnings" not in pushed.result
    digest = pushed.result["digest"]

    members = {**env, "INDEX_MANIFESTS": f"linux/amd64={digest}"}
    index = amazon.run(builder, "index", env=members, mounts={"/kaniko/.run": run})
    assert index.code == 0, index.log
    assert index.result["digest"] == amazon.ecr.registry.digest(amazon.ecr.crane("team/app:1"))
    for done in (checked, pushed, index):
        assert PASSWORD not in done.log
    assert not list(run.rglob("config.json"))
    assert not list(run.rglob("cache.json"))


def test_a_check_needs_no_place_to_write(builder: Builder, amazon: Amazon):
    env = {"OUTPUT_IMAGE": f"{HOST}/team/app:1", "SKIP_TLS_VERIFY_REGISTRIES": HOST}
    mounts = {TOKEN_FILE: amazon.token, "/etc/hosts": amazon.ecr.hosts}
    done = builder.run("check", env={**env, **amazon.identity}, mounts=mounts, user=NOBODY)
    assert done.code == 0, done.log


@pytest.mark.shows("A42")
def test_a_build_in_one_container_logs_in_for_everything(
    builder: Builder, amazon: Amazon, tmp_path: Path, env: dict[str, str], registry: Registry
):
    base = amazon.ecr.crane("team/base:1")
    copy = [str(registry.crane), "--insecure", "copy", f"{registry.address}/library/busybox:latest", base]
    subprocess.run(copy, check=True, capture_output=True, env=dict(amazon.ecr.registry.environment))
    context = amazon.ecr.crane("team/context:1")
    dockerfile = f"FROM {HOST}/team/base:1\nRUN echo one > /one\nRUN find / -xdev -name '*ecr*' > /found\n"
    files = layer(tmp_path / "context.tar.gz", {"Dockerfile": dockerfile.encode()})
    append = [str(registry.crane), "--insecure", "append", "--new_tag", context, "--new_layer", str(files)]
    subprocess.run(append, check=True, capture_output=True, env=dict(amazon.ecr.registry.environment))
    image = "team/whole:1"
    env |= {"OUTPUT_IMAGE": f"{HOST}/{image}", "SOURCE_GET_URL": f"oci://{HOST}/team/context:1", "CACHE": "true"}
    runs = [amazon.run(builder, env=env, mounts={}) for _ in range(2)]
    for done in runs:
        assert done.code == 0, done.log
        assert PASSWORD not in done.log
    assert runs[1].result["digest"] == amazon.ecr.registry.digest(amazon.ecr.crane(image))
    assert [done.result["cache"]["hits"] for done in runs] == [0, 2]
    # Neither a token nor the log of the helper in the executor is in the image.
    found = amazon.ecr.registry.files(amazon.ecr.crane(image))
    assert [path for path in found if "/.ecr" in path or "/.config" in path] == []


@pytest.mark.parametrize("entry", [{}, {HOST: {}}])
def test_without_an_identity_the_failure_says_what_to_do(
    builder: Builder, amazon: Amazon, mounts: dict[str, Path], entry: dict[str, object]
):
    env = {
        "OUTPUT_IMAGE": f"{HOST}/team/app:1",
        "DOCKER_CONFIG_JSON": json.dumps({"auths": entry}),
        "REGISTRY_CA": amazon.ecr.authority,
        **NO_METADATA,
    }
    places = {"/etc/hosts": amazon.ecr.hosts, "/kaniko/.run": mounts["/kaniko/.run"]}
    done = builder.run("check", env=env, mounts=places, user=NOBODY)
    assert (done.code, done.result["reason"], done.result["registry"]) == (77, "RegistryUnauthorized", HOST)
    assert f"docker-credential-ecr-login has no credentials for {HOST}: " in done.result["message"]
    assert "connect the pod's ServiceAccount to an IAM role" in done.result["hint"]


def test_a_base_image_of_a_private_repository_is_refused_without_an_identity(
    builder: Builder, amazon: Amazon, source: Path, env: dict[str, str]
):
    (source / "Dockerfile").write_text(f"FROM {HOST}/team/private:1\n")
    env |= {"REGISTRY_CA": amazon.ecr.authority, **NO_METADATA}
    done = builder.run(env=env, mounts={"/etc/hosts": amazon.ecr.hosts, "/tmp/source": source})
    assert (done.result["reason"], done.result["registry"]) == ("BaseImageUnauthorized", HOST)
    assert "connect the pod's ServiceAccount to an IAM role" in done.result["hint"]


@pytest.mark.parametrize(
    ("host", "variables"),
    [
        ("public.ecr.aws", NO_METADATA),
        ("gcr.io", {"GCE_METADATA_HOST": "127.0.0.1:9"}),
        ("team.azurecr.io", {"MSI_ENDPOINT": "http://127.0.0.1:9/", "MSI_SECRET": "none"}),
    ],
)
def test_public_images_need_no_identity(
    builder: Builder, registry: Registry, tmp_path: Path, env: dict[str, str], host: str, variables: dict[str, str]
):
    source = tmp_path / "source"
    source.mkdir()
    (source / "Dockerfile").write_text(f"FROM {host}/team/base:1\nONBUILD RUN true\nRUN echo public > /public\n")
    with cloud_registry(tmp_path, host) as public:
        copy = [str(registry.crane), "--insecure", "copy"]
        copy += [f"{registry.address}/library/busybox:latest", public.crane("team/base:1")]
        subprocess.run(copy, check=True, capture_output=True)
        env |= {"REGISTRY_CA": public.authority, "SKIP_DEFAULT_REGISTRY_FALLBACK": "", **variables}
        done = builder.run(env=env, mounts={"/etc/hosts": public.hosts, "/tmp/source": source})
    assert done.code == 0, done.log
    assert registry.files(env["OUTPUT_IMAGE"])["/public"].content == b"public\n"
