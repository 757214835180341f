"""Names of images, as Docker reads them."""


def registry_of(image: str) -> str:
    """The host of an image's registry; docker.io where the name has none."""
    first, separator, _ = image.partition("/")
    is_host = bool(separator) and ("." in first or ":" in first or first == "localhost")
    return first if is_host else "docker.io"
