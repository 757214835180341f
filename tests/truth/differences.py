"""What differs between the image of BuildKit and ours."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from truth.image import Image
from truth.layers import Inode, Tree, hard_links
from truth.subject import CONTEXT_BEGIN, CONTEXT_END

_LONGEST = 120
_CONTEXT_TIMES = range(CONTEXT_BEGIN, CONTEXT_END)

LEFT_OUT = {
    "/dev": "runtimes mount a file system there",
    "/proc": "runtimes mount a file system there",
    "/sys": "runtimes mount a file system there",
    "/etc/hosts": "runtimes put a file of their own there",
    "/etc/hostname": "runtimes put a file of their own there",
    "/etc/resolv.conf": "runtimes put a file of their own there",
    "/etc/mtab": "is a link into /proc that some runtimes make",
}
"""Paths that aren't compared, nor what is below them."""


@dataclass(frozen=True, order=True)
class Difference:
    """One thing that differs.

    Attributes:
        place: `config`, or a path of the tree.
        kind: which property, such as `Cmd` or `mode`; `missing` and `extra` for a path that only one image has.
    """

    place: str
    kind: str
    buildkit: str = ""
    ours: str = ""

    def __str__(self) -> str:
        what = f"{self.place}: {self.kind}"
        if self.kind in ("missing", "extra"):
            return f"{what} ({self.buildkit or self.ours})"
        return f"{what}: BuildKit {_short(self.buildkit)}, ours {_short(self.ours)}"


def compare(buildkit: Image, ours: Image) -> list[Difference]:
    """All differences, in order."""
    return sorted({*_configs(buildkit, ours), *_trees(buildkit.tree, ours.tree)})


def without(differences: Iterable[Difference], varying: Iterable[Difference]) -> list[Difference]:
    """Those of which BuildKit's own two builds do not differ."""
    unstable = {(each.place, each.kind) for each in varying}
    return [each for each in differences if (each.place, each.kind) not in unstable]


def _configs(buildkit: Image, ours: Image) -> Iterator[Difference]:
    for name in {*buildkit.config, *ours.config}:
        left, right = (image.config.get(name) for image in (buildkit, ours))
        if left != right:
            yield Difference("config", name, _shown(left), _shown(right))


def _trees(buildkit: Tree, ours: Tree) -> Iterator[Difference]:
    for path in {*buildkit, *ours}:
        if path in LEFT_OUT or any(path.startswith(f"{each}/") for each in LEFT_OUT):
            continue
        left, right = buildkit.get(path), ours.get(path)
        if left is None or right is None:
            # Of a directory that only one image has, what is in it goes without saying.
            parent = path.rpartition("/")[0] or "/"
            if (parent in buildkit) == (parent in ours):
                yield Difference(
                    path,
                    "extra" if right else "missing",
                    _described(left) if left else "",
                    _described(right) if right else "",
                )
        elif left is not right:
            yield from (Difference(path, kind, a, b) for kind, a, b in _properties(left, right) if a != b)
    links = hard_links(buildkit), hard_links(ours)
    for path in {*links[0], *links[1]}:
        groups = [each.get(path, frozenset({path})) for each in links]
        if groups[0] != groups[1] and path in buildkit and path in ours and path == min(groups[0] | groups[1]):
            # Of a program with hundreds of names, those that only one image has are the news.
            only = groups[0] - groups[1], groups[1] - groups[0]
            yield Difference(
                path, "hard links", *(" ".join(["also", *sorted(each)]) if each else "none more" for each in only)
            )


def _properties(left: Inode, right: Inode) -> Iterator[tuple[str, str, str]]:
    yield "type", left.kind, right.kind
    yield "mode", f"{left.mode:04o}", f"{right.mode:04o}"
    yield "owner", left.owner, right.owner
    if left.kind != right.kind:
        return
    # What is made in the build has another time in each build.
    if left.modified in _CONTEXT_TIMES or right.modified in _CONTEXT_TIMES:
        yield "modified", str(left.modified), str(right.modified)
    yield "target", left.target, right.target
    yield "xattrs", _shown(left.xattrs), _shown(right.xattrs)
    if left.digest != right.digest:
        shown = [repr(each.text.decode(errors="replace")) if each.text else each.digest[:12] for each in (left, right)]
        yield "content", shown[0], shown[1]


def _described(inode: Inode) -> str:
    return f"{inode.kind} {inode.mode:04o} {inode.owner}" + (f" -> {inode.target}" if inode.target else "")


def _shown(value: object) -> str:
    return "unset" if value is None else str(value) or "''"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
