"""What a build makes: the image in the registry, its digest in the status, and nothing else in the image."""

import hashlib
import json
from typing import Any

from functional.kube import Builds, Kubectl
from kubernetes import client
from support.file_server import FileServer, tar_gz
from support.registry import Entry, Registry
from support.watching import wait_for_build, wait_for_finish

Json = dict[str, Any]


def build(files: dict[str, str], image: str, **fields: object) -> Json:
    """A spec with its context written in it."""
    return {"source": {"inline": {"files": files}}, "output": {"images": [image]}, "timeoutSeconds": 300, **fields}


def test_the_status_has_the_registrys_digest_and_the_image_only_its_own_files(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, hub: Registry
):
    image = f"{registry.name}/{namespace}/files:1"
    dockerfile = (
        "FROM busybox\nCOPY app /opt/app\nRUN echo built > /opt/built && mkdir -p /opt/data && chmod 700 /opt/data\n"
        "RUN rm -f /etc/localtime && ln -s /opt/built /opt/link\n"
    )
    builds.create(build({"Dockerfile": dockerfile, "app/run.sh": "#!/bin/sh\necho hi\n", "app/text": "ä\n"}, image))
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded", status
    assert status["digest"] == registry.digest(image)
    assert status["images"] == [
        {"reference": image, "digest": status["digest"], "sizeBytes": status["images"][0]["sizeBytes"]}
    ]
    assert status["layerBytes"] == [layer["size"] for layer in registry.manifest(image)["layers"]]
    base, made = hub.files(f"{hub.name or hub.address}/library/busybox:latest"), registry.files(image)
    assert {path: entry for path, entry in made.items() if base.get(path) != entry} == {
        "/opt/app/run.sh": Entry("file", 0o755, b"#!/bin/sh\necho hi\n"),
        "/opt/app/text": Entry("file", 0o644, "ä\n".encode()),
        "/opt/built": Entry("file", 0o644, b"built\n"),
        "/opt/link": Entry("link", 0o777, b"/opt/built"),
    }
    assert set(base) - set(made) <= {"/etc/localtime"}
    base_directories = hub.directories(f"{hub.name or hub.address}/library/busybox:latest")
    # Where RUN has its own mounts, Docker leaves empty directories in the image.
    mounted = {"/dev", "/proc", "/sys"} if status["engine"] == "BuildKit" else set()
    assert registry.directories(image) - base_directories - {"/"} - mounted == {"/opt", "/opt/app", "/opt/data"}


