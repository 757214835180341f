"""Collects the shim and its Python below /kaniko; run inside of the image build, by that Python itself.

The interpreter gets the loader and the libraries next to it (its ELF interpreter and RPATH are
rewritten), so that it works, and goes on working, whatever the rest of the file system is.
"""

# ruff: noqa: S603, S607 - it runs the tools on the PATH of the user who makes the image

import os
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

# Parts of the standard library that the shim and its dependencies never import.
UNUSED = frozenset(
    [
        "__phello__",
        "__pycache__",
        "_pyrepl",
        "antigravity.py",
        "config",
        "ctypes/test",
        "curses",
        "dbm",
        "dist-packages",
        "distutils",
        "doctest.py",
        "ensurepip",
        "idlelib",
        "imaplib.py",
        "lib2to3",
        "mailbox.py",
        "pydoc.py",
        "pydoc_data",
        "site-packages",
        "smtplib.py",
        "sqlite3",
        "test",
        "tests",
        "this.py",
        "tkinter",
        "turtle.py",
        "turtledemo",
        "unittest",
        "venv",
        "wsgiref",
        "xmlrpc",
    ]
)
UNUSED_EXTENSIONS = re.compile(
    r"_(?:tkinter|test.*|xx.*|sqlite3|curses.*|dbm|gdbm|codecs_.*|crypt|interp.*|ctypes_test)|readline|nis|ossaudiodev"
    r"|spwd|xx.*|audioop|_?multibytecodec"
)
HELPERS = ("docker-credential-ecr-login", "docker-credential-gcr", "docker-credential-acr-env")
BUILDKIT = ("buildkitd", "buildctl", "buildkit-runc")
#: What the daemon starts for ADD of archives and of Git repositories.
GIT_PARTS = Path("/usr/lib/git-core")
STARTED = ("/usr/bin/xz", "/usr/bin/git", str(GIT_PARTS / "git-remote-http"))
ELSEWHERE = Path("/elsewhere")
"""What an image has outside of /kaniko: nothing with kaniko, which replaces all of it."""
_LDD = re.compile(r"^\s*(?:(\S+) => )?(/\S+) \(0x", re.MULTILINE)


def main(source: Path, kaniko: Path) -> None:
    """Fill `/kaniko`."""
    ELSEWHERE.mkdir()
    shim = kaniko / ".Shim"
    lib = shim / "lib"
    collect_interpreter(shim, lib)
    collect_packages(source / "image", shim / "site")
    for package in ("kaniko_shim", "imagebuild_dockerignore", "imagebuild_vocabulary"):
        shutil.copytree(source / package, shim / "app" / package, ignore=shutil.ignore_patterns("__pycache__"))
    collect_libraries(lib, [shim / "bin" / "python3", *shim.rglob("*.so")])
    strip(shim.rglob("*.so*"))
    launcher = shim / "bin" / "kaniko-shim"
    for program, name in (("launcher.py", "kaniko-shim"), ("with_mounts.py", "with-mounts"), ("as_user.py", "as-user")):
        shutil.copy(source / "image" / program, shim / "bin" / name)
        (shim / "bin" / name).chmod(0o755)
    for directory in (lib, shim / "site"):
        compile_in_place(directory, keep_source=False)
    compile_in_place(shim / "app", keep_source=True)
    collect_certificates(kaniko / "ssl" / "certs")
    collect_helpers(source / "helpers", shim / "credential-helpers")
    if (source / "engine" / "buildkitd").exists():
        collect_buildkit(source / "engine", source / "image", shim)
    else:
        collect_executor(source / "engine", kaniko)
        remember_flags(kaniko / "executor", shim / "executor.help")
    for directory in (kaniko / ".run", kaniko / ".docker"):
        directory.mkdir(exist_ok=True)
    (kaniko / ".run").chmod(0o777)
    subprocess.run([launcher, "--version"], check=True)


