"""Trees that are prepared next to the context, for what the executor cannot take from the context as it is."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PreparedTree:
    """A tree made of the context's files.

    Attributes:
        directories: by path below the tree, the mode of each directory, its parents before it.
        files: by path below the tree, where each file or link lies in the context.
        base: where the directories lie in the context; None if they lie nowhere.
        decompressed: whether the files are compressed in the context, and not in the tree.
    """

    directories: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    base: str | None = None
    decompressed: bool = False

    @property
    def name(self) -> str:
        """A name that depends on what is in it, so that the same tree always has the same path."""
        parts = (
            sorted(self.directories.items()),
            sorted(self.files.items()),
            self.base,
            self.decompressed,
        )
        return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]

    @property
    def tops(self) -> list[str]:
        """The entries at its top, in the order in which the executor copies them."""
        tops = {path.partition("/")[0] for path in (*self.directories, *self.files)}
        return sorted(tops, key=lambda name: name.encode("utf-8", "surrogateescape"))
