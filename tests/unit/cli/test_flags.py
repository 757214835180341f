"""The flags of kubectl imagebuild."""

from io import StringIO
from pathlib import Path

import pytest
from imagebuild import GitSource
from kubectl_imagebuild.flags import (
    build_args,
    ca_bundle,
    dockerfile_of,
    limits,
    pairs,
    plain_http,
    platforms,
    repository,
)

NOTHING = StringIO()


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for path in ("app/Dockerfile", "app/build/Dockerfile", "app/only/Release.Dockerfile", "Dockerfile"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("FROM scratch\n")
    return Path("app")


@pytest.mark.parametrize(
    ("file", "path"),
    [("", "Dockerfile"), ("app/Dockerfile", "Dockerfile"), ("app/build/Dockerfile", "build/Dockerfile")],
)
def test_a_dockerfile_in_the_directory_is_sent_with_it(directory: Path, file: str, path: str):
    absolute = str(Path(file).resolve()) if file else ""
    for found in (
        dockerfile_of(directory, file, NOTHING),
        dockerfile_of(directory.resolve(), absolute, NOTHING),
    ):
        assert (found.path, found.text) == (path, "FROM scratch\n")
        assert found.in_spec == ({} if path == "Dockerfile" else {"dockerfile": path})


@pytest.mark.parametrize("file", ["Dockerfile", "app/../Dockerfile", "-"])
def test_another_one_is_in_the_spec(directory: Path, file: str):
    found = dockerfile_of(directory, file, StringIO("FROM scratch\n"))
    assert found.in_spec == {"dockerfile_text": "FROM scratch\n"}


def test_one_that_the_spec_cannot_have_is_refused(directory: Path):
    for text, message in (
        ("", "-f - is empty"),
        ("# \n" + "#é" * 40_000, "-f - has 120,003 bytes, and .* may have 98,304"),
    ):
        with pytest.raises(ValueError, match=message):
            dockerfile_of(directory, "-", StringIO(text))
    Path("Dockerfile").write_bytes(b"FROM scratch\nLABEL a=\xff\n")
    with pytest.raises(ValueError, match="-f Dockerfile is not UTF-8: copy it into the directory"):
        dockerfile_of(directory, "Dockerfile", NOTHING)
    Path("Dockerfile.dockerignore").touch()
    with pytest.raises(ValueError, match=r"where Dockerfile.dockerignore is not heeded: copy both into the directory"):
        dockerfile_of(directory, "Dockerfile", NOTHING)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("only/Release.Dockerfile", "not a file: write -f app/only/Release.Dockerfile"),
        ("nosuch", "nosuch is not a file: name the Dockerfile"),
        ("app", "app is not a file"),
    ],
)
def test_a_wrong_dockerfile_is_refused_with_advice(directory: Path, file: str, message: str):
    with pytest.raises(ValueError, match=message):
        dockerfile_of(directory, file, NOTHING)


def test_a_missing_directory_or_dockerfile_is_refused(directory: Path):
    with pytest.raises(ValueError, match="nosuch is not a directory"):
        dockerfile_of(Path("nosuch"), "", NOTHING)
    with pytest.raises(ValueError, match="app/only/Dockerfile is not a file"):
        dockerfile_of(directory / "only", "", NOTHING)


def test_what_docker_users_type():
    assert build_args(["A=1", "B=", "HERE", "NOT"], {"HERE": "x=y"}) == {"A": "1", "B": "", "HERE": "x=y"}
    assert platforms(["linux/amd64,linux/arm64", "linux/s390x"]) == ["linux/amd64", "linux/arm64", "linux/s390x"]
    assert plain_http(["r.example:5000/a:1", "r.example:5000/b"]) == [{"host": "r.example:5000", "plainHTTP": True}]
    assert (limits("2", ""), limits("", "")) == ({"cpu": "2"}, {})
    for wrong in ("", "=1"):
        with pytest.raises(ValueError, match="--build-arg : write --build-arg NAME=VALUE"):
            build_args([wrong], {})
    with pytest.raises(ValueError, match="--label a: write --label NAME=VALUE"):
        pairs("--label", ["a"])


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (".", None),
        ("app#1", None),
        ("https://git.example/a.git", (GitSource("https://git.example/a.git", ""), "")),
        ("https://git.example/a#main:sub/dir/", (GitSource("https://git.example/a", "main"), "sub/dir")),
        ("git@github.com:a/b.git#:sub", (GitSource("git@github.com:a/b.git", ""), "sub")),
    ],
)
def test_the_url_of_a_repository_is_a_build_context(context: str, expected: object):
    assert repository(context) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "--ca-file ca.pem: No such file or directory"),
        ("-----BEGIN PRIVATE KEY-----", r"--ca-file ca.pem: it has no certificate in PEM"),
        ("-----BEGIN CERTIFICATE-----" + "A" * 102_400, "--ca-file ca.pem has 102427 bytes, and may have 102400"),
    ],
)
def test_a_file_without_certificates_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, message: str
):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("ca.pem").write_text(content)
    with pytest.raises(ValueError, match=message):
        ca_bundle("ca.pem", insecure=False)
    assert ca_bundle("", insecure=True) == b""
