"""The whole job in one container, as the original README's example shows it."""

import json
import re
from base64 import b64encode
from pathlib import Path
from shutil import make_archive

import pytest
from kaniko_shim.request.variables.table import TABLE
from standalone.container import Builder
from support.file_server import serve_https
from support.https import Https
from support.registry import Registry


def build_arg(name: str, value: str) -> str:
    return b64encode(f"{name}={value}".encode()).decode()


def test_a_bind_mounted_directory_is_built_and_pushed(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str], tmp_path: Path
):
    (source / "hello.txt").write_text("hello from the source\n")
    (source / "hello.txt").chmod(0o664)
    (source / "Dockerfile").write_text(
        "FROM busybox\n"
        "COPY hello.txt /greeting/\n"
        "RUN echo made > /made.txt && test ! -e /tmp/kaniko\n"
        'CMD ["cat", "/greeting/hello.txt"]\n'
    )
    done = builder.run(env=env, mounts={"/tmp/source": source})

    assert done.code == 0, done.log
    image = env["OUTPUT_IMAGE"]
    base = f"{registry.address}/library/busybox:latest"
    root = registry.pull(image, tmp_path / "image")
    assert registry.own_layers(image, base) == ["greeting/", "greeting/hello.txt", "made.txt"]
    assert (root / "greeting/hello.txt").read_text() == "hello from the source\n"
    assert (root / "greeting/hello.txt").stat().st_mode & 0o7777 == 0o664
    assert registry.config(image)["config"]["Cmd"] == ["cat", "/greeting/hello.txt"]
    timings = done.result.pop("timings")
    assert set(timings) == {"fetchMs", "buildMs", "pushMs", "totalMs"}
    manifest = registry.manifest(image)
    layers = [layer["size"] for layer in manifest["layers"]]
    assert done.result == {
        "version": 1,
        "command": "all",
        "outcome": "Succeeded",
        "exitCode": 0,
        "digest": registry.digest(image),
        "images": [
            {
                "reference": image,
                "digest": registry.digest(image),
                "sizeBytes": manifest["config"]["size"] + sum(layers),
            }
        ],
        "layerBytes": layers,
        "source": {"url": "dir:///tmp/source", "bytes": sum(f.stat().st_size for f in source.iterdir())},
        "baseImages": [{"reference": "docker.io/library/busybox:latest", "digest": registry.digest(base)}],
    }


def test_the_source_itself_is_left_alone(builder: Builder, source: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\nCOPY Dockerfile /x\nRUN rm -f /kaniko/buildcontext/Dockerfile\n")
    done = builder.run(env=env, mounts={"/tmp/source": source})
    assert done.code == 0, done.log
    assert [path.name for path in source.iterdir()] == ["Dockerfile"]


def test_several_outputs_get_one_image(builder: Builder, registry: Registry, source: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\nRUN echo two > /two\n")
    second = f"{registry.address}/standalone/second:other"
    done = builder.run(env={**env, "OUTPUT_IMAGE": f"{env['OUTPUT_IMAGE']},{second}"}, mounts={"/tmp/source": source})
    assert done.code == 0, done.log
    assert registry.digest(env["OUTPUT_IMAGE"]) == registry.digest(second) == done.result["digest"]
    assert [image["reference"] for image in done.result["images"]] == [env["OUTPUT_IMAGE"], second]


@pytest.mark.shows("A17")
def test_build_args_hold_anything(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str], tmp_path: Path
):
    values = {
        "A": "a,b",
        "B": "c=d e",
        "C": "\"quoted\" and 'single' $HOME `x`",
        "D": "grüße 你好",
        "E": "",
        "F": "two\nlines",
    }
    lines = "".join(f"ARG {name}=default\n" for name in values)
    prints = " ".join(f'"${name}"' for name in values)
    (source / "Dockerfile").write_text(f"FROM busybox\n{lines}RUN printf '[%s]' {prints} > /args\n")
    encoded = ",".join(build_arg(name, value) for name, value in values.items())
    done = builder.run(env={**env, "BUILD_ARG": encoded}, mounts={"/tmp/source": source})
    assert done.code == 0, done.log
    written = (registry.pull(env["OUTPUT_IMAGE"], tmp_path / "image") / "args").read_text()
    assert written == "".join(f"[{value}]" for value in values.values())


@pytest.mark.shows("A36")
def test_secrets_are_out_of_reach_of_a_run(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str], tmp_path: Path
):
    (source / "Dockerfile").write_text(
        "FROM busybox\n"
        "ARG TOKEN\n"
        "RUN { for f in /proc/[0-9]*/environ /proc/[0-9]*/cmdline; do cat $f; done; } > /seen 2>/dev/null; "
        'echo token is $TOKEN; printf %s "$TOKEN" | wc -c > /length\n'
    )
    password, token = "p4ssw0rd-of-the-source", "t0ken-of-the-build"
    auth = b64encode(b"robot:registry-p4ss").decode()
    https = Https.make(tmp_path)
    with serve_https(https, Path(make_archive(str(tmp_path / "context"), "tar", source)).read_bytes()) as url:
        done = builder.run(
            env={
                **env,
                "SOURCE_GET_URL": f"{url}/context.tar",
                "SOURCE_PASSWORD": password,
                "THE_TOKEN": token,
                "BUILD_ARG_FROM": "TOKEN=THE_TOKEN",
                "DOCKER_CONFIG_JSON": json.dumps({"auths": {"other.example": {"auth": auth}}}),
            },
            mounts={"/kaniko/ssl/certs/own.crt": https.authority},
        )
    assert done.code == 0, done.log
    root = registry.pull(env["OUTPUT_IMAGE"], tmp_path / "image")
    seen = (root / "seen").read_bytes().decode(errors="replace")
    assert "kaniko-shim" in seen
    for secret in (password, "registry-p4ss", auth):
        assert secret not in seen
    # The build's own secret is in the RUN's own environment, and nowhere on a command line or in the log.
    assert (root / "length").read_text().strip() == str(len(token))
    assert "token is ***" in done.log
    for secret in (password, token, "registry-p4ss", auth):
        assert secret not in done.log
        assert secret not in json.dumps(done.result)
        assert secret not in json.dumps(registry.config(env["OUTPUT_IMAGE"]))


