"""Text for a terminal: without control characters, and cut to columns."""

import re
import unicodedata
from typing import Final

#: Sequences that a terminal would obey: CSI such as colours, OSC such as titles and links, and other two-byte ones.
_ESCAPES: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]"
)
#: Categories of characters that show nothing, or change the direction of what follows.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINED: Final = frozenset({"Mn", "Me"})
_TAB: Final = "    "


def clean(text: str) -> str:
    """Remove what could move the cursor, change colours or reorder the text."""
    text = _ESCAPES.sub("", text).replace("\t", _TAB)
    if text.isascii() and text.isprintable():
        return text
    return "".join("" if unicodedata.category(each) in _HIDDEN else each for each in text)


def columns(text: str) -> int:
    """Columns that a text needs: wide characters need two, and those that combine with others none."""
    return len(text) if text.isascii() else sum(_columns(each) for each in text)


def cut(text: str, most: int) -> str:
    """The beginning of a text that fits into some columns; … shows that it was cut."""
    if columns(text) <= most:
        return text
    kept, room = [], most - 1
    for each in text:
        room -= _columns(each)
        if room < 0:
            break
        kept.append(each)
    return "".join(kept) + "…" if most > 0 else ""


def _columns(character: str) -> int:
    if unicodedata.category(character) in _JOINED:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
