"""`--chmod` with more than permissions: an error, or the first digit is ignored."""

import re

from kaniko_shim.engines.kaniko.adapt.copy.scope import Scope

_PERMISSIONS = re.compile(r"0*[0-7]{1,3}")


def refuse_mode(scope: Scope) -> None:
    """Refuse a mode that is no octal number up to 777.

    Raises:
        ValueError: what is wrong, and what to write instead.
    """
    mode = scope.value(scope.instruction.flag("--chmod") or "")
    if mode and not _PERMISSIONS.fullmatch(mode):
        raise ValueError(
            f"this executor supports only octal numbers up to 777 in --chmod, not {mode}",
            "Write a number such as 755, or use chmod in a RUN.",
        )
