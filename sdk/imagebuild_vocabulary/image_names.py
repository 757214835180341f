"""Names of images, as Docker reads them, and entries that stand for many of them."""

from collections.abc import Iterator


def familiar(image: str) -> str:
    """The full name of an image or a repository, with docker.io for Docker Hub."""
    host, slash, path = image.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        hub = {"index.docker.io", "registry-1.docker.io"}
        return f"docker.io/{path}" if host in hub else image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def registry_of(image: str) -> str:
    """The host of an image's registry; docker.io for Docker Hub, whichever of its names is used."""
    return familiar(image).partition("/")[0]


def covers(entry: str, image: str) -> bool:
    """Whether an entry of `limits.baseImages`, `limits.images` or ALLOWED_BASE_IMAGES has an image, or a whole entry.

    Args:
        entry: A registry, a path or an image.
        image: The full name of an image, with docker.io for Docker Hub; or another entry.
    """
    return image == entry or image.startswith(tuple(beginnings(entry)))


def beginnings(entry: str) -> Iterator[str]:
    """What the names begin with that an entry covers, besides the entry itself: it ends where a part of a name does."""
    yield f"{entry}/"
    # After a host alone, a colon is followed by its port.
    if "/" in entry:
        yield from (f"{entry}:", f"{entry}@")