def test_a_multi_stage_build_compiles_c_and_runs_python(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    image = f"{registry.name}/{namespace}/stages:1"
    dockerfile = """\
FROM python:3.11 AS build
WORKDIR /src
COPY hello.c Makefile make_header.py ./
RUN python3 make_header.py > words.h && make hello
RUN ! python3 -c 'import sys; print(sys.executable, sys.path)' | grep kaniko
RUN ! env | grep -E '^(PYTHON|KANIKO|DOCKER_CONFIG|SOURCE_|OUTPUT_)' && ! echo "$PATH" | grep -q kaniko

FROM busybox
RUN ! command -v python3 && ! command -v python
COPY --from=build /src/hello /bin/hello
RUN /bin/hello > /said
"""
    files = {
        "Dockerfile": dockerfile,
        "hello.c": '#include <stdio.h>\n#include "words.h"\nint main(void) { puts(WORDS); return 0; }\n',
        "Makefile": "hello: hello.c words.h\n\tgcc -static -O1 -o $@ hello.c\n",
        "make_header.py": "import sys\nprint(f'#define WORDS \"compiled by {sys.version_info.major}\"')\n",
    }
    builds.create(build(files, image))
    status = wait_for_finish(api, namespace, "hello", timeout=240)
    assert status["phase"] == "Succeeded", status
    assert registry.files(image)["/said"].content == b"compiled by 3\n"


def test_build_args_arrive_as_they_were_written(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, kubectl: Kubectl
):
    secret = "s3cr3t,with=signs and ünïcode"
    kubectl("-n", namespace, "create", "secret", "generic", "npm", f"--from-literal=token={secret}")
    values = {
        "COMMAS": "a,b,,c",
        "SPACES": "  two  spaces ",
        "EQUALS": "k=v==",
        "QUOTES": "'single' \"double\" `back`",
        "UTF8": "grün 漢字 🚀",
        "EMPTY": "",
        "DOLLAR": "$HOME ${PATH}",
    }
    dockerfile = "FROM busybox\n" + "".join(f"ARG {name}=default\n" for name in (*values, "TOKEN"))
    dockerfile += 'RUN echo "token is $TOKEN"\n'
    dockerfile += "".join(f'RUN printf %s "${name}" > /{name}\n' for name in values)
    dockerfile += 'RUN printf %s "$TOKEN" | sha256sum > /TOKEN\n'
    image = f"{registry.name}/{namespace}/args:1"
    args: list[Json] = [{"name": name, "value": value} for name, value in values.items()]
    args.append({"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "npm", "key": "token"}}})
    builds.create(build({"Dockerfile": dockerfile}, image, buildArgs=args))
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded", status
    made = registry.files(image)
    assert {name: made[f"/{name}"].content.decode() for name in values} == values
    assert made["/TOKEN"].content.decode().split()[0] == hashlib.sha256(secret.encode()).hexdigest()
    log = kubectl("-n", namespace, "logs", status["podName"], "--all-containers")
    assert "token is ***" in log
    objects = kubectl("-n", namespace, "get", "imagebuilds,pods,events", "-o", "yaml")
    for text in (log, objects, json.dumps(registry.config(image)), json.dumps(status)):
        assert secret not in text


def test_the_context_may_be_an_archive_behind_http_a_configmap_or_a_repository(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, files: FileServer, kubectl: Kubectl
):
    dockerfile = "FROM scratch\nCOPY text /text\n"
    files.files["/context.tgz"] = tar_gz({"sub/Dockerfile": dockerfile, "sub/text": "from http"})
    kubectl(
        "-n",
        namespace,
        "create",
        "configmap",
        "context",
        f"--from-literal=Dockerfile={dockerfile}",
        "--from-literal=text=from configmap",
    )
    sources: dict[str, Json] = {
        "url": {"source": {"url": f"{files.url}/context.tgz"}, "contextDir": "sub"},
        "http": {"source": {"http": {"url": f"{files.url}/context.tgz"}}, "contextDir": "sub"},
        "configmap": {"source": {"configMap": {"name": "context"}}},
    }
    for name, source in sources.items():
        builds.create({**source, "output": {"images": [f"{registry.name}/{namespace}/{name}:1"]}}, name=name)
    texts = {}
    for name in sources:
        status = wait_for_finish(api, namespace, name)
        assert status["phase"] == "Succeeded", status
        texts[name] = registry.files(f"{registry.name}/{namespace}/{name}:1")["/text"].content
    assert texts == {"url": b"from http", "http": b"from http", "configmap": b"from configmap"}


def test_an_inline_dockerfile_a_target_several_outputs_and_a_cache(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    names = [f"{registry.name}/{namespace}/{name}" for name in ("one:1", "two:latest")]
    spec = {
        "source": {"inline": {"files": {"text": "hello"}}},
        "dockerfile": {
            "inline": "FROM busybox AS first\nCOPY text /text\nRUN date > /made\n\nFROM first\nRUN exit 1\n"
        },
        "target": "first",
        "output": {"images": names},
        "cache": {"enabled": True, "repo": f"{registry.name}/{namespace}/cache"},
    }
    builds.create(spec, name="cold")
    cold = wait_for_finish(api, namespace, "cold")
    assert cold["phase"] == "Succeeded", cold
    assert [registry.digest(name) for name in names] == [cold["digest"]] * 2
    # The platform's, as opposed to that of an index.
    [base] = cold["baseImages"]
    assert base["reference"] == "docker.io/library/busybox:latest"
    assert registry.manifest(f"{registry.name}/library/busybox@{base['digest']}")["layers"]
    builds.create(spec, name="warm")
    warm = wait_for_finish(api, namespace, "warm")
    assert warm["phase"] == "Succeeded", warm
    assert warm["cache"]["hits"] > 0
    assert (registry.files(names[0])["/made"], warm["cache"]["misses"]) == (registry.files(names[1])["/made"], 0)


def test_nothing_is_pushed_where_push_is_false(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    image = f"{registry.name}/{namespace}/unpushed:1"
    builds.create(
        build({"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}, image, output={"images": [image], "push": False})
    )
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded", status
    assert status["digest"].startswith("sha256:")
    assert not registry.has(image)


def test_kubectl_knows_the_resource(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, kubectl: Kubectl
):
    image = f"{registry.name}/{namespace}/kubectl:1"
    builds.create(build({"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}, image))
    kubectl("-n", namespace, "wait", "--for=condition=Succeeded", "imagebuild/hello", "--timeout=60s")
    kubectl("-n", namespace, "wait", "--for=condition=Finished", "ib/hello", "--timeout=60s")
    line = kubectl("-n", namespace, "get", "ib", "hello", "--no-headers")
    assert "Succeeded" in line
    assert image in line
    assert "exactly one" in kubectl("explain", "imagebuild.spec.source").lower()
    body = wait_for_build(api, namespace, "hello", lambda _: True)
    events = kubectl(
        "-n", namespace, "get", "events", "--field-selector", f"involvedObject.uid={body['metadata']['uid']}"
    )
    assert "Succeeded" in events


def test_a_configmap_that_comes_late_is_waited_for(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, kubectl: Kubectl
):
    image = f"{registry.name}/{namespace}/late:1"
    builds.create({"source": {"configMap": {"name": "context"}}, "output": {"images": [image]}})
    body = wait_for_build(api, namespace, "hello", lambda build: (build.get("status") or {}).get("reason"), timeout=60)
    assert body["status"]["reason"] == "ConfigMapNotFound"
    assert 'configmap "context" not found' in body["status"]["message"]
    dockerfile = "FROM scratch\nCOPY Dockerfile /\n"
    kubectl("-n", namespace, "create", "configmap", "context", f"--from-literal=Dockerfile={dockerfile}")
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded", status
    assert list(registry.files(image)) == ["/Dockerfile"]
