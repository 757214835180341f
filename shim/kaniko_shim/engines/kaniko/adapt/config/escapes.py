"""Words with the escape character of `# escape=`, which an executor expands as if it were the backslash."""

from kaniko_shim.dockerfile.instruction import Instruction

_EXPANDED = frozenset({"ADD", "ARG", "COPY", "ENV", "STOPSIGNAL", "VOLUME"})
_ESCAPES = frozenset("\\`")


def is_misread(instruction: Instruction, escape: str) -> bool:
    """Whether an executor expands an instruction differently from Docker because of the file's escape character."""
    meant = instruction.trigger or instruction
    return escape == "`" and meant.keyword in _EXPANDED and not _ESCAPES.isdisjoint(meant.rest)
