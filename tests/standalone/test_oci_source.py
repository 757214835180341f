"""Contexts from a registry."""

import io
import subprocess
import tarfile
from pathlib import Path

from standalone.container import Builder
from standalone.registry import private_registry
from support.registry import Registry


def layer(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w:") as stream:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            stream.addfile(info, io.BytesIO(content))
    return path


def push(registry: Registry, image: str, *layers: Path) -> str:
    """An image of these layers; its digest."""
    command = [str(registry.crane), "--insecure", "append", "--new_tag", image]
    for path in layers:
        command += ["--new_layer", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return registry.digest(image)


def test_layers_one_on_top_of_the_other(builder: Builder, registry: Registry, env: dict[str, str], tmp_path: Path):
    image = f"{registry.address}/contexts/layers:1"
    first = {"Dockerfile": b"FROM busybox\nCOPY . /got/\n", "gone": b"x", "changed": b"1", "old/in": b"x"}
    second = {".wh.gone": b"", "changed": b"2", "old/.wh..wh..opq": b"", "old/new": b"y"}
    digest = push(registry, image, layer(tmp_path / "1.tar.gz", first), layer(tmp_path / "2.tar", second))
    done = builder.run(env={**env, "SOURCE_GET_URL": f"oci://{image}"})
    assert done.code == 0, done.log
    assert done.result["source"]["revision"] == digest
    got = registry.pull(env["OUTPUT_IMAGE"], tmp_path / "image") / "got"
    assert {path.relative_to(got).as_posix() for path in got.rglob("*")} == {"Dockerfile", "changed", "old", "old/new"}
    assert (got / "changed").read_bytes() == b"2"
    repository = image.rpartition(":")[0]
    missing = builder.run(env={**env, "SOURCE_GET_URL": f"oci://{repository}@sha256:{'0' * 64}"})
    assert (missing.code, missing.result["reason"]) == (64, "SourceNotFound")


def test_layers_that_climb_are_refused(builder: Builder, registry: Registry, env: dict[str, str], tmp_path: Path):
    image = f"{registry.address}/contexts/climbing:1"
    push(registry, image, layer(tmp_path / "1.tar.gz", {"a/../../.wh..Shim": b""}))
    done = builder.run(env={**env, "SOURCE_GET_URL": f"oci://{image}"})
    assert (done.code, done.result["reason"]) == (68, "SourceInvalid")


def test_credentials_are_wanted(builder: Builder, env: dict[str, str], tmp_path: Path):
    with private_registry(tmp_path, "user", "pass") as private:
        variables = {**env, "INSECURE_REGISTRIES": f"{env['INSECURE_REGISTRIES']};{private.address}"}
        done = builder.run(env={**variables, "SOURCE_GET_URL": f"oci://{private.address}/contexts/a:1"})
    assert (done.code, done.result["reason"]) == (65, "SourceUnauthorized")
