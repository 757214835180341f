"""Refuses imports once a RUN may have run: it is root in the same file system, and can replace a module's file."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Refusal:
    """The first finder of modules."""

    @staticmethod
    def find_spec(
        name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        raise ImportError(f"{name} can't be imported: a RUN may have changed its file", name=name)


def refuse_imports() -> None:
    """Refuse every further import of a module that is not loaded, for the rest of the process."""
    if _Refusal not in sys.meta_path:
        sys.meta_path.insert(0, _Refusal)
