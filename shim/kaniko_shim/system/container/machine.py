"""The machine that the shim runs on."""

import os

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm", "i686": "386"}


def architecture() -> str:
    """The architecture, by its name in image indexes."""
    machine = os.uname().machine
    return _ARCHITECTURES.get(machine, machine)
