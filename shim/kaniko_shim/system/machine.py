"""The machine that this is."""

import os

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm", "i686": "386"}


def architecture() -> str:
    """The processor, as image indexes call it."""
    machine = os.uname().machine
    return _ARCHITECTURES.get(machine, machine)
