"""Build and push in two containers, which share nothing but a directory."""

import hashlib
import json
from base64 import b64encode
from pathlib import Path

import pytest
from standalone.container import Builder
from standalone.registry import private_registry
from support.registry import Registry

NOBODY = 65532


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    directory = tmp_path / "layout"
    directory.mkdir(mode=0o777)
    return directory


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    directory = tmp_path / "scratch"
    directory.mkdir()
    directory.chmod(0o777)
    return directory


def test_a_layout_goes_from_one_to_the_other(
    builder: Builder, registry: Registry, source: Path, layout: Path, scratch: Path, env: dict[str, str]
):
    (source / "Dockerfile").write_text("FROM busybox\nRUN echo split > /split\n")
    built = builder.run("build", env=env, mounts={"/tmp/source": source, "/kaniko/layout": layout})
    assert built.code == 0, built.log
    assert "digest" not in built.result
    assert "images" not in built.result

    pushed = builder.run("push", env=env, mounts={"/kaniko/layout": layout, "/kaniko/.run": scratch}, user=NOBODY)
    assert pushed.code == 0, pushed.log
    index = json.loads((layout / "index.json").read_text())
    assert pushed.result["digest"] == index["manifests"][0]["digest"] == registry.digest(env["OUTPUT_IMAGE"])
    assert pushed.result["command"] == "push"


def test_the_cache_works_without_a_push(builder: Builder, source: Path, layout: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\nRUN date +%s%N > /when\n")
    mounts = {"/tmp/source": source, "/kaniko/layout": layout}
    runs = [builder.run("build", env={**env, "CACHE": "true"}, mounts=mounts) for _ in range(2)]
    assert [run.result.get("cache") for run in runs] == [{"hits": 0, "misses": 1}, {"hits": 1, "misses": 0}]


def test_a_layout_with_a_link_in_it_is_not_pushed(
    builder: Builder, source: Path, layout: Path, scratch: Path, env: dict[str, str]
):
    (source / "Dockerfile").write_text("FROM busybox\nRUN echo x > /x\n")
    built = builder.run("build", env=env, mounts={"/tmp/source": source, "/kaniko/layout": layout})
    assert built.code == 0, built.log
    secret = scratch / "secret"
    secret.write_text("the push credentials\n")
    digest = hashlib.sha256(secret.read_bytes()).hexdigest()
    (layout / "blobs" / "sha256" / digest).symlink_to("/kaniko/.run/secret")
    index = json.loads((layout / "index.json").read_text())
    path = layout / "blobs" / index["manifests"][0]["digest"].replace(":", "/")
    manifest = json.loads(path.read_text())
    manifest["layers"].append({**manifest["layers"][0], "digest": f"sha256:{digest}", "size": secret.stat().st_size})
    content = json.dumps(manifest).encode()
    forged = "sha256:" + hashlib.sha256(content).hexdigest()
    (layout / "blobs" / forged.replace(":", "/")).write_bytes(content)
    index["manifests"][0] |= {"digest": forged, "size": len(content)}
    (layout / "index.json").write_text(json.dumps(index))

    pushed = builder.run("push", env=env, mounts={"/kaniko/layout": layout, "/kaniko/.run": scratch}, user=NOBODY)
    assert (pushed.code, pushed.result["reason"]) == (84, "Internal")
    assert f"blobs/sha256/'{digest}' is a link" in pushed.result["message"]


def test_a_log_in_json_has_nothing_else(
    builder: Builder, source: Path, layout: Path, scratch: Path, env: dict[str, str]
):
    (source / "Dockerfile").write_text("FROM busybox\nRUN echo -n grüße; echo und >&2\n")
    env |= {"LOG_FORMAT": "json"}
    built = builder.run("build", env=env, mounts={"/tmp/source": source, "/kaniko/layout": layout})
    pushed = builder.run("push", env=env, mounts={"/kaniko/layout": layout, "/kaniko/.run": scratch}, user=NOBODY)
    assert (built.code, pushed.code) == (0, 0), built.log + pushed.log
    lines = [json.loads(line) for line in (built.log + pushed.log).splitlines()]
    assert {tuple(line) for line in lines} == {("time", "phase", "stream", "message")}
    assert {line["stream"] for line in lines} == {"shim", "executor", "crane"}
    step = "at RUN echo -n grüße; echo und >&2"
    said = [line["message"] for line in lines if line["phase"] == step]
    assert "".join(said).count("grüße") >= 1
    assert lines[-1]["message"].startswith("done in ")


def test_a_log_of_an_unknown_format_is_refused(builder: Builder, env: dict[str, str]):
    done = builder.run(env={**env, "LOG_FORMAT": "xml"})
    assert (done.code, done.result["reason"]) == (2, "InvalidSpec")
    assert "LOG_FORMAT='xml': write text or json" in done.result["message"]


@pytest.mark.parametrize("given", ["credentials", "none"])
def test_the_credentials_for_the_push_are_in_the_push_only(
    builder: Builder, source: Path, layout: Path, scratch: Path, env: dict[str, str], tmp_path: Path, given: str
):
    (source / "Dockerfile").write_text(
        "FROM busybox\n"
        "RUN { cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline; find / -xdev -name config.json -exec cat {} +; } "
        "> /seen 2>/dev/null; grep -c . /seen\n"
    )
    password = "p4ssw0rd-of-the-push"
    auth = b64encode(f"robot:{password}".encode()).decode()
    with private_registry(tmp_path, "robot", password) as private:
        env["OUTPUT_IMAGE"] = f"{private.address}/team/app:1"
        env["INSECURE_REGISTRIES"] += f";{private.address}"
        built = builder.run("build", env=env, mounts={"/tmp/source": source, "/kaniko/layout": layout})
        assert built.code == 0, built.log
        if given == "credentials":
            env["DOCKER_CONFIG_JSON"] = json.dumps({"auths": {private.address: {"auth": auth}}})
        pushed = builder.run("push", env=env, mounts={"/kaniko/layout": layout, "/kaniko/.run": scratch}, user=NOBODY)
    if given == "credentials":
        assert pushed.code == 0, pushed.log
        assert password not in pushed.log
        assert auth not in pushed.log
        return
    assert (pushed.code, pushed.result["reason"]) == (77, "RegistryUnauthorized")
    assert pushed.result["registry"] == private.address
    assert f"DOCKER_CONFIG_JSON has no credentials for {private.address}" in pushed.result["hint"]
