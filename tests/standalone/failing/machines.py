"""Containers with too little memory or disk, or with a mount in the way."""

from standalone.container import Limits
from standalone.failing.case import Failing

_MEGA = 1024 * 1024
_NO_ROOM = "The disk is full"


MACHINES = (
    Failing(
        "disk full in a RUN",
        "FROM busybox\nRUN dd if=/dev/zero of=/big bs=1M count=100\n",
        "DiskFull",
        82,
        f"{_NO_ROOM}; a RUN step could not write.",
        line=2,
        limits=Limits(disk=24 * _MEGA),
    ),
    Failing(
        "disk full",
        "FROM busybox\nRUN dd if=/dev/urandom of=/big bs=1M count=14\n",
        "DiskFull",
        82,
        f"{_NO_ROOM}: failed to take snapshot: write /kaniko/*: no space left on device.",
        line=2,
        limits=Limits(disk=24 * _MEGA),
    ),
    Failing(
        "out of memory in a RUN",
        "FROM busybox\nRUN tail /dev/zero\n",
        "OutOfMemory",
        83,
        "A RUN step was killed because it ran out of memory.",
        line=2,
        limits=Limits(memory=150 * _MEGA),
    ),
    Failing(
        "mount in the way",
        "FROM python:3.11\nRUN true\n",
        "Internal",
        84,
        "A mount is in the way of the image's files: failed to get filesystem from image: error removing *"
        "bin to make way for new symlink: unlinkat //bin/there: device or resource busy.",
        mounts=("/bin/there",),
        # It leaves what is mounted alone, so that /bin does not become the link that it is in the image.
        shipped={
            "situation": "no shell",
            "reason": "RunCommandFailed",
            "code": 1,
            "message": "The RUN in line 2 could not start: the image has no /bin/sh.",
            "line": 2,
        },
    ),
)
