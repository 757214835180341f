"""Finds variables that are most likely misspelt, such as OUTPUT_IMAGES."""

import re
from collections.abc import Iterable, Iterator, Mapping

from kaniko_shim.request.build_secrets import PREFIX
from kaniko_shim.request.variables.build_variables import BUILD_ARG_FROM, BUILD_ARG_FROM_CONFIG, BUILD_SECRET_FROM
from kaniko_shim.request.variables.table import TABLE

_LONGEST_DISTANCE = 2
_LONG = 12
"""Characters of a name from which on two differences count as a misspelling; in a shorter name only one does."""

_SHORTEST = 6
"""Characters of a name; shorter ones are like too many others."""

_KNOWN = frozenset(variable.name for variable in TABLE)
# Variables that other programs know under a similar name.
_OTHERS = frozenset({"DOCKER_CONFIG"})
_NUMBERED = re.compile(r"(?:DOCKER_CONFIG_JSON|REGISTRY_CA)_[0-9]{1,9}")
# Kubernetes adds these for each Service of the namespace.
_OF_SERVICES = re.compile(r".*_(?:SERVICE_HOST|SERVICE_PORT(?:_.*)?|PORT(?:_[0-9]+_.*)?)")


def misspelt(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each variable that nothing reads and whose name is close to that of a known one, with the known one."""
    named = set(_named_by_build_args(environment))
    for name in environment:
        if name in _KNOWN or name in _OTHERS or name in named or len(name) < _SHORTEST:
            continue
        if name.startswith(PREFIX) or _NUMBERED.fullmatch(name) or _OF_SERVICES.fullmatch(name):
            continue
        # Hardly anyone misspells the first letter, and there may be hundreds of variables.
        likely = (known for known in _KNOWN if known[0] == name[0].upper())
        distance, known = min(((_distance(name.upper(), known), known) for known in likely), default=(len(name), ""))
        if distance <= (_LONGEST_DISTANCE if len(name) >= _LONG else 1):
            yield name, known


def _named_by_build_args(environment: Mapping[str, str]) -> Iterable[str]:
    for variable in (BUILD_ARG_FROM, BUILD_ARG_FROM_CONFIG, BUILD_SECRET_FROM):
        for pair in environment.get(variable.name, "").split(","):
            yield pair.partition("=")[2].strip()


def _distance(first: str, second: str) -> int:
    """Insertions, deletions and replacements from one to the other; any large number if there are too many."""
    if abs(len(first) - len(second)) > _LONGEST_DISTANCE:
        return _LONGEST_DISTANCE + 1
    row = list(range(len(second) + 1))
    for number, character in enumerate(first, start=1):
        previous, row[0] = row[0], number
        for index, other in enumerate(second, start=1):
            previous, row[index] = row[index], min(row[index] + 1, row[index - 1] + 1, previous + (character != other))
        if min(row) > _LONGEST_DISTANCE:
            return _LONGEST_DISTANCE + 1
    return row[-1]
