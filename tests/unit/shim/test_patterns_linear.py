"""Every regular expression of the shim takes linear time, whatever text it is given.

A Dockerfile, a file of a context and an answer of a server are read with them, and their authors may be hostile. For
each pattern, texts are made that repeat its own characters, which is what makes a pattern go back again and again.
"""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from time import thread_time
from types import BuiltinMethodType, FunctionType

import kaniko_shim
import pytest
from support.linear import assert_linear

#: Seconds below which nothing is to be learned from a ratio: the clock and the caches weigh more than the pattern.
WORTH_MEASURING = 0.01
ALWAYS = " \n\ta0/$\\:-.="


Pattern = re.Pattern[str] | re.Pattern[bytes]
#: What finds a match anywhere in a text.
SEARCHING = frozenset({"search", "sub", "findall", "finditer", "split"})
#: Of tables, whose patterns have no name of their own.
OF_TABLES = {"names": {"fullmatch"}, "_READERS": {"fullmatch"}, "CLOUDS.hosts": {"fullmatch"}}


@dataclass
class Used:
    """A pattern that is made when a module is loaded.

    Attributes:
        pattern: the pattern.
        uses: the methods that are called; those that find anything anywhere if the source does not show it.
    """

    pattern: Pattern
    uses: set[str] = field(default_factory=set)


def patterns() -> dict[str, Used]:
    found = dict[str, Used]()
    for info in pkgutil.walk_packages(kaniko_shim.__path__, "kaniko_shim."):
        if info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        source = Path(str(module.__file__)).read_text()
        for name, value in vars(module).items():
            for known, pattern in inside(name, value):
                if re.search(rf"^from .* import .*\b{name}\b", source, re.MULTILINE):
                    continue
                found.setdefault(f"{pattern.flags} {pattern.pattern!r}", Used(pattern)).uses.update(uses(known, source))
    return {name: used for name, used in found.items() if used.uses}


def uses(name: str, source: str) -> set[str]:
    if name in OF_TABLES:
        return OF_TABLES[name]
    called = set(re.findall(rf"\b{name}\.(\w+)\b", source))
    methods = {"search" if use in SEARCHING else use for use in called} & {"search", "fullmatch", "match"}
    return methods if called else {"search", "fullmatch"}


def inside(name: str, value: object, depth: int = 4) -> Iterator[tuple[str, Pattern]]:
    if isinstance(value, re.Pattern):
        yield name, value
    elif depth and isinstance(value, dict):
        for item in (*value.keys(), *value.values()):
            yield from inside(name, item, depth - 1)
    elif depth and isinstance(value, tuple | list | frozenset):
        for item in value:
            yield from inside(name, item, depth - 1)
    elif depth and isinstance(value, FunctionType | BuiltinMethodType):
        yield from inside(name, getattr(value, "__self__", None), depth - 1)
        for cell in getattr(value, "__closure__", None) or ():
            yield from inside("closure", cell.cell_contents, depth - 1)
    elif depth and type(value).__module__.startswith("kaniko_shim"):
        for slot in getattr(type(value), "__slots__", ()):
            label = slot if slot in OF_TABLES else f"{name}.{slot}"
            yield from inside(label, getattr(value, slot, None), depth - 1)


def alphabet(pattern: str) -> str:
    """Characters that a pattern treats in a way of its own."""
    literal = [each for each in re.sub(r"\\.", "", pattern) if each not in "()[]{}|?*+^"]
    return "".join(dict.fromkeys(ALWAYS + "".join(literal)))[:24]


def texts(pattern: Pattern) -> Iterator[tuple[str, str]]:
    """What a text repeats, and what it begins with."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    known = alphabet(source)
    words = re.findall(r"[A-Za-z][A-Za-z-]{2,}", re.sub(r"\\.", " ", source))[:3]
    for part in (*known, *map("".join, product(known[:12], repeat=2)), *words):
        for head in ("", *words[:1]):
            yield part, head


ALL = patterns()


def test_there_are_patterns():
    assert len(ALL) > 50


@pytest.mark.shows("A54")
@pytest.mark.parametrize("name", ALL)
def test_a_pattern_takes_linear_time(name: str):
    used = ALL[name]
    is_text = isinstance(used.pattern.pattern, str)
    for part, head in texts(used.pattern):

        def make(size: int, part: str = part, head: str = head) -> str | bytes:
            text = head + part * (size // len(part)) + "\0"
            return text if is_text else text.encode()

        for method in used.uses:
            use: Callable[[str | bytes], object] = getattr(used.pattern, method)
            # Small ones first: of a large one, a pattern that takes exponential time would never end.
            for size in (8, 64, 512, 4096):
                begin = thread_time()
                use(make(size))
                if thread_time() - begin > WORTH_MEASURING:
                    assert_linear(use, make, size // 8)
