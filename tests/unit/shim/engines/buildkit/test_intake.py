"""The registry to which the daemon pushes: what it keeps, what it leaves out, and what it refuses."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3
from kaniko_shim.engines.buildkit.intake import CACHE, IMAGE, Intake, listening
from kaniko_shim.oci.blobs import blob_path
from kaniko_shim.oci.digests import digest_of
from kaniko_shim.oci.layout import check_layout
from kaniko_shim.oci.media_types import MANIFEST
from kaniko_shim.outcome.errors import JobError

LAYER, CONFIG, KNOWN = b"layer" * 1000, b"{}", b"known"


class Daemon:
    """Pushes as the daemon does."""

    def __init__(self, intake: Intake) -> None:
        self.base = f"http://{intake.address.replace('/', '/v2/')}"
        self.pool = urllib3.PoolManager()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> urllib3.BaseHTTPResponse:
        return self.pool.request(method, f"{self.base}/{path}", body=body, headers=headers, retries=False)

    def push(self, kind: str, content: bytes) -> bool:
        """Whether the blob had to be sent."""
        digest = digest_of(content)
        if self.ask("HEAD", f"{kind}/blobs/{digest}").status == 200:
            return False
        place = self.ask("POST", f"{kind}/blobs/uploads/").headers["Location"]
        url = f"{self.base.partition('/v2/')[0]}{place}?digest={digest.replace(':', '%3A')}"
        assert self.pool.request("PUT", url, body=content, retries=False).status == 201
        return True

    def push_manifest(self, kind: str, *layers: bytes) -> str:
        descriptors = [{"mediaType": "x", "digest": digest_of(each), "size": len(each)} for each in (CONFIG, *layers)]
        manifest = json.dumps({"schemaVersion": 2, "config": descriptors[0], "layers": descriptors[1:]}).encode()
        answer = self.ask("PUT", f"{kind}/manifests/built", manifest, **{"Content-Type": MANIFEST})
        assert (answer.status, answer.headers["Docker-Content-Digest"]) == (201, digest_of(manifest))
        return digest_of(manifest)


class Has:
    """A registry with some blobs."""

    def __init__(self, *blobs: bytes) -> None:
        self.blobs = {digest_of(each): each for each in blobs}

    def has(self, digest: str) -> bool:
        return digest in self.blobs

    def read(self, digest: str) -> bytes:
        return self.blobs[digest]


@contextmanager
def taking(layout: Path, has: Has | None = None) -> Iterator[tuple[Intake, Daemon]]:
    with listening({IMAGE: layout, CACHE: layout / "cache"}, {} if has is None else {IMAGE: has}) as intake:
        yield intake, Daemon(intake)


def test_what_is_pushed_becomes_a_layout(tmp_path: Path):
    with taking(tmp_path) as (intake, daemon):
        assert all(daemon.push(IMAGE, each) for each in (LAYER, CONFIG))
        assert not daemon.push(IMAGE, LAYER)
        digest = daemon.push_manifest(IMAGE, LAYER)
        assert intake.finish(IMAGE, digest)
    image = check_layout(tmp_path)
    assert (image.digest, image.size, image.absent) == (digest, len(LAYER) + len(CONFIG), frozenset())


def test_what_the_registry_has_is_not_sent_and_is_absent(tmp_path: Path):
    with taking(tmp_path, Has(KNOWN)) as (intake, daemon):
        assert [daemon.push(IMAGE, each) for each in (KNOWN, LAYER, CONFIG)] == [False, True, True]
        assert intake.finish(IMAGE, daemon.push_manifest(IMAGE, KNOWN, LAYER))
    assert check_layout(tmp_path, may_lack_layers=True).absent == {digest_of(KNOWN)}


def test_the_config_is_always_there(tmp_path: Path):
    with taking(tmp_path, Has(KNOWN, CONFIG)) as (intake, daemon):
        assert [daemon.push(IMAGE, each) for each in (KNOWN, CONFIG)] == [False, False]
        assert intake.finish(IMAGE, daemon.push_manifest(IMAGE, KNOWN))
    assert blob_path(tmp_path, digest_of(CONFIG)).read_bytes() == CONFIG


def test_a_config_that_the_registry_has_forged_is_refused(tmp_path: Path):
    forging = Has(CONFIG)
    forging.blobs[digest_of(CONFIG)] = b"forged"
    with taking(tmp_path, forging) as (intake, daemon):
        digest = daemon.push_manifest(IMAGE)
        with pytest.raises(JobError, match="something else"):
            intake.finish(IMAGE, digest)
    assert not (tmp_path / "index.json").exists()


def test_a_layer_of_image_and_cache_is_sent_once_and_is_one_file(tmp_path: Path):
    with taking(tmp_path) as (intake, daemon):
        assert [daemon.push(*each) for each in ((IMAGE, LAYER), (CACHE, LAYER), (CACHE, CONFIG), (IMAGE, CONFIG))] == [
            *(True, False, True, False)
        ]
        assert intake.finish(IMAGE, daemon.push_manifest(IMAGE, LAYER))
        assert intake.finish(CACHE, daemon.push_manifest(CACHE, LAYER), "tag")
    both = [blob_path(layout, digest_of(LAYER)).stat().st_ino for layout in (tmp_path, tmp_path / "cache")]
    assert both[0] == both[1]
    assert [check_layout(each).tag for each in (tmp_path, tmp_path / "cache")] == ["", "tag"]


def test_an_image_that_the_daemon_does_not_report_is_none(tmp_path: Path):
    with taking(tmp_path) as (intake, daemon):
        daemon.push(IMAGE, CONFIG)
        daemon.push_manifest(IMAGE)
        assert not intake.finish(IMAGE, digest_of(b"another"))
        assert not intake.finish(IMAGE, "")
    assert not (tmp_path / "index.json").exists()


@pytest.mark.shows("A59")
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "../{other}/image/blobs/uploads/",
        "../{other}/image/manifests/built",
        "other/blobs/uploads/",
        "image/blobs/uploads/../../x",
        "image/manifests/../../../x",
        "image/blobs/sha256:../../../../etc/passwd",
    ],
)
def test_who_does_not_know_the_name_or_asks_for_more_gets_nothing(tmp_path: Path, method: str, path: str):
    with taking(tmp_path, Has(LAYER)) as (_, daemon):
        before = sorted(tmp_path.rglob("*"))
        url = f"{daemon.base.rpartition('/')[0]}/{path.removeprefix('../').format(other='0' * 32)}"
        target = url if path.startswith("..") else f"{daemon.base}/{path}"
        answer = daemon.pool.request(method, target, body=b"x" if method == "PUT" else None, retries=False)
        assert answer.status in {404, 501}
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.shows("A59")
def test_a_blob_that_is_another_than_it_says_is_not_kept(tmp_path: Path):
    with taking(tmp_path) as (_, daemon):
        answer = daemon.ask("PUT", f"image/blobs/uploads/1?digest={digest_of(LAYER)}", b"forged")
        assert answer.status == 400
        assert daemon.ask("HEAD", f"image/blobs/{digest_of(LAYER)}").status != 200
    assert not [each for each in tmp_path.rglob("*") if each.is_file()]


def test_many_silent_connections_do_not_keep_the_end_waiting(tmp_path: Path):
    with taking(tmp_path) as (intake, daemon):
        address = ("127.0.0.1", int(intake.address.partition("/")[0].rpartition(":")[2]))
        silent = [socket.create_connection(address) for _ in range(8)]
        assert daemon.push(IMAGE, LAYER)
    for each in silent:
        each.close()
