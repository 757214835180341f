"""`--chown`, where the executor reads it differently from BuildKit."""

import re

from kaniko_shim.engines.kaniko.adapt.copy.scope import Scope

_GROUP_ONLY = re.compile(r"(\s)--chown=([\"']?):")
_NUMBER = re.compile(r"[0-9]+")


def with_user(text: str) -> str:
    """An instruction with root in front of a group that stands alone, as BuildKit reads it."""
    return _GROUP_ONLY.sub(r"\1--chown=\g<2>0:", text, count=1)


def name_without_group(scope: Scope) -> str:
    """The user's name, if `--chown` names one without a group; the executor takes the number of the user for it."""
    value = scope.value(scope.instruction.flag("--chown") or "") or ""
    user, colon, _ = value.partition(":")
    return "" if colon or user in {"", "root"} or _NUMBER.fullmatch(user) else user
