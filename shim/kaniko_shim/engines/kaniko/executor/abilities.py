"""What an executor is and can do, read from what it says about itself."""

import re
from dataclasses import dataclass

from kaniko_shim.engines.kaniko.adapt.capabilities import Support

_FLAG = re.compile(r"^[ \t]+(?:-\w, )?--([A-Za-z][A-Za-z0-9-]*)", re.MULTILINE)
_VERSION = re.compile(r"^Kaniko version\s*:\s*v?(\d+)\.(\d+)\.(\d+)(?:-\S*)?\s*$", re.MULTILINE)
# The first version that is not of the archived project.
_FIRST_OF_FORKS = (1, 25, 0)

Version = tuple[int, int, int]

FIRST: Version = (1, 28, 2)
"""The first version of the maintained line that the shim takes."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an executor is and can do.

    Attributes:
        flags: the flags that its `--help` lists.
        version: what `executor version` prints; None if that is no version, as in a build by hand.
    """

    flags: frozenset[str]
    version: Version | None = None

    @property
    def is_old(self) -> bool:
        """Whether it is of kaniko up to 1.25, and not of the maintained line, osscontainertools/kaniko."""
        return "secret" not in self.flags

    @property
    def is_too_early(self) -> bool:
        """Whether it is of the maintained line, and lacks what the shim needs; an unknown version counts as new."""
        return not self.is_old and self.version is not None and self.version < FIRST

    @property
    def support(self) -> Support:
        """What it makes of a Dockerfile."""
        return Support(self.is_old)

    @property
    def name(self) -> str:
        """The executor's project and version, for people."""
        version = "of an unknown version" if self.version is None else "v" + ".".join(map(str, self.version))
        if not self.is_old:
            return f"osscontainertools/kaniko {version}"
        project = "chainguard-dev" if self.version and self.version >= _FIRST_OF_FORKS else "GoogleContainerTools"
        return f"{project}/kaniko {version}"


def read_abilities(text: str) -> Abilities:
    """Read the output of `executor version` and `executor --help`."""
    found = _VERSION.search(text)
    version = (int(found[1]), int(found[2]), int(found[3])) if found and int(found[1]) else None
    return Abilities(frozenset(_FLAG.findall(text)), version)
