"""Random layers of images, and what an image made of them holds."""

import tarfile
from collections.abc import Iterable

from hypothesis import strategies as st
from unit.shim.archives.archives import member, tar

Path = tuple[str, ...]
Layer = list[tuple[str, str | None]]
"""Entries in the order of the archive: a file's content, or None for a directory and for a whiteout."""

NAMES = ["a", "b", "p.dist-info", "METADATA"]
OPAQUE = ".wh..wh..opq"


@st.composite
def layers(draw: st.DrawFn) -> list[Layer]:
    return [draw(_layers(number)) for number in range(draw(st.integers(1, 4)))]


@st.composite
def _layers(draw: st.DrawFn, number: int) -> Layer:
    """A layer: each directory before what it holds, as programs write it, and whiteouts anywhere after theirs."""
    found: dict[Path, str | None] = {}
    entries: Layer = []
    paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(tuple)
    for path in draw(st.lists(paths, max_size=8)):
        above = [path[:depth] for depth in range(1, len(path))]
        if path in found or any(found.get(each) is not None for each in above):
            continue
        for each in above:
            if each not in found:
                found[each] = None
                entries.append(("/".join(each), None))
        match draw(st.sampled_from(["file", "directory", "whiteout", "opaque"])):
            case "file":
                found[path] = f"Name: n{number}\nVersion: {len(entries)}\n"
                entries.append(("/".join(path), found[path]))
            case "directory":
                found[path] = None
                entries.append(("/".join(path), None))
            case "opaque" if above:
                entries.append(("/".join([*path[:-1], OPAQUE]), None))
            case _:
                entries.append(("/".join([*path[:-1], f".wh.{path[-1]}"]), None))
    return entries


def tar_of_layer(layer: Layer) -> bytes:
    return tar(
        [
            (member(name, tarfile.REGTYPE), (content or "").encode())
            if content is not None or ".wh." in name
            else (member(name, tarfile.DIRTYPE, mode=0o755), b"")
            for name, content in layer
        ]
    )


def image_of(stack: Iterable[Layer]) -> dict[str, str | None]:
    """Every path, with a file's content: whiteouts first, and then all that the layer itself holds."""
    held: dict[str, str | None] = {}
    for layer in stack:
        for name, _ in layer:
            directory, _, last = name.rpartition("/")
            if last == OPAQUE:
                held = {path: text for path, text in held.items() if not path.startswith(f"{directory}/")}
            elif last.startswith(".wh."):
                gone = f"{directory}/{last[4:]}".strip("/")
                held = {path: text for path, text in held.items() if path != gone and not path.startswith(f"{gone}/")}
        for name, content in layer:
            if ".wh." in name:
                continue
            if content is not None:
                held = {path: text for path, text in held.items() if not path.startswith(f"{name}/")}
            held[name] = content
    return held
