"""Platforms of images, as image indexes name them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system, a processor, and the processor's variant (often empty)."""

    os: str
    architecture: str
    variant: str = ""

    @property
    def name(self) -> str:
        """`os/arch[/variant]`."""
        return f"{self.os}/{self.architecture}" + (f"/{self.variant}" if self.variant else "")


@dataclass(frozen=True, slots=True)
class Member:
    """An image of an index: what it is for, and its manifest's digest."""

    platform: Platform
    digest: str
