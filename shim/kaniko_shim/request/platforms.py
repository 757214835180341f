"""Reads platforms and the members of an image index from variables."""

import re

from kaniko_shim.oci.digests import DIGEST
from kaniko_shim.oci.platform import Member, Platform
from kaniko_shim.request.scalars import split_list

_PLATFORM = re.compile(r"([a-z][a-z0-9]*)/([a-z0-9][a-z0-9_]*)(?:/([a-z0-9][a-z0-9.]*))?")


def parse_platform(text: str) -> Platform | None:
    """Read `os/arch[/variant]`; None if the text is empty.

    Raises:
        ValueError: says what to write instead.
    """
    text = text.strip()
    if not text:
        return None
    match = _PLATFORM.fullmatch(text)
    if match is None:
        raise ValueError("write os/arch or os/arch/variant in lower case, such as linux/amd64 or linux/arm/v7")
    return Platform(match[1], match[2], match[3] or "")


def parse_members(text: str) -> tuple[Member, ...]:
    """Read comma-separated `os/arch[/variant]=sha256:…` pairs.

    Raises:
        ValueError: names the one that is wrong.
    """
    members = list[Member]()
    for item in split_list(text, ","):
        name, _, digest = (part.strip() for part in item.partition("="))
        if not name or not DIGEST.fullmatch(digest):
            raise ValueError(f"{item!r}: write os/arch=sha256: and 64 hexadecimal digits")
        try:
            platform = parse_platform(name)
        except ValueError as error:
            raise ValueError(f"{item!r}: {error}") from error
        if platform is None or any(each.platform == platform for each in members):
            raise ValueError(f"{item!r}: this platform appears twice")
        members.append(Member(platform, digest))
    return tuple(members)
