"""What the builder image is made from: source images and wheels, from the internet or from this machine."""

# ruff: noqa: S603 - it runs the tools on the PATH of the user who makes the image

import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from image.tools import Tool, ToolError, run, succeeds

ROOT = Path(__file__).resolve().parents[2]
WHEELS = ROOT / "shim" / "image" / "wheels"
SHARED = tuple(ROOT / "sdk" / name for name in ("imagebuild_dockerignore", "imagebuild_vocabulary"))
REQUIREMENTS = ROOT / "shim" / "image" / "requirements.txt"
SOURCES = ("EXECUTOR_IMAGE", "HELPERS_IMAGE", "CRANE_IMAGE", "PYTHON_IMAGE")
BUILDKIT = "BUILDKIT_IMAGE"
_ENGINE = re.compile(r"(?m)^ARG BUILDKIT_IMAGE=(\S+)$")
HELPERS = ("docker-credential-ecr-login", "docker-credential-gcr", "docker-credential-acr-env")

_REGISTRY = "https://ghcr.io/v2/"
_TIMEOUT = 5

# The image does not change with them.
_NOT_INSIDE = frozenset(
    ROOT / "shim/image" / name
    for name in ("archive.py", "build.py", "inputs.py", "layout.py", "names.py", "report.py", "tools.py")
)


@dataclass(frozen=True, slots=True)
class Artefacts:
    """What the test cluster's tools make of Go modules and Debian packages.

    Attributes:
        engine: the programs of the engine by their places in its image.
        helpers: the credential helpers of clouds.
        crane: crane's program.
        python: OCI layout of a Debian with Python and patchelf.
    """

    engine: Mapping[str, Path]
    helpers: tuple[Path, ...]
    crane: Path
    python: Path


def registry_reachable() -> bool:
    """Whether the executor's image can be pulled here."""
    try:
        with urllib.request.urlopen(_REGISTRY, timeout=_TIMEOUT):
            return True
    except urllib.error.HTTPError as error:
        # It wants a token first: that is the registry.
        return error.code == 401  # noqa: PLR2004 - the status by which a registry says who it is
    except OSError:
        return False


def sources_of(engine: str) -> tuple[str, ...]:
    """The build arguments that name the images of the parts."""
    return (*SOURCES, BUILDKIT) if engine == "buildkit" else SOURCES


def engine_arguments(engine: str, arguments: Mapping[str, str]) -> dict[str, str]:
    """The build arguments for an engine.

    Args:
        engine: kaniko or buildkit.
        arguments: those that name images; the Dockerfile names the others.
    """
    if engine == "kaniko":
        return dict(arguments)
    found = _ENGINE.search((ROOT / "Dockerfile.builder").read_text(encoding="utf-8"))
    default = found[1] if found else ""
    others = {name: value for name, value in arguments.items() if name != BUILDKIT}
    return {**others, "ENGINE_IMAGE": arguments.get(BUILDKIT, default), "ENGINE_FILES": "/usr/bin"}


def find_artefacts(engine: str) -> Artefacts:
    """Paths of the parts, made if they are not cached."""
    programs = {"/kaniko/executor": "executor"}
    if engine == "buildkit":
        programs = {
            "/usr/bin/buildkitd": "buildkitd",
            "/usr/bin/buildctl": "buildctl",
            "/usr/bin/buildkit-runc": "runc",
        }
    return Artefacts(
        {place: Path(_cluster("artefact", name)) for place, name in programs.items()},
        tuple(Path(_cluster("artefact", name)) for name in HELPERS),
        Path(_cluster("artefact", "crane")),
        Path(_cluster("base-image", "python").removeprefix("oci:")),
    )


