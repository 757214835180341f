"""Second paths of directories in the context, which keep the executor from changing a destination that exists.

The executor gives the destination of a copied directory that directory's owner, and an old one its mode too, even if
the destination existed before. BuildKit leaves an existing one as it is. The executor does so too for a directory that
an ignore file excludes, while it still copies what is in it and not excluded. So the directory is named by another
path, of which the ignore file excludes the directory alone. That path leads through a link next to the context, because
nothing else may be excluded that lies in the same place: another COPY can need the directory itself.
"""

import hashlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_PLAIN = re.compile(r"[A-Za-z0-9._@+,=-]+")


@dataclass(frozen=True, slots=True)
class Aliases:
    """The second paths that a Dockerfile uses.

    Attributes:
        directory: where the links are to lie, an absolute path.
        context: the context, an absolute path.
        links: by name, where each link leads.
    """

    directory: str
    context: str
    links: dict[str, str] = field(default_factory=dict)
    _excluded: list[str] = field(default_factory=list)

    def can_name(self, directory: str) -> bool:
        """Whether a directory of the context has a name that can stand in a pattern."""
        return bool(_PLAIN.fullmatch(posixpath.basename(posixpath.normpath(posixpath.join(self.context, directory)))))

    def path(self, directory: str) -> str | None:
        """The second path, relative to the context, of a directory in it; None if its name can't stand in a pattern."""
        place = posixpath.normpath(posixpath.join(self.context, directory))
        parent, name = posixpath.split(place)
        if not self.can_name(directory):
            return None
        link = hashlib.sha256(directory.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        self.links[link] = parent
        other = f"{self.directory}/{link}/{name}"
        if other not in self._excluded:
            self._excluded.append(other)
        return posixpath.relpath(other, self.context)

    def patterns(self) -> Iterator[str]:
        """The lines of the ignore file, which exclude the directories but not what is in them."""
        for path in self._excluded:
            # The executor matches absolute paths, but drops a slash at the beginning of a pattern.
            yield f"*{path}"
            yield f"!*{path}/*"
