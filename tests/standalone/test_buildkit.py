"""The builder image with BuildKit: the whole job in one container, with and without process IDs of each RUN's own."""

import json
import re
import signal
import tarfile
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import paramiko
import pytest
from standalone.container import BUILDKIT_CAPABILITIES, Builder, Limits, builder_layout
from support.git_server import git, make_repository, serve_git
from support.registry import Registry

MASKED = Limits(capabilities=BUILDKIT_CAPABILITIES, masked=("/proc/kcore", "/proc/keys"))


@pytest.fixture(scope="module")
def buildkit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    unpacked = Builder.unpack(builder_layout("buildkit"), tmp_path_factory.mktemp("buildkit"))
    yield unpacked
    unpacked.remove()


@pytest.fixture
def variables(env: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name != "SKIP_DEFAULT_REGISTRY_FALLBACK"}


@pytest.mark.parametrize(("limits", "processes"), [(Limits(), "own"), (MASKED, "shared")], ids=["own", "shared"])
def test_a_bind_mounted_directory_is_built_and_pushed(
    buildkit: Builder,
    registry: Registry,
    source: Path,
    variables: dict[str, str],
    tmp_path: Path,
    limits: Limits,
    processes: str,
):
    (source / "hello.txt").write_text("hello\n")
    (source / "Dockerfile").write_text(
        "FROM busybox AS one\nRUN tr '\\0' ' ' < /proc/1/cmdline > /first; ls -d /kaniko 2> /sees || true\n"
        "FROM busybox\nCOPY hello.txt /greeting/\nCOPY --from=one /first /sees /\nRUN exec true\n"
    )
    done = buildkit.run(env=variables, mounts={"/tmp/source": source}, limits=limits)
    assert done.code == 0, done.log
    image = variables["OUTPUT_IMAGE"]
    assert done.result["digest"] == registry.digest(image)
    assert done.result["images"][0]["reference"] == image
    assert set(done.result["timings"]) == {"fetchMs", "buildMs", "pushMs", "totalMs"}
    root = registry.pull(image, tmp_path / "image")
    assert (root / "greeting/hello.txt").read_text() == "hello\n"
    assert "No such file" in (root / "sees").read_text()
    first = (root / "first").read_text()
    assert ("/bin/sh" in first) is (processes == "own"), first
    steps = [line for line in done.log.splitlines() if "progress: stage=" in line]
    assert any('stage=2/2 step=4/6 instruction="COPY hello.txt /greeting/"' in line for line in steps), done.log


def test_the_second_build_takes_everything_from_the_cache(
    buildkit: Builder, registry: Registry, source: Path, variables: dict[str, str]
):
    (source / "Dockerfile").write_text("FROM busybox\nCOPY Dockerfile /x\nRUN date +%N > /made\n")
    variables |= {"CACHE_REPO": f"{registry.address}/standalone/buildkit-cache"}
    first, second = (buildkit.run(env=variables, mounts={"/tmp/source": source}) for _ in range(2))
    assert (first.code, second.code) == (0, 0), first.log + second.log
    caches = [{"hits": 0, "misses": 2}, {"hits": 2, "misses": 0}]
    assert [first.result["cache"], second.result["cache"]] == caches, second.log
    assert first.result["layerBytes"] == second.result["layerBytes"]


def test_add_of_a_git_repository_and_of_archives(
    buildkit: Builder, registry: Registry, source: Path, variables: dict[str, str], tmp_path: Path
):
    make_repository(tmp_path / "git" / "repository.git", {"in.git": b"cloned"})
    (tmp_path / "packed").write_text("unpacked")
    with tarfile.open(source / "tree.tar.xz", "w:xz") as archive:
        archive.add(tmp_path / "packed", "packed")
    with serve_git(tmp_path / "git") as url:
        dockerfile = f"FROM busybox\nADD {url}/repository.git /cloned\nADD tree.tar.xz /tree\n"
        (source / "Dockerfile").write_text(dockerfile)
        done = buildkit.run(env=variables, mounts={"/tmp/source": source})
    assert done.code == 0, done.log
    root = registry.pull(variables["OUTPUT_IMAGE"], tmp_path / "image")
    assert (root / "cloned/in.git").read_text() == "cloned"
    assert (root / "tree/packed").read_text() == "unpacked"


