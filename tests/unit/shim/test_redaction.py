"""Secrets planted wherever one may stand, and looked for wherever the shim writes."""

import json
import os
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kaniko_shim.request.variables.table import TABLE
from kaniko_shim.run import run
from kaniko_shim.system.paths import Paths
from unit.shim.sources.servers import Answer, Server, serve

#: The stand-in for the executor prints all that it has, as a RUN could, and keeps its own arguments aside.
EXECUTOR = """#!/bin/sh
printf '%s\\n' "$@" > {arguments}
printf '%s\\n' "$@"
env
echo 'error building image: the last words'
exit 3
"""
FLAGS = (
    "context dockerfile destination build-arg label digest-file cache cache-repo oci-layout-path no-push registry-map"
)
#: Characters of a secret that must not be seen in a row.
PART = 8

SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="\x7f"), min_size=12).map(
    # No shorter part of it is in any text by chance.
    lambda text: "".join(f"{c}{'qxzvkjwy'[index % 8]}" for index, c in enumerate(text))
)


@dataclass(frozen=True)
class Planted:
    """Variables with a secret in them, and the forms in which it could be seen."""

    environment: dict[str, str]
    forms: tuple[str, ...]


def auths(secret: str) -> str:
    return json.dumps({"auths": {"r.example": {"username": "me", "password": secret}}})


def auth(secret: str) -> str:
    return json.dumps({"auths": {"r.example": {"auth": b64encode(f"me:{secret}".encode()).decode()}}})


def quoted(secret: str) -> str:
    return quote(secret, safe="")


OF_PLATFORMS = (
    *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_CLIENT_SECRET", "AZURE_STORAGE_KEY"),
    "CI_JOB_TOKEN",
)

PLACES: dict[str, Callable[[str, str], dict[str, str]]] = {
    "password of the source": lambda secret, url: {"SOURCE_GET_URL": f"{url}/x", "SOURCE_PASSWORD": secret},
    "token as a user's name": lambda secret, url: {"SOURCE_GET_URL": f"{url}/x", "SOURCE_USERNAME": secret},
    "URL's password": lambda secret, url: {"SOURCE_GET_URL": url.replace("://", f"://me:{quoted(secret)}@") + "/x.tgz"},
    "URL's user": lambda secret, url: {"SOURCE_GET_URL": url.replace("://", f"://{quoted(secret)}@") + "/x.tgz"},
    "URL's query": lambda secret, url: {"SOURCE_GET_URL": f"{url}/x?a=b&X-Amz-Signature={quoted(secret)}"},
    "URL's other query": lambda secret, url: {"SOURCE_GET_URL": f"{url}/x?whatever={quoted(secret)}"},
    "Git URL's password": lambda secret, url: {
        "SOURCE_GET_URL": "git+" + url.replace("://", f"://me:{quoted(secret)}@") + "/x.git"
    },
    "malformed URL": lambda secret, _: {"SOURCE_GET_URL": f"https://me:{quoted(secret)}@[::/x"},
    "build argument": lambda secret, _: {"BUILD_ARG_FROM": "TOKEN=IT", "IT": secret},
    "Docker config": lambda secret, _: {"DOCKER_CONFIG_JSON": auths(secret)},
    "Docker config, base64": lambda secret, _: {"DOCKER_CONFIG_JSON_1": b64encode(auth(secret).encode()).decode()},
    "malformed Docker config": lambda secret, _: {"DOCKER_CONFIG_JSON": auths(secret)[:-1]},
    "Docker config of another form": lambda secret, _: {"DOCKER_CONFIG_JSON": json.dumps({"auths": [secret]})},
    "no Docker config": lambda secret, _: {"DOCKER_CONFIG_JSON": secret},
    "proxy": lambda secret, _: {"HTTPS_PROXY": f"http://me:{quoted(secret)}@127.0.0.1:9"},
    **{
        name: lambda secret, _, name=name: {name: secret}  # type: ignore[misc]
        for name in (
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AZURE_CLIENT_SECRET",
            "CI_JOB_TOKEN",
            "AZURE_STORAGE_KEY",
        )
    },
    "bucket's key": lambda secret, _: {
        "SOURCE_GET_URL": "s3://bucket/x",
        "SOURCE_ACCESS_KEY_ID": "id",
        "SOURCE_SECRET_ACCESS_KEY": secret,
        "SOURCE_SESSION_TOKEN": secret,
        "TARGET": "bad target",
        "HEARTBEAT_SECONDS": "no number",
    },
    **{
        f"malformed {variable.name}": lambda secret, _, name=variable.name: {  # type: ignore[misc]
            "SOURCE_GET_URL": "git+ssh://git@h.example/x" if "SSH" in name else "gs://bucket/x",
            name: secret,
            "HEARTBEAT_SECONDS": "no number",
        }
        for variable in TABLE
        if variable.secret
    },
}


