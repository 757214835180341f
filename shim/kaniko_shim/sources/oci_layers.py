"""The layers of an image, written one on top of the other."""

from kaniko_shim.archives.entries import Entry, Kind, unsafe
from kaniko_shim.archives.tree import Tree, parts_of
from kaniko_shim.oci.whiteouts import parse_whiteout


class LayeredTree(Tree):
    """A tree in which a layer replaces and hides what the layers below it hold."""

    _layer: set[tuple[str, ...]]

    def begin_layer(self) -> None:
        """From now on, entries belong to the next layer."""
        # Every path of the layer, and all directories above.
        self._layer = {()}

    def add(self, entry: Entry) -> None:
        """Write one entry, or remove what a whiteout hides.

        Raises:
            JobError: SourceInvalid for an unsafe entry, SourceTooLarge, DiskFull.
        """
        try:
            whiteout = parse_whiteout(entry.name)
        except ValueError as error:
            raise unsafe(entry.name, str(error)) from error
        parts = parts_of(whiteout.path if whiteout else entry.name)
        if whiteout is None:
            if parts and entry.kind is not Kind.DIRECTORY and parts not in self._layer:
                # A directory of a layer below, perhaps.
                self.remove(parts)
            super().add(entry)
            self._note(parts)
        elif whiteout.opaque:
            self._count()
            if parts and not self.is_directory(parts):
                super().add(Entry(whiteout.path, Kind.DIRECTORY, 0o755))
            self.remove_children(parts, self._layer)
        else:
            self._count()
            self.remove(parts, self._layer)

    def _note(self, parts: tuple[str, ...]) -> None:
        while parts not in self._layer:
            self._layer.add(parts)
            parts = parts[:-1]
