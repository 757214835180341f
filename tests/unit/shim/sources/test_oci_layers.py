"""Layers as a context, one on top of the other."""

import io
import os
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from kaniko_shim.archives.extract import extract
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.sources.oci_layers import LayeredTree
from unit.shim.archives.archives import files_of, member, tar, tar_of
from unit.shim.oci.layers import Layer, image_of, layers, tar_of_layer


def stacked(contents: Iterable[bytes], root: Path, max_entries: int = 1000) -> Path:
    with LayeredTree(root, max_bytes=1 << 20, max_entries=max_entries) as tree:
        for content in contents:
            tree.begin_layer()
            extract(io.BytesIO(content), tree)
    return root


def test_an_opaque_whiteout_hides_the_layers_below_and_nothing_of_its_own(tmp_path: Path):
    below = tar_of({"a/old": b"1", "a/sub/old": b"2", "b": b"3"})
    above = tar_of({"a/new": b"4", "a/sub/new": b"5", "a/.wh..wh..opq": b"", "a/last": b"6"})
    root = stacked([below, above], tmp_path / "tree")
    assert files_of(root) == {"a/new": b"4", "a/sub/new": b"5", "a/last": b"6", "b": b"3"}


def test_a_whiteout_hides_nothing_of_its_own_layer(tmp_path: Path):
    below = tar_of({"a/x": b"1", "b": b"2"})
    above = tar_of({"a/y": b"3", ".wh.a": b"", "b": b"4", ".wh.b": b""})
    assert files_of(stacked([below, above], tmp_path / "tree")) == {"a/y": b"3", "b": b"4"}


def test_an_opaque_whiteout_at_the_top_hides_everything_below(tmp_path: Path):
    root = stacked([tar_of({"a": b"1", "b/c": b"2"}), tar_of({"d": b"3", ".wh..wh..opq": b""})], tmp_path / "tree")
    assert files_of(root) == {"d": b"3"}


def test_an_opaque_directory_in_place_of_a_link(tmp_path: Path):
    below = tar([(member("d", tarfile.DIRTYPE), b""), (member("l", tarfile.SYMTYPE, "d"), b""), (member("d/x"), b"1")])
    root = stacked([below, tar_of({"l/.wh..wh..opq": b"", "l/y": b"2"})], tmp_path / "tree")
    assert files_of(root) == {"d/x": b"1", "l/y": b"2"}


def test_a_file_in_place_of_a_directory_of_the_layer_below(tmp_path: Path):
    assert files_of(stacked([tar_of({"a/b/c": b"1"}), tar_of({"a": b"2"})], tmp_path / "tree")) == {"a": b"2"}
    with pytest.raises(JobError, match="the name of a directory before it"):
        stacked([tar_of({"a/b": b"1", "a": b"2"})], tmp_path / "one")


@pytest.mark.parametrize(
    "name", ["../.wh.x", "/.wh.x", "/.wh..wh..opq", "a/.wh.", "a/.wh..", ".wh...", "../.wh..wh..opq"]
)
def test_a_whiteout_hides_nothing_outside(tmp_path: Path, name: str):
    (tmp_path / "x").touch()
    with pytest.raises(JobError) as caught:
        stacked([tar_of({"a/b": b"1"}), tar_of({name: b""})], tmp_path / "tree")
    assert caught.value.failure.reason is Reason.SOURCE_INVALID
    assert (tmp_path / "x").exists()


def test_whiteouts_count_as_entries(tmp_path: Path):
    with pytest.raises(JobError, match="more than 3 files"):
        stacked([tar_of({f".wh.{number}": b"" for number in range(4)})], tmp_path / "tree", max_entries=3)


@settings(max_examples=300)
@given(layers())
def test_any_layers_make_the_image_that_the_specification_describes(stack: list[Layer]):
    with tempfile.TemporaryDirectory() as directory:
        root = stacked(map(tar_of_layer, stack), Path(directory, "tree"))
        found = {
            os.fspath(path.relative_to(root)): None if path.is_dir() else path.read_text() for path in root.rglob("*")
        }
    assert found == image_of(stack)
