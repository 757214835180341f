import os
from pathlib import Path

import pytest
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.engines.kaniko.adapt.context.credential_files import warn_of_credentials
from kaniko_shim.engines.kaniko.adapt.context.tree import DirectoryTree

KEY = "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3Bl\n"
LOGIN = '{"auths": {"registry.example.com": {"auth": "YTpi"}}}'
TOKEN = "//registry.npmjs.org/:_authToken=npm_abc\n"


def warnings(context: Path, files: dict[str, str], *lines: str) -> list[str]:
    for path, content in files.items():
        (context / path).parent.mkdir(parents=True, exist_ok=True)
        (context / path).write_text(content)
    instructions = parse_dockerfile("\n".join(["FROM x", *(lines or ("COPY . /x",))]).encode())
    return list(warn_of_credentials(instructions, context, DirectoryTree(context), "Dockerfile"))


@pytest.mark.parametrize(
    ("path", "content", "what"),
    [
        (".docker/config.json", LOGIN, "registry password"),
        ("auth.json", '{"auths": {"a": {"identitytoken": "x"}}}', "registry password"),
        (".dockercfg", '{"https://index.docker.io/v1/": {"auth": "YTpi"}}', "registry password"),
        ("auth.json", '{"github-oauth": {"github.com": "x"}}', "Composer password"),
        (".netrc", "machine a\nlogin b\npassword c\n", "password"),
        ("id_rsa", KEY, "private key"),
        ("keys/deploy-key", KEY.replace("OPENSSH", "RSA"), "private key"),
        (".ssh/github", KEY.replace("OPENSSH ", ""), "private key"),
        ("server.pem", KEY, "private key"),
        (".npmrc", f"registry=https://registry.npmjs.org\n{TOKEN}", "npm token"),
        (".npmrc", "//r.example.com/:_password = cGFzcw==\n", "npm token"),
        (".yarnrc.yml", 'npmAuthToken: "npm_abc"\n', "npm token"),
        (".git-credentials", "https://me:secret@github.com\n", "Git password"),
        (".git/config", '[remote "origin"]\n\turl = https://me:secret@github.com/a/b\n', "Git password"),
        (".git/config", "[http]\n\textraheader = AUTHORIZATION: basic eDp5\n", "Git password"),
        (".pypirc", "[pypi]\nusername = __token__\npassword = pypi-abc\n", "package index password"),
        ("etc/pip.conf", "[global]\nextra-index-url = https://me:secret@pypi.example.com/simple\n", "package index"),
        (".aws/credentials", "[default]\naws_secret_access_key = abc\n", "AWS key"),
        ("gcp-service-account.json", '{"private_key": "-----BEGIN"}', "Google Cloud key"),
        ("kubeconfig", "users:\n- name: a\n  user:\n    token: abc\n", "Kubernetes credential"),
        (".cargo/credentials.toml", '[registry]\ntoken = "abc"\n', "Cargo token"),
    ],
)
def test_credentials_are_found(tmp_path: Path, path: str, content: str, what: str):
    (warning,) = warnings(tmp_path, {path: content, "main.py": ""})
    assert warning.startswith(f"Dockerfile line 2 copies credentials into a layer: {path} ({what}")
    assert warning.endswith("List them in .dockerignore, and give a RUN that needs them a build secret.")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("config.json", "{}"),
        ("config.json", '{"auths": {"a": {}}, "credsStore": "desktop"}'),
        ("config.json", '{"auths": '),
        ("config.json", "[1]"),
        ("config.json", '{"port": 80, "database": {"host": "a"}}'),
        (".netrc", ""),
        (".netrc", "machine a login b\n"),
        (".netrc", "machine a login b password $TOKEN\n"),
        ("id_rsa.pub", "ssh-rsa AAAA\n"),
        ("id_rsa", ""),
        ("id_rsa", "see the wiki\n"),
        (".ssh/known_hosts", "a ssh-rsa AAAA\n"),
        ("server.pem", "-----BEGIN CERTIFICATE-----\n"),
        ("server.key", "-----BEGIN RSA " + "PRIVATE KEY-----\n"),
        (".npmrc", "//registry.npmjs.org/:_authToken=${NPM_TOKEN}\nalways-auth=true\n"),
        (".npmrc", "//registry.npmjs.org/:_authToken=\nregistry=https://registry.npmjs.org\n"),
        (".yarnrc.yml", 'npmAuthToken: "${NPM_TOKEN}"\n'),
        (".git/config", '[remote "origin"]\n\turl = https://github.com/a/b\n'),
        (".pypirc", "[pypi]\nusername = __token__\n"),
        ("pip.conf", "[global]\nindex-url = https://pypi.example.com/simple\n"),
        (".aws/config", "[default]\nregion = eu-west-1\n"),
        ("kubeconfig", "users:\n- name: a\n  user:\n    exec: {command: aws}\n"),
        ("node_modules/ssh/id_rsa", KEY),
        (".git/objects/id_rsa", KEY),
        ("notes.txt", KEY),
    ],
)
def test_what_is_no_credential_is_not_mentioned(tmp_path: Path, path: str, content: str):
    assert warnings(tmp_path, {path: content}) == []


@pytest.mark.parametrize(
    ("line", "warned"),
    [
        ("COPY a/.npmrc /x/", True),
        ("COPY a /x/", True),
        ("ADD a/* /x/", True),
        ('COPY ["a", "/x/"]', True),
        ("COPY a/$FILE /x/", True),
        ("COPY link /x/", True),
        ("COPY --parents ./a/.npmrc /x/", True),
        ("COPY b /x/", False),
        ("COPY missing /x/", False),
        ("COPY --exclude=.npmrc a /x/", False),
        ("COPY --from=y a /x/", False),
        ("ADD https://example.com/.npmrc /x/", False),
        ("RUN cat a/.npmrc", False),
    ],
)
def test_only_what_is_copied_counts(tmp_path: Path, line: str, *, warned: bool):
    (tmp_path / "link").symlink_to("a")
    found = warnings(tmp_path, {"a/.npmrc": TOKEN, "b/main.js": ""}, line)
    assert ["a/.npmrc (npm token)" in warning for warning in found] == [True] * warned


def test_a_warning_names_three_files_and_the_first_line(tmp_path: Path):
    files = {f"{name}/.npmrc": TOKEN for name in "abcde"} | {f"{'long' * 20}/id_rsa": KEY}
    (warning,) = warnings(tmp_path, files, "RUN x", "COPY b /b", "COPY . /x")
    assert "line 3 copies" in warning
    assert "a/.npmrc (npm token), b/.npmrc (npm token), c/.npmrc (npm token), 3 more." in warning
    (warning,) = warnings(tmp_path, files, f"COPY {'long' * 20} /x")
    assert f"…{'long' * 8}/id_rsa (private key)" in warning
    assert len(warning) < 300


def test_a_pipe_is_not_read(tmp_path: Path):
    os.mkfifo(tmp_path / "id_rsa")
    (tmp_path / ".npmrc").symlink_to("/dev/zero")
    assert warnings(tmp_path, {}) == []
