"""Base images under the names that Docker Hub has for them, made from Debian packages."""

import http
import io
import os
import re
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster import api, oci, packages, store
from cluster.artefacts import artefact
from cluster.console import ClusterError, run, step
from cluster.settings import SOURCES, SYSTEM_PATH, cache

RELEASE = "bookworm"
PYTHON_PACKAGES = (
    *("ca-certificates", "gcc", "git", "libc6-dev", "make", "patchelf", "python3", "python3-pip", "xz-utils"),
)
UNWANTED = ("man", "info", "doc", "locale", "lintian")
BUSYBOX = Path("/bin/busybox")


@dataclass(frozen=True)
class Image:
    """A base image: its names in the registry, and how it is made."""

    tags: Sequence[str]
    config: dict[str, object]
    ingredients: Sequence[object]
    make: Callable[[Path], None]
    """Writes the root file system as a tar archive to the path given."""


def images() -> dict[str, Image]:
    """All base images by their short names."""
    return {
        "busybox": Image(
            ["library/busybox:latest", f"library/busybox:{_busybox_version()}"],
            {"Env": [f"PATH={SYSTEM_PATH}"], "Cmd": ["sh"]},
            [BUSYBOX, SOURCES / "images.py"],
            _busybox,
        ),
        "pause": Image(
            ["imagebuild/pause:latest"],
            {"Entrypoint": ["/bin/busybox", "sleep", "inf"]},
            [BUSYBOX, SOURCES / "images.py"],
            _busybox,
        ),
        "debian": _debian([f"library/debian:{RELEASE}-slim"], {"Env": [f"PATH={SYSTEM_PATH}"], "Cmd": ["bash"]}),
        "python": _debian(
            ["library/python:3.11"],
            {"Env": [f"PATH={SYSTEM_PATH}", "LANG=C.UTF-8"], "Cmd": ["python3"]},
            PYTHON_PACKAGES,
            [
                'ln -s /usr/bin/python3 "$1/usr/local/bin/python3"',
                'ln -s /usr/bin/python3 "$1/usr/local/bin/python"',
                'rm "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
            ],
        ),
    }


def layout(name: str) -> Path:
    """The OCI layout of a base image, which is made now if it is not cached."""
    packages.ensure(packages.IMAGES)
    image = images()[name]

    def make(folder: Path) -> None:
        archive = folder / "root.tar"
        image.make(archive)
        with archive.open("rb") as layer:
            archive.unlink()
            oci.write_layout(folder, layer, image.config)

    ingredients = [image.ingredients, image.config, SOURCES / "oci.py", os.uname().machine]
    return store.entry(f"image-{name}", f"making base image {name}", ingredients, make)


def push_missing(host: str) -> None:
    """Push those images that this registry does not have as they should be."""
    for name, image in images().items():
        source = layout(name)
        missing = [tag for tag in image.tags if _digest_in_registry(host, tag) != oci.digest(source)]
        if missing:
            with step(f"pushing {' and '.join(missing)}"):
                for tag in missing:
                    run([artefact("crane"), "push", "--insecure", source, f"{host}/{tag}"])


def _digest_in_registry(host: str, tag: str) -> str | None:
    repository, version = tag.split(":")
    url = f"http://{host}/v2/{repository}/manifests/{version}"
    status, headers, _ = api.request("HEAD", url, headers={"Accept": oci.MANIFEST})
    return headers["Docker-Content-Digest"] if status == http.HTTPStatus.OK else None


def _debian(
    tags: Sequence[str], config: dict[str, object], include: Sequence[str] = (), hooks: Sequence[str] = ()
) -> Image:
    argv = ["mmdebstrap", "--mode=root", "--variant=minbase", "--format=tar", "--skip=output/dev"]
    argv += [f"--include={package}" for package in include]
    argv += [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in UNWANTED]
    argv += ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
    tidy = 'rm -rf "$1"/etc/resolv.conf "$1"/etc/hostname "$1"/var/log/* "$1"/var/cache/ldconfig/aux-cache'
    argv += [f"--customize-hook={hook}" for hook in (*hooks, tidy)]

    def make(archive: Path) -> None:
        # Neither the day nor the language of the user may show in the image.
        environment = os.environ | {"SOURCE_DATE_EPOCH": "0", "PATH": SYSTEM_PATH, "LC_ALL": "C.UTF-8"}
        run([*argv, RELEASE, archive], log=cache() / f"{archive.parent.name.lstrip('.')}.log", environment=environment)

    return Image(tags, config, argv, make)


def _busybox_version() -> str:
    match = re.match(r"BusyBox v(\d+\.\d+)", run([BUSYBOX, "--help"]))
    if not match:
        raise ClusterError(f"{BUSYBOX} does not say its version")
    return match[1]


def _busybox(archive: Path) -> None:
    with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as tar:
        for folder, mode in (("bin", 0o755), ("etc", 0o755), ("root", 0o700), ("tmp", 0o1777), ("var", 0o755)):
            _add(tar, folder, tarfile.DIRTYPE, mode)
        _add(tar, "etc/passwd", content=b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
        _add(tar, "etc/group", content=b"root:x:0:\nnogroup:x:65534:\n")
        _add(tar, "bin/busybox", mode=0o755, content=BUSYBOX.read_bytes())
        for applet in sorted(run([BUSYBOX, "--list"]).split()):
            if applet != "busybox":
                _add(tar, f"bin/{applet}", tarfile.LNKTYPE, 0o755, target="bin/busybox")


def _add(
    tar: tarfile.TarFile,
    name: str,
    kind: bytes = tarfile.REGTYPE,
    mode: int = 0o644,
    *,
    content: bytes = b"",
    target: str = "",
) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size, member.linkname = kind, mode, len(content), target
    tar.addfile(member, io.BytesIO(content))
