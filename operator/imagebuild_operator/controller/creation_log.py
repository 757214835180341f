"""The builds that nobody but this leader can have started: their pods are created without reading the build once more.

A watch that lags may show a build as new that has ended long ago, so a build is read before its pod is created. There
is one case in which that read can find nothing: no status had been written when the build's version was made, that
version is later than a write of this leader, and this leader has not started the build itself. Whatever happened to it
since, it would have done.

An operator without a Lease never knows: another may work next to it.
"""

from collections import OrderedDict
from typing import Final

from imagebuild_operator.api.build import ImageBuild

#: Builds that are remembered as begun. Of those before them, nothing is known any more.
MAX_BEGUN: Final = 10_000


class CreationLog:
    """What this leader has written and begun, for as long as it leads."""

    def __init__(self, *, has_lease: bool, most: int = MAX_BEGUN) -> None:
        """Start empty.

        Args:
            has_lease: Whether a Lease makes sure that no other operator writes.
            most: How many builds are remembered.
        """
        self._has_lease = has_lease
        self._most = most
        #: The resourceVersion after which nobody else has written; None before the first own write.
        self._since: int | None = None
        self._begun: OrderedDict[str, int] = OrderedDict()

    def wrote(self, version: str) -> None:
        """Take note of an own write to an ImageBuild.

        Args:
            version: The resourceVersion that it made.
        """
        if self._since is None and self._has_lease:
            self._since = int(version)

    def begin(self, build: ImageBuild) -> bool:
        """Take note that a build is about to begin; whether it certainly has not started before."""
        version = int(build.resource_version)
        is_new = self._since is not None and version > self._since and not build.status and build.uid not in self._begun
        self._begun[build.uid] = version
        if len(self._begun) > self._most:
            _, oldest = self._begun.popitem(last=False)
            self._since = self._since and max(self._since, oldest)
        return is_new