def test_a_multi_stage_build_with_a_compiler_and_python(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str], tmp_path: Path
):
    (source / "main.c").write_text('#include <stdio.h>\nint main(void) { puts("compiled"); return 0; }\n')
    (source / "Dockerfile").write_text(
        "FROM python:3.11 AS compile\n"
        "COPY main.c /src/\n"
        "RUN gcc -static -O1 -o /src/main /src/main.c && /src/main\n"
        "RUN python3 -c 'import sys, ssl, json; print(sys.executable, sys.prefix)' > /src/python.txt\n"
        "RUN command -v -p python3 >> /src/python.txt; echo $PATH > /src/path.txt\n"
        "FROM busybox\n"
        "RUN if command -v python3 || command -v crane || command -v executor; then exit 9; fi\n"
        "COPY --from=compile /src/main /src/python.txt /src/path.txt /out/\n"
        "RUN /out/main > /out/said.txt\n"
    )
    done = builder.run(env=env, mounts={"/tmp/source": source})
    assert done.code == 0, done.log
    image = env["OUTPUT_IMAGE"]
    root = registry.pull(image, tmp_path / "image")
    assert registry.own_layers(image, f"{registry.address}/library/busybox:latest") == [
        "out/",
        "out/main",
        "out/path.txt",
        "out/python.txt",
        "out/said.txt",
    ]
    assert (root / "out/said.txt").read_text() == "compiled\n"
    assert "/kaniko" not in (root / "out/python.txt").read_text()
    assert "/kaniko" not in (root / "out/path.txt").read_text()
    assert done.result["digest"] == registry.digest(image)


