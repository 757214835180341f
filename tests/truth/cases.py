"""The corpus of Dockerfiles: one directory of tests/cases per case. README.md there says what it may hold."""

import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from standalone.container import Done
from standalone.registry import ROOT
from support.expectations import expected_of
from support.registry import Registry

DIRECTORY = ROOT / "tests" / "cases"
NAMES = sorted(path.parent.name for path in DIRECTORY.glob("*/Dockerfile"))
BASE = "library/busybox:latest"

_NOT_CONTEXT = ("args.yaml", "expected.yaml", "verify", "prepare", "served")
_CAPABILITY = "SCHILY.xattr.security.capability"
_TYPES = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.DIRTYPE: "directory",
    tarfile.SYMTYPE: "symlink",
    tarfile.LNKTYPE: "hardlink",
}


def load(directory: Path, name: str) -> dict[str, Any]:
    """A YAML file of a case; empty if it has none."""
    path = directory / name
    return dict(yaml.safe_load(path.read_text()) or {}) if path.exists() else {}


def check(case: str, done: Done, image: str, registry: Registry, executor: str, scratch: Path) -> None:
    """Compare what came of a case with its expected.yaml and verify.

    Args:
        case: its name.
        done: the builder's end.
        image: where it had to push the image.
        registry: where that is.
        executor: `old` or `shipped`.
        scratch: a directory for the image's files.

    Raises:
        AssertionError: it differs.
    """
    expected = expected_of(DIRECTORY / case, executor)
    if failure := expected.get("fails"):
        assert {name: done.result.get(name) for name in failure} == failure, done.log
        return
    assert done.code == 0, done.log
    files = registry.export(image)
    config = registry.config(image).get("config", {})
    with tarfile.open(fileobj=io.BytesIO(files)) as tar:
        _check_files(tar, expected)
    _run_verify(case, done.log, files, config, executor, scratch)
    _check_config(config, expected)
    if "layers" in expected:
        assert registry.own_layers(image, f"{registry.address}/{BASE}") == sorted(expected["layers"])
    for text in expected.get("log", ()):
        assert text in done.log
    for text in expected.get("warnings", ()):
        assert any(text in warning for warning in done.result.get("warnings", ())), done.result


def copy_context(directory: Path, context: Path) -> Path:
    """Make a case's build context, for a build that may change it."""
    shutil.copytree(directory, context, symlinks=True)
    if (context / "prepare").exists():
        subprocess.run([context / "prepare"], cwd=context, check=True)
    for name in _NOT_CONTEXT:
        path = context / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return context


def _check_files(tar: tarfile.TarFile, expected: Mapping[str, Any]) -> None:
    members = {"/" + member.name.strip("/"): member for member in tar}
    for path, wanted in expected.get("files", {}).items():
        assert path in members, f"no {path} in the image"
        found = {name: _property(tar, members[path], name) for name in wanted or {}}
        assert found == (wanted or {}), path
    for path in expected.get("absent", ()):
        assert path not in members, f"{path} is in the image"


def _property(tar: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> object:
    match name:
        case "type":
            return _TYPES.get(member.type, "other")
        case "mode":
            return f"{member.mode & 0o7777:04o}"
        case "owner":
            return f"{member.uid}:{member.gid}"
        case "target":
            # Some executors write the targets of hard links as absolute paths.
            return member.linkname.lstrip("/") if member.islnk() else member.linkname
        case "capability":
            # tarfile decodes what is no text with surrogates.
            return member.pax_headers.get(_CAPABILITY, "").encode("utf-8", "surrogateescape").hex()
        case "size":
            return member.size
        case "content":
            file = tar.extractfile(member)
            return file.read().decode() if file else None
        case _:
            raise AssertionError(f"expected.yaml: a file has no {name!r}")


def _check_config(config: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    wanted = expected.get("config", {})
    assert {name: config.get(name) or None for name in wanted} == wanted
    environment = dict(item.split("=", 1) for item in config.get("Env") or ())
    wanted = expected.get("env", {})
    assert {name: environment.get(name) for name in wanted} == wanted


def _run_verify(case: str, log: str, files: bytes, config: Mapping[str, Any], executor: str, scratch: Path) -> None:
    verify = DIRECTORY / case / "verify"
    if not verify.exists():
        return
    root = scratch / f"{case}-image"
    root.mkdir()
    subprocess.run(["tar", "-x", "-C", root], input=files, check=True, capture_output=True)
    try:
        variables = {**os.environ, "CONFIG": json.dumps(config), "LOG": log, "EXECUTOR": executor}
        done = subprocess.run([verify, root], env=variables, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        shutil.rmtree(root)
