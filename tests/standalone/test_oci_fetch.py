"""Fetching from a registry by itself: no builder image, but a real registry and the real crane."""

import gzip
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import SourceReport
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.references import parse_reference
from kaniko_shim.registry.registries import Registries
from kaniko_shim.sources.kinds import OciSource
from kaniko_shim.sources.oci import fetch_oci
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.sources.workspace import Workspace
from kaniko_shim.system.paths import Paths
from standalone.breaking import break_blobs
from standalone.registry import empty_registry
from support.registry import Registry
from unit.shim.archives.archives import files_of, tar_of

TITLE, UNPACK = "org.opencontainers.image.title", "io.deis.oras.content.unpack"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with empty_registry(tmp_path_factory.mktemp("plain")) as registry:
        yield registry


class Fetching:
    def __init__(self, registry: Registry, tmp_path: Path) -> None:
        self.said = list[str]()
        self.slept = list[float]()
        self._crane = registry.crane
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        self._paths = Paths(crane=registry.crane, scratch=scratch)
        self.workspace = Workspace(tmp_path / "context", scratch, {"HOME": str(scratch)}, self.said.append)
        self.workspace.clear()

    def __call__(self, name: str, max_bytes: int = 1 << 40) -> SourceReport:
        image = parse_reference(name)
        crane = Crane(self._paths, {}, Registries(insecure=(image.registry,)))
        request = SourceRequest(OciSource(image), max_bytes=max_bytes)
        return fetch_oci(image, request, self.workspace, crane, self.slept.append)

    def fails(self, name: str, max_bytes: int = 1 << 40) -> tuple[Reason, str]:
        with pytest.raises(JobError) as caught:
            self(name, max_bytes)
        return caught.value.failure.reason, caught.value.failure.message

    @property
    def files(self) -> dict[str, bytes]:
        return files_of(self.workspace.context)


@pytest.fixture
def fetching(plain: Registry, tmp_path: Path) -> Fetching:
    return Fetching(plain, tmp_path)


def zstd(content: bytes) -> bytes:
    return subprocess.run(["zstd", "-c"], input=content, check=True, capture_output=True).stdout


def test_an_artifact_as_oras_pushes_it(plain: Registry, fetching: Fetching):
    digest = plain.push_artifact(
        "oras:1",
        [
            (b"FROM scratch\n", {TITLE: "Dockerfile"}),
            (b"a=1\n", {TITLE: "conf/app.conf"}),
            # Several archives are files too: who wants them unpacked says so.
            (tar_of({"not": b"unpacked"}), {TITLE: "data.tar"}),
            (gzip.compress(tar_of({"app/main.py": b"print()"})), {TITLE: "app", UNPACK: "true"}),
            (zstd(tar_of({"app/lib.py": b"pass"})), {TITLE: "lib", UNPACK: "true"}),
        ],
    )
    report = fetching(f"{plain.address}/oras:1")
    assert report.revision == digest
    assert fetching.files == {
        "Dockerfile": b"FROM scratch\n",
        "conf/app.conf": b"a=1\n",
        "data.tar": tar_of({"not": b"unpacked"}),
        "app/main.py": b"print()",
        "app/lib.py": b"pass",
    }


def test_one_archive_is_the_context_whatever_its_name(plain: Registry, fetching: Fetching):
    plain.push_artifact("single:1", [(gzip.compress(tar_of({"Dockerfile": b"x"})), {TITLE: "context.tar.gz"})])
    fetching(f"{plain.address}/single:1")
    assert fetching.files == {"Dockerfile": b"x"}


@pytest.mark.parametrize("title", ["../x", "/x", "a/../../x"])
def test_a_file_stays_inside_of_the_context(plain: Registry, fetching: Fetching, title: str):
    plain.push_artifact("climbing:1", [(b"x", {TITLE: title})])
    reason, message = fetching.fails(f"{plain.address}/climbing:1")
    assert reason is Reason.SOURCE_INVALID
    assert repr(title) in message


def test_a_layer_that_breaks_is_fetched_again(plain: Registry, fetching: Fetching):
    layers = [(tar_of({name: name.encode() * 50_000}), dict[str, str]()) for name in ("one", "two")]
    plain.push_artifact("broken:1", layers)
    with break_blobs(plain.address, lambda number, body: body[:30_000] if number < 2 else body) as (address, asked):
        fetching(f"{address}/broken:1")
    assert fetching.files == {name: name.encode() * 50_000 for name in ("one", "two")}
    assert len(asked) >= 4
    assert len(fetching.said) == len(fetching.slept) >= 1


def test_a_registry_that_never_gets_on_is_given_up(plain: Registry, fetching: Fetching):
    plain.push_artifact("hopeless:1", [(tar_of({"one": bytes(100_000)}), {})])
    with break_blobs(plain.address, lambda _, body: body[:1000]) as (address, _):
        reason, message = fetching.fails(f"{address}/hopeless:1")
    assert reason is Reason.SOURCE_UNAVAILABLE
    assert "in 5 attempts" in message
    assert fetching.slept == [1, 2, 4, 8]


def test_a_layer_with_another_content_is_refused_at_once(plain: Registry, fetching: Fetching):
    plain.push_artifact("changed:1", [(tar_of({"one": bytes(1000)}), {})])
    with break_blobs(plain.address, lambda _, body: body[:600] + b"x" + body[601:]) as (address, asked):
        reason, _ = fetching.fails(f"{address}/changed:1")
    assert reason is Reason.SOURCE_CHECKSUM_MISMATCH
    assert len(asked) == 1


def test_a_layer_may_not_be_larger_than_a_context(plain: Registry, fetching: Fetching):
    plain.push_artifact("large:1", [(tar_of({"one": bytes(1_000_000)}), {})])
    reason, _ = fetching.fails(f"{plain.address}/large:1", max_bytes=100_000)
    assert reason is Reason.SOURCE_TOO_LARGE
