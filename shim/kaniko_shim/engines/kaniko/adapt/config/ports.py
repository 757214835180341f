"""EXPOSE, written as one entry per port, in the form that every executor takes."""

import re
from collections.abc import Iterator

from kaniko_shim.dockerfile.shell_words import expand_words
from kaniko_shim.dockerfile.words import plain_words
from kaniko_shim.engines.kaniko.adapt.config.variables import Place, UnknownVariableError

_NUMBER = re.compile(r"[0-9]{1,10}")
_HIGHEST = 65535
_PROTOCOLS = frozenset({"tcp", "udp"})
_UNSUPPORTED = "sctp"
_PER_LINE = 1000


class UnsupportedProtocolError(ValueError):
    """Docker takes a protocol that no executor takes."""


def ports_text(place: Place, escape: str) -> str | None:
    """The text of an EXPOSE; None if it is right as it stands, or a variable's value is not known.

    Raises:
        ValueError: says what is wrong with a port.
    """
    words = plain_words(place.instruction.rest)
    try:
        variables = place.variables()
        specs = [spec for word in words for spec in expand_words(word, variables, escape)]
    except (ValueError, UnknownVariableError):
        return None
    if specs == list(words) and all(re.fullmatch(r"[1-9][0-9]{0,3}(?:/tcp|/udp)?", spec) for spec in specs):
        return None
    ports = list(dict.fromkeys(port for spec in specs for port in _ports(spec)))
    lines = (ports[begin : begin + _PER_LINE] for begin in range(0, len(ports), _PER_LINE))
    return "\n".join(" ".join([place.instruction.head.rstrip(), *line]) for line in lines)


def _ports(spec: str) -> Iterator[str]:
    port, _, protocol = spec.rpartition(":")[2].partition("/")
    protocol = protocol.partition("/")[0].lower() or "tcp"
    if protocol not in _PROTOCOLS:
        problem = f"{spec!r} has the protocol {protocol}, and this executor knows only tcp and udp"
        raise UnsupportedProtocolError(problem) if protocol == _UNSUPPORTED else ValueError(problem)
    first, dash, last = port.partition("-")
    begin, end = _number(first, spec), _number(last.partition("-")[0] if dash else first, spec)
    if end < begin:
        raise ValueError(f"the range {spec!r} ends before it begins")
    return (f"{number}/{protocol}" for number in range(begin, end + 1))


def _number(text: str, spec: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > _HIGHEST:
        raise ValueError(
            f"{spec!r} is not a port: write a number up to {_HIGHEST}, a range, and /udp where it is not TCP"
        )
    return int(text)