def test_a_container_that_lacks_a_capability_says_which(buildkit: Builder, source: Path, variables: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\n")
    done = buildkit.run(
        env=variables, mounts={"/tmp/source": source}, limits=Limits(capabilities=("CAP_SETUID", "CAP_SETGID"))
    )
    assert (done.code, done.result["reason"]) == (86, "EngineUnavailable"), done.log
    assert "SETUID, SETGID or SETFCAP" in done.result["message"]
    assert "--cap-add" in done.result["hint"]


def test_isolation_that_is_required_and_not_there_is_no_build(
    buildkit: Builder, source: Path, variables: dict[str, str]
):
    (source / "Dockerfile").write_text("FROM busybox\n")
    for required, limits in (("users", Limits()), ("processes", MASKED)):
        given = variables | {"REQUIRED_ISOLATION": required}
        done = buildkit.run(env=given, mounts={"/tmp/source": source}, limits=limits)
        assert (done.code, done.result["reason"]) == (86, "EngineUnavailable"), done.log


def test_a_build_that_is_stopped_leaves_no_process(buildkit: Builder, source: Path, variables: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\nRUN echo started && sleep 600\n")
    container = buildkit.start(env=variables, mounts={"/tmp/source": source})
    container.wait_for("\nstarted\n")
    container.signal(signal.SIGTERM)
    done = container.wait(30)
    assert (done.code, done.result["reason"]) == (143, "Cancelled"), done.log


def test_a_failing_run_has_its_line_its_code_and_its_output(buildkit: Builder, source: Path, variables: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\nRUN true\nRUN echo what went wrong && \\\n    exit 7\n")
    done = buildkit.run(env=variables, mounts={"/tmp/source": source})
    assert (done.code, done.result["reason"]) == (7, "RunCommandFailed"), done.log
    assert done.result["dockerfileLine"] == 3
    assert done.result["instruction"].startswith("RUN echo what went wrong")
    assert "what went wrong" in done.result["logTail"]


def test_the_dry_run_prints_the_command(buildkit: Builder, variables: dict[str, str]):
    done = buildkit.run("--dry-run", env=variables | {"TARGET": "final"})
    assert done.code == 0, done.log
    assert done.log.startswith("/kaniko/.Shim/bin/buildctl --addr unix://")
    assert "--opt=target=final" in done.log


def test_the_versions(buildkit: Builder):
    done = buildkit.run("--version", env={})
    assert done.code == 0, done.log
    assert "buildkitd github.com/moby/buildkit" in done.log


def test_what_the_registry_has_is_neither_downloaded_nor_pushed_again(
    buildkit: Builder, registry: Registry, source: Path, variables: dict[str, str], tmp_path: Path
):
    """`build` without a right to push, `push` in a container of its own: the image, then the cache."""
    (source / "Dockerfile").write_text("FROM busybox\nRUN date +%N > /made\n")
    variables |= {"CACHE_REPO": f"{registry.address}/standalone/new-layers-cache"}
    builds = dict[str, Path]()
    digests = dict[str, str]()
    for name in ("first", "second"):
        layout = builds[name] = tmp_path / name
        layout.mkdir(mode=0o777)
        mounts = {"/tmp/source": source, "/kaniko/layout": layout}
        built = buildkit.run("build", env=variables | {"ONLY_NEW_LAYERS": "true"}, mounts=mounts)
        assert built.code == 0, built.log
        pushed = buildkit.run("push", env=variables, mounts={"/kaniko/layout": layout})
        assert pushed.code == 0, pushed.log
        digests[name] = pushed.result["digest"]
    assert digests["first"] == digests["second"] == registry.digest(variables["OUTPUT_IMAGE"])
    manifest = registry.manifest(variables["OUTPUT_IMAGE"])
    layers = {each["digest"].removeprefix("sha256:") for each in manifest["layers"]}
    assert layers <= {path.name for path in (builds["first"] / "blobs/sha256").iterdir()}
    kept = {path.name for path in (builds["second"] / "blobs/sha256").iterdir()}
    assert kept == {digests["second"].removeprefix("sha256:"), manifest["config"]["digest"].removeprefix("sha256:")}

    # As if the registry had removed them meanwhile.
    elsewhere = {"OUTPUT_IMAGE": f"{registry.address}/standalone/has-no-layers", "CACHE": "false"}
    refused = buildkit.run("push", env=variables | elsewhere, mounts={"/kaniko/layout": builds["second"]})
    assert refused.result["reason"] == "RegistryUnavailable", refused.log
    assert "has removed layers" in refused.result["message"]


def test_the_same_inputs_give_the_same_digest_with_a_time_of_their_own(
    buildkit: Builder, registry: Registry, source: Path, variables: dict[str, str], tmp_path: Path
):
    first = make_repository(
        tmp_path / "git" / "repository.git",
        {"Dockerfile": b"FROM busybox\nCOPY Dockerfile /x\nRUN mkdir /made && echo made > /made/file\n"},
    )
    commit_time = int(git(tmp_path / "git" / "repository.git", "show", "--no-patch", "--format=%ct", first))
    with serve_git(tmp_path / "git") as url:
        asked = {
            name: {**variables, "SOURCE_GET_URL": f"git+{url}/repository.git", "IMAGE_TIMESTAMP": value}
            for name, value in (("first", "commit"), ("second", "commit"), ("zero", "0"))
        }
        done = {name: buildkit.run(env=each) for name, each in asked.items()}
    assert {name: each.log for name, each in done.items() if each.code} == {}
    digests = {name: each.result["digest"] for name, each in done.items()}
    repository = variables["OUTPUT_IMAGE"].rpartition(":")[0]
    manifests = {name: registry.manifest(f"{repository}@{digest}") for name, digest in digests.items()}
    assert manifests["first"] == manifests["second"], done["first"].log + done["second"].log
    assert digests["first"] == digests["second"] != digests["zero"]
    config = registry.config(f"{repository}@{digests['first']}")
    assert datetime.fromisoformat(config["created"]).timestamp() == commit_time
    refused = buildkit.run(env=variables | {"IMAGE_TIMESTAMP": "commit"}, mounts={"/tmp/source": source})
    assert refused.result["reason"] == "InvalidSpec", refused.log


@pytest.mark.shows("A61")
def test_an_image_of_the_same_inputs_is_not_built_again(
    buildkit: Builder, builder: Builder, registry: Registry, source: Path, variables: dict[str, str]
):
    image = variables["OUTPUT_IMAGE"]
    base = f"{image.rpartition(':')[0]}-base:1"
    text = f"FROM {base}\nCOPY file /\nRUN date +%N > /made\n"
    (source / "Dockerfile").write_text(text)
    (source / "file").write_text("1")

    def move_base(content: str) -> None:
        other = {"OUTPUT_IMAGE": base, "DOCKERFILE_CONTENT": f"FROM busybox\nRUN echo {content} > /base\n"}
        done = buildkit.run(env=variables | other, mounts=mounts)
        assert done.code == 0, done.log

    def built(**changes: str) -> tuple[bool, str]:
        done = buildkit.run(env=variables | {"SKIP_IF_UNCHANGED": "true"} | changes, mounts=mounts)
        assert done.code == 0, done.log
        assert done.result["digest"] == registry.digest(image)
        assert done.result["baseImages"] == [{"reference": base, "digest": registry.digest(base)}]
        assert ("RUN date" in done.log) is not ("unchanged" in done.result), done.log
        return "unchanged" not in done.result, done.result["digest"]

    mounts = {"/tmp/source": source}
    variables = {name: value for name, value in variables.items() if name != "DOCKERFILE_PATH"}
    move_base("1")
    first = built()
    assert first[0]
    assert built() == (False, first[1])
    # A new tag gets the same image, and where its layers are not, it is built.
    assert built(OUTPUT_IMAGE=f"{image},{image}-2") == (False, first[1])
    assert registry.digest(f"{image}-2") == first[1]
    assert built(OUTPUT_IMAGE=f"{image},{base.rpartition(':')[0]}/other:1")[0]
    digests = {first[1], registry.digest(image)}
    (source / "file").write_text("2")
    digests.add(built()[1])
    move_base("2")
    digests.add(built()[1])
    digests.add(built(LABELS='{"a": "b"}')[1])
    assert len(digests) == 5
    # What a Dockerfile or a label says is no annotation: another image does not pass for that of these inputs.
    said = registry.manifest(image)["annotations"]
    (source / "Dockerfile").write_text(f"FROM {base}\nLABEL dev.imagebuild.inputs={said['dev.imagebuild.inputs']}\n")
    assert buildkit.run(env=variables | {"LABELS": json.dumps(said)}, mounts=mounts).code == 0
    assert registry.config(image)["config"]["Labels"]["dev.imagebuild.inputs"] == said["dev.imagebuild.inputs"]
    (source / "Dockerfile").write_text(text)
    assert built(LABELS='{"a": "b"}')[0]
    done = builder.run(env=variables | {"SKIP_IF_UNCHANGED": "true", "NO_PUSH": "true"}, mounts=mounts)
    assert "SKIP_IF_UNCHANGED does nothing" in done.result["warnings"][0]


def test_run_without_network_and_with_an_ssh_key(
    buildkit: Builder, registry: Registry, source: Path, variables: dict[str, str], tmp_path: Path
):
    key = tmp_path / "key"
    paramiko.ECDSAKey.generate().write_private_key_file(str(key))
    (source / "Dockerfile").write_text(
        "FROM busybox\n"
        "RUN ip link > /links; wget -q -T 2 http://127.0.0.1:1/ 2>> /links || true\n"
        "RUN --mount=type=ssh test -S $SSH_AUTH_SOCK && echo $SSH_AUTH_SOCK > /agent\n"
    )
    secret = {"BUILD_SECRET_default": b64encode(key.read_bytes()).decode()}
    done = buildkit.run(env=variables | secret | {"RUN_NETWORK": "none"}, mounts={"/tmp/source": source})
    assert done.code == 0, done.log
    assert "no run mounts the build secret" not in done.log.lower()
    root = registry.pull(variables["OUTPUT_IMAGE"], tmp_path / "image")
    assert re.findall(r"^\d+: (\w+)", (root / "links").read_text(), re.MULTILINE) == ["lo"]
    assert (root / "agent").read_text().strip()
    assert done.result.get("warnings") is None


def test_kaniko_refuses_both(builder: Builder, source: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\n")
    for variable in ({"RUN_NETWORK": "none"}, {"IMAGE_TIMESTAMP": "0"}):
        done = builder.run(env=env | variable, mounts={"/tmp/source": source})
        assert (done.result["reason"], done.result["message"]) == (
            "InvalidSpec",
            f"{next(iter(variable))}: kaniko can't do that.",
        )


def test_the_image_says_what_it_is_based_on(
    buildkit: Builder, registry: Registry, source: Path, variables: dict[str, str]
):
    base = f"{registry.address}/library/busybox:latest"
    own = f"{variables['OUTPUT_IMAGE'].rpartition('/')[0]}/on-top:1"

    def annotations(dockerfile: str, image: str) -> object:
        (source / "Dockerfile").write_text(dockerfile)
        done = buildkit.run(env=variables | {"OUTPUT_IMAGE": image}, mounts={"/tmp/source": source})
        assert done.code == 0, done.log
        assert done.result["digest"] == registry.digest(image)
        return registry.manifest(image).get("annotations")

    def named(image: str) -> dict[str, str]:
        name, digest = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"
        return {name: image, digest: registry.digest(image)}

    # The last stage counts, whatever it copies from others.
    several = f"FROM {base} AS one\nRUN echo 1 > /one\nFROM {base}\nCOPY --from=one /one /\n"
    assert annotations(several, own) == named(base)
    copying = f"FROM {own}\nCOPY --from={base} /bin/true /true\nRUN echo 2 > /two\n"
    assert annotations(copying, variables["OUTPUT_IMAGE"]) == named(own)
    assert annotations("FROM scratch\nCOPY Dockerfile /\n", variables["OUTPUT_IMAGE"]) is None


@pytest.mark.shows("A62")
@pytest.mark.parametrize("engine", ["buildkit", "kaniko"])
def test_base_images_that_are_not_allowed_are_not_pulled(
    engine: str,
    buildkit: Builder,
    builder: Builder,
    registry: Registry,
    source: Path,
    env: dict[str, str],
    variables: dict[str, str],
):
    chosen, given = (buildkit, variables) if engine == "buildkit" else (builder, env)
    other = f"{registry.address}/library/busybox:latest"

    def build(dockerfile: str, allowed: str) -> tuple[str | None, str]:
        (source / "Dockerfile").write_text(dockerfile)
        done = chosen.run(env=given | {"ALLOWED_BASE_IMAGES": allowed}, mounts={"/tmp/source": source})
        return done.result.get("reason"), done.result.get("message") or done.log

    for dockerfile, image in (
        ("ARG BASE=python\nFROM $BASE\n", "docker.io/library/python:latest"),
        (f"FROM busybox\nCOPY --from={other} /bin/sh /x\n", other),
        (f"FROM busybox\nRUN --mount=type=bind,from={other},target=/m true\n", other),
    ):
        assert build(dockerfile, "docker.io/library/busybox") == (
            "InvalidSpec",
            f"The base image {image} is not allowed here: use one of docker.io/library/busybox.",
        )
    # An entry ends where a part of the name does.
    for allowed in ("docker.io/library/busy", "docker.io/library/busybox:1", "scratch", f"{registry.address}/other"):
        assert build("FROM busybox\n", allowed)[0] == "InvalidSpec"
    fine = f"FROM busybox AS one\nFROM scratch\nCOPY --from=one /bin/sh /a\nCOPY --from={other} /bin/sh /b\n"
    reason, said = build(fine, f"docker.io/library,{registry.address}/")
    assert reason is None, said
