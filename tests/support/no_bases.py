"""Base images of a machine without registries."""

from collections.abc import Mapping

from kaniko_shim.oci.platform import Platform


class NoBases:
    """Finds nothing: there is no registry."""

    def digest(self, _image: str) -> str:
        """Empty."""
        return ""

    def for_platform(self, image: str, _platform: Platform) -> str:
        """The same image."""
        return image

    def platform(self, _image: str, _platform: Platform) -> Platform | None:
        """None."""
        return None

    def environment(self, _image: str, _platform: Platform) -> Mapping[str, str] | None:
        """None."""
        return None

    def shell(self, _image: str, _platform: Platform) -> tuple[str, ...]:
        """None."""
        return ()

    def user(self, _image: str, _platform: Platform) -> str | None:
        """None."""
        return None