def forms(secret: str) -> tuple[str, ...]:
    return secret, quoted(secret), json.dumps(secret)[1:-1], b64encode(f"me:{secret}".encode()).decode().rstrip("=")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(Answer(404)) as server:
        yield server


def everything_written(directory: Path, command: list[str], environment: dict[str, str]) -> str:
    """Run the shim as a process of its own; returns its log, its results and the executor's arguments."""
    log, arguments, executor = directory / "log", directory / "arguments", directory / "executor"
    executor.write_text(EXECUTOR.format(arguments=arguments))
    executor.chmod(0o755)
    (directory / "executor.help").write_text(
        f"{executor.stat().st_size}\n" + "\n".join(f"      --{name} string" for name in FLAGS.split())
    )
    (directory / "termination-log").touch()
    paths = Paths(
        executor=executor,
        crane=Path("/bin/false"),
        executor_help=directory / "executor.help",
        context=directory / "context",
        heredocs=directory / "heredocs",
        scratch=directory / "scratch",
        docker_config=directory / "none",
        termination_log=directory / "termination-log",
    )
    sys.stdout.flush()
    child = os.fork()
    if not child:
        try:
            os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
            os.dup2(1, 2)
            os._exit(run(command, environment | {"RESULT_FILE": str(directory / "result")}, paths))
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) != 99
    read = [path.read_text() for path in (log, arguments, directory / "result", paths.termination_log) if path.exists()]
    return "\n".join(read)


@pytest.mark.shows("A34")
@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(secret=SECRETS, command=st.sampled_from([["build"], [], ["push"], ["check"], ["index"], ["--dry-run"]]))
def test_no_part_of_a_secret_is_written(
    server: Server, tmp_path_factory: pytest.TempPathFactory, place: str, secret: str, command: list[str]
):
    directory = tmp_path_factory.mktemp("job")
    (directory / "source").mkdir()
    (directory / "source/Dockerfile").write_text("FROM scratch\nARG TOKEN\nCOPY Dockerfile /\n")
    environment = {
        "SOURCE_GET_URL": f"dir://{directory}/source",
        "OUTPUT_IMAGE": "127.0.0.1:9/app",
        "INSECURE_REGISTRIES": "127.0.0.1:9",
        "OUTPUT_LAYOUT": str(directory / "layout"),
        "LOG_FORMAT": "json" if len(secret) % 2 else "text",
        "PATH": os.environ["PATH"],
        **PLACES[place](secret, server.url),
    }
    written = everything_written(directory, command, environment)
    assert written
    for form in forms(secret):
        for begin in range(len(form) - PART + 1):
            assert form[begin : begin + PART] not in written, f"{form[begin : begin + PART]!r} of {place}"


@pytest.mark.parametrize("command", [["build"], []])
def test_the_docker_config_goes_with_the_job(tmp_path: Path, command: list[str]):
    (tmp_path / "source").mkdir()
    (tmp_path / "source/Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    environment = {
        "SOURCE_GET_URL": f"dir://{tmp_path}/source",
        "OUTPUT_IMAGE": "127.0.0.1:9/app",
        "INSECURE_REGISTRIES": "127.0.0.1:9",
        "OUTPUT_LAYOUT": str(tmp_path / "layout"),
        "DOCKER_CONFIG_JSON": auths("a-password"),
    }
    assert "the last words" in everything_written(tmp_path, command, environment)
    assert list((tmp_path / "scratch/docker").iterdir()) == []