def key_of(parts: Iterator[bytes]) -> str:
    """A short hash of everything that goes into the image."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:16]


def source_parts() -> Iterator[bytes]:
    """The files of this repository that go into the image."""
    files = [
        ROOT / "Dockerfile.builder",
        *(ROOT / "shim").rglob("*"),
        *(file for folder in SHARED for file in folder.rglob("*")),
    ]
    for path in sorted(files):
        if (
            path.is_file()
            and "__pycache__" not in path.parts
            and path not in _NOT_INSIDE
            and path.name != ".gitignore"
            and path.suffix != ".whl"
        ):
            yield path.relative_to(ROOT).as_posix().encode()
            yield path.read_bytes()


def image_parts(
    given: Mapping[str, str], identities: Mapping[str, str | None], artefacts: Artefacts | None
) -> Iterator[bytes]:
    """What tells the source images apart: the ids or names of those given, or what they are made from."""
    yield from ((identities.get(name) or given.get(name, "")).encode() for name in (*SOURCES, BUILDKIT))
    if artefacts:
        # The directories' names hold hashes of what is in them.
        paths = (*artefacts.engine.values(), *artefacts.helpers, artefacts.crane, artefacts.python)
        yield from (str(path).encode() for path in paths)


def make_source_images(engine: str, artefacts: Artefacts, tool: Tool, given: Mapping[str, str]) -> dict[str, str]:
    """Put the parts that no image is given for into images with the places that the Dockerfile looks in.

    Returns:
        The build arguments that name all images, the given ones too.
    """
    own = BUILDKIT if engine == "buildkit" else "EXECUTOR_IMAGE"
    sources = (own, *SOURCES[1:])
    names = {source: f"localhost/imagebuild-{source.partition('_')[0].lower()}:local" for source in sources}
    if "PYTHON_IMAGE" not in given:
        tool.load(artefacts.python, names["PYTHON_IMAGE"])
    if own not in given:
        _make_image(tool, names[own], artefacts.engine)
    if "HELPERS_IMAGE" not in given:
        helpers = {f"/kaniko/{path.name}": path for path in artefacts.helpers}
        _make_image(tool, names["HELPERS_IMAGE"], helpers)
    if "CRANE_IMAGE" not in given:
        _make_image(tool, names["CRANE_IMAGE"], {"/ko-app/crane": artefacts.crane})
    return names | dict(given)


def fetch_wheels(python: str) -> None:
    """Download the pinned wheels for a Python version, for an image build without a package index."""
    drop_wheels()
    command = [
        _python_with_pip(),
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
    ]
    command += [f"--python-version={python}", "--implementation=cp", f"--abi=cp{python.replace('.', '')}", "--abi=none"]
    command += [f"--platform=manylinux{version}_{platform.machine()}" for version in ("2014", "_2_17", "_2_28")]
    command += [f"--dest={WHEELS}", f"--requirement={REQUIREMENTS}"]
    run(*command)


def _python_with_pip() -> str:
    # A virtual environment may have none; the Python below it usually has.
    for python in (sys.executable, str(Path(sys.base_prefix, "bin", "python3")), shutil.which("python3") or "python3"):
        if succeeds(python, "-m", "pip", "--version"):
            return python
    raise ToolError("no Python with pip was found to download wheels with. With Debian: apt-get install python3-pip.")


def drop_wheels() -> None:
    """Leave no wheel behind: with none, the image build takes them from the package index."""
    for wheel in WHEELS.glob("*.whl"):
        wheel.unlink()


def _make_image(tool: Tool, image: str, programs: Mapping[str, Path]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        context = Path(directory)
        for place, program in programs.items():
            copy = context / Path(place).name
            shutil.copy(program, copy)
            copy.chmod(0o755)
        copies = "".join(f"COPY {Path(place).name} {place}\n" for place in programs)
        dockerfile = context / "Dockerfile"
        dockerfile.write_text(f"FROM scratch\n{copies}", encoding="utf-8")
        tool.build(context, dockerfile, image, {})


def _cluster(*arguments: str) -> str:
    command = [sys.executable, "-m", "cluster", *arguments]
    done = subprocess.run(command, cwd=ROOT / "tests", check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise ToolError(f"the {arguments[-1]} for the image could not be made; the reason is above.")
    return done.stdout.strip().splitlines()[-1]