def test_silence_is_broken_by_a_heartbeat(builder: Builder, source: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\nRUN sleep 4\n")
    done = builder.run(env={**env, "HEARTBEAT_SECONDS": "1"}, mounts={"/tmp/source": source})
    assert done.code == 0, done.log
    assert done.log.count("kaniko-shim: still at RUN sleep 4 (") >= 2


def test_empty_optional_variables_are_unset_ones(builder: Builder, source: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\nARG A=kept\nRUN test $A = kept\n")
    empty = {variable.name: "" for variable in TABLE}
    empty |= {"DOCKER_CONFIG_JSON_1": "", "HTTP_PROXY": "", "AWS_REGION": ""}
    required = {
        name: env[name] for name in ("OUTPUT_IMAGE", "SOURCE_GET_URL", "REGISTRY_MIRRORS", "INSECURE_REGISTRIES")
    }
    done = builder.run(env={**empty, **required}, mounts={"/tmp/source": source})
    assert done.code == 0, done.log


def test_a_rename_and_a_touch_hit_the_cache(builder: Builder, source: Path, env: dict[str, str]):
    (source / "data").write_text("1")
    (source / "Dockerfile").write_text("FROM busybox\nCOPY data /data\nRUN date +%s%N > /when\n")
    first = builder.run(env={**env, "CACHE": "true"}, mounts={"/tmp/source": source})
    (source / "data").touch()
    second = builder.run(env={**env, "CACHE": "true"}, mounts={"/tmp/source": source})
    assert (first.code, second.code) == (0, 0), first.log + second.log
    assert first.result["cache"] == {"hits": 0, "misses": 1}
    # The executor that ships caches the layer of COPY too.
    assert second.result["cache"] == {"hits": 2 if builder.has_shipped_executor else 1, "misses": 0}


def test_the_dockerfile_may_be_given_as_text(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str], tmp_path: Path
):
    (source / "sub").mkdir()
    (source / "sub" / "a").write_text("a")
    more = {
        "DOCKERFILE_CONTENT": "\ufeffFROM busybox\r\nCOPY a /a\r\n",
        "DOCKERFILE_PATH": "",
        "CONTEXT_SUB_PATH": "sub",
    }
    done = builder.run(env={**env, **more}, mounts={"/tmp/source": source})
    assert done.code == 0, done.log
    assert (registry.pull(env["OUTPUT_IMAGE"], tmp_path / "image") / "a").read_text() == "a"


def test_versions_are_told(builder: Builder):
    done = builder.run("--version", env={})
    shim, executor, python = done.log.splitlines()
    assert re.fullmatch(r"kaniko-shim \d+\.\d+\.\d+\S*", shim)
    assert re.fullmatch(r"executor v\d+\.\d+\.\d+\S*", executor)
    assert re.fullmatch(r"Python 3\.\d+\.\d+", python)


def test_what_goes_wrong_without_failing_the_build_is_in_the_result(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str]
):
    (source / "Dockerfile").write_text("FROM busybox\nCOPY *.nosuch /x/\nRUN exit 3\n")
    more = {
        "DOCKER_CONFIG_JSON": '{"auths": {"other.example": {}}, "credsStore": "desktop"}',
        "REGISTRY_MIRRORS": f"127.0.0.1:9,{registry.address}",
        "INSECURE_REGISTRIES": f"127.0.0.1:9,{registry.address}",
    }
    done = builder.run(env={**env, **more}, mounts={"/tmp/source": source})
    assert done.code == 3, done.log
    helper, pattern, mirror = done.result["warnings"]
    assert helper == (
        "The Docker config has entries without a password that can be used here: other.example. Images of these "
        "registries are pulled without credentials."
    )
    assert mirror.startswith("The mirror 127.0.0.1:9 did not deliver busybox: ")
    assert "connection refused" in mirror
    assert pattern == "Dockerfile line 2: COPY *.nosuch /x/ copies nothing: no file matches"
    for warning in done.result["warnings"]:
        assert f"kaniko-shim: warning: {warning}\n" in done.log


def test_each_step_is_told_in_a_form_for_programs(builder: Builder, source: Path, env: dict[str, str]):
    (source / "a").write_text("a")
    (source / "Dockerfile").write_text(
        "FROM busybox AS One\nRUN touch /x\nCOPY a /a\nFROM busybox\nCOPY --from=one /x \\\n  /y\n"
        "LABEL a=b\nRUN <<EOF\necho $TOKEN\nEOF\nFROM busybox AS never\nRUN exit 1\n"
    )
    # With the executor that ships, nothing is left to do in the first stage if the cache has all layers.
    for more, skips in (({}, False), ({"CACHE": "true"}, False), ({"CACHE": "true"}, builder.has_shipped_executor)):
        done = builder.run(env={**env, **more, "TARGET": "1"}, mounts={"/tmp/source": source})
        assert done.code == 0, done.log
        head = "kaniko-shim: progress: "
        assert [line.removeprefix(head) for line in done.log.splitlines() if line.startswith(head)] == [
            'stage=1/2 step=1/7 instruction="FROM busybox AS One"',
            *(['stage=1/2 step=2/7 instruction="RUN touch /x"'] if not skips else []),
            *(['stage=1/2 step=3/7 instruction="COPY a /a"'] if not skips else []),
            'stage=2/2 step=4/7 instruction="FROM busybox"',
            'stage=2/2 step=5/7 instruction="COPY --from=one /x /y"',
            'stage=2/2 step=7/7 instruction="RUN <<EOF"',
        ]
