"""Warns of a `--chown` that names a user and no group, where the user's group has another number than the user.

The executor takes the user's number for the group. Which group a user has is known only when the executor is at the
COPY: by then, the image's /etc/passwd is the builder's own.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.engines.kaniko.users.accounts import UnknownUserError, identity

_LARGEST = 1024 * 1024


class NamedOwners:
    """Reads the messages of the executor's log for COPY and ADD with such a flag."""

    def __init__(self, names: Mapping[Instruction, str], root: Path = Path("/")) -> None:
        self._root = root
        self._waiting = {" ".join(each.text.split()): (each.line, name) for each, name in names.items()}

    def read(self, message: str) -> Iterator[str]:
        """A warning about an instruction that the executor begins."""
        begun = self._waiting.get(" ".join(message.split())) if self._waiting else None
        if begun and (ids := self._ids(begun[1])) and ids[0] != ids[1]:
            yield (
                f"line {begun[0]}: --chown={begun[1]} gives the files the group {ids[0]}, where Docker takes the "
                f"group {ids[1]} of the user. Write --chown={begun[1]}:GROUP."
            )

    def _ids(self, name: str) -> tuple[int, int] | None:
        try:
            with (self._root / "etc/passwd").open(encoding="utf-8", errors="replace") as file:
                uid, gid, _ = identity(name, file.read(_LARGEST), "")
        except (OSError, UnknownUserError):
            # The executor says so.
            return None
        return uid, gid