def collect_interpreter(shim: Path, lib: Path) -> None:
    """Copy the running interpreter and its standard library."""
    (shim / "bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(sys.executable).resolve(), shim / "bin" / "python3")
    stdlib = Path(sysconfig.get_path("stdlib"))
    target = lib / f"python{sys.version_info.major}.{sys.version_info.minor}"

    def unused(directory: str, names: list[str]) -> list[str]:
        inside = Path(directory).relative_to(stdlib)
        return [
            name
            for name in names
            if name in UNUSED
            or (inside / name).as_posix() in UNUSED
            or name.startswith("config-")
            or (name.endswith(".so") and UNUSED_EXTENSIONS.fullmatch(name.partition(".")[0]))
        ]

    shutil.copytree(stdlib, target, ignore=unused, symlinks=False, ignore_dangling_symlinks=True)
    (target / "lib-dynload").mkdir(exist_ok=True)


def collect_packages(image: Path, site: Path) -> None:
    """Install the dependencies: from wheels, if the image's maker put some here, else from the package index."""
    wheels = sorted((image / "wheels").glob("*.whl"))
    if wheels:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(site)
    else:
        requirements = image / "requirements.txt"
        command = ["-m", "pip", "install", "--no-cache-dir", "--no-deps", "--no-compile", "--require-hashes"]
        command += ["--only-binary=:all:", "--target", str(site), "--requirement", str(requirements)]
        subprocess.run([sys.executable, *command], check=True)
    for unused in [*site.rglob("tests"), *site.glob("bin"), *site.rglob("__pycache__"), *site.glob("docs")]:
        shutil.rmtree(unused, ignore_errors=True)
    # Needed to compile bindings, and to start programs named in SSH's configuration, which is not read.
    for unused in (site / name for name in ("cffi", "pycparser", "invoke")):
        shutil.rmtree(unused, ignore_errors=True)


def collect_libraries(lib: Path, binaries: Iterable[Path]) -> None:
    """Copy the loader and every shared library that the binaries need, and bind the interpreter to them."""
    interpreter, *extensions = binaries
    loader = Path(_output("patchelf", "--print-interpreter", str(interpreter)).strip())
    shutil.copy(loader.resolve(), lib / loader.name)
    for binary in (interpreter, *extensions):
        for name, path in libraries_of(binary):
            if not (lib / name).exists():
                shutil.copy(Path(path).resolve(), lib / name)
    subprocess.run(["patchelf", "--set-interpreter", lib / loader.name, interpreter], check=True)
    # RPATH, not RUNPATH: only it also counts for what extension modules need.
    subprocess.run(["patchelf", "--force-rpath", "--set-rpath", lib, interpreter], check=True)


def strip(binaries: Iterable[Path]) -> None:
    """Drop debugging symbols, where the tool for it is at hand."""
    if shutil.which("strip"):
        for binary in binaries:
            subprocess.run(["strip", "--strip-unneeded", binary], check=False, capture_output=True)


def libraries_of(binary: Path) -> Iterator[tuple[str, str]]:
    """The shared libraries that the loader finds for a binary: their names and paths."""
    for name, path in _LDD.findall(_output("ldd", str(binary))):
        yield name or Path(path).name, path


def compile_in_place(directory: Path, *, keep_source: bool) -> None:
    """Compile every module, so that nothing is compiled, or looked for, when the shim starts."""
    for source in sorted(directory.rglob("*.py")):
        target = None if keep_source else str(source.with_suffix(".pyc"))
        shown = str(source)
        try:
            py_compile.compile(
                str(source),
                target,
                shown,
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except py_compile.PyCompileError as error:
            sys.stderr.write(f"left out, since it can't be compiled: {source}: {error.msg}\n")
        if not keep_source:
            source.unlink()


def collect_executor(image: Path, kaniko: Path) -> None:
    """Take the executor out of the `/kaniko` of its image, and the init that it runs RUN under, if it has one."""
    for name in ("executor", "tini"):
        if (image / name).exists():
            shutil.copy(image / name, kaniko / name)
            (kaniko / name).chmod(0o755)


def collect_buildkit(image: Path, source: Path, shim: Path) -> None:
    """Take BuildKit's daemon and client, and the runc of its image, which are static, and the programs that it starts.

    The daemon finds those on its PATH, and git finds its own parts and the CA bundle where it was made to.
    """
    for name in BUILDKIT:
        shutil.copy(image / name, shim / "bin" / name)
        (shim / "bin" / name).chmod(0o755)
    for path in STARTED:
        collect_program(Path(path), shim)
    parts = ELSEWHERE / GIT_PARTS.relative_to("/")
    parts.mkdir(parents=True)
    (parts / "git").symlink_to(shim / "bin" / "git")
    for scheme in ("http", "https"):
        (parts / f"git-remote-{scheme}").symlink_to(shim / "bin" / "git-remote-http")
    shutil.copy(source / "git_submodule.py", parts / "git-submodule")
    (parts / "git-submodule").chmod(0o755)
    certificates = ELSEWHERE / "etc/ssl/certs"
    certificates.mkdir(parents=True)
    (certificates / "ca-certificates.crt").symlink_to("/kaniko/ssl/certs/ca-certificates.crt")


def collect_program(path: Path, shim: Path) -> None:
    """Take a program of this system with its libraries, bound to the loader next to them."""
    target = shim / "bin" / path.name
    shutil.copy(path.resolve(), target)
    for name, library in libraries_of(path):
        if not (shim / "lib" / name).exists():
            shutil.copy(Path(library).resolve(), shim / "lib" / name)
    loader = Path(_output("patchelf", "--print-interpreter", str(path.resolve())).strip()).name
    subprocess.run(["patchelf", "--set-interpreter", shim / "lib" / loader, target], check=True)
    subprocess.run(["patchelf", "--force-rpath", "--set-rpath", shim / "lib", target], check=True)


def collect_helpers(image: Path, target: Path) -> None:
    """Take the credential helpers of clouds out of the `/kaniko` of their image."""
    target.mkdir()
    for name in HELPERS:
        if not (image / name).exists():
            raise SystemExit(f"HELPERS_IMAGE has no /kaniko/{name}; the executor's released image has it")
        shutil.copy(image / name, target / name)
        (target / name).chmod(0o755)


def collect_certificates(target: Path) -> None:
    """Copy the CA bundle of this system."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path("/etc/ssl/certs/ca-certificates.crt"), target / "ca-certificates.crt")


def remember_flags(executor: Path, target: Path) -> None:
    """Keep what the executor says about its version and its flags, behind its size, which tells executors apart."""
    said = [
        subprocess.run([executor, argument], check=True, capture_output=True, text=True, env={})
        for argument in ("version", "--help")
    ]
    text = "".join(done.stdout + done.stderr for done in said)
    target.write_text(f"{executor.stat().st_size}\n{text}", encoding="utf-8")


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
