"""What a release uploads to PyPI and gives to krew, installed and run as docs/how-to/cli.md says."""

import hashlib
import os
import subprocess
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest
import yaml
from release import plugin
from release.packages import PACKAGES
from release.tree import ROOT
from support.release import release, version

UV = ROOT / "build" / "uv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of this tree."""
    made = tmp_path_factory.mktemp("packages") / "built"
    done = release("packages", made)
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="module")
def installed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of a new virtual environment with the plugin."""
    home = tmp_path_factory.mktemp("venv")
    uv("venv", "--quiet", str(home / "venv"))
    package = f"kubectl-imagebuild=={version()}"
    uv("pip", "install", "--quiet", f"--python={home / 'venv'}", f"--find-links={folder}", package)
    return home / "venv" / "bin"


def uv(*arguments: str) -> None:
    done = subprocess.run([UV, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def wheels(folder: Path) -> dict[str, zipfile.ZipFile]:
    return {path.name.partition("-")[0].replace("_", "-"): zipfile.ZipFile(path) for path in folder.glob("*.whl")}


def test_each_package_has_a_wheel_and_an_sdist_of_this_version(folder: Path):
    stems = [f"{name.replace('-', '_')}-{version()}" for name in PACKAGES]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [f"{stem}.tar.gz" for stem in stems] + [f"{stem}-py3-none-any.whl" for stem in stems]
    )


def test_the_wheels_are_typed_and_depend_on_each_other_by_exact_version(folder: Path):
    for name, wheel in wheels(folder).items():
        with wheel:
            files = wheel.namelist()
            about = next(file for file in files if file.endswith(".dist-info/METADATA"))
            metadata = HeaderParser().parsestr(wheel.read(about).decode())
        assert metadata["Name"] == name
        assert metadata["Description-Content-Type"] == "text/markdown"
        assert metadata["License-Expression"] == "Apache-2.0"
        packages = {file.partition("/")[0] for file in files if file.endswith("/__init__.py")}
        assert {f"{each}/py.typed" for each in packages} <= set(files)
        own = {needed for needed in metadata.get_all("Requires-Dist") or () if needed.startswith("imagebuild")}
        others = {"imagebuild-rules": ["imagebuild"], "kubectl-imagebuild": ["imagebuild", "imagebuild-rules"]}
        assert own == {f"{each}=={version()}" for each in others.get(name, ())}


def test_no_file_is_in_two_wheels(folder: Path):
    found: dict[str, str] = {}
    for name, wheel in wheels(folder).items():
        with wheel:
            for file in wheel.namelist():
                assert found.setdefault(file, name) == name


def test_the_plugin_runs_from_a_fresh_installation(installed: Path):
    program = installed / "kubectl-imagebuild"
    shown = subprocess.run([program, "version", "--client"], capture_output=True, text=True, check=False)
    assert shown.stdout == f"Client:   {version()}\n", shown.stderr
    for command in ("build", "explain", "doctor", "init"):
        helped = subprocess.run([program, command, "--help"], capture_output=True, text=True, check=False)
        assert "Usage: " in helped.stdout, helped.stderr


def test_every_module_can_be_imported(installed: Path):
    script = (
        "import importlib, pkgutil\n"
        "for name in ('imagebuild', 'imagebuild_operator', 'kubectl_imagebuild'):\n"
        "    package = importlib.import_module(name)\n"
        "    for found in pkgutil.walk_packages(package.__path__, f'{name}.'):\n"
        "        if not found.name.endswith('__main__'):\n"
        "            importlib.import_module(found.name)\n"
    )
    done = subprocess.run([installed / "python", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_is_uploaded_without_attestations(folder: Path):
    done = release("packages-publish", folder)
    assert (done.returncode, done.stderr) == (
        1,
        f"error: {folder} has 6 packages and 0 attestations. Sign all of them.\n",
    )


def test_a_folder_with_other_files_is_refused(tmp_path: Path):
    (tmp_path / "other").touch()
    assert release("packages", tmp_path).returncode == 1


def test_krew_gets_an_archive_with_a_program_that_runs_this_version(folder: Path, tmp_path: Path):
    done = release("plugin", f"--dist={tmp_path}")
    assert done.returncode == 0, done.stderr
    described = yaml.safe_load((tmp_path / "imagebuild.yaml").read_text())
    assert described["metadata"]["name"] == "imagebuild"
    assert described["spec"]["version"] == f"v{version()}"
    (platform,) = described["spec"]["platforms"]
    packed = tmp_path / platform["uri"].rsplit("/", 1)[-1]
    assert platform["sha256"] == hashlib.sha256(packed.read_bytes()).hexdigest()
    assert plugin.archive(tmp_path / "again", version()).read_bytes() == packed.read_bytes()
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path, filter="data")
    program = tmp_path / platform["bin"]
    alone = {"PATH": "/nonexistent", "HOME": str(tmp_path)}
    refused = subprocess.run(["/bin/sh", program], env=alone, capture_output=True, text=True, check=False)
    assert (refused.returncode, "needs uv" in refused.stderr) == (127, True)
    search = {"PATH": f"{UV.parent}{os.pathsep}{os.environ['PATH']}", "UV_FIND_LINKS": str(folder)}
    ran = subprocess.run(
        [program, "version", "--client"],
        env={**os.environ, **search},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == f"Client:   {version()}\n", ran.stderr
