"""The builder image with BuildKit: the whole job in one container, with and without process IDs of each RUN's own."""

import signal
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from standalone.container import BUILDKIT_CAPABILITIES, Builder, Limits, builder_layout
from support.git_server import make_repository, serve_git
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
