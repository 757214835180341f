"""Contexts of every kind, fetched by the image's own Python with the image's own certificates."""

import io
import json
import socket
import subprocess
import tarfile
from base64 import b64encode
from pathlib import Path

import pytest
from standalone.container import Builder
from support.file_server import serve_https
from support.git_server import make_repository, serve_git
from support.https import Https
from support.registry import Registry
from support.s3 import serve_s3

DOCKERFILE = b"FROM busybox\nCOPY word /word\n"


def archive(word: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as stream:
        for name, content in (("Dockerfile", DOCKERFILE), ("word", word.encode())):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            stream.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def compressed(program: str, content: bytes) -> bytes:
    return subprocess.run([program, "-c"], input=content, check=True, capture_output=True).stdout


def built_word(registry: Registry, image: str, tmp_path: Path) -> str:
    return (registry.pull(image, tmp_path / "image") / "word").read_text()


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Https:
    return Https.make(tmp_path_factory.mktemp("https"))


@pytest.mark.parametrize("program", ["gzip", "xz", "bzip2", "zstd"])
def test_an_archive_over_https_from_an_authority_of_our_own(
    builder: Builder, registry: Registry, env: dict[str, str], https: Https, tmp_path: Path, program: str
):
    content = compressed(program, archive(program))
    with serve_https(https, content) as url:
        env["SOURCE_GET_URL"] = f"{url}/context?X-Amz-Signature=s1gned"
        untrusted = builder.run(env=env)
        trusted = builder.run(env={**env, "SOURCE_CA": https.authority.read_text()})
        mounted = builder.run(env=env, mounts={"/kaniko/ssl/certs/own.crt": https.authority})
    assert (untrusted.code, untrusted.result["reason"]) == (69, "SourceUnavailable")
    assert "certificate" in untrusted.result["message"]
    assert trusted.code == 0, trusted.log
    assert mounted.code == 0, mounted.log
    assert built_word(registry, env["OUTPUT_IMAGE"], tmp_path) == program
    assert trusted.result["source"]["url"] == f"{url}/context?X-Amz-Signature=***"
    assert trusted.result["source"]["bytes"] == len(content)
    assert "s1gned" not in trusted.log + json.dumps(trusted.result)


def test_an_archive_in_a_bucket(builder: Builder, registry: Registry, env: dict[str, str], tmp_path: Path):
    content = compressed("gzip", archive("bucket"))
    with serve_s3(tmp_path) as s3:
        s3.make_bucket("contexts")
        s3.put("contexts", "app/context.tgz", content)
        env |= {
            "SOURCE_GET_URL": "s3://contexts/app/context.tgz",
            "SOURCE_S3_ENDPOINT": s3.url,
            "SOURCE_CA": s3.authority.read_text(),
        }
        refused = builder.run(env=env)
        done = builder.run(env=env | {"SOURCE_ACCESS_KEY_ID": "AKID", "SOURCE_SECRET_ACCESS_KEY": "s3cretkey"})
    assert (refused.code, refused.result["reason"]) == (65, "SourceUnauthorized")
    assert "SOURCE_ACCESS_KEY_ID" in refused.result["hint"]
    assert done.code == 0, done.log
    assert built_word(registry, env["OUTPUT_IMAGE"], tmp_path) == "bucket"
    assert done.result["source"]["url"] == "s3://contexts/app/context.tgz"
    assert done.result["source"]["bytes"] == len(content)
    assert "s3cretkey" not in done.log + json.dumps(done.result)


def test_an_archive_in_the_url_itself(builder: Builder, registry: Registry, env: dict[str, str], tmp_path: Path):
    encoded = b64encode(compressed("gzip", archive("inline"))).decode()
    done = builder.run(env={**env, "SOURCE_GET_URL": f"data:application/gzip;base64,{encoded}"})
    assert done.code == 0, done.log
    assert built_word(registry, env["OUTPUT_IMAGE"], tmp_path) == "inline"


def test_the_default_is_a_mounted_archive(builder: Builder, registry: Registry, env: dict[str, str], tmp_path: Path):
    path = tmp_path / "context.tar.gz"
    path.write_bytes(compressed("gzip", archive("mounted")))
    done = builder.run(env={**env, "SOURCE_GET_URL": ""}, mounts={"/tmp/context.tar.gz": path})
    assert done.code == 0, done.log
    assert built_word(registry, env["OUTPUT_IMAGE"], tmp_path) == "mounted"


def test_a_git_repository(builder: Builder, registry: Registry, env: dict[str, str], tmp_path: Path):
    commit = make_repository(tmp_path / "git/app.git", {"app/Dockerfile": DOCKERFILE, "app/word": b"git"})
    with serve_git(tmp_path / "git") as url:
        done = builder.run(env={**env, "SOURCE_GET_URL": f"{url}/app.git#main:app"})
    assert done.code == 0, done.log
    assert built_word(registry, env["OUTPUT_IMAGE"], tmp_path) == "git"
    assert done.result["source"]["revision"] == commit


@pytest.mark.shows("A1")
def test_an_unsafe_archive_changes_nothing(builder: Builder, env: dict[str, str]):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as stream:
        stream.addfile(tarfile.TarInfo("../.Shim/bin/crane"), io.BytesIO())
    done = builder.run(env={**env, "SOURCE_GET_URL": f"data:;base64,{b64encode(buffer.getvalue()).decode()}"})
    assert (done.code, done.result["reason"]) == (68, "SourceInvalid")
    assert "'../.Shim/bin/crane'" in done.result["message"]


@pytest.mark.parametrize(
    "url", ["http://{}/context.tgz", "git://{}/app.git", "oci://{}/app:1", "s3://bucket/context.tgz"]
)
def test_a_server_that_never_answers_is_not_waited_for(builder: Builder, env: dict[str, str], url: str):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        env |= {"SOURCE_GET_URL": url.format(address), "SOURCE_TIMEOUT": "2", "INSECURE_REGISTRIES": address}
        if url.startswith("s3:"):
            env["SOURCE_S3_ENDPOINT"] = f"http://{address}"
        done = builder.run(env=env)
    assert (done.code, done.result["reason"]) == (69, "SourceUnavailable"), done.log
    assert done.result["message"] == "Fetching the build context took longer than 2 s (SOURCE_TIMEOUT)."
    assert "SOURCE_TIMEOUT" in done.result["hint"]
