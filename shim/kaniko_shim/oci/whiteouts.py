"""Whiteouts, by which a layer hides files of the layers below it.

https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
"""

from dataclasses import dataclass

_PREFIX, _OPAQUE = ".wh.", ".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class Whiteout:
    """What an entry of a layer hides. It never hides anything of its own layer, wherever it stands there.

    Attributes:
        path: a file or directory.
        opaque: whether only what the directory holds is hidden.
    """

    path: str
    opaque: bool


def parse_whiteout(name: str) -> Whiteout | None:
    """Read the name of a layer's entry; None if it is not a whiteout's.

    Raises:
        ValueError: the whiteout hides nothing.
    """
    name = name.rstrip("/")
    last = name.rpartition("/")[2]
    above = name.removesuffix(last)
    if last == _OPAQUE:
        return Whiteout(above.removesuffix("/") or above, opaque=True)
    if not last.startswith(_PREFIX):
        return None
    hidden = last.removeprefix(_PREFIX)
    if hidden in {"", ".", ".."}:
        raise ValueError("is a whiteout without a name")
    return Whiteout(above + hidden, opaque=False)
