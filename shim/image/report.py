"""What `make image` and `make operator-image` print."""

from pathlib import Path

from image.layout import image_ids, layout_size
from image.tools import Tool


def put_into_storage(tool: Tool, layout: Path, image: str) -> bool:
    """Have an image in the tool's storage under its name.

    Returns:
        Whether it had to be loaded; otherwise it was there.
    """
    identity = tool.identify(image) or ""
    if identity.removeprefix("sha256:") in image_ids(layout):
        return False
    tool.load(layout, image)
    return True


def report(part: str, image: str, tool: Tool, layout: Path, more: dict[str, str]) -> str:
    """The lines about a finished image, with the commands that take it to a cluster."""
    facts = {
        f"{part} image": f"{image} (in {tool.name}'s storage)",
        "OCI layout": str(layout),
        "size": f"{layout_size(layout) / 1_000_000:.1f} MB compressed",
        **more,
        **tool.deliveries(image),
    }
    width = max(map(len, facts)) + 2
    return "\n".join(f"{name:{width}}{value}" for name, value in facts.items())
