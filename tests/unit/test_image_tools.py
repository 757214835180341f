import io
import json
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "shim"))

from image.archive import read_archive, write_archive  # noqa: E402 - lies elsewhere in this tree
from image.inputs import source_parts  # noqa: E402 - same
from image.layout import blob_path, image_ids, read_manifest  # noqa: E402 - same
from image.names import image_name  # noqa: E402 - same
from image.tools import ToolError, choose_tool  # noqa: E402 - same


def test_layout_becomes_an_archive_and_a_layout_again(tmp_path: Path):
    layout = _layout(tmp_path / "layout", b"layer" * 10_000)
    write_archive(layout, "localhost/some:tag", tmp_path / "image.tar")
    read_archive(tmp_path / "image.tar", tmp_path / "again")
    again = read_manifest(tmp_path / "again")
    assert again["config"]["digest"] == read_manifest(layout)["config"]["digest"]
    assert again["layers"] == read_manifest(layout)["layers"]
    for blob in (again["config"], *again["layers"]):
        assert blob_path(tmp_path / "again", blob["digest"]).stat().st_size == blob["size"]
    assert len(image_ids(tmp_path / "again")) == 2


@pytest.mark.parametrize("part", ["operator", "builder"])
def test_images_are_named_as_the_chart_names_them(part: str):
    chart = ROOT / "charts" / "imagebuild-operator"
    version = yaml.safe_load((chart / "Chart.yaml").read_text())["appVersion"]
    assert image_name(part) == f"ghcr.io/imagebuild-dev/imagebuild-{part}:{version}"
    assert image_name(part, "localhost:5000") == f"localhost:5000/imagebuild-dev/imagebuild-{part}:{version}"


@pytest.mark.parametrize("registry", ["https://registry.example.com", "a b", "registry.example.com/"])
def test_registry_that_is_none_is_refused(registry: str):
    with pytest.raises(SystemExit, match=r"IMAGE_REGISTRY=.* is not a registry\. Write a host"):
        image_name("builder", registry)


def test_unknown_tool_is_refused():
    with pytest.raises(ToolError, match=r"CONTAINER_TOOL=nerdctl is unknown\. Write docker, podman or buildah"):
        choose_tool("nerdctl")


def test_tools_that_are_missing_are_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="docker: not installed; podman: not installed; buildah: not installed"):
        choose_tool()


def _layout(folder: Path, layer: bytes) -> Path:
    archive = folder.with_suffix(".tar")
    _docker_archive(archive, layer)
    read_archive(archive, folder)
    return folder


def _docker_archive(path: Path, layer: bytes) -> None:

    config = json.dumps({"architecture": "amd64", "os": "linux"}).encode()
    index = json.dumps([{"Config": "c.json", "RepoTags": None, "Layers": ["a/layer.tar", "b/layer.tar"]}]).encode()
    with tarfile.open(path, "w") as tar:
        for name, content in (("c.json", config), ("a/layer.tar", layer), ("manifest.json", index)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("b/layer.tar")
        link.type, link.linkname = tarfile.SYMTYPE, "../a/layer.tar"
        tar.addfile(link)


def test_each_module_of_the_shim_makes_another_image():
    parts = list(source_parts())
    hashed = {part.decode() for part in parts[::2]}
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "shim/kaniko_shim").rglob("*.py")}
    assert modules
    assert modules <= hashed
