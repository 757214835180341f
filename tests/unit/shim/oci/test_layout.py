import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from kaniko_shim.oci.layout import LayoutImage, check_layout, open_to_all, sizes
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Layout:
    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "blobs/sha256").mkdir(parents=True)
        self.layers = [self.add(b"layer one"), self.add(b"layer two")]
        self.manifest: dict[str, Any] = {"config": self.add(b"{}"), "layers": self.layers}
        self.index: dict[str, Any] = {}
        self.write()

    def add(self, content: bytes, media_type: str = "x") -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        (self.root / "blobs/sha256" / digest).write_bytes(content)
        return {"digest": f"sha256:{digest}", "size": len(content), "mediaType": media_type}

    def path(self, descriptor: dict[str, Any]) -> Path:
        return self.root / "blobs" / str(descriptor["digest"]).replace(":", "/")

    def write(self) -> None:
        self.index = {"manifests": [self.add(json.dumps(self.manifest).encode(), MANIFEST)]}
        self.write_index()

    def write_index(self) -> None:
        (self.root / "index.json").write_text(json.dumps(self.index))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


def problem(layout: Layout) -> str:
    with pytest.raises(JobError) as caught:
        check_layout(layout.root)
    assert caught.value.failure.reason is Reason.INTERNAL
    return caught.value.failure.message


def test_a_whole_layout(layout: Layout):
    digest = layout.index["manifests"][0]["digest"]
    assert check_layout(layout.root) == LayoutImage(digest, len(b"layer one") + len(b"layer two") + len(b"{}"))
    assert sum(sizes(json.dumps(layout.manifest).encode())) == 20


def test_stale_blobs_do_not_matter(layout: Layout):
    layout.add(b"left by the cache")
    check_layout(layout.root)


@pytest.mark.shows("A28")
def test_every_byte_is_compared(layout: Layout):
    path = layout.path(layout.layers[1])
    path.write_bytes(b"layer TWO")
    assert "does not match its digest" in problem(layout)
    path.write_bytes(b"layer two and more")
    assert "does not match its digest" in problem(layout)
    path.unlink()
    assert "can't be read" in problem(layout)


@pytest.mark.shows("A28")
def test_links_are_not_followed(layout: Layout, tmp_path: Path):
    path = layout.path(layout.layers[0])
    moved = tmp_path / "moved"
    path.rename(moved)
    path.symlink_to(moved)
    assert "is a link" in problem(layout)
    path.unlink()
    moved.rename(path)
    (layout.root / "blobs").rename(tmp_path / "blobs")
    (layout.root / "blobs").symlink_to(tmp_path / "blobs")
    assert "is a link" in problem(layout)


@pytest.mark.shows("A28")
def test_a_link_that_nothing_names_is_refused_too(layout: Layout):
    (layout.root / "blobs/sha256" / ("0" * 64)).symlink_to("/kaniko/.run/docker/config.json")
    assert f"blobs/sha256/'{'0' * 64}' is a link" in problem(layout)


def test_a_hard_link_is_a_file(layout: Layout):
    os.link(layout.path(layout.layers[0]), layout.root / "blobs/sha256" / ("0" * 64))
    check_layout(layout.root)


@pytest.mark.shows("A28")
def test_files_are_counted(layout: Layout, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kaniko_shim.oci.layout.MOST_BLOBS", 4)
    check_layout(layout.root)
    layout.add(b"one more")
    assert "has more than 4 files" in problem(layout)


def test_a_sparse_file_is_not_read_where_it_is_larger_than_it_says(layout: Layout):
    os.truncate(layout.path(layout.layers[1]), 2**40)
    assert "does not match its digest" in problem(layout)


def test_an_image_of_any_size_is_not_read(layout: Layout):
    layout.layers[0]["size"] = 2**40
    os.truncate(layout.path(layout.layers[0]), 2**40)
    layout.write()
    assert "at most" in problem(layout)


#: Go's decoder takes names in any spelling, and of several the last one.
@pytest.mark.shows("A29")
@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ('{"manifests": [%s], "Manifests": [%s]}', "'Manifests' must be written 'manifests'"),
        ('{"manifests": [%s], "manifests": [%s]}', "the same name twice"),
        ('{"manife\\u017fts": [%s], "manifests": [%s]}', "must be written 'manifests'"),
    ],
)
def test_nothing_is_there_that_crane_reads_in_another_way(layout: Layout, index: str, expected: str):
    [image] = layout.index["manifests"]
    text = json.dumps(image)
    (layout.root / "index.json").write_text(index.replace("%s", text))
    assert expected in problem(layout)


def test_names_are_spelled_in_one_way(layout: Layout):
    layout.layers[0]["URLs"] = ["https://elsewhere.example"]
    layout.write()
    assert "'URLs' must be written 'urls'" in problem(layout)


def test_annotations_may_have_any_name(layout: Layout):
    layout.manifest["annotations"] = {"Size": "large", "size": "small", "URLs": "none"}
    layout.write()
    check_layout(layout.root)


def test_an_image_does_not_pass_for_a_part_of_another(layout: Layout):
    layout.manifest["subject"] = layout.layers[0]
    layout.write()
    assert "part of another image" in problem(layout)


def test_what_is_nested_without_end_is_no_json(layout: Layout):
    (layout.root / "index.json").write_text("[" * 1_000_000)
    assert "index.json is not JSON" in problem(layout)


def test_pipes_and_directories_are_not_read(layout: Layout):
    path = layout.path(layout.layers[0])
    path.unlink()
    os.mkfifo(path)
    assert "not a regular file" in problem(layout)
    path.unlink()
    path.mkdir()
    assert "not a regular file" in problem(layout)


@pytest.mark.parametrize("manifests", [[], [1, 2], None, [{"digest": "sha256:../../x", "size": 1}], ["x"], [{}]])
def test_exactly_one_image(layout: Layout, manifests: object):
    layout.index = {"manifests": manifests}
    layout.write_index()
    assert problem(layout)


def test_an_index_of_several_platforms_is_no_image(layout: Layout):
    layout.index["manifests"][0]["mediaType"] = "application/vnd.oci.image.index.v1+json"
    layout.write_index()
    assert "not an image" in problem(layout)


def test_layers_from_elsewhere_are_refused(layout: Layout):
    layout.layers[0]["urls"] = ["https://elsewhere.example"]
    layout.write()
    assert "from another place" in problem(layout)


@pytest.mark.parametrize("content", ["", "[]", "x", " " * 5_000_000])
def test_an_index_that_is_none(layout: Layout, content: str):
    (layout.root / "index.json").write_text(content)
    assert "index.json" in problem(layout)


def test_a_layout_that_is_not_there(tmp_path: Path):
    with pytest.raises(JobError, match=r"blobs/sha256 can't be read"):
        check_layout(tmp_path)
    (tmp_path / "blobs/sha256").mkdir(parents=True)
    with pytest.raises(JobError, match=r"index.json can't be read"):
        check_layout(tmp_path)
    with pytest.raises(JobError, match="can't be read"):
        check_layout(tmp_path / "nosuch")


def test_it_is_opened_to_all_without_following_links(layout: Layout, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.write_text("x")
    outside.chmod(0o600)
    (layout.root / "link").symlink_to(outside)
    (layout.root / "blobs").chmod(0o700)
    layout.path(layout.layers[0]).chmod(0o600)
    open_to_all(layout.root)
    assert outside.stat().st_mode & 0o777 == 0o600
    assert (layout.root / "blobs").stat().st_mode & 0o777 == 0o755
    assert layout.path(layout.layers[0]).stat().st_mode & 0o777 == 0o644
