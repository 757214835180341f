"""An image's file tree: its layers laid over one another, as a runtime would see them."""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_XATTR = "SCHILY.xattr."
_SHOWN = 400
"""Files of at most so many bytes are kept, to be shown where they differ."""
_KINDS = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.DIRTYPE: "directory",
    tarfile.SYMTYPE: "symlink",
    tarfile.LNKTYPE: "hardlink",
    tarfile.CHRTYPE: "character device",
    tarfile.BLKTYPE: "block device",
    tarfile.FIFOTYPE: "fifo",
}


@dataclass(frozen=True, eq=False)
class Inode:
    """A file of any kind; paths that are hard links of one another have the same object.

    Attributes:
        digest: of a file's content, or the numbers of a device.
        text: the content of a small file.
        target: of a symbolic link.
        modified: when, in seconds since 1970.
    """

    kind: str
    mode: int = 0o755
    owner: str = "0:0"
    digest: str = ""
    text: bytes = b""
    target: str = ""
    xattrs: tuple[tuple[str, str], ...] = ()
    modified: int = 0


@dataclass(frozen=True)
class Entry:
    """A member of a layer; `link` is the path that a hard link leads to."""

    path: str
    inode: Inode
    link: str = ""


Tree = dict[str, Inode]
"""By absolute path."""


def read_layer(stream: IO[bytes]) -> list[Entry]:
    """The members of a layer, a tar archive, compressed by gzip or not."""
    with tarfile.open(fileobj=stream, mode="r|*") as tar:
        return [_entry(tar, member) for member in tar]


def _entry(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    kind = _KINDS.get(member.type, f"type {member.type!r}")
    path = _absolute(member.name)
    if kind == "hardlink":
        return Entry(path, Inode(kind), _absolute(member.linkname))
    digest, text = _content(tar, member) if kind == "file" else ("", b"")
    if kind.endswith("device"):
        digest = f"{member.devmajor}:{member.devminor}"
    xattrs = tuple(
        sorted(
            # tarfile decodes what is no text with surrogates.
            (name.removeprefix(_XATTR), value.encode("utf-8", "surrogateescape").hex())
            for name, value in member.pax_headers.items()
            if name.startswith(_XATTR)
        )
    )
    target = member.linkname if kind == "symlink" else ""
    mode = 0o777 if kind == "symlink" else member.mode & 0o7777
    return Entry(path, Inode(kind, mode, f"{member.uid}:{member.gid}", digest, text, target, xattrs, int(member.mtime)))


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[str, bytes]:
    file = tar.extractfile(member)
    if file is None:
        return "", b""
    digest, text = hashlib.sha256(), b""
    while chunk := file.read(1 << 20):
        digest.update(chunk)
        text = chunk if member.size <= _SHOWN else b""
    return digest.hexdigest(), text


def _absolute(name: str) -> str:
    return "/" + "/".join(part for part in name.split("/") if part not in ("", "."))


def flatten(layers: Iterable[Iterable[Entry]]) -> Tree:
    """Lay layers over one another, the lowest first."""
    tree: Tree = {"/": Inode("directory")}
    for layer in layers:
        _lay(tree, list(layer))
    return tree


def _lay(tree: Tree, layer: list[Entry]) -> None:
    # What a whiteout hides is in the layers below, wherever in its own layer it stands.
    for entry in layer:
        parent, _, name = entry.path.rpartition("/")
        if name == _OPAQUE:
            _remove(tree, f"{parent}/", itself=False)
        elif name.startswith(_WHITEOUT):
            _remove(tree, f"{parent}/{name.removeprefix(_WHITEOUT)}", itself=True)
    for entry in layer:
        if not entry.path.rpartition("/")[2].startswith(_WHITEOUT):
            _put(tree, entry)


def _put(tree: Tree, entry: Entry) -> None:
    inode = tree.get(entry.link, entry.inode) if entry.link else entry.inode
    for parent in _parents(entry.path):
        below = tree.get(parent)
        if below is None:
            tree[parent] = Inode("directory")
    before = tree.get(entry.path)
    if before and before.kind == "directory" and inode.kind != "directory":
        _remove(tree, entry.path, itself=True)
    tree[entry.path] = inode


def _parents(path: str) -> Iterator[str]:
    for parent in reversed(PurePosixPath(path).parents):
        if str(parent) != path:
            yield str(parent)


def _remove(tree: Tree, path: str, *, itself: bool) -> None:
    prefix = path if path.endswith("/") else f"{path}/"
    doomed = [each for each in tree if each.startswith(prefix) and each != "/"]
    if itself and path in tree:
        doomed.append(path)
    for each in doomed:
        del tree[each]


def hard_links(tree: Tree) -> dict[str, frozenset[str]]:
    """The paths of the same file, for each path that is not the only one of its file."""
    groups: dict[int, set[str]] = {}
    for path, inode in tree.items():
        groups.setdefault(id(inode), set()).add(path)
    return {path: frozenset(group) for group in groups.values() if len(group) > 1 for path in group}
